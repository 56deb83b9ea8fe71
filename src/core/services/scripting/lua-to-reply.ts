/**
 * A value of Lua as a reply, as Redis converts it.
 *
 * Thread: core. Hot path.
 * Owns: nothing.
 * Never: leaves anything on Lua's stack, or calls a metamethod.
 */
import type { Reply } from '../../engine/reply.ts'
import {
  LUA_BOOLEAN,
  LUA_NIL,
  LUA_NUMBER,
  LUA_STRING,
  LUA_TABLE,
  type LuaMachine,
} from './lua/machine.ts'
import { cText, errorInformation } from './script-error.ts'

/** Slots of Lua's stack that one level of a value needs. */
const STACK_SLOTS = 4
/** DIFFERS: maps and sets in maps and sets end here, and not where Lua's stack does. */
const NESTED_MAX = 500
const INT64_LIMIT = 2 ** 63

export class LuaToReply {
  readonly #machine: LuaMachine
  /** Arrays in progress: the next element of each, and how many it has. */
  readonly #next: number[] = []
  readonly #counts: number[] = []
  #depth = 0
  /** Maps and sets in progress. */
  #nested = 0

  constructor(machine: LuaMachine) {
    this.#machine = machine
  }

  /** Answers with the value on top of the stack and takes it off. `protocol`: the script's. */
  write(state: number, reply: Reply, protocol: number): void {
    const { api } = this.#machine
    const outermost = this.#depth
    this.#one(state, reply, protocol)
    // Arrays in arrays are no recursion: Lua's stack is deeper than JavaScript's.
    while (this.#depth > outermost) {
      const last = this.#depth - 1
      if (this.#next[last] > this.#counts[last]) {
        api.lua_settop(state, -2)
        this.#depth--
      } else {
        api.lua_rawgeti(state, -1, this.#next[last]++)
        this.#one(state, reply, protocol)
      }
    }
  }

  /** As `write`, but of an array only the head: it stays on the stack, and its elements follow. */
  #one(state: number, reply: Reply, protocol: number): void {
    const { api } = this.#machine
    if (api.lua_checkstack(state, STACK_SLOTS) === 0) {
      api.lua_settop(state, -2)
      return reply.error('ERR reached lua stack limit')
    }
    const type = api.lua_type(state, -1)
    if (type === LUA_STRING) {
      const at = this.#machine.string(state, -1)
      reply.bulk(this.#machine.bytes, at, this.#machine.length)
    } else if (type === LUA_NUMBER) {
      writeNumber(reply, api.lua_tonumber(state, -1))
    } else if (type === LUA_BOOLEAN) {
      const value = api.lua_toboolean(state, -1) !== 0
      if (protocol === 3) reply.boolean(value)
      else if (value) reply.integer(1)
      else reply.nil()
    } else if (type !== LUA_TABLE) {
      reply.nil()
    } else if (!this.#table(state, reply, protocol)) {
      return
    }
    api.lua_settop(state, -2)
  }

  /** False: it is an array, whose elements follow. */
  #table(state: number, reply: Reply, protocol: number): boolean {
    let count = this.#machine.plainLength(this.#machine.api.lua_topointer(state, -1))
    if (count < 0) {
      if (this.#special(state, reply, protocol)) return true
      count = this.#length(state)
    }
    reply.array(count)
    this.#next[this.#depth] = 1
    this.#counts[this.#depth++] = count
    return false
  }

  /** Elements before the first nil. */
  #length(state: number): number {
    const { api } = this.#machine
    for (let count = 0; ; count++) {
      api.lua_rawgeti(state, -1, count + 1)
      const type = api.lua_type(state, -1)
      api.lua_settop(state, -2)
      if (type === LUA_NIL) return count
    }
  }

