/**
 * The library `cmsgpack`: values of Lua as MessagePack and back, in the encodings that Redis's own
 * library chooses, for scripts compare and store its bytes.
 *
 * Thread: core.
 * Owns: the bytes being made.
 * Never: follows a table into itself without end.
 *
 * @see https://github.com/msgpack/msgpack/blob/master/spec.md
 */
import { LUA_BOOLEAN, LUA_NUMBER, LUA_STRING, LUA_TABLE, type LuaMachine } from '../lua/machine.ts'
import type { Library } from '../lua/sandbox.ts'
import { OutputBytes } from './output-bytes.ts'

/** A table nested deeper becomes nil. */
const DEPTH_MAX = 16
const INT32_MAX = 0x7fffffff
const INT64_LIMIT = 2 ** 63

export function cmsgpackLibrary(machine: LuaMachine): Library {
  const { api } = machine
  const packer = new Packer(machine)
  return {
    name: 'cmsgpack',
    functions: {
      pack: (state) => packer.pack(state),
      unpack: (state) => unpack(machine, state, 0, 0),
      unpack_one: (state) => {
        const offset = api.luaL_optinteger(state, 2, 0)
        api.lua_settop(state, 1)
        return unpack(machine, state, 1, offset)
      },
      unpack_limit: (state) => {
        const limit = api.luaL_checkinteger(state, 2)
        const offset = api.luaL_optinteger(state, 3, 0)
        api.lua_settop(state, 1)
        return unpack(machine, state, limit, offset)
      },
    },
    values: {
      _NAME: 'cmsgpack',
      _VERSION: 'lua-cmsgpack 0.4.0',
      _COPYRIGHT: 'Copyright (C) 2012, Salvatore Sanfilippo',
      _DESCRIPTION: 'MessagePack C implementation for Lua',
    },
  }
}

// ── Packing ────────────────────────────────────────────────────────────────────────────────────

class Packer {
  readonly #machine: LuaMachine
  readonly #out = new OutputBytes()

  constructor(machine: LuaMachine) {
    this.#machine = machine
  }

  pack(state: number): number {
    const { api } = this.#machine
    const count = api.lua_gettop(state)
    if (count === 0) this.#machine.badArgument(state, 0, 'MessagePack pack needs input.')
    api.luaL_checkstack(state, 2, this.#machine.text('Too many arguments for MessagePack pack.'))
    const out = this.#out
    out.clear()
    for (let i = 1; i <= count; i++) {
      api.lua_pushvalue(state, i)
      this.#value(state, 0)
    }
    this.#machine.push(state, out.bytes, 0, out.length)
    return 1
  }

  /** The value on top of the stack, which it takes off. */
  #value(state: number, depth: number): void {
    const { api } = this.#machine
    const out = this.#out
    const type = api.lua_type(state, -1)
    if (type === LUA_STRING) {
      const at = this.#machine.string(state, -1)
      const { length } = this.#machine
      this.#head(length, 0xa0, 32, 0xd9)
      out.copy(this.#machine.bytes, at, length)
    } else if (type === LUA_BOOLEAN) out.byte(api.lua_toboolean(state, -1) !== 0 ? 0xc3 : 0xc2)
    else if (type === LUA_NUMBER) this.#number(api.lua_tonumber(state, -1))
    else if (type === LUA_TABLE && depth < DEPTH_MAX) {
      api.luaL_checkstack(state, 6, this.#machine.text('in function mp_encode_lua_table'))
      if (this.#isArray(state)) this.#array(state, depth)
      else this.#map(state, depth)
    } else out.byte(0xc0)
    api.lua_settop(state, -2)
  }

  #number(value: number): void {
    const out = this.#out
    if (value === Math.trunc(value) && value >= -INT64_LIMIT && value < INT64_LIMIT) {
      return this.#integer(value)
    }
    if (value === Math.fround(value)) {
      out.byte(0xca)
      out.float32(value)
    } else {
      out.byte(0xcb)
      out.float64(value)
    }
  }

  #integer(value: number): void {
    const out = this.#out
    if (value >= 0) {
      if (value <= 0x7f) return out.byte(value)
      if (value <= 0xff) return out.uint(0xcc, value, 1)
      if (value <= 0xffff) return out.uint(0xcd, value, 2)
      if (value <= 0xffffffff) return out.uint(0xce, value, 4)
      out.byte(0xcf)
      return out.int64(value)
    }
    if (value >= -32) return out.byte(value & 0xff)
    if (value >= -0x80) return out.uint(0xd0, value, 1)
    if (value >= -0x8000) return out.uint(0xd1, value, 2)
    if (value >= -0x80000000) return out.uint(0xd2, value, 4)
    out.byte(0xd3)
    out.int64(value)
  }

  /** A length with its type: in one byte below `shortMax`, else in one (strings only), two or four. */
  #head(length: number, short: number, shortMax: number, long: number): void {
    const out = this.#out
    if (length < shortMax) out.byte(short | length)
    else if (length <= 0xff && long === 0xd9) out.uint(long, length, 1)
    else if (length <= 0xffff) out.uint(long === 0xd9 ? 0xda : long, length, 2)
    else out.uint(long === 0xd9 ? 0xdb : long + 1, length, 4)
  }

