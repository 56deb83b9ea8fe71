/**
 * Bytes being put together for a string of Lua.
 *
 * Thread: core.
 * Owns: a buffer that is used again and again.
 * Never: keeps a large one for long.
 */
const START_SIZE = 1024
const KEPT_SIZE_MAX = 1024 * 1024

export class OutputBytes {
  bytes = Buffer.allocUnsafe(START_SIZE)
  length = 0

  clear(): void {
    this.length = 0
    if (this.bytes.length > KEPT_SIZE_MAX) this.bytes = Buffer.allocUnsafe(START_SIZE)
  }

  byte(value: number): void {
    if (this.length === this.bytes.length) this.#grow(1)
    this.bytes[this.length++] = value
  }

  /** A head byte and the low `size` bytes of a number, the highest first. */
  uint(head: number, value: number, size: number): void {
    this.byte(head)
    for (let shift = (size - 1) * 8; shift >= 0; shift -= 8) this.byte((value >>> shift) & 0xff)
  }

  /** A whole number of up to 64 bits, the highest byte first. */
  int64(value: number): void {
    this.#room(8)
    this.bytes.writeBigUInt64BE(BigInt.asUintN(64, BigInt(value)), this.length)
    this.length += 8
  }

  float32(value: number): void {
    this.#room(4)
    this.length = this.bytes.writeFloatBE(value, this.length)
  }

  float64(value: number): void {
    this.#room(8)
    this.length = this.bytes.writeDoubleBE(value, this.length)
  }

  copy(source: Buffer, offset: number, length: number): void {
    this.#room(length)
    source.copy(this.bytes, this.length, offset, offset + length)
    this.length += length
  }

  /** ASCII. */
  text(text: string): void {
    this.#room(text.length)
    this.bytes.latin1Write(text, this.length)
    this.length += text.length
  }

  #room(size: number): void {
    if (this.bytes.length - this.length < size) this.#grow(size)
  }

  #grow(size: number): void {
    const longer = Buffer.allocUnsafe(Math.max(this.length + size, this.bytes.length * 2))
    this.bytes.copy(longer, 0, 0, this.length)
    this.bytes = longer
  }
}
