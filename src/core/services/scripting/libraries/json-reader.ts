/**
 * cjson.decode: one token after the other, straight into values of Lua.
 *
 * Thread: core.
 * Owns: the place in the text.
 * Never: keeps the text where Lua's memory has moved away from: it works on a copy.
 */
import { parseRangeLimit } from '../../../../lib/bytes/double.ts'
import type { LuaMachine } from '../lua/machine.ts'
import { DECODE_DEPTH, DECODE_INVALID, type Setting } from './json-settings.ts'
import { OutputBytes } from './output-bytes.ts'

const TOKEN_NAMES = [
  'T_OBJ_BEGIN',
  'T_OBJ_END',
  'T_ARR_BEGIN',
  'T_ARR_END',
  'T_STRING',
  'T_NUMBER',
  'T_BOOLEAN',
  'T_NULL',
  'T_COLON',
  'T_COMMA',
  'T_END',
  'T_ERROR',
] as const
const [
  OBJECT_BEGIN,
  OBJECT_END,
  ARRAY_BEGIN,
  ARRAY_END,
  STRING,
  NUMBER,
  BOOLEAN,
  NULL,
  COLON,
  COMMA,
  END,
  ERROR,
] = TOKEN_NAMES.keys()

const SINGLE = new Map<number, number>([
  [123, OBJECT_BEGIN],
  [125, OBJECT_END],
  [91, ARRAY_BEGIN],
  [93, ARRAY_END],
  [58, COLON],
  [44, COMMA],
])
const QUOTE = 34
const BACKSLASH = 92
/** What stands behind a backslash, and what it means; `u` leads a code point. */
const ESCAPED = new Map<number, number>([
  [QUOTE, QUOTE],
  [BACKSLASH, BACKSLASH],
  [47, 47],
  [98, 8],
  [116, 9],
  [110, 10],
  [102, 12],
  [114, 13],
])
const LETTER_U = 117
/** Digits that a double tells exactly. */
const PLAIN_DIGITS_MAX = 15
/** What C's strtod reads. */
const C_NUMBER =
  /[+-]?(?:0x(?:[0-9a-f]+\.?[0-9a-f]*|\.[0-9a-f]+)(?:p[+-]?\d+)?|(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|inf(?:inity)?|nan(?:\(\w*\))?)/iy
/** The most that is looked at for a number. */
const NUMBER_SIZE_MAX = 1100

export class JsonReader {
  readonly #machine: LuaMachine
  readonly #string = new OutputBytes()
  #setting: Setting = () => 0
  #bytes = Buffer.alloc(0)
  #at = 0
  #depth = 0
  /** Where the token began, its number or truth, and what is wrong with it. */
  #tokenAt = 0
  #number = 0
  #error = ''
  /** The string without escapes that was read last; length -1: it had some. */
  #plainAt = 0
  #plainLength = -1

  constructor(machine: LuaMachine) {
    this.#machine = machine
  }

  /** The only argument, JSON, as a value. */
  decode(state: number, setting: Setting): number {
    const machine = this.#machine
    this.#setting = setting
    const at = machine.checkString(state, 1)
    const { length } = machine
    // A NUL behind the text ends it, as in C.
    this.#bytes = Buffer.from(machine.bytes.subarray(at, at + length + 1))
    this.#bytes[length] = 0
    this.#at = 0
    this.#depth = 0
    if (length >= 2 && (this.#bytes[0] === 0 || this.#bytes[1] === 0)) {
      machine.raise(state, 'JSON parser does not support UTF-16 or UTF-32')
    }
    this.#value(state, this.#next())
    const last = this.#next()
    if (last !== END) this.#unexpected(state, 'the end', last)
    return 1
  }

  #value(state: number, token: number): void {
    const { api } = this.#machine
    if (token === STRING) this.#pushString(state)
    else if (token === NUMBER) api.lua_pushnumber(state, this.#number)
    else if (token === BOOLEAN) api.lua_pushboolean(state, this.#number)
    else if (token === OBJECT_BEGIN) this.#object(state)
    else if (token === ARRAY_BEGIN) this.#array(state)
    else if (token === NULL) api.lua_pushlightuserdata(state, 0)
    else this.#unexpected(state, 'value', token)
  }

  #object(state: number): void {
    const { api } = this.#machine
    this.#descend(state, 3)
    api.lua_createtable(state, 0, 0)
    let token = this.#next()
    if (token !== OBJECT_END) {
      for (;;) {
        if (token !== STRING) this.#unexpected(state, 'object key string', token)
        this.#pushString(state)
        token = this.#next()
        if (token !== COLON) this.#unexpected(state, 'colon', token)
        this.#value(state, this.#next())
        api.lua_rawset(state, -3)
        token = this.#next()
        if (token === OBJECT_END) break
        if (token !== COMMA) this.#unexpected(state, 'comma or object end', token)
        token = this.#next()
      }
    }
    this.#depth--
  }

  #array(state: number): void {
    const { api } = this.#machine
    this.#descend(state, 2)
    api.lua_createtable(state, 0, 0)
    let token = this.#next()
    if (token !== ARRAY_END) {
      for (let i = 1; ; i++) {
        this.#value(state, token)
        api.lua_rawseti(state, -2, i)
        token = this.#next()
        if (token === ARRAY_END) break
        if (token !== COMMA) this.#unexpected(state, 'comma or array end', token)
        token = this.#next()
      }
    }
    this.#depth--
  }

  #descend(state: number, slots: number): void {
    this.#depth++
    const isShallow = this.#depth <= this.#setting(DECODE_DEPTH)
    if (isShallow && this.#machine.api.lua_checkstack(state, slots) !== 0) return
    const where = `at character ${this.#at}`
    const text = `Found too many nested data structures (${this.#depth}) ${where}`
    this.#machine.raise(state, text)
  }

  #unexpected(state: number, wanted: string, token: number): never {
    const found = token === ERROR ? this.#error : TOKEN_NAMES[token]
    const place = `at character ${this.#tokenAt + 1}`
    return this.#machine.raise(state, `Expected ${wanted} but found ${found} ${place}`)
  }

  /** The string read last: where it stands in the text, or if it has escapes, without them. */
  #pushString(state: number): void {
    if (this.#plainLength >= 0) {
      this.#machine.push(state, this.#bytes, this.#plainAt, this.#plainLength)
    } else {
      this.#machine.push(state, this.#string.bytes, 0, this.#string.length)
    }
  }

  // ── Tokens ───────────────────────────────────────────────────────────────────────────────────

  #next(): number {
    const bytes = this.#bytes
    let byte = bytes[this.#at]
    while (byte === 32 || byte === 9 || byte === 10 || byte === 13) byte = bytes[++this.#at]
    this.#tokenAt = this.#at
    if (byte === QUOTE) return this.#stringToken()
    const single = SINGLE.get(byte)
    if (single !== undefined) {
      this.#at++
      return single
    }
    if (byte === 0) return END
    if (byte === 45 || (byte >= 48 && byte <= 57)) {
      if (this.#setting(DECODE_INVALID) === 0 && this.#isInvalidNumber()) {
        return this.#wrong('invalid number')
      }
      return this.#numberToken()
    }
    if (this.#skip('true')) {
      this.#number = 1
      return BOOLEAN
    }
    if (this.#skip('false')) {
      this.#number = 0
      return BOOLEAN
    }
    if (this.#skip('null')) return NULL
    const mayBeNumber = byte === 43 || /[iInN]/.test(String.fromCharCode(byte))
    if (mayBeNumber && this.#setting(DECODE_INVALID) !== 0 && this.#isInvalidNumber()) {
      return this.#numberToken()
    }
    return this.#wrong('invalid token')
  }

  #wrong(text: string): number {
    this.#error = text
    this.#tokenAt = this.#at
    return ERROR
  }

  #skip(word: string): boolean {
    if (this.#slice(this.#at, word.length) !== word) return false
    this.#at += word.length
    return true
  }

  /** So many characters, or fewer at the end. */
  #slice(at: number, size: number): string {
    return this.#bytes.latin1Slice(at, Math.min(at + size, this.#bytes.length))
  }

  /** Numbers that JSON does not know though C does. */
  #isInvalidNumber(): boolean {
    const bytes = this.#bytes
    let at = this.#at
    if (bytes[at] === 43) return true
    if (bytes[at] === 45) at++
    if (bytes[at] === 48) {
      const second = bytes[at + 1]
      return (second | 32) === 120 || (second >= 48 && second <= 57)
    }
    if (bytes[at] <= 57) return false
    const word = this.#slice(at, 3).toLowerCase()
    return word === 'inf' || word === 'nan'
  }

  #numberToken(): number {
    if (this.#plainNumber()) return NUMBER
    const text = this.#slice(this.#at, NUMBER_SIZE_MAX)
    C_NUMBER.lastIndex = 0
    const found = C_NUMBER.exec(text)?.[0]
    if (found === undefined) return this.#wrong('invalid number')
    this.#number = numberOf(found)
    this.#at += found.length
    return NUMBER
  }

  /** A whole number of few digits, with nothing behind it that belongs to a number. */
  #plainNumber(): boolean {
    const bytes = this.#bytes
    let at = this.#at
    const isNegative = bytes[at] === 45
    if (isNegative) at++
    const start = at
    let value = 0
    for (let digit = bytes[at] - 48; digit >= 0 && digit <= 9; digit = bytes[++at] - 48) {
      value = value * 10 + digit
    }
    const count = at - start
    const last = bytes[at]
    if (count === 0 || count > PLAIN_DIGITS_MAX || last === 46 || (last | 32) === 101) return false
    if ((last | 32) === 120) return false
    this.#number = isNegative ? -value : value
    this.#at = at
    return true
  }

  #stringToken(): number {
    const bytes = this.#bytes
    this.#plainAt = this.#at + 1
    let end = this.#plainAt
    while (bytes[end] !== QUOTE && bytes[end] !== BACKSLASH && bytes[end] !== 0) end++
    if (bytes[end] === QUOTE) {
      this.#plainLength = end - this.#plainAt
      this.#at = end + 1
      return STRING
    }
    this.#plainLength = -1
    const out = this.#string
    out.clear()
    let from = ++this.#at
    for (;;) {
      const byte = bytes[this.#at]
      if (byte === 0) return this.#wrong('unexpected end of string')
      if (byte !== QUOTE && byte !== BACKSLASH) {
        this.#at++
        continue
      }
      out.copy(bytes, from, this.#at - from)
      if (byte === QUOTE) {
        this.#at++
        return STRING
      }
      const escaped = bytes[this.#at + 1]
      if (escaped === LETTER_U) {
        if (!this.#codePoint()) return this.#wrong('invalid unicode escape code')
      } else {
        const meant = ESCAPED.get(escaped)
        if (meant === undefined) return this.#wrong('invalid escape code')
        out.byte(meant)
        this.#at += 2
      }
      from = this.#at
    }
  }

  /** \uXXXX, or two of them for a code point beyond 16 bits. */
  #codePoint(): boolean {
    let code = this.#hex4(this.#at + 2)
    if (code < 0) return false
    let size = 6
    if ((code & 0xf800) === 0xd800) {
      if ((code & 0x400) !== 0) return false
      if (this.#bytes[this.#at + 6] !== BACKSLASH || this.#bytes[this.#at + 7] !== LETTER_U) {
        return false
      }
      const low = this.#hex4(this.#at + 8)
      if ((low & 0xfc00) !== 0xdc00) return false
      code = (((code & 0x3ff) << 10) | (low & 0x3ff)) + 0x10000
      size = 12
    }
    const utf8 = Buffer.from(String.fromCodePoint(code), 'utf8')
    this.#string.copy(utf8, 0, utf8.length)
    this.#at += size
    return true
  }

  #hex4(at: number): number {
    const text = this.#slice(at, 4)
    return /^[0-9a-f]{4}$/i.test(text) ? Number.parseInt(text, 16) : -1
  }
}

function numberOf(text: string): number {
  const body = text.replace(/^[+-]/, '').toLowerCase()
  const sign = text[0] === '-' ? -1 : 1
  if (body[0] === 'i') return sign * Infinity
  if (body[0] === 'n') return Number.NaN
  if (body[1] === 'x') {
    const bytes = Buffer.from(body)
    return sign * parseRangeLimit(bytes, 0, bytes.length)
  }
  return Number(text)
}
