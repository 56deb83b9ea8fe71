/**
 * The library `struct`: numbers and strings packed as structures of C have them.
 *
 *     > <     big, little endian            !n      alignment up to n bytes, 8 without n
 *     x       a byte of padding             ' '     nothing
 *     b B     byte      h H   short         l L     long, 8 bytes      T   size_t, 8 bytes
 *     in In   integer of n bytes, 4 without n: small letters are signed
 *     f d     float, double
 *     cn      n bytes; c0: packing, all bytes, unpacking, as many as the number before says
 *     s       bytes up to a NUL
 *
 * Thread: core.
 * Owns: nothing.
 * Never: reads beyond the data.
 */
import type { LuaMachine } from '../lua/machine.ts'
import type { Library } from '../lua/sandbox.ts'

const INTEGER_SIZE_MAX = 32
const ALIGNMENT_DEFAULT = 8
const INT32_MAX = 0x7fffffff
const INTEGERS = 'bBhHlLTiI'
const SIZES: Readonly<Record<string, number>> = {
  b: 1,
  B: 1,
  h: 2,
  H: 2,
  l: 8,
  L: 8,
  T: 8,
  f: 4,
  d: 8,
  x: 1,
}

/** Reads a format, option by option. */
class Format {
  readonly #machine: LuaMachine
  readonly #state: number
  readonly #text: string
  #at = 0
  option = ''
  /** Bytes of the present option; 0 where it does not say. */
  size = 0
  bigEndian = false
  #alignment = 1

  constructor(machine: LuaMachine, state: number) {
    this.#machine = machine
    this.#state = state
    const at = machine.checkString(state, 1)
    this.#text = machine.textAt(at)
  }

  /** Goes to the next option. False at the end. */
  next(): boolean {
    if (this.#at === this.#text.length) return false
    this.option = this.#text[this.#at++]
    const known = SIZES[this.option]
    if (known !== undefined) this.size = known
    else if (this.option === 'c') this.size = this.#number(1)
    else if (this.option === 'i' || this.option === 'I') this.size = this.#integerSize()
    else this.size = 0
    return true
  }

  #integerSize(): number {
    const size = this.#number(4)
    if (size > INTEGER_SIZE_MAX) {
      const text = `integral size ${size} is larger than limit of ${INTEGER_SIZE_MAX}`
      this.#machine.raise(this.#state, text)
    }
    return size
  }

