/**
 * Whole numbers as Redis has them: where it runs, an integer of Lua has 64 bits, and here 32. What does
 * not fit became -2^31 or 0: table.insert at an infinite position moved two thousand million elements,
 * and string.format('%d') told a time in milliseconds wrong. Both conversions are changed in the
 * interpreter's code:
 *
 *   - lua_tointeger gives the lower 32 of 64 bits, which is what most functions take of them.
 *     DIFFERS: string.sub, byte and find take all 64 in Redis.
 *   - string.format converts to 64 bits, and tells them by `%lld` and its like instead of `%ld`.
 *
 * What fits in no 64 bits becomes what an x86 processor makes of it, as in Redis.
 *
 * Thread: core.
 * Owns: nothing.
 * Never: guesses: code that looks otherwise is refused.
 *
 * @see https://webassembly.github.io/spec/core/binary/instructions.html
 */
import { assert } from '../../../../lib/assert.ts'

type Code = readonly number[]

const BLOCK_I32: Code = [0x02, 0x7f]
const BLOCK_I64: Code = [0x02, 0x7e]
const IF: Code = [0x04, 0x40]
const IF_I32: Code = [0x04, 0x7f]
const IF_I64: Code = [0x04, 0x7e]
const ELSE = 0x05
const END = 0x0b
/** To the end of the block around the `if` that it stands in. */
const LEAVE: Code = [0x0c, 1]
const GET = 0x20
const TEE = 0x22
const F64_ABS = 0x99
const F64_LESS = 0x63
const F64_NOT_LESS = 0x66
const I32_AND = 0x71
const I32_OF_F64 = 0xaa
const U32_OF_F64 = 0xab
const I64_OF_F64 = 0xb0
const U64_OF_F64 = 0xb1
const I32_OF_I64 = 0xa7

const I32_0: Code = [0x41, 0]
const I32_LEAST: Code = [0x41, 0x80, 0x80, 0x80, 0x80, 0x78]
const I64_0: Code = [0x42, 0]
const I64_LEAST: Code = [0x42, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f]

/** A double as a constant. */
function f64(value: number): Code {
  const bytes = Buffer.alloc(8)
  bytes.writeDoubleLE(value)
  return [0x44, ...bytes]
}

/** Code that is changed from its beginning to its end. */
class Rewriting {
  readonly #code: Buffer
  readonly #done: Uint8Array[] = []
  #at = 0

  constructor(code: Uint8Array) {
    this.#code = Buffer.from(code)
  }

  /** Keeps all up to `old`, which must come, and puts `by` in its place. Gives what was kept. */
  replace(old: Code, by: Code): Uint8Array {
    const at = this.#code.indexOf(Buffer.from(old), this.#at)
    assert(at >= 0, 'the interpreter is laid out otherwise')
    const kept = this.#code.subarray(this.#at, at)
    this.#done.push(kept, Buffer.from(by))
    this.#at = at + old.length
    return kept
  }

  end(): Uint8Array {
    return Buffer.concat([...this.#done, this.#code.subarray(this.#at)])
  }
}

/** The local variable that the code behind `kept` is about: it was set last. */
function numberKept(kept: Uint8Array): Code {
  assert(kept.at(-2) === TEE, 'the number is kept')
  return [GET, kept[kept.length - 1]]
}

/** lua_tointeger, which converts one number. */
export function withWideInteger(body: Uint8Array): Uint8Array {
  const code = new Rewriting(body)
  const asks = [F64_ABS, ...f64(2 ** 31), F64_LESS]
  const number = numberKept(code.replace(asks, asks))
  code.replace(
    [I32_OF_F64, ...LEAVE, END, ...I32_LEAST, END],
    [
      ...[I32_OF_F64, ...LEAVE, END],
      ...[...number, F64_ABS, ...f64(2 ** 63), F64_LESS, ...IF_I32],
      ...[...number, I64_OF_F64, I32_OF_I64, ELSE, ...I32_0, END, END],
    ],
  )
  return code.end()
}

/** `form[l - 1] = 'l'`, as str_format makes `%ld` of `%d`; twice: of signed numbers and of others. */
const STORES_L: Code = [0x41, 0xec, 0, 0x3b, 0, 0]
/** The same with two of them. */
const STORES_LL: Code = [0x41, 0xec, 0xd8, 0x01, 0x3b, 0, 0]

/** Whether this is str_format. */
export function isFormat(body: Uint8Array): boolean {
  const bytes = Buffer.from(body)
  const first = bytes.indexOf(Buffer.from(STORES_L))
  return first >= 0 && bytes.indexOf(Buffer.from(STORES_L), first + 1) > 0
}

/** str_format, which converts a signed number, and then, for other conversions, one without a sign. */
export function withWideFormat(body: Uint8Array): Uint8Array {
  const code = new Rewriting(body)
  lengthenForm(code)
  const asks = [F64_ABS, ...f64(2 ** 31), F64_LESS]
  code.replace(asks, [F64_ABS, ...f64(2 ** 63), F64_LESS])
  code.replace([I32_OF_F64, ...LEAVE, END], [I64_OF_F64, ...LEAVE, END])
  code.replace([...I32_LEAST, END, ...storeI32(0x20)], [...I64_LEAST, END, ...storeI64(0x20)])

  lengthenForm(code)
  const asksUnsigned = [...f64(2 ** 32), F64_LESS]
  const number = numberKept(code.replace(asksUnsigned, [F64_ABS, ...f64(2 ** 63), F64_LESS]))
  code.replace(
    [...number, ...f64(0), F64_NOT_LESS, I32_AND, ...IF, ...number, U32_OF_F64],
    [...IF, ...number, I64_OF_F64],
  )
  code.replace(
    [...LEAVE, END, ...I32_0, END, ...storeI32(0x30)],
    [
      ...[...LEAVE, END],
      ...[...number, ...f64(2 ** 63), F64_NOT_LESS, ...number, ...f64(2 ** 64), F64_LESS],
      ...[I32_AND, ...IF, ...number, U64_OF_F64, ...LEAVE, END],
      ...[...number, ...f64(2 ** 64), F64_NOT_LESS, ...IF_I64],
      ...[...I64_0, ELSE, ...I64_LEAST, END],
      ...[END, ...storeI64(0x30)],
    ],
  )
  return code.end()
}

/** `l` becomes `ll`, what stands behind moves by one, and the conversion is one to 64 bits. */
function lengthenForm(code: Rewriting): void {
  const storeByte = (offset: number) => [0x3a, 0, offset]
  code.replace(STORES_L, STORES_LL)
  code.replace([...I32_0, ...storeByte(1)], [...I32_0, ...storeByte(2)])
  code.replace(storeByte(0), storeByte(1))
  code.replace(BLOCK_I32, BLOCK_I64)
}

/** Where sprintf looks for its argument. */
function storeI32(offset: number): Code {
  return [0x36, 2, offset]
}

function storeI64(offset: number): Code {
  return [0x37, 3, offset]
}
