/**
 * A Lua machine furnished for scripts, and running one thing in it. Scripts and functions have one
 * each, so that the functions' libraries survive a flush of the scripts.
 *
 * Thread: core. Hot path.
 * Owns: the machine.
 * Never: decides whether something may run: `scripting.ts` does.
 */
import { LUA_HOOK_INSTRUCTION_COUNT, LUA_MEMORY_KEPT_MAX } from '../../../config/limits.ts'
import type { Args } from '../../engine/args.ts'
import type { Call } from '../../engine/call.ts'
import { bitLibrary } from './libraries/bit.ts'
import { cjsonLibrary } from './libraries/cjson.ts'
import { cmsgpackLibrary } from './libraries/cmsgpack.ts'
import { structLibrary } from './libraries/struct.ts'
import {
  GC_COLLECT,
  GC_STEP,
  HOOK_COUNT,
  HOOK_LINE,
  LUA_GLOBALS_INDEX,
  LUA_REGISTRY_INDEX,
  LUA_STRING,
  LUA_TABLE,
  LuaFailure,
  LuaMachine,
} from './lua/machine.ts'
import { furnish, keep, type Library, seal } from './lua/sandbox.ts'
import { LuaToReply } from './lua-to-reply.ts'
import { NestedCall } from './nested-call.ts'
import { randomLibrary } from './prng.ts'
import { protectedCall, redisApi } from './redis-api.ts'
import { errorInformation, handleError, pushError } from './script-error.ts'
import type { Scripting } from './scripting.ts'

/** Runs between two pushes to the collector, and how hard it is pushed. */
const GC_PERIOD = 50

export class ScriptEngine {
  readonly machine: LuaMachine
  readonly nested: NestedCall
  /** What the table `redis` holds. */
  readonly redis: Library
  readonly #scripting: Scripting
  readonly #toReply: LuaToReply
  readonly #handler: number
  readonly #hook: number
  readonly #globals: number
  readonly #keysName: number
  readonly #argvName: number
  #runsUntilGc = GC_PERIOD
  /** Lua failed outside any protection: the machine is of no more use. */
  isBroken = false
  /** From how many bytes of memory on it is asked whether they are needed. */
  #memoryMax = LUA_MEMORY_KEPT_MAX
  /** When what is being loaded has to be done; 0: nothing is. */
  loadDeadlineUs = 0
  /** For the debugger: called when a run is over, before its reply is written. */
  onReturn: (() => void) | undefined = undefined

  /** `libraries`: what this engine offers beyond what all do. */
  constructor(scripting: Scripting, libraries: (engine: ScriptEngine) => readonly Library[]) {
    scripting.server.reclaim.makeRoom()
    const machine = new LuaMachine()
    this.machine = machine
    this.#scripting = scripting
    const look = (state: number) => this.#look(state)
    this.nested = new NestedCall(scripting.server, machine, scripting.run, look)
    this.#toReply = new LuaToReply(machine)
    this.redis = redisApi(scripting.server, machine, this.nested, scripting.run)
    furnish(machine, [
      {
        name: '',
        functions: { pcall: (state) => protectedCall(machine, state) },
      },
      this.redis,
      randomLibrary(machine, scripting.prng),
      bitLibrary(machine),
      cjsonLibrary(machine),
      cmsgpackLibrary(machine),
      structLibrary(machine),
      ...libraries(this),
    ])
    const { api, state } = machine
    const [handler] = machine.define([(caller) => handleError(machine, caller)], [])
    api.lua_pushcclosure(state, handler, 0)
    this.#handler = keep(machine)
    this.#globals = api.lua_topointer(state, LUA_GLOBALS_INDEX)
    this.#keysName = machine.text('KEYS')
    this.#argvName = machine.text('ARGV')
    const [hook] = machine.define([], [look])
    this.#hook = hook
    this.#setHook(state, HOOK_COUNT)
    seal(machine)
  }

  /** Lets go of Lua and its memory. */
  close(): void {
    this.#scripting.server.reclaim.begin(this.machine.bytes.length)
    this.machine.close()
    this.nested.close()
  }