  #number(otherwise: number): number {
    let value = -1
    for (;;) {
      const digit = this.#text.charCodeAt(this.#at) - 48
      if (!(digit >= 0 && digit <= 9)) return value < 0 ? otherwise : value
      value = Math.max(value, 0) * 10 + digit
      if (value > INT32_MAX) this.#machine.raise(this.#state, 'integral size overflow')
      this.#at++
    }
  }

  /** Bytes of padding that the present option needs at a position. */
  padding(position: number): number {
    if (this.size === 0 || this.option === 'c') return 0
    const size = Math.min(this.size, this.#alignment)
    return (size - (position & (size - 1))) & (size - 1)
  }

  /** Takes an option that says how to go on. */
  control(): void {
    if (this.option === ' ') return
    if (this.option === '>') this.bigEndian = true
    else if (this.option === '<') this.bigEndian = false
    else if (this.option === '!') {
      const alignment = this.#number(ALIGNMENT_DEFAULT)
      if (alignment <= 0 || (alignment & (alignment - 1)) !== 0) {
        this.#machine.raise(this.#state, `alignment ${alignment} is not a power of 2`)
      }
      this.#alignment = alignment
    } else {
      const { api } = this.#machine
      this.#machine.pushText(this.#state, `invalid format option '${this.option}'`)
      api.luaL_argerror(this.#state, 1, this.#machine.string(this.#state, -1))
    }
  }
}

export function structLibrary(machine: LuaMachine): Library {
  return {
    name: 'struct',
    functions: {
      pack: (state) => pack(machine, state),
      unpack: (state) => unpack(machine, state),
      size: (state) => size(machine, state),
    },
  }
}

const word = new DataView(new ArrayBuffer(8))

function pack(machine: LuaMachine, state: number): number {
  const { api } = machine
  const format = new Format(machine, state)
  const out: Buffer[] = []
  let total = 0
  let argument = 2
  // QUIRK: what is missing counts as nil, not as absent: `struct.pack('i')` says so.
  api.lua_pushnil(state)
  while (format.next()) {
    const { option } = format
    const padding = format.padding(total)
    total += padding
    out.push(Buffer.alloc(padding))
    let { size } = format
    if (INTEGERS.includes(option)) {
      const value = api.luaL_checknumber(state, argument++)
      out.push(integerBytes(toInt64(value), size, format.bigEndian))
    } else if (option === 'x') {
      out.push(Buffer.alloc(1))
    } else if (option === 'f' || option === 'd') {
      out.push(floatBytes(api.luaL_checknumber(state, argument++), size, format.bigEndian))
    } else if (option === 'c' || option === 's') {
      const at = machine.checkString(state, argument++)
      const { length } = machine
      if (size === 0) size = length
      if (length < size) machine.badArgument(state, argument, 'string too short')
      out.push(Buffer.from(machine.bytes.subarray(at, at + size)))
      if (option === 's') {
        out.push(Buffer.alloc(1))
        size++
      }
    } else format.control()
    total += size
  }
  const bytes = Buffer.concat(out)
  machine.push(state, bytes, 0, bytes.length)
  return 1
}

/** As C converts a double to 64 bits on the usual machines, what does not fit included. */
function toInt64(value: number): bigint {
  const whole = Math.trunc(value)
  if (whole >= 2 ** 64) return 0n
  if (Number.isNaN(whole) || whole < -(2 ** 63)) return 1n << 63n
  return BigInt(whole)
}

function integerBytes(value: bigint, size: number, bigEndian: boolean): Buffer {
  const bytes = Buffer.alloc(size)
  word.setBigUint64(0, BigInt.asUintN(64, value), true)
  for (let i = 0; i < Math.min(size, 8); i++) bytes[bigEndian ? size - 1 - i : i] = word.getUint8(i)
  return bytes
}

function floatBytes(value: number, size: number, bigEndian: boolean): Buffer {
  if (size === 4) word.setFloat32(0, value, !bigEndian)
  else word.setFloat64(0, value, !bigEndian)
  return Buffer.from(new Uint8Array(word.buffer, 0, size))
}

function unpack(machine: LuaMachine, state: number): number {
  const { api } = machine
  const format = new Format(machine, state)
  const data = machine.checkString(state, 2)
  const { length } = machine
  const start = api.luaL_optinteger(state, 3, 1)
  if (start <= 0) machine.badArgument(state, 3, 'offset must be 1 or greater')
  let at = start - 1
  let count = 0
  while (format.next()) {
    const { option } = format
    at += format.padding(at)
    let { size } = format
    if (size > length || at > length - size) tooShort(machine, state)
    api.luaL_checkstack(state, 2, machine.text('too many results'))
    if (INTEGERS.includes(option)) {
      const isSigned = option === option.toLowerCase()
      api.lua_pushnumber(state, integerAt(machine, data + at, size, format.bigEndian, isSigned))
      count++
    } else if (option === 'f' || option === 'd') {
      api.lua_pushnumber(state, floatAt(machine, data + at, size, format.bigEndian))
      count++
    } else if (option === 'c') {
      if (size === 0) {
        if (count === 0 || api.lua_isnumber(state, -1) === 0) {
          machine.raise(state, "format 'c0' needs a previous size")
        }
        size = Math.trunc(api.lua_tonumber(state, -1))
        api.lua_settop(state, -2)
        count--
        if (!(size >= 0 && size <= length && at <= length - size)) tooShort(machine, state)
      }
      api.lua_pushlstring(state, data + at, size)
      count++
    } else if (option === 's') {
      const end = machine.bytes.indexOf(0, data + at)
      if (end < 0 || end >= data + length) machine.raise(state, 'unfinished string in data')
      size = end - data - at + 1
      api.lua_pushlstring(state, data + at, size - 1)
      count++
    } else if (option !== 'x') format.control()
    at += size
  }
  api.lua_pushnumber(state, at + 1)
  return count + 1
}

function tooShort(machine: LuaMachine, state: number): never {
  return machine.badArgument(state, 2, 'data string too short')
}

/** Of more than eight bytes, the first in order of worth fall out at the top. */
function integerAt(
  machine: LuaMachine,
  at: number,
  size: number,
  bigEndian: boolean,
  isSigned: boolean,
): number {
  let value = 0n
  for (let i = 0; i < size; i++) {
    const byte = machine.bytes[bigEndian ? at + i : at + size - 1 - i]
    value = BigInt.asUintN(64, (value << 8n) | BigInt(byte))
  }
  return Number(isSigned ? BigInt.asIntN(Math.min(size * 8, 64), value) : value)
}

function floatAt(machine: LuaMachine, at: number, size: number, bigEndian: boolean): number {
  for (let i = 0; i < size; i++) word.setUint8(i, machine.bytes[at + i])
  return size === 4 ? word.getFloat32(0, !bigEndian) : word.getFloat64(0, !bigEndian)
}

function size(machine: LuaMachine, state: number): number {
  const format = new Format(machine, state)
  let at = 0
  while (format.next()) {
    const { option, size: optionSize } = format
    at += format.padding(at)
    if (option === 's') machine.badArgument(state, 1, "option 's' has no fixed size")
    if (option === 'c' && optionSize === 0) {
      machine.badArgument(state, 1, "option 'c0' has no fixed size")
    }
    if (!/[0-9A-Za-z]/.test(option)) format.control()
    at += optionSize
  }
  machine.api.lua_pushnumber(state, at)
  return 1
}
