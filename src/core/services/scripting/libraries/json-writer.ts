/**
 * cjson.encode.
 *
 * Thread: core.
 * Owns: the bytes being made.
 * Never: calls a metamethod.
 */

import { formatGeneral } from '../../../../lib/bytes/general.ts'
import {
  LUA_BOOLEAN,
  LUA_LIGHT_USERDATA,
  LUA_NIL,
  LUA_NUMBER,
  LUA_STRING,
  LUA_TABLE,
  type LuaMachine,
  TYPE_NAMES,
} from '../lua/machine.ts'
import {
  ENCODE_DEPTH,
  ENCODE_INVALID,
  PRECISION,
  type Setting,
  SPARSE_CONVERT,
  SPARSE_RATIO,
  SPARSE_SAFE,
} from './json-settings.ts'
import { OutputBytes } from './output-bytes.ts'

/** What a byte is written as; undefined: as it is. */
const ESCAPES: (string | undefined)[] = Array.from({ length: 256 }, (_, byte) =>
  byte < 32 || byte === 127 ? `\\u${byte.toString(16).padStart(4, '0')}` : undefined,
)
for (const [character, written] of [
  '"\\"',
  '\\\\\\',
  '/\\/',
  '\b\\b',
  '\t\\t',
  '\n\\n',
  '\f\\f',
  '\r\\r',
].map((pair) => [pair[0], pair.slice(1)])) {
  ESCAPES[character.charCodeAt(0)] = written
}

const QUOTE = 34
const COMMA = 44
/** Whole numbers below this have no more digits than the default precision. */
const PLAIN_MAX = 1e14
const DEFAULT_PRECISION = 14

/** As `%.Ng`. The shortest text that tells a double is that already, unless it has more digits. */
function formatPrecision(value: number, precision: number): string {
  const size = Math.abs(value)
  if (precision === DEFAULT_PRECISION && size >= 1e-4 && size < PLAIN_MAX) {
    const text = String(value)
    // Sign, point and a leading zero are no digits, and more only make it careful.
    if (text.length <= DEFAULT_PRECISION) return text
  }
  return formatGeneral(value, precision)
}

export class JsonWriter {
  readonly #machine: LuaMachine
  readonly #out = new OutputBytes()
  #setting: Setting = () => 0

  constructor(machine: LuaMachine) {
    this.#machine = machine
  }

  /** The only argument as JSON. */
  encode(state: number, setting: Setting): number {
    this.#setting = setting
    this.#out.clear()
    this.#value(state, 0)
    this.#machine.push(state, this.#out.bytes, 0, this.#out.length)
    return 1
  }

  /** The value on top of the stack, which stays there. */
  #value(state: number, depth: number): void {
    const { api } = this.#machine
    const type = api.lua_type(state, -1)
    if (type === LUA_STRING) this.#string(state, -1)
    else if (type === LUA_NUMBER) this.#number(state, -1)
    else if (type === LUA_BOOLEAN) this.#out.text(api.lua_toboolean(state, -1) ? 'true' : 'false')
    else if (type === LUA_NIL) this.#out.text('null')
    else if (type === LUA_TABLE) this.#table(state, depth + 1)
    else if (type === LUA_LIGHT_USERDATA && api.lua_touserdata(state, -1) === 0) {
      this.#out.text('null')
    } else this.#refuse(state, -1, 'type not supported')
  }

  #table(state: number, depth: number): void {
    const { api } = this.#machine
    if (depth > this.#setting(ENCODE_DEPTH) || api.lua_checkstack(state, 3) === 0) {
      this.#machine.raise(state, `Cannot serialise, excessive nesting (${depth})`)
    }
    const length = this.#arrayLength(state)
    if (length > 0) this.#array(state, length, depth)
    else this.#object(state, depth)
  }

  /** The highest index of the table on top; -1 when it is no array. */
  #arrayLength(state: number): number {
    const { api } = this.#machine
    let highest = 0
    let count = 0
    api.lua_pushnil(state)
    while (api.lua_next(state, -2) !== 0) {
      const key = api.lua_type(state, -2) === LUA_NUMBER ? api.lua_tonumber(state, -2) : 0
      if (!(key >= 1 && Math.floor(key) === key)) {
        api.lua_settop(state, -3)
        return -1
      }
      highest = Math.max(highest, key)
      count++
      api.lua_settop(state, -2)
    }
    const ratio = this.#setting(SPARSE_RATIO)
    if (ratio > 0 && highest > count * ratio && highest > this.#setting(SPARSE_SAFE)) {
      if (this.#setting(SPARSE_CONVERT) === 0) this.#refuse(state, -1, 'excessively sparse array')
      return -1
    }
    return highest
  }

  #array(state: number, length: number, depth: number): void {
    const { api } = this.#machine
    this.#out.byte(91)
    for (let i = 1; i <= length; i++) {
      if (i > 1) this.#out.byte(COMMA)
      api.lua_rawgeti(state, -1, i)
      this.#value(state, depth)
      api.lua_settop(state, -2)
    }
    this.#out.byte(93)
  }

  #object(state: number, depth: number): void {
    const { api } = this.#machine
    const out = this.#out
    out.byte(123)
    let isFirst = true
    api.lua_pushnil(state)
    while (api.lua_next(state, -2) !== 0) {
      if (!isFirst) out.byte(COMMA)
      isFirst = false
      const type = api.lua_type(state, -2)
      if (type === LUA_NUMBER) {
        out.byte(QUOTE)
        this.#number(state, -2)
        out.byte(QUOTE)
      } else if (type === LUA_STRING) this.#string(state, -2)
      else this.#refuse(state, -2, 'table key must be a number or string')
      out.byte(58)
      this.#value(state, depth)
      api.lua_settop(state, -2)
    }
    out.byte(125)
  }

  #string(state: number, index: number): void {
    const out = this.#out
    const at = this.#machine.string(state, index)
    const { bytes, length } = this.#machine
    const end = at + length
    out.byte(QUOTE)
    let from = at
    for (let i = at; i < end; i++) {
      const written = ESCAPES[bytes[i]]
      if (written === undefined) continue
      if (i > from) out.copy(bytes, from, i - from)
      out.text(written)
      from = i + 1
    }
    if (end > from) out.copy(bytes, from, end - from)
    out.byte(QUOTE)
  }

  #number(state: number, index: number): void {
    const value = this.#machine.api.lua_tonumber(state, index)
    const out = this.#out
    if (!Number.isFinite(value)) return this.#invalidNumber(state, index, value)
    const precision = this.#setting(PRECISION)
    const isPlain = precision === DEFAULT_PRECISION && Math.abs(value) < PLAIN_MAX
    if (isPlain && Number.isInteger(value) && !Object.is(value, -0)) out.text(String(value))
    else out.text(formatPrecision(value, precision))
  }

  #invalidNumber(state: number, index: number, value: number): void {
    const mode = this.#setting(ENCODE_INVALID)
    if (mode === 0) this.#refuse(state, index, 'must not be NaN or Inf')
    if (mode === 2) this.#out.text('null')
    else if (Number.isNaN(value)) this.#out.text('nan')
    else this.#out.text(value > 0 ? 'inf' : '-inf')
  }

  #refuse(state: number, index: number, reason: string): never {
    const type = TYPE_NAMES[this.#machine.api.lua_type(state, index)]
    return this.#machine.raise(state, `Cannot serialise ${type}: ${reason}`)
  }
}
