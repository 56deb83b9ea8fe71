/**
 * One Lua interpreter with its memory. Bytes go in and come out without becoming text; errors of Lua
 * are thrown through JavaScript frames as the interpreter throws them, and only `lua_pcall` catches
 * them.
 *
 * Memory is bounded: beyond LUA_MEMORY_SIZE_MAX the interpreter is told that there is none, which a
 * script sees as the error "not enough memory". WebAssembly's memory never shrinks, so whoever wants
 * it back lets go of the machine and makes another.
 *
 * Thread: core. Hot path.
 * Owns: the interpreter's memory, and a scratch area in it.
 * Never: keeps a view of that memory beyond the next call into Lua, which may move it: `bytes` and
 * `words` are always the present ones.
 *
 * @see https://www.lua.org/manual/5.1/manual.html#3
 */
import { LUA_MEMORY_SIZE_MAX } from '../../../../config/limits.ts'
import { luaModule } from './binary.ts'
import { MARKED_OFFSET, READ_ONLY_BIT, READ_ONLY_IMPORT } from './patch.ts'
import { addToTable, type Callback, type Hook } from './trampolines.ts'

export const LUA_REGISTRY_INDEX = -10000
export const LUA_GLOBALS_INDEX = -10002
export const LUA_MULTIPLE_RESULTS = -1

export const LUA_NIL = 0
export const LUA_BOOLEAN = 1
export const LUA_LIGHT_USERDATA = 2
export const LUA_NUMBER = 3
export const LUA_STRING = 4
export const LUA_TABLE = 5
export const LUA_FUNCTION = 6
export const LUA_THREAD = 8

export const TYPE_NAMES = [
  'nil',
  'boolean',
  'userdata',
  'number',
  'string',
  'table',
  'function',
  'userdata',
  'thread',
]

export const GC_COLLECT = 2
export const GC_COUNT = 3
export const GC_COUNT_BYTES = 4
export const GC_STEP = 5
export const HOOK_LINE = 1 << 2
export const HOOK_COUNT = 1 << 3

const PAGE_SIZE = 65536
/** How Lua's longjmp is thrown. */
const LONG_JUMP = Infinity
const SCRATCH_SIZE = 64 * 1024
/** Room for `lua_Debug`, of which the interpreter's build has 100 bytes. */
const DEBUG_RECORD_SIZE = 128
const DEBUG_SOURCE = 16
const DEBUG_CURRENT_LINE = 20
const DEBUG_WHAT = 12

const TABLE_NODES_LOG = 7
const TABLE_ARRAY = 12
const TABLE_NODES = 16
const TABLE_ARRAY_SIZE = 28
const VALUE_SIZE = 16
const VALUE_TYPE = 8
const NODE_KEY_TYPE = 24

/** The interpreter's functions that are used here. Numbers are 32-bit integers unless named so. */
export interface LuaApi {
  readonly memory: WebAssembly.Memory
  readonly __indirect_function_table: WebAssembly.Table
  __wasm_call_ctors(): void
  malloc(size: number): number
  free(address: number): void
  stackSave(): number
  stackRestore(pointer: number): void
  setThrew(threw: number, value: number): void
  luaL_newstate(): number
  luaopen_base(state: number): number
  luaopen_table(state: number): number
  luaopen_string(state: number): number
  luaopen_math(state: number): number
  luaL_loadbuffer(state: number, bytes: number, size: number, name: number): number
  luaL_ref(state: number, table: number): number
  luaL_unref(state: number, table: number, ref: number): void
  luaL_where(state: number, level: number): void
  luaL_argerror(state: number, index: number, text: number): number
  luaL_checklstring(state: number, index: number, length: number): number
  luaL_checknumber(state: number, index: number): number
  luaL_checkinteger(state: number, index: number): number
  luaL_optinteger(state: number, index: number, otherwise: number): number
  luaL_getmetafield(state: number, index: number, name: number): number
  luaL_checkstack(state: number, count: number, text: number): void
  luaL_checktype(state: number, index: number, type: number): void
  luaL_checkany(state: number, index: number): void
  lua_atpanic(state: number, callback: number): number
  lua_call(state: number, arguments_: number, results: number): void
  lua_checkstack(state: number, count: number): number
  lua_concat(state: number, count: number): void
  lua_createtable(state: number, arrayCount: number, hashCount: number): void
  lua_error(state: number): number
  lua_gc(state: number, what: number, data: number): number
  lua_getfield(state: number, index: number, name: number): void
  /** Gives the name, 0 when there is no such variable. */
  lua_getlocal(state: number, record: number, index: number): number
  lua_getinfo(state: number, what: number, record: number): number
  lua_getmetatable(state: number, index: number): number
  lua_getstack(state: number, level: number, record: number): number
  lua_gettop(state: number): number
  lua_insert(state: number, index: number): void
  lua_isnumber(state: number, index: number): number
  lua_isstring(state: number, index: number): number
  /** Pushes a coroutine and gives it. */
  lua_newthread(state: number): number
  lua_newuserdata(state: number, size: number): number
  lua_next(state: number, index: number): number
  lua_objlen(state: number, index: number): number
  lua_pcall(state: number, arguments_: number, results: number, handler: number): number
  lua_pushboolean(state: number, value: number): void
  lua_pushcclosure(state: number, callback: number, upvalues: number): void
  lua_pushlightuserdata(state: number, pointer: number): void
  lua_pushlstring(state: number, bytes: number, size: number): void
  lua_pushnil(state: number): void
  /** A double. */
  lua_pushnumber(state: number, value: number): void
  lua_pushvalue(state: number, index: number): void
  lua_rawequal(state: number, one: number, other: number): number
  lua_rawget(state: number, index: number): void
  lua_rawgeti(state: number, index: number, n: number): void
  lua_rawset(state: number, index: number): void
  lua_rawseti(state: number, index: number, n: number): void
  lua_remove(state: number, index: number): void
  lua_replace(state: number, index: number): void
  lua_setfield(state: number, index: number, name: number): void
  lua_sethook(state: number, hook: number, mask: number, count: number): number
  lua_setmetatable(state: number, index: number): number
  lua_settable(state: number, index: number): void
  lua_settop(state: number, index: number): void
  lua_toboolean(state: number, index: number): number
  lua_tolstring(state: number, index: number, length: number): number
  /** A double. */
  lua_tonumber(state: number, index: number): number
  lua_topointer(state: number, index: number): number
  lua_touserdata(state: number, index: number): number
  lua_type(state: number, index: number): number
}

