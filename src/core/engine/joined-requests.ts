/**
 * Buffers in which huge requests are put together from their pieces. They are used again: a new one
 * for each would be garbage by the gigabyte before it is collected.
 *
 * Thread: core.
 * Owns: those that nobody uses at the moment.
 * Never: keeps more than 16 MiB.
 */
import { JOINED_SPARE_SIZE_MAX } from '../../config/limits.ts'

/** A request that is arriving. */
export class JoinedRequest {
  readonly bytes: Buffer
  /** The same memory. */
  readonly words: Int32Array
  /** Bytes it will have. */
  size = 0

  constructor(capacity: number) {
    this.bytes = Buffer.allocUnsafeSlow(capacity)
    this.words = new Int32Array(this.bytes.buffer, this.bytes.byteOffset, capacity >> 2)
  }
}

export class JoinedRequests {
  readonly #spares: JoinedRequest[] = []
  #spareSize = 0

  /** Bytes that are kept. */
  get spareSize(): number {
    return this.#spareSize
  }

  /** One with room for `size` bytes, a multiple of four. */
  take(size: number): JoinedRequest {
    const at = this.#spares.findIndex(({ bytes }) => bytes.length >= size)
    const request = at < 0 ? new JoinedRequest(capacityFor(size)) : this.#spares.splice(at, 1)[0]
    if (at >= 0) this.#spareSize -= request.bytes.length
    request.size = size
    return request
  }

  /** Nobody looks at it any more. */
  give(request: JoinedRequest): void {
    if (request.bytes.length > JOINED_SPARE_SIZE_MAX) return
    this.#spares.push(request)
    this.#spareSize += request.bytes.length
    // The oldest go: sizes that are not wanted any more leave in time.
    while (this.#spareSize > JOINED_SPARE_SIZE_MAX) {
      this.#spareSize -= this.#spares.shift()?.bytes.length ?? 0
    }
  }
}

/** Rounded up where it will be used again, so that it serves for others of about this size. */
function capacityFor(size: number): number {
  if (size > JOINED_SPARE_SIZE_MAX) return size
  return 1 << (32 - Math.clz32(size - 1))
}
