/**
 * Errors as scripts see them: tables with a field `err`, which holds code and text.
 *
 * Thread: core.
 * Owns: nothing.
 * Never: counts an error.
 */
import {
  LUA_BOOLEAN,
  LUA_NIL,
  LUA_NUMBER,
  LUA_STRING,
  LUA_TABLE,
  type LuaMachine,
  TYPE_NAMES,
} from './lua/machine.ts'

/** What an error table says. */
export interface ErrorInformation {
  readonly text: string
  readonly source: string | undefined
  readonly line: string | undefined
  /** It was counted when the call failed that it comes from. */
  readonly isCounted: boolean
}

/** Pushes an error table. `text`: '-CODE text', or a text alone, which gets the code ERR. */
export function pushError(machine: LuaMachine, state: number, text: string): void {
  machine.onError?.(text)
  let shown = `ERR ${text}`
  if (text[0] === '-') shown = text.includes(' ') ? text.slice(1) : `ERR ${text.slice(1)}`
  machine.api.lua_createtable(state, 0, 2)
  machine.pushText(state, shown.replace(/[\r\n]+$/, ''))
  machine.api.lua_setfield(state, -2, machine.text('err'))
}

/** As `pushError`, for an error that has been counted. */
export function pushCountedError(machine: LuaMachine, state: number, text: string): void {
  pushError(machine, state, text)
  machine.api.lua_pushboolean(state, 1)
  machine.api.lua_setfield(state, -2, machine.text('ignore_error_stats_update'))
}

/** Raises an error table. */
export function raiseError(machine: LuaMachine, state: number, text: string): never {
  pushError(machine, state, text)
  return machine.raiseTop(state)
}

/** What the error on top of the stack says; it stays there. */
export function errorInformation(machine: LuaMachine, state: number): ErrorInformation {
  if (machine.api.lua_type(state, -1) !== LUA_TABLE) {
    const text = `ERR ${cText(machine, state, -1) ?? ''}`
    return { text, source: undefined, line: undefined, isCounted: false }
  }
  machine.api.lua_getfield(state, -1, machine.text('ignore_error_stats_update'))
  const isCounted = machine.api.lua_toboolean(state, -1) !== 0
  machine.api.lua_settop(state, -2)
  return {
    text: field(machine, state, 'err') ?? 'ERR unknown error',
    source: field(machine, state, 'source'),
    line: field(machine, state, 'line'),
    isCounted,
  }
}

function field(machine: LuaMachine, state: number, name: string): string | undefined {
  machine.api.lua_getfield(state, -1, machine.text(name))
  const text = cText(machine, state, -1)
  machine.api.lua_settop(state, -2)
  return text
}

/** A string or number as C sees it: up to a NUL. Undefined for anything else. */
export function cText(machine: LuaMachine, state: number, index: number): string | undefined {
  const type = machine.api.lua_type(state, index)
  if (type !== LUA_STRING && type !== LUA_NUMBER) return undefined
  const text = machine.textOf(state, index)
  const end = text.indexOf('\0')
  return end < 0 ? text : text.slice(0, end)
}

/**
 * The error handler of scripts: what was raised becomes an error table that tells where. A function
 * of Lua, called with what was raised.
 */
export function handleError(machine: LuaMachine, state: number): number {
  const { api } = machine
  const place = machine.place(state, 1, true)
  if (api.lua_type(state, 1) !== LUA_TABLE) {
    // As `tostring` shows it.
    const text = describe(machine, state)
    api.lua_createtable(state, 0, 3)
    machine.pushText(state, `ERR ${text}`)
    api.lua_setfield(state, -2, machine.text('err'))
  } else {
    api.lua_pushvalue(state, 1)
  }
  if (place !== undefined) {
    machine.pushText(state, place.source)
    api.lua_setfield(state, -2, machine.text('source'))
    api.lua_pushnumber(state, place.line)
    api.lua_setfield(state, -2, machine.text('line'))
  }
  return 1
}

/** As `tostring` shows what is no table. */
function describe(machine: LuaMachine, state: number): string {
  const { api } = machine
  const type = api.lua_type(state, 1)
  if (type === LUA_STRING || type === LUA_NUMBER) return machine.textOf(state, 1)
  if (type === LUA_BOOLEAN) return api.lua_toboolean(state, 1) !== 0 ? 'true' : 'false'
  if (type <= LUA_NIL) return 'nil'
  return `${TYPE_NAMES[type]}: 0x${api.lua_topointer(state, 1).toString(16)}`
}
