/**
 * The world of scripts: Lua's own libraries without what reaches out of the interpreter, and tables
 * of functions made here. When it is complete it is sealed: nobody can change what all scripts
 * share, and a global variable that does not exist is an error.
 *
 * Thread: core.
 * Owns: which of Lua's own functions scripts get.
 * Never: lets compiled code in: the interpreter does not check it.
 */
import {
  LUA_FUNCTION,
  LUA_GLOBALS_INDEX,
  LUA_REGISTRY_INDEX,
  LUA_TABLE,
  type LuaMachine,
} from './machine.ts'
import type { Callback } from './trampolines.ts'

/** A table of functions and values; the one without a name adds to the global variables. */
export interface Library {
  readonly name: string
  readonly functions: Readonly<Record<string, Callback>>
  readonly values?: Readonly<Record<string, number | string>>
  /** What else belongs into the table, which lies on top of the stack. */
  readonly prepare?: () => void
}

/** Of Lua's base library. */
const REMOVED = ['dofile', 'getfenv', 'setfenv', 'loadfile', 'newproxy', 'print']
/** What compiled code begins with. */
const COMPILED_MARK = 27

/** Opens Lua's libraries and adds ours. */
export function furnish(machine: LuaMachine, libraries: readonly Library[]): void {
  const { api, state } = machine
  api.luaopen_base(state)
  api.luaopen_table(state)
  api.luaopen_string(state)
  api.luaopen_math(state)
  api.lua_settop(state, 0)
  for (const name of REMOVED) {
    api.lua_pushnil(state)
    api.lua_setfield(state, LUA_GLOBALS_INDEX, machine.text(name))
  }
  const all = [loaders(machine), ...libraries]
  const numbers = machine.define(
    all.flatMap(({ functions }) => Object.values(functions)),
    [],
  )
  let next = 0
  for (const library of all) {
    if (library.name === '') api.lua_pushvalue(state, LUA_GLOBALS_INDEX)
    else pushLibrary(machine, library.name)
    fillTable(machine, library, numbers.slice(next))
    next += Object.keys(library.functions).length
    library.prepare?.()
    api.lua_settop(state, 0)
  }
}

/** Puts functions, by their numbers, and values into the table on top of the stack. */
export function fillTable(
  machine: LuaMachine,
  { functions, values = {} }: Library,
  numbers: readonly number[],
): void {
  const { api, state } = machine
  Object.keys(functions).forEach((key, i) => {
    api.lua_pushcclosure(state, numbers[i], 0)
    api.lua_setfield(state, -2, machine.text(key))
  })
  for (const [key, value] of Object.entries(values)) {
    if (typeof value === 'number') api.lua_pushnumber(state, value)
    else machine.pushText(state, value)
    api.lua_setfield(state, -2, machine.text(key))
  }
}

/** Pushes the table of that name, a new one if there is none. */
function pushLibrary(machine: LuaMachine, name: string): void {
  const { api, state } = machine
  api.lua_getfield(state, LUA_GLOBALS_INDEX, machine.text(name))
  if (api.lua_type(state, -1) === LUA_TABLE) return
  api.lua_settop(state, -2)
  api.lua_createtable(state, 0, 0)
  api.lua_pushvalue(state, -1)
  api.lua_setfield(state, LUA_GLOBALS_INDEX, machine.text(name))
}

/** Makes everything read-only, and missing variables an error. */
export function seal(machine: LuaMachine): void {
  const { api, state } = machine
  api.lua_pushvalue(state, LUA_GLOBALS_INDEX)
  refuseMissing(machine)
  sealTable(machine)
  // Of the basic types, only strings have a metatable.
  machine.pushText(state, '')
  if (api.lua_getmetatable(state, -1) !== 0) sealTable(machine)
  api.lua_settop(state, 0)
}

/** What is not in the table on top of the stack is an error. */
export function refuseMissing(machine: LuaMachine): void {
  const { api, state } = machine
  const [missing] = machine.define([(caller) => missingVariable(machine, caller)], [])
  api.lua_createtable(state, 0, 1)
  api.lua_pushcclosure(state, missing, 0)
  api.lua_setfield(state, -2, machine.text('__index'))
  api.lua_setmetatable(state, -2)
}