type Imports = NonNullable<ConstructorParameters<typeof WebAssembly.Instance>[1]>

/** The interpreter failed outside any protected call, and cannot go on. */
export class LuaFailure {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** Where a value was made, for errors: see `place`. */
export interface Place {
  readonly source: string
  readonly line: number
}

export class LuaMachine {
  /** Not to be used after `close`. */
  api: LuaApi
  /** The main thread of Lua. */
  readonly state: number
  bytes: Buffer = Buffer.alloc(0)
  words: Int32Array = new Int32Array(0)
  /** An area in the interpreter's memory for what passes through. */
  readonly scratch: number
  readonly scratchSize = SCRATCH_SIZE
  /** For the debugger: told of each error that becomes a value of Lua. */
  onError: ((text: string) => void) | undefined = undefined
  readonly #memoryMax: number
  readonly #lengthAt: number
  readonly #debugRecord: number
  readonly #texts = new Map<string, number>()
  readonly #called: ((a: number, b: number) => void)[] = []

  /** `memoryMax`: bytes. */
  constructor(memoryMax: number = LUA_MEMORY_SIZE_MAX) {
    this.#memoryMax = memoryMax
    const instance = new WebAssembly.Instance(luaModule(), this.#imports())
    this.api = instance.exports as unknown as LuaApi
    this.#lookAtMemory()
    this.api.__wasm_call_ctors()
    this.scratch = this.api.malloc(SCRATCH_SIZE)
    this.#lengthAt = this.api.malloc(8)
    this.#debugRecord = this.api.malloc(DEBUG_RECORD_SIZE)
    this.state = this.api.luaL_newstate()
    const [panic] = this.define([(state) => this.#panic(state)], [])
    this.api.lua_atpanic(this.state, panic)
  }

  /**
   * The machine is of no more use. Whoever still seems to refer to it, by what a stack happens to
   * hold, does not keep the interpreter's memory.
   */
  close(): void {
    this.api = CLOSED
    this.bytes = Buffer.alloc(0)
    this.words = new Int32Array(0) // alloc: once
    this.#called.length = 0
  }

  /** Bytes that the scripts' values and code take. */
  get usedBytes(): number {
    const { api, state } = this
    return api.lua_gc(state, GC_COUNT, 0) * 1024 + api.lua_gc(state, GC_COUNT_BYTES, 0)
  }

  /** Makes functions of Lua's kind. Gives their numbers, callbacks first. Cold. */
  define(callbacks: readonly Callback[], hooks: readonly Hook[]): number[] {
    const first = addToTable(this.api.__indirect_function_table, callbacks, hooks)
    return [...callbacks, ...hooks].map((_, i) => first + i)
  }

  // ── Bytes and text ───────────────────────────────────────────────────────────────────────────

  /** The address of a constant text with a NUL behind it; for names, which are few. */
  // alloc: once for each text
  text(text: string): number {
    let address = this.#texts.get(text)
    if (address !== undefined) return address
    address = this.api.malloc(text.length + 1)
    if (address === 0) throw new LuaFailure(NO_MEMORY)
    this.bytes.latin1Write(text, address)
    this.bytes[address + text.length] = 0
    this.#texts.set(text, address)
    return address
  }

  /** The address of a string on the stack (a number there becomes one); 0 if it is none. */
  string(state: number, index: number): number {
    return this.api.lua_tolstring(state, index, this.#lengthAt)
  }

  /** Length of the string that `string` or `checkString` gave last. */
  get length(): number {
    return this.words[this.#lengthAt >> 2]
  }

  /** The address of an argument that has to be a string. */
  checkString(state: number, index: number): number {
    return this.api.luaL_checklstring(state, index, this.#lengthAt)
  }

  /** A string on the stack as text, one character a byte. Cold. */
  textOf(state: number, index: number): string {
    const at = this.string(state, index)
    return at === 0 ? '' : this.bytes.latin1Slice(at, at + this.length)
  }

  /** The text up to a NUL at an address. Cold. */
  textAt(address: number): string {
    return this.bytes.latin1Slice(address, this.bytes.indexOf(0, address))
  }

  push(state: number, source: Buffer, offset: number, length: number): void {
    if (length > SCRATCH_SIZE) return this.#pushLong(state, source, offset, length)
    const { bytes, scratch } = this
    if (length <= 24) for (let i = 0; i < length; i++) bytes[scratch + i] = source[offset + i]
    else source.copy(bytes, scratch, offset, offset + length)
    this.api.lua_pushlstring(state, scratch, length)
  }

  /** Pushes text, one character a byte. Cold. */
  pushText(state: number, text: string): void {
    if (text.length > SCRATCH_SIZE) {
      const bytes = Buffer.from(text, 'latin1')
      return this.#pushLong(state, bytes, 0, bytes.length)
    }
    this.bytes.latin1Write(text, this.scratch)
    this.api.lua_pushlstring(state, this.scratch, text.length)
  }

  #pushLong(state: number, source: Buffer, offset: number, length: number): void {
    const address = this.allocate(state, length)
    source.copy(this.bytes, address, offset, offset + length)
    try {
      this.api.lua_pushlstring(state, address, length)
    } finally {
      this.api.free(address)
    }
  }

  /** Memory for the caller, who frees it. Lua's error when there is none. */
  allocate(state: number, size: number): number {
    const address = this.api.malloc(size)
    if (address === 0) this.raise(state, NO_MEMORY)
    return address
  }

  // ── Errors ───────────────────────────────────────────────────────────────────────────────────

  /** Raises an error of Lua: the text behind the place of the function that called. */
  raise(state: number, text: string): never {
    this.api.luaL_where(state, 1)
    this.pushText(state, text)
    this.api.lua_concat(state, 2)
    return this.raiseTop(state)
  }

  /** Raises what lies on top of the stack. */
  raiseTop(state: number): never {
    this.api.lua_error(state)
    throw new LuaFailure('an error of Lua was not raised')
  }

  /** Complains about an argument of the function that runs, as Lua's own functions do. */
  badArgument(state: number, index: number, text: string): never {
    this.api.luaL_argerror(state, index, this.text(text))
    throw new LuaFailure('an error of Lua was not raised')
  }

  /**
   * Where the function at a level of the call stack is (0: the one that runs); undefined if there is
   * no such level. `skipsNative`: if it is not written in Lua, the next one.
   */
  place(state: number, level: number, skipsNative: boolean): Place | undefined {
    const { api } = this
    const record = this.#debugRecord
    const what = this.text('Sl')
    if (api.lua_getstack(state, level, record) === 0) return undefined
    api.lua_getinfo(state, what, record)
    if (skipsNative && this.textAt(this.words[(record + DEBUG_WHAT) >> 2]) === 'C') {
      if (api.lua_getstack(state, level + 1, record) === 0) return undefined
      api.lua_getinfo(state, what, record)
    }
    const source = this.textAt(this.words[(record + DEBUG_SOURCE) >> 2])
    return { source, line: this.words[(record + DEBUG_CURRENT_LINE) >> 2] } // alloc: an error
  }

  // ── Tables ───────────────────────────────────────────────────────────────────────────────────

  /**
   * Elements before the first nil of the table at `address`, when nothing in it has a name; else -1.
   *
   *     Table: next (4) | type (1) | marked (1) | flags (1) | log2 of nodes (1) | metatable (4) |
   *            array (4) | nodes (4) | last free (4) | gc list (4) | array size (4)
   *     Value: value (8) | type (4) | -         Node: Value | key (8) | key's type (4) | next (4)
   */
  plainLength(address: number): number {
    const { bytes, words } = this
    if (bytes[address + TABLE_NODES_LOG] !== 0) return -1
    if (words[(words[(address + TABLE_NODES) >> 2] + NODE_KEY_TYPE) >> 2] !== LUA_NIL) return -1
    const size = words[(address + TABLE_ARRAY_SIZE) >> 2]
    let word = (words[(address + TABLE_ARRAY) >> 2] + VALUE_TYPE) >> 2
    for (let i = 0; i < size; i++, word += VALUE_SIZE >> 2) if (words[word] === LUA_NIL) return i
    return size
  }

  // ── Read-only tables ─────────────────────────────────────────────────────────────────────────

  /** Lets a table be written or not. `address`: as `lua_topointer` gives it. */
  setReadOnly(address: number, readOnly: boolean): void {
    if (readOnly) this.bytes[address + MARKED_OFFSET] |= READ_ONLY_BIT
    else this.bytes[address + MARKED_OFFSET] &= ~READ_ONLY_BIT
  }

  isReadOnly(address: number): boolean {
    return (this.bytes[address + MARKED_OFFSET] & READ_ONLY_BIT) !== 0
  }

  /** A script writes into a read-only table; called from inside the interpreter. */
  #complain(state: number): number {
    this.api.luaL_where(state, 0)
    this.pushText(state, 'Attempt to modify a readonly table')
    this.api.lua_concat(state, 2)
    return this.api.lua_error(state)
  }

  // ── What the interpreter asks for ────────────────────────────────────────────────────────────

  // alloc: once
  #imports(): Imports {
    const unreachable = () => {
      throw new LuaFailure('the interpreter asked for something that scripts cannot reach')
    }
    const env: Record<string, () => never> = {}
    for (const name of UNREACHABLE) env[name] = unreachable
    return {
      env: {
        ...env,
        invoke_vii: (index: number, a: number, b: number) => this.#invoke(index, a, b),
        emscripten_memcpy_js: (to: number, from: number, size: number) => {
          this.bytes.copyWithin(to, from, from + size)
        },
        emscripten_resize_heap: (size: number) => (this.#resize(size) ? 1 : 0),
        _emscripten_throw_longjmp: () => {
          throw LONG_JUMP
        },
        [READ_ONLY_IMPORT]: (state: number) => this.#complain(state),
      },
      wasi_snapshot_preview1: {
        fd_write: unreachable,
        fd_read: unreachable,
        fd_close: unreachable,
        fd_seek: unreachable,
        environ_get: () => 0,
        environ_sizes_get: (count: number, size: number) => {
          this.words[count >> 2] = 0
          this.words[size >> 2] = 0
          return 0
        },
      },
    }
  }

  /** Calls a function of the table, protected: Lua's setjmp. */
  // alloc: nothing but what is thrown
  #invoke(index: number, a: number, b: number): void {
    const { api } = this
    const stack = api.stackSave()
    let called = this.#called[index]
    if (called === undefined) {
      called = api.__indirect_function_table.get(index) as typeof called
      this.#called[index] = called
    }
    try {
      called(a, b)
    } catch (thrown) {
      api.stackRestore(stack)
      if (thrown !== LONG_JUMP) throw thrown
      api.setThrew(1, 0)
    }
  }

  /** Makes the memory at least `size` bytes large. False when that is more than it may be. */
  #resize(size: number): boolean {
    const { memory } = this.api
    const present = memory.buffer.byteLength
    if (size > this.#memoryMax) return false
    const wanted = Math.min(Math.max(size, present * 1.25), this.#memoryMax)
    try {
      memory.grow(Math.ceil((wanted - present) / PAGE_SIZE))
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      return false
    }
    this.#lookAtMemory()
    return true
  }

  // alloc: when the memory has moved
  #lookAtMemory(): void {
    this.bytes = Buffer.from(this.api.memory.buffer)
    this.words = new Int32Array(this.api.memory.buffer)
  }

  #panic(state: number): number {
    throw new LuaFailure(this.textOf(state, -1))
  }
}

const CLOSED = {} as LuaApi
const NO_MEMORY = 'not enough memory'

/** Imports of libraries that are not opened: files, processes, dates. */
const UNREACHABLE = [
  'exit',
  'strftime',
  'emscripten_date_now',
  '_emscripten_get_now_is_monotonic',
  '__syscall_openat',
  '__syscall_fcntl64',
  '__syscall_ioctl',
  '__syscall_dup3',
  '__syscall_unlinkat',
  '__syscall_renameat',
  '_emscripten_system',
  '__syscall_readlinkat',
  '_tzset_js',
  '_mktime_js',
  '_localtime_js',
  '_gmtime_js',
]
