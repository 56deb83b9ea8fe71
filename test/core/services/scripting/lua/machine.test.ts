/**
 * The interpreter from inside: read-only tables, bounded memory, errors that are caught where they
 * should be, and bytes that stay as they are.
 *
 * Thread: any.
 * Owns: machines without any server.
 * Never: makes a machine for each row: they take a while.
 */
import { describe, expect, test } from 'bun:test'
import {
  LUA_GLOBALS_INDEX,
  LuaFailure,
  LuaMachine,
} from '../../../../../src/core/services/scripting/lua/machine.ts'
import { furnish, seal } from '../../../../../src/core/services/scripting/lua/sandbox.ts'
import { seededRandom } from '../../../../memory/seeded-random.ts'

/** Runs a script. Gives what it returns as text, or its error behind '!'. */
function run(machine: LuaMachine, script: string): string {
  const { api, state } = machine
  const source = Buffer.from(script, 'latin1')
  const at = api.malloc(source.length + 1)
  source.copy(machine.bytes, at)
  const chunk = api.luaL_loadbuffer(state, at, source.length, machine.text('@script'))
  api.free(at)
  const failed = chunk !== 0 || api.lua_pcall(state, 0, 1, 0) !== 0
  const text = machine.textOf(state, -1)
  api.lua_settop(state, 0)
  return failed ? `!${text}` : text
}

/** Where memory ends within reach of a test. */
const MEMORY_MAX = 64 * 1024 * 1024

function sealedMachine(memoryMax?: number): LuaMachine {
  const machine = new LuaMachine(memoryMax)
  furnish(machine, [])
  seal(machine)
  return machine
}

const READ_ONLY = 'Attempt to modify a readonly table'

describe('read-only tables', () => {
  const machine = sealedMachine()

  test('cannot be written by any way that there is', () => {
    const rows: [string, string][] = [
      ['x = 1', `!script:1: ${READ_ONLY}`],
      ['_G.x = 1', `!script:1: ${READ_ONLY}`],
      ['string.rep = nil', `!script:1: ${READ_ONLY}`],
      ["getmetatable('').__index = nil", `!script:1: ${READ_ONLY}`],
      ["rawset(_G, 'x', 1)", `!${READ_ONLY}`],
      ['table.insert(table, 1)', `!${READ_ONLY}`],
      ['setmetatable(_G, {})', `!${READ_ONLY}`],
      ['setmetatable(string, {})', `!${READ_ONLY}`],
      ['local t = setmetatable({}, {__newindex = _G}) t.x = 1', `!script:1: ${READ_ONLY}`],
      ["loadstring('x = 1', '=chunk')()", `!chunk:1: ${READ_ONLY}`],
      ['function string.own() end', `!script:1: ${READ_ONLY}`],
    ]
    for (const [script, result] of rows)
      expect([script, run(machine, script)]).toEqual([script, result])
  })

  test('stay so through collections, and others stay writable', () => {
    for (let i = 0; i < 20; i++) {
      expect(
        run(machine, 'local t = {} for i = 1, 1e4 do t[i] = {i} end collectgarbage() return #t'),
      ).toBe('10000')
      expect(run(machine, 'string.x = 1')).toBe(`!script:1: ${READ_ONLY}`)
    }
    expect(
      run(machine, 'local t = setmetatable({}, {}) t.x = 1 rawset(t, 1, 2) return t.x + t[1]'),
    ).toBe('3')
  })

  test('can be opened for a while', () => {
    const globals = machine.api.lua_topointer(machine.state, LUA_GLOBALS_INDEX)
    machine.setReadOnly(globals, false)
    expect(run(machine, 'opened = 5 return opened')).toBe('5')
    machine.setReadOnly(globals, true)
    expect(machine.isReadOnly(globals)).toBe(true)
    expect(run(machine, 'return opened')).toBe('5')
    expect(run(machine, 'opened = 6')).toBe(`!script:1: ${READ_ONLY}`)
  })

  test('missing variables are errors', () => {
    expect(run(machine, 'return nosuch')).toBe(
      "!script:1: Script attempted to access nonexistent global variable 'nosuch'",
    )
    for (const name of ['os', 'io', 'debug', 'package', 'require', 'print', 'dofile', 'getfenv']) {
      expect(run(machine, `return ${name}`)).toContain(`nonexistent global variable '${name}'`)
    }
  })
})