  /** Answers with a table that says by a field what it is. False: it is an array. */
  #special(state: number, reply: Reply, protocol: number): boolean {
    const { api } = this.#machine
    if (this.#field(state, 'err') === LUA_STRING) {
      api.lua_settop(state, -2)
      this.#error(state, reply)
      return true
    }
    api.lua_settop(state, -2)
    if (this.#field(state, 'ok') === LUA_STRING) {
      reply.simple((cText(this.#machine, state, -1) ?? '').replace(/[\r\n]/g, ' '))
    } else if (this.#other(state, 'double') === LUA_NUMBER) {
      reply.double(api.lua_tonumber(state, -1))
    } else if (this.#other(state, 'big_number') === LUA_STRING) {
      reply.bigNumber(this.#machine.textOf(state, -1).replace(/[\r\n]/g, ' '))
    } else if (
      this.#other(state, 'verbatim_string') === LUA_TABLE &&
      this.#verbatim(state, reply)
    ) {
      // Answered.
    } else if (this.#other(state, 'map') === LUA_TABLE) {
      this.#map(state, reply, protocol)
    } else if (this.#other(state, 'set') === LUA_TABLE) {
      this.#set(state, reply, protocol)
    } else {
      api.lua_settop(state, -2)
      return false
    }
    api.lua_settop(state, -2)
    return true
  }

  /** Pushes a field of the table on top. Gives its type. */
  #field(state: number, name: string): number {
    const { api } = this.#machine
    this.#machine.pushText(state, name)
    api.lua_rawget(state, -2)
    return api.lua_type(state, -1)
  }

  /** As `#field`, in place of the field that lies on top of the table. */
  #other(state: number, name: string): number {
    this.#machine.api.lua_settop(state, -2)
    return this.#field(state, name)
  }

  // alloc: an error
  #error(state: number, reply: Reply): void {
    const { text, isCounted } = errorInformation(this.#machine, state)
    if (isCounted) reply.countedError(text)
    else reply.error(text)
  }

  #verbatim(state: number, reply: Reply): boolean {
    const { api } = this.#machine
    let isAnswered = false
    if (this.#field(state, 'string') === LUA_STRING) {
      const bytes = this.#copyOf(state)
      api.lua_settop(state, -2)
      if (this.#field(state, 'format') === LUA_STRING) {
        reply.verbatimBytes(bytes, cText(this.#machine, state, -1) ?? '')
        isAnswered = true
      }
    }
    api.lua_settop(state, -2)
    return isAnswered
  }

  // alloc: verbatim strings only
  #copyOf(state: number): Buffer {
    const at = this.#machine.string(state, -1)
    return Buffer.from(this.#machine.bytes.subarray(at, at + this.#machine.length))
  }

  // alloc: none, a reply's map is no array's
  #map(state: number, reply: Reply, protocol: number): void {
    const { api } = this.#machine
    if (this.#nested === NESTED_MAX) return reply.error('ERR reached lua stack limit')
    this.#nested++
    reply.map(this.#pairCount(state))
    api.lua_pushnil(state)
    while (api.lua_next(state, -2) !== 0) {
      api.lua_pushvalue(state, -2)
      this.write(state, reply, protocol)
      this.write(state, reply, protocol)
    }
    this.#nested--
  }

  #set(state: number, reply: Reply, protocol: number): void {
    const { api } = this.#machine
    if (this.#nested === NESTED_MAX) return reply.error('ERR reached lua stack limit')
    this.#nested++
    reply.set(this.#pairCount(state))
    api.lua_pushnil(state)
    while (api.lua_next(state, -2) !== 0) {
      api.lua_settop(state, -2)
      api.lua_pushvalue(state, -1)
      this.write(state, reply, protocol)
    }
    this.#nested--
  }

  #pairCount(state: number): number {
    const { api } = this.#machine
    let count = 0
    api.lua_pushnil(state)
    while (api.lua_next(state, -2) !== 0) {
      api.lua_settop(state, -2)
      count++
    }
    return count
  }
}

/** As C converts a double to a 64-bit integer: towards zero, and the lowest one for what is beyond. */
function writeNumber(reply: Reply, value: number): void {
  const whole = Math.trunc(value)
  if (Number.isSafeInteger(whole)) return reply.integer(whole + 0)
  if (!(whole >= -INT64_LIMIT && whole < INT64_LIMIT)) return reply.integer64(-0x80000000, 0)
  const high = Math.floor(whole / 0x100000000)
  reply.integer64(high | 0, (whole - high * 0x100000000) | 0)
}