  /** Lua's memory has grown far beyond what is needed; it cannot shrink. Cold where it matters. */
  get isWasteful(): boolean {
    const { machine } = this
    const size = machine.bytes.length
    if (size <= this.#memoryMax) return false
    machine.api.lua_gc(machine.state, GC_COLLECT, 0)
    if (machine.usedBytes < size / 4) return true
    this.#memoryMax = size * 2
    return false
  }

  /** Compiles a chunk and keeps it. Gives its number, or what is wrong with it. Cold. */
  compile(source: Buffer, name: string): number | string {
    const { machine } = this
    const { api, state } = machine
    const chunkName = machine.text(name)
    if (source.length > 0 && source[0] === 27) {
      return `${name.slice(1)}:1: unexpected symbol near 'char(27)'`
    }
    const at = api.malloc(source.length + 1)
    if (at === 0) return 'not enough memory'
    source.copy(machine.bytes, at)
    try {
      const failed = api.luaL_loadbuffer(state, at, source.length, chunkName) !== 0
      api.free(at)
      if (!failed) return keep(machine)
      const problem = machine.textOf(state, -1)
      api.lua_settop(state, 0)
      return problem
    } catch (error) {
      return this.#failure(error)
    }
  }

  forget(ref: number): void {
    this.machine.api.luaL_unref(this.machine.state, LUA_REGISTRY_INDEX, ref)
  }

  /**
   * Runs a function that was kept and answers with what it gives. Keys are the `keyCount` arguments
   * of the call from `first` on; a script finds them in KEYS and ARGV, a function is given them.
   */
  perform(call: Call, ref: number, first: number, keyCount: number, asFunction: boolean): void {
    const { machine } = this
    const { api, state } = machine
    const { args } = call
    this.nested.begin(call)
    try {
      api.lua_rawgeti(state, LUA_REGISTRY_INDEX, this.#handler)
      if (asFunction) api.lua_rawgeti(state, LUA_REGISTRY_INDEX, ref)
      const rest = first + keyCount
      this.#pushArguments(args, first, keyCount)
      if (!asFunction) this.#setGlobal(this.#keysName)
      this.#pushArguments(args, rest, args.count - rest)
      if (!asFunction) {
        this.#setGlobal(this.#argvName)
        api.lua_rawgeti(state, LUA_REGISTRY_INDEX, ref)
      }
      const failed = api.lua_pcall(state, asFunction ? 2 : 0, 1, 1) !== 0
      if (this.#scripting.run.killed) this.#setHook(state, HOOK_COUNT)
      if (this.onReturn !== undefined) this.onReturn()
      if (failed) this.#answerError(call)
      else this.#toReply.write(state, call.reply, this.nested.session.protocol)
      api.lua_settop(state, 0)
      if (--this.#runsUntilGc === 0) {
        this.#runsUntilGc = GC_PERIOD
        api.lua_gc(state, GC_STEP, GC_PERIOD)
      }
    } catch (error) {
      this.#fail(call, error)
    }
  }

  // alloc: an error
  #fail(call: Call, error: unknown): void {
    const text = this.#failure(error)
    this.onReturn?.()
    call.reply.error(`ERR Error running script ${this.#scripting.run.name}, ${text}`)
  }

  /** Says what an error outside Lua's protection is, or one of the interpreter itself. */
  // alloc: an error
  #failure(error: unknown): string {
    const isOurs = error instanceof LuaFailure
    const isTrap = error instanceof WebAssembly.RuntimeError || isStackOverflow(error)
    if (!isOurs && !isTrap) throw error
    this.isBroken = true
    return isOurs ? error.text : `the interpreter failed: ${(error as Error).message}`
  }

  #pushArguments(args: Args, from: number, count: number): void {
    const { machine } = this
    const { api, state } = machine
    api.lua_createtable(state, count, 0)
    for (let i = 0; i < count; i++) {
      machine.push(state, args.bytes, args.offsets[from + i], args.lengths[from + i])
      api.lua_rawseti(state, -2, i + 1)
    }
  }

  #setGlobal(name: number): void {
    const { machine } = this
    machine.setReadOnly(this.#globals, false)
    machine.api.lua_setfield(machine.state, LUA_GLOBALS_INDEX, name)
    machine.setReadOnly(this.#globals, true)
  }

  // alloc: an error
  #answerError(call: Call): void {
    const { machine } = this
    const { api, state } = machine
    const { name } = this.#scripting.run
    const type = api.lua_type(state, -1)
    if (type !== LUA_TABLE) {
      const text = type === LUA_STRING ? machine.textOf(state, -1) : 'execution failure'
      return call.reply.error(`ERR Error running script ${name}, ${text.slice(0, 100)}`)
    }
    const { text, source, line, isCounted } = errorInformation(machine, state)
    const place = source === undefined || line === undefined ? '' : `on ${source}:${line}.`
    const shown = place === '' ? text : `${text} script: ${name}, ${place}`
    if (isCounted) call.reply.countedError(shown)
    else call.reply.error(shown)
  }

  // ── Runs that take long ──────────────────────────────────────────────────────────────────────

  #setHook(state: number, mask: number): void {
    const count = mask === HOOK_COUNT ? LUA_HOOK_INSTRUCTION_COUNT : 0
    this.machine.api.lua_sethook(state, this.#hook, mask, count)
  }

  /** Called by Lua now and then, and by a run that is to end at every line. */
  #look(state: number): void {
    const { run } = this.#scripting
    if (run.caller === undefined) return this.#lookAtLoading(state)
    if (!run.killed) this.#scripting.lookUp()
    if (!run.killed) return
    // The error may be caught: it comes again with the next line, in whatever coroutine that is.
    this.#setHook(state, HOOK_LINE)
    this.#setHook(this.machine.state, HOOK_LINE)
    pushError(this.machine, state, KILLED)
    this.machine.raiseTop(state)
  }

  #lookAtLoading(state: number): void {
    const nowUs = this.#scripting.server.clock.microseconds()
    if (this.loadDeadlineUs === 0 || nowUs < this.loadDeadlineUs) return
    this.#setHook(state, HOOK_LINE)
    pushError(this.machine, state, 'FUNCTION LOAD timeout')
    this.machine.raiseTop(state)
  }

  /** Runs a chunk that was kept, which gives nothing. What went wrong, '' when nothing did. */
  load(ref: number, timeoutMs: number): string {
    const { api, state } = this.machine
    this.loadDeadlineUs = this.#scripting.server.clock.microseconds() + timeoutMs * 1000
    api.lua_rawgeti(state, LUA_REGISTRY_INDEX, ref)
    try {
      const failed = api.lua_pcall(state, 0, 0, 0) !== 0
      this.#setHook(state, HOOK_COUNT)
      const problem = failed ? errorInformation(this.machine, state).text : ''
      api.lua_settop(state, 0)
      return problem
    } catch (error) {
      return this.#failure(error)
    } finally {
      this.loadDeadlineUs = 0
    }
  }
}

/** QUIRK: FUNCTION KILL says so, too. */
const KILLED = 'Script killed by user with SCRIPT KILL...'

/** Code of WebAssembly and callbacks call each other on JavaScript's stack. */
function isStackOverflow(error: unknown): boolean {
  return error instanceof RangeError && error.message.startsWith('Maximum call stack')
}