describe('memory', () => {
  test('ends somewhere, and the machine goes on', () => {
    const machine = sealedMachine(MEMORY_MAX)
    expect(run(machine, "local s = 'x' while true do s = s .. s end")).toBe('!not enough memory')
    expect(run(machine, 'return tostring(pcall(string.rep, "x", 2^30))')).toMatch(
      /^false|^!not enough memory/,
    )
    expect(run(machine, 'collectgarbage() return 1 + 1')).toBe('2')
    expect(machine.usedBytes).toBeLessThan(10_000_000)
  }, 30_000)

  test('a failure outside a protected call is thrown', () => {
    const machine = sealedMachine()
    machine.pushText(machine.state, 'lost')
    expect(() => machine.api.lua_error(machine.state)).toThrow(LuaFailure as never)
  })
})

describe('bytes', () => {
  const machine = sealedMachine()

  test('of every value and length go through as they are', () => {
    const random = seededRandom(7, 'bytes for Lua')
    for (const length of [0, 1, 23, 24, 25, 255, 4096, 65536, 65537, 300_000]) {
      const bytes = Buffer.from(Array.from({ length }, () => Math.floor(random() * 256)))
      machine.push(machine.state, bytes, 0, length)
      const at = machine.string(machine.state, -1)
      expect(machine.length).toBe(length)
      expect(Buffer.from(machine.bytes.subarray(at, at + length))).toEqual(bytes)
      machine.api.lua_settop(machine.state, 0)
    }
  })

  test('elements before the first nil are counted as the table shows them', () => {
    const rows: [string, number][] = [
      ['return {}', 0],
      ['return {1, 2, 3}', 3],
      ['return {1, nil, 3}', 1],
      ['return {nil, 2}', 0],
      ['return {x = 1}', -1],
      ['return {1, 2, x = 1}', -1],
      [
        'local t = {} for i = 1, 100 do t[i] = i end for i = 51, 100 do t[i] = nil end return t',
        50,
      ],
      ['local t = {1, 2, 3} t[#t] = nil return t', 2],
    ]
    for (const [script, length] of rows) {
      const { api, state } = machine
      const source = Buffer.from(script)
      source.copy(machine.bytes, machine.scratch)
      api.luaL_loadbuffer(state, machine.scratch, source.length, machine.text('@script'))
      api.lua_pcall(state, 0, 1, 0)
      const known = machine.plainLength(api.lua_topointer(state, -1))
      // What lies in the part for names may be told by the slow way.
      expect([script, known === -1 && length >= 0 ? length : known]).toEqual([script, length])
      api.lua_settop(state, 0)
    }
  })
})

describe('calls', () => {
  const machine = sealedMachine()

  test('nested too deeply, or without end, are errors', () => {
    expect(run(machine, 'local function f() return 1 + f() end return f()')).toContain(
      'stack overflow',
    )
    expect(
      run(machine, "return ('x'):rep(10):gsub('x', function() return error('inner', 0) end)"),
    ).toBe('!inner')
    expect(run(machine, `return ${'('.repeat(300)}1${')'.repeat(300)}`)).toContain(
      'chunk has too many syntax levels',
    )
  })

  test('of compiled code are refused', () => {
    const refusal = "unexpected symbol near 'char(27)'"
    expect(run(machine, 'return select(2, loadstring(string.dump(function() end)))')).toContain(
      refusal,
    )
    expect(
      run(
        machine,
        'local d = string.dump(function() end) local i = 0 return select(2, load(function() i = i + 1 return i == 1 and d or nil end))',
      ),
    ).toContain(refusal)
  })
})
