/**
 * A reply of the server as a value of Lua, as Redis converts it: in RESP2 integers become numbers,
 * bulk strings strings, nothing false, a status a table with `ok`, an error one with `err`; in RESP3
 * nothing is nil, booleans are booleans, and maps, sets, doubles, big numbers and verbatim strings
 * become tables with a field of that name.
 *
 * Thread: core. Hot path.
 * Owns: the place in the reply.
 * Never: looks at anything but complete replies of our own.
 */
import type { LuaMachine } from './lua/machine.ts'
import { pushCountedError } from './script-error.ts'

const PLUS = 43
const MINUS = 45
const COLON = 58
const DOLLAR = 36
const STAR = 42
const UNDERSCORE = 95
const HASH = 35
const COMMA = 44
const PARENTHESIS = 40
const EQUALS = 61
const PERCENT = 37
const TILDE = 126
const GREATER = 62
const BAR = 124
const LETTER_T = 116
/** Slots of Lua's stack that one level of a reply needs. */
const STACK_SLOTS = 6
const TOO_DEEP = 'too many nested replies'

export interface ReplyReader {
  /** Pushes the reply that begins at `at`. False: it was an error. */
  push(state: number, apart: Buffer | undefined, at: number): boolean
}

export class ReplyToLua implements ReplyReader {
  readonly #machine: LuaMachine
  /** Where the reply lies, if not in the interpreter's memory. */
  #apart: Buffer | undefined = undefined
  #at = 0

  constructor(machine: LuaMachine) {
    this.#machine = machine
  }

  push(state: number, apart: Buffer | undefined, at: number): boolean {
    this.#apart = apart
    this.#at = at
    const isError = this.#bytes[at] === MINUS
    this.#value(state)
    this.#apart = undefined
    return !isError
  }

  /** Pushing may move the interpreter's memory: asked for anew after every push. */
  get #bytes(): Buffer {
    return this.#apart ?? this.#machine.bytes
  }

  #value(state: number): void {
    const { api } = this.#machine
    const type = this.#bytes[this.#at++]
    if (type === DOLLAR) {
      const length = this.#integer()
      if (length < 0) return api.lua_pushboolean(state, 0)
      this.#string(state, length)
    } else if (type === COLON) {
      api.lua_pushnumber(state, this.#integer())
    } else if (type === STAR || type === GREATER) {
      this.#array(state, this.#integer())
    } else if (type === PLUS) {
      this.#field(state, 'ok')
    } else if (type === MINUS) {
      const end = this.#lineEnd()
      pushCountedError(this.#machine, state, `-${this.#take(end)}`) // alloc: an error
    } else this.#newer(state, type)
  }

  /** What RESP3 has brought. */
  #newer(state: number, type: number): void {
    const { api } = this.#machine
    if (type === UNDERSCORE) {
      this.#at += 2
      api.lua_pushnil(state)
    } else if (type === HASH) {
      api.lua_pushboolean(state, this.#bytes[this.#at] === LETTER_T ? 1 : 0)
      this.#at += 3
    } else if (type === COMMA) {
      api.lua_createtable(state, 0, 1)
      api.lua_pushnumber(state, doubleOf(this.#take(this.#lineEnd())))
      api.lua_setfield(state, -2, this.#machine.text('double'))
    } else if (type === PARENTHESIS) this.#field(state, 'big_number')
    else if (type === EQUALS) this.#verbatim(state)
    else if (type === PERCENT) this.#map(state, this.#integer())
    else if (type === TILDE) this.#set(state, this.#integer())
    else if (type === BAR) this.#attribute(state)
  }

  #array(state: number, count: number): void {
    const { api } = this.#machine
    if (count < 0) return api.lua_pushboolean(state, 0)
    api.luaL_checkstack(state, STACK_SLOTS, this.#machine.text(TOO_DEEP))
    api.lua_createtable(state, count, 0)
    for (let i = 1; i <= count; i++) {
      this.#value(state)
      api.lua_rawseti(state, -2, i)
    }
  }

  #map(state: number, count: number): void {
    const { api } = this.#machine
    api.luaL_checkstack(state, STACK_SLOTS, this.#machine.text(TOO_DEEP))
    api.lua_createtable(state, 0, 1)
    api.lua_createtable(state, 0, count)
    for (let i = 0; i < count; i++) {
      this.#value(state)
      this.#value(state)
      api.lua_settable(state, -3)
    }
    api.lua_setfield(state, -2, this.#machine.text('map'))
  }

  #set(state: number, count: number): void {
    const { api } = this.#machine
    api.luaL_checkstack(state, STACK_SLOTS, this.#machine.text(TOO_DEEP))
    api.lua_createtable(state, 0, 1)
    api.lua_createtable(state, 0, count)
    for (let i = 0; i < count; i++) {
      this.#value(state)
      api.lua_pushboolean(state, 1)
      api.lua_settable(state, -3)
    }
    api.lua_setfield(state, -2, this.#machine.text('set'))
  }

  /** QUIRK: scripts are not shown attributes: DEBUG PROTOCOL attrib would tell. */
  #attribute(state: number): void {
    for (let rest = this.#integer() * 2; rest > 0; rest--) {
      this.#value(state)
      this.#machine.api.lua_settop(state, -2)
    }
    this.#value(state)
  }

  #verbatim(state: number): void {
    const { api } = this.#machine
    const length = this.#integer()
    api.lua_createtable(state, 0, 1)
    api.lua_createtable(state, 0, 2)
    const at = this.#at
    this.#pushBytes(state, at + 4, length - 4)
    api.lua_setfield(state, -2, this.#machine.text('string'))
    this.#pushBytes(state, at, 3)
    api.lua_setfield(state, -2, this.#machine.text('format'))
    api.lua_setfield(state, -2, this.#machine.text('verbatim_string'))
    this.#at = at + length + 2
  }

  /** A table with the rest of the line in its only field. */
  #field(state: number, name: string): void {
    const { api } = this.#machine
    api.lua_createtable(state, 0, 1)
    const end = this.#lineEnd()
    this.#pushBytes(state, this.#at, end - this.#at)
    this.#at = end + 2
    api.lua_setfield(state, -2, this.#machine.text(name))
  }

  #string(state: number, length: number): void {
    this.#pushBytes(state, this.#at, length)
    this.#at += length + 2
  }

  #pushBytes(state: number, at: number, length: number): void {
    if (this.#apart === undefined) this.#machine.api.lua_pushlstring(state, at, length)
    else this.#machine.push(state, this.#apart, at, length)
  }

  /** A decimal number up to the end of the line. */
  #integer(): number {
    const bytes = this.#bytes
    let at = this.#at
    const isNegative = bytes[at] === MINUS
    if (isNegative) at++
    let value = 0
    for (let byte = bytes[at]; byte !== 13; byte = bytes[++at]) value = value * 10 + byte - 48
    this.#at = at + 2
    return isNegative ? -value : value
  }

  #lineEnd(): number {
    return this.#bytes.indexOf(13, this.#at)
  }

  /** The text up to `end`, where the line ends. */
  #take(end: number): string {
    const text = this.#bytes.latin1Slice(this.#at, end)
    this.#at = end + 2
    return text
  }
}

function doubleOf(text: string): number {
  if (text === 'inf') return Infinity
  if (text === '-inf') return -Infinity
  return Number(text)
}