/** The table on top of the stack, its metatable and all tables in it. */
export function sealTable(machine: LuaMachine): void {
  const { api, state } = machine
  const address = api.lua_topointer(state, -1)
  if (machine.isReadOnly(address)) return
  machine.setReadOnly(address, true)
  if (api.lua_getmetatable(state, -1) !== 0) {
    sealTable(machine)
    api.lua_settop(state, -2)
  }
  api.lua_pushnil(state)
  while (api.lua_next(state, -2) !== 0) {
    if (api.lua_type(state, -1) === LUA_TABLE) sealTable(machine)
    api.lua_settop(state, -2)
  }
}

/** Keeps the value on top of the stack where only we find it, and takes it off. Gives its number. */
export function keep(machine: LuaMachine): number {
  return machine.api.luaL_ref(machine.state, LUA_REGISTRY_INDEX)
}

function missingVariable(machine: LuaMachine, state: number): number {
  const name = machine.textOf(state, -1)
  const end = name.indexOf('\0')
  const shown = end < 0 ? name : name.slice(0, end)
  return machine.raise(state, `Script attempted to access nonexistent global variable '${shown}'`)
}

// ── load and loadstring, for source only ───────────────────────────────────────────────────────

function loaders(machine: LuaMachine): Library {
  return {
    name: '',
    functions: {
      load: (state) => load(machine, state),
      loadstring: (state) => loadString(machine, state),
    },
  }
}

/** Pushes the compiled chunk, or nil and why not. */
function compile(machine: LuaMachine, state: number, at: number, length: number, name: number) {
  const { api } = machine
  if (length > 0 && machine.bytes[at] === COMPILED_MARK) {
    api.lua_pushnil(state)
    machine.pushText(state, `${chunkName(machine, name)}:1: unexpected symbol near 'char(27)'`)
    return 2
  }
  if (api.luaL_loadbuffer(state, at, length, name) === 0) return 1
  api.lua_pushnil(state)
  api.lua_insert(state, -2)
  return 2
}

/** As Lua shows the name of a chunk: '=name' and '@file' as they are, anything else as source. */
function chunkName(machine: LuaMachine, at: number): string {
  const name = machine.textAt(at)
  if (name[0] === '=' || name[0] === '@') return name.slice(1)
  return `[string "${name.split(/[\r\n]/, 1)[0]}"]`
}

function loadString(machine: LuaMachine, state: number): number {
  const at = machine.checkString(state, 1)
  const { length } = machine
  let name = at
  if (machine.api.lua_gettop(state) >= 2 && machine.api.lua_type(state, 2) !== 0) {
    name = machine.checkString(state, 2)
  }
  return compile(machine, state, at, length, name)
}

function load(machine: LuaMachine, state: number): number {
  const { api } = machine
  api.luaL_checktype(state, 1, LUA_FUNCTION)
  let name = machine.text('=(load)')
  if (api.lua_gettop(state) >= 2 && api.lua_type(state, 2) !== 0) {
    name = machine.checkString(state, 2)
  }
  api.lua_settop(state, 2)
  const pieces: Buffer[] = []
  for (;;) {
    api.lua_pushvalue(state, 1)
    if (api.lua_pcall(state, 0, 1, 0) !== 0) {
      api.lua_pushnil(state)
      api.lua_insert(state, -2)
      return 2
    }
    if (api.lua_type(state, -1) === 0) break
    if (api.lua_isstring(state, -1) === 0) {
      api.lua_pushnil(state)
      api.luaL_where(state, 1)
      machine.pushText(state, 'reader function must return a string')
      api.lua_concat(state, 2)
      return 2
    }
    const at = machine.string(state, -1)
    if (machine.length === 0) break
    pieces.push(Buffer.from(machine.bytes.subarray(at, at + machine.length)))
    api.lua_settop(state, 2)
  }
  const source = Buffer.concat(pieces)
  machine.push(state, source, 0, source.length)
  const at = machine.string(state, -1)
  return compile(machine, state, at, source.length, name)
}
