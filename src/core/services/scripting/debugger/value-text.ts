/**
 * Values of Lua as the debugger shows them: strings quoted, tables in braces, with the keys only where
 * they are not 1, 2, 3 in a row, and an address for what has no text.
 *
 * Thread: core.
 * Owns: nothing.
 * Never: calls a metamethod; follows a table into itself for ever.
 */
import { LUA_DEBUG_VALUE_SIZE_MAX } from '../../../../config/limits.ts'
import { formatGeneral } from '../../../../lib/bytes/general.ts'
import { quoted } from '../../server/monitors.ts'
import {
  LUA_BOOLEAN,
  LUA_FUNCTION,
  LUA_LIGHT_USERDATA,
  LUA_NIL,
  LUA_NUMBER,
  LUA_STRING,
  LUA_TABLE,
  LUA_THREAD,
  type LuaMachine,
} from '../lua/machine.ts'

const DEPTH_MAX = 10
const TOO_DEEP = '<max recursion level reached! Nested table?>'
const NUMBER_DIGITS = 6
/** Slots of Lua's stack that a level of a table needs. */
const STACK_SLOTS = 4

/** The value at `index` of the stack, one character a byte. Leaves the stack as it was. */
export function valueText(machine: LuaMachine, state: number, index: number): string {
  const { api } = machine
  if (api.lua_checkstack(state, DEPTH_MAX * STACK_SLOTS) === 0) return TOO_DEEP
  api.lua_pushvalue(state, index)
  const text = new ValueWriter(machine, state).top(0)
  api.lua_settop(state, -2)
  return text
}

class ValueWriter {
  readonly #machine: LuaMachine
  readonly #state: number
  /** DIFFERS: a table that holds itself many times over is shown in part, and not for hours. */
  #leftSize = LUA_DEBUG_VALUE_SIZE_MAX

  constructor(machine: LuaMachine, state: number) {
    this.#machine = machine
    this.#state = state
  }

  /** The value on top of the stack, which stays there. */
  top(depth: number): string {
    const text = this.#one(depth)
    this.#leftSize -= text.length
    return text
  }

  #one(depth: number): string {
    const machine = this.#machine
    const { api } = machine
    const state = this.#state
    if (depth === DEPTH_MAX) return TOO_DEEP
    const type = api.lua_type(state, -1)
    if (type === LUA_STRING) {
      const at = machine.string(state, -1)
      return quoted(machine.bytes.subarray(at, at + machine.length))
    }
    if (type === LUA_BOOLEAN) return api.lua_toboolean(state, -1) !== 0 ? 'true' : 'false'
    if (type === LUA_NUMBER) return numberText(api.lua_tonumber(state, -1))
    if (type === LUA_NIL) return 'nil'
    if (type === LUA_TABLE) return this.#table(depth)
    const address = api.lua_topointer(state, -1)
    return `"${typeName(type)}@${address === 0 ? '(nil)' : `0x${address.toString(16)}`}"`
  }

  #table(depth: number): string {
    const { api } = this.#machine
    const state = this.#state
    const values: string[] = []
    const pairs: string[] = []
    let isArray = true
    api.lua_pushnil(state)
    while (api.lua_next(state, -2) !== 0) {
      const value = this.top(depth + 1)
      const isNext =
        api.lua_type(state, -2) === LUA_NUMBER && api.lua_tonumber(state, -2) === pairs.length + 1
      isArray &&= isNext
      api.lua_settop(state, -2)
      pairs.push(`[${this.top(depth + 1)}]=${value}`)
      values.push(value)
      if (this.#leftSize > 0) continue
      api.lua_settop(state, -2)
      break
    }
    return `{${(isArray ? values : pairs).join('; ')}}`
  }
}

function typeName(type: number): string {
  if (type === LUA_FUNCTION) return 'function'
  if (type === LUA_THREAD) return 'thread'
  return type === LUA_LIGHT_USERDATA ? 'light-userdata' : 'userdata'
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return '-nan'
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf'
  return formatGeneral(value, NUMBER_DIGITS)
}
