/**
 * The library `cjson`: JSON as Lua CJSON 2.1.0 writes and reads it, errors included. Its settings
 * lie in a block that every function of one table of functions shares; `cjson.new` makes another.
 *
 * Thread: core.
 * Owns: which functions there are, and the settings.
 * Never: keeps settings outside the interpreter, where its collector would not find them.
 *
 * @see https://kyne.au/~mark/software/lua-cjson-manual.html
 */
import { LUA_BOOLEAN, LUA_GLOBALS_INDEX, LUA_NIL, type LuaMachine } from '../lua/machine.ts'
import type { Library } from '../lua/sandbox.ts'
import type { Callback } from '../lua/trampolines.ts'
import { JsonReader } from './json-reader.ts'
import {
  DECODE_DEPTH,
  DECODE_INVALID,
  DEFAULTS,
  ENCODE_DEPTH,
  ENCODE_INVALID,
  KEEP_BUFFER,
  PRECISION,
  type Setting,
  SPARSE_CONVERT,
  SPARSE_RATIO,
  SPARSE_SAFE,
} from './json-settings.ts'
import { JsonWriter } from './json-writer.ts'

/** The first value that a function was made with. */
const SETTINGS_INDEX = LUA_GLOBALS_INDEX - 1
const INT32_MAX = 0x7fffffff

export function cjsonLibrary(machine: LuaMachine): Library {
  const { api } = machine
  const writer = new JsonWriter(machine)
  const reader = new JsonReader(machine)
  const setting: Setting = (place) => machine.words[(settingsAt >> 2) + place]
  let settingsAt = 0
  const withSettings = (run: Callback): Callback => {
    return (state) => {
      settingsAt = api.lua_touserdata(state, SETTINGS_INDEX)
      return run(state)
    }
  }
  const options = optionFunctions(machine, () => settingsAt >> 2)
  const functions: Record<string, Callback> = {
    encode: withSettings((state) => {
      if (api.lua_gettop(state) !== 1) machine.badArgument(state, 1, 'expected 1 argument')
      return writer.encode(state, setting)
    }),
    decode: withSettings((state) => {
      if (api.lua_gettop(state) !== 1) machine.badArgument(state, 1, 'expected 1 argument')
      return reader.decode(state, setting)
    }),
  }
  for (const [name, run] of Object.entries(options)) functions[name] = withSettings(run)
  let numbers: number[] = []
  const create = (state: number) => {
    api.lua_createtable(state, 0, 16)
    fillLibrary(machine, state, Object.keys(functions), numbers)
    return 1
  }
  return {
    name: 'cjson',
    functions: {},
    prepare: () => {
      const defined = machine.define([...Object.values(functions), create], [])
      numbers = defined
      fillLibrary(machine, machine.state, Object.keys(functions), numbers)
      describeNull(machine)
    },
  }
}

/** Puts the functions, with new settings, into the table on top of the stack. */
function fillLibrary(
  machine: LuaMachine,
  state: number,
  names: readonly string[],
  numbers: readonly number[],
): void {
  const { api } = machine
  const at = api.lua_newuserdata(state, DEFAULTS.length * 4)
  machine.words.set(DEFAULTS, at >> 2)
  names.forEach((name, i) => {
    api.lua_pushvalue(state, -1)
    api.lua_pushcclosure(state, numbers[i], 1)
    api.lua_setfield(state, -3, machine.text(name))
  })
  api.lua_settop(state, -2)
  api.lua_pushcclosure(state, numbers[names.length], 0)
  api.lua_setfield(state, -2, machine.text('new'))
  api.lua_pushlightuserdata(state, 0)
  api.lua_setfield(state, -2, machine.text('null'))
  for (const [name, value] of [
    ['_NAME', 'cjson'],
    ['_VERSION', '2.1.0'],
  ]) {
    machine.pushText(state, value)
    api.lua_setfield(state, -2, machine.text(name))
  }
}

/** Lets `tostring(cjson.null)` give what C's library prints for no pointer. */
function describeNull(machine: LuaMachine): void {
  const { api, state } = machine
  const [describe] = machine.define(
    [
      (caller) => {
        machine.pushText(caller, 'userdata: (nil)')
        return 1
      },
    ],
    [],
  )
  api.lua_pushlightuserdata(state, 0)
  api.lua_createtable(state, 0, 2)
  api.lua_pushcclosure(state, describe, 0)
  api.lua_setfield(state, -2, machine.text('__tostring'))
  api.lua_pushboolean(state, 0)
  api.lua_setfield(state, -2, machine.text('__metatable'))
  api.lua_setmetatable(state, -2)
  api.lua_settop(state, -2)
}

/** The functions that change and tell settings. `block`: the word where they begin. */
function optionFunctions(machine: LuaMachine, block: () => number): Record<string, Callback> {
  const { api } = machine
  /** Makes sure of `count` arguments, the missing ones being nil. */
  const take = (state: number, count: number) => {
    if (api.lua_gettop(state) > count) {
      machine.badArgument(state, count + 1, 'found too many arguments')
    }
    api.lua_settop(state, count)
  }
  const integer = (state: number, index: number, place: number, least: number, most: number) => {
    if (api.lua_type(state, index) !== LUA_NIL) {
      const value = api.luaL_checkinteger(state, index)
      if (value < least || value > most) {
        machine.badArgument(state, 1, `expected integer between ${least} and ${most}`)
      }
      machine.words[block() + place] = value
    }
    api.lua_pushnumber(state, machine.words[block() + place])
  }
  const choice = (state: number, index: number, place: number, words: readonly string[]) => {
    if (api.lua_type(state, index) === LUA_BOOLEAN) {
      machine.words[block() + place] = api.lua_toboolean(state, index)
    } else if (api.lua_type(state, index) !== LUA_NIL) {
      machine.words[block() + place] = chosen(machine, state, index, words)
    }
    const value = machine.words[block() + place]
    if (value < 2) api.lua_pushboolean(state, value)
    else machine.pushText(state, words[value])
  }
  const single = (set: (state: number) => void): Callback => {
    return (state) => {
      take(state, 1)
      set(state)
      return 1
    }
  }
  return {
    encode_sparse_array: (state) => {
      take(state, 3)
      choice(state, 1, SPARSE_CONVERT, ON_OFF)
      integer(state, 2, SPARSE_RATIO, 0, INT32_MAX)
      integer(state, 3, SPARSE_SAFE, 0, INT32_MAX)
      return 3
    },
    encode_max_depth: single((state) => integer(state, 1, ENCODE_DEPTH, 1, INT32_MAX)),
    decode_max_depth: single((state) => integer(state, 1, DECODE_DEPTH, 1, INT32_MAX)),
    encode_number_precision: single((state) => integer(state, 1, PRECISION, 1, 14)),
    encode_keep_buffer: single((state) => choice(state, 1, KEEP_BUFFER, ON_OFF)),
    encode_invalid_numbers: single((state) => choice(state, 1, ENCODE_INVALID, ON_OFF_NULL)),
    decode_invalid_numbers: single((state) => choice(state, 1, DECODE_INVALID, ON_OFF)),
  }
}

const ON_OFF = ['off', 'on']
const ON_OFF_NULL = ['off', 'on', 'null']

function chosen(
  machine: LuaMachine,
  state: number,
  index: number,
  words: readonly string[],
): number {
  const at = machine.checkString(state, index)
  const word = machine.textAt(at)
  const found = words.indexOf(word)
  if (found < 0) {
    machine.pushText(state, `invalid option '${word}'`)
    machine.api.luaL_argerror(state, index, machine.string(state, -1))
  }
  return found
}