  /** True when the keys of the table on top are 1 to n. */
  #isArray(state: number): boolean {
    const { api } = this.#machine
    let count = 0
    let highest = 0
    api.lua_pushnil(state)
    while (api.lua_next(state, -2) !== 0) {
      api.lua_settop(state, -2)
      const key = api.lua_type(state, -1) === LUA_NUMBER ? api.lua_tonumber(state, -1) : 0
      if (key <= 0 || key !== Math.trunc(key) || key > INT32_MAX) {
        api.lua_settop(state, -2)
        return false
      }
      highest = Math.max(highest, key)
      count++
    }
    return highest === count
  }

  #array(state: number, depth: number): void {
    const { api } = this.#machine
    const length = api.lua_objlen(state, -1)
    this.#head(length, 0x90, 16, 0xdc)
    for (let i = 1; i <= length; i++) {
      api.lua_rawgeti(state, -1, i)
      this.#value(state, depth + 1)
    }
  }

  #map(state: number, depth: number): void {
    const { api } = this.#machine
    let count = 0
    api.lua_pushnil(state)
    while (api.lua_next(state, -2) !== 0) {
      api.lua_settop(state, -2)
      count++
    }
    this.#head(count, 0x80, 16, 0xde)
    api.lua_pushnil(state)
    while (api.lua_next(state, -2) !== 0) {
      api.lua_pushvalue(state, -2)
      this.#value(state, depth + 1)
      this.#value(state, depth + 1)
    }
  }
}

// ── Unpacking ──────────────────────────────────────────────────────────────────────────────────

/**
 * Unpacks the values in the string that is the only argument left. With neither limit nor offset,
 * all of them; else `limit` ones from `offset` on, behind the offset where the next one begins.
 */
function unpack(machine: LuaMachine, state: number, limit: number, offset: number): number {
  const { api } = machine
  const isAll = limit === 0 && offset === 0
  const at = machine.checkString(state, 1)
  const { length } = machine
  if (offset < 0 || limit < 0) {
    const text = `Invalid request to unpack with offset of ${offset} and limit of ${length}.`
    machine.raise(state, text)
  }
  if (offset > length) {
    machine.raise(state, `Start offset ${offset} greater than input length ${length}.`)
  }
  const unpacker = new Unpacker(machine, state, at + offset, at + length)
  const wanted = isAll ? INT32_MAX : limit
  let count = 0
  while (unpacker.at < unpacker.end && count < wanted) {
    unpacker.value()
    count++
  }
  if (isAll) return count
  api.luaL_checkstack(state, 1, machine.text('in function mp_unpack_full'))
  api.lua_pushnumber(state, unpacker.at === unpacker.end ? -1 : unpacker.at - at)
  api.lua_insert(state, 2)
  return count + 1
}

class Unpacker {
  readonly #machine: LuaMachine
  readonly #state: number
  at: number
  readonly end: number

  constructor(machine: LuaMachine, state: number, at: number, end: number) {
    this.#machine = machine
    this.#state = state
    this.at = at
    this.end = end
  }

  /** Pushes the next value. */
  value(): void {
    const { api } = this.#machine
    const state = this.#state
    api.luaL_checkstack(state, 4, this.#machine.text('in function mp_decode_to_lua_type'))
    this.#need(1)
    const head = this.#machine.bytes[this.at++]
    if (head < 0x80) api.lua_pushnumber(state, head)
    else if (head >= 0xe0) api.lua_pushnumber(state, head - 0x100)
    else if (head < 0x90) this.#map(head & 0x0f)
    else if (head < 0xa0) this.#array(head & 0x0f)
    else if (head < 0xc0) this.#string(head & 0x1f)
    else if (head === 0xc0) api.lua_pushnil(state)
    else if (head === 0xc2 || head === 0xc3) api.lua_pushboolean(state, head & 1)
    else if (head >= 0xca && head <= 0xd3) this.#number(head)
    else if (head >= 0xd9 && head <= 0xdb) this.#string(this.#uint(1 << (head - 0xd9)))
    else if (head === 0xdc || head === 0xdd) this.#array(this.#uint(2 << (head - 0xdc)))
    else if (head === 0xde || head === 0xdf) this.#map(this.#uint(2 << (head - 0xde)))
    else this.#machine.raise(state, 'Bad data format in input.')
  }

  #number(head: number): void {
    const { api, bytes } = this.#machine
    const size = head === 0xca ? 4 : head === 0xcb ? 8 : 1 << ((head - 0xcc) & 3)
    this.#need(size)
    const { at } = this
    this.at += size
    let value: number
    if (head === 0xca) value = bytes.readFloatBE(at)
    else if (head === 0xcb) value = bytes.readDoubleBE(at)
    else if (head === 0xcf) value = Number(bytes.readBigUInt64BE(at))
    else if (head === 0xd3) value = Number(bytes.readBigInt64BE(at))
    else if (head < 0xd0) value = bytes.readUIntBE(at, size)
    else value = bytes.readIntBE(at, size)
    api.lua_pushnumber(this.#state, value)
  }

  #uint(size: number): number {
    this.#need(size)
    const value = this.#machine.bytes.readUIntBE(this.at, size)
    this.at += size
    return value
  }

  #string(length: number): void {
    this.#need(length)
    this.#machine.api.lua_pushlstring(this.#state, this.at, length)
    this.at += length
  }

  #array(count: number): void {
    const { api } = this.#machine
    api.lua_createtable(this.#state, 0, 0)
    for (let i = 1; i <= count; i++) {
      this.value()
      api.lua_rawseti(this.#state, -2, i)
    }
  }

  #map(count: number): void {
    const { api } = this.#machine
    api.lua_createtable(this.#state, 0, 0)
    for (let i = 0; i < count; i++) {
      this.value()
      this.value()
      api.lua_settable(this.#state, -3)
    }
  }

  #need(size: number): void {
    if (size > this.end - this.at) this.#machine.raise(this.#state, 'Missing bytes in input.')
  }
}
