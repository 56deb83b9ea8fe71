/**
 * Loading libraries: their code runs once, in a world of its own in which there is little but
 * redis.register_function, and registers the functions. When these run, they find the world that
 * scripts have, too. Both are reached through one table of global variables that is always empty:
 * where it looks things up is exchanged.
 *
 * Thread: core.
 * Owns: the engine for functions; the library being loaded.
 * Never: lets a library that takes too long to load go on.
 */
import { CommandError } from '../../engine/errors.ts'
import { ScriptEngine } from './engine.ts'
import type { FunctionLibrary } from './function-library.ts'
import {
  LUA_FUNCTION,
  LUA_GLOBALS_INDEX,
  LUA_NIL,
  LUA_NUMBER,
  LUA_REGISTRY_INDEX,
  LUA_STRING,
  LUA_TABLE,
} from './lua/machine.ts'
import { fillTable, keep, type Library, refuseMissing, sealTable } from './lua/sandbox.ts'
import { raiseError } from './script-error.ts'
import type { Scripting } from './scripting.ts'
import { libraryShebang, scriptFlag } from './shebang.ts'

const LOAD_TIMEOUT_MS = 500
const NAME = /^[A-Za-z0-9_]+$/
const BAD_NAME =
  'Library names can only contain letters, numbers, or underscores(_) and must be at least one character long'
const FUNCTION_NAME = 'redis.register_function'

export class LibraryLoader {
  readonly engine: ScriptEngine
  #loading: FunctionLibrary | undefined = undefined
  /** Where the worlds for loading and for running are kept, and the table that leads to one. */
  readonly #loadingWorld: number
  readonly #runningWorld: number
  readonly #switch: number

  constructor(scripting: Scripting) {
    this.engine = new ScriptEngine(scripting, () => [])
    const { machine } = this.engine
    const { api, state } = machine
    api.lua_pushvalue(state, LUA_GLOBALS_INDEX)
    this.#runningWorld = keep(machine)
    this.#loadingWorld = this.#makeLoadingWorld()
    api.lua_createtable(state, 0, 0)
    api.lua_createtable(state, 0, 1)
    api.lua_pushvalue(state, -1)
    this.#switch = keep(machine)
    api.lua_setmetatable(state, -2)
    sealTable(machine)
    api.lua_replace(state, LUA_GLOBALS_INDEX)
    this.#enter(this.#runningWorld)
  }

  /**
   * Loads a library; it is nobody's yet. `checkName` may refuse it by its name. Throws: CommandError.
   */
  load(code: Buffer, checkName: (name: string) => void): FunctionLibrary {
    const { name, engine, size } = libraryShebang(code.toString('latin1'))
    if (!NAME.test(name)) throw new CommandError(`ERR ${BAD_NAME}`)
    if (engine.toLowerCase() !== 'lua') throw new CommandError(`ERR Engine '${engine}' not found`)
    checkName(name)
    const library: FunctionLibrary = { name, code: Buffer.from(code), functions: new Map() }
    const chunk = this.engine.compile(code.subarray(size), '@user_function')
    if (typeof chunk === 'string') {
      throw new CommandError(`ERR Error compiling function: ${chunk}`)
    }
    this.#loading = library
    this.#enter(this.#loadingWorld)
    const problem = this.engine.load(chunk, LOAD_TIMEOUT_MS)
    this.#enter(this.#runningWorld)
    this.#loading = undefined
    this.engine.forget(chunk)
    if (problem === '' && library.functions.size > 0) return library
    for (const { ref } of library.functions.values()) this.engine.forget(ref)
    if (problem === '') throw new CommandError('ERR No functions registered')
    throw new CommandError(`ERR Error registering functions: ${problem}`)
  }

  /** Global variables are looked up in that world from now on. */
  #enter(world: number): void {
    const { machine } = this.engine
    const { api, state } = machine
    api.lua_rawgeti(state, LUA_REGISTRY_INDEX, this.#switch)
    const address = api.lua_topointer(state, -1)
    machine.setReadOnly(address, false)
    api.lua_rawgeti(state, LUA_REGISTRY_INDEX, world)
    api.lua_setfield(state, -2, machine.text('__index'))
    machine.setReadOnly(address, true)
    api.lua_settop(state, 0)
  }

  /** Gives where it is kept. */
  #makeLoadingWorld(): number {
    const { machine, redis } = this.engine
    const { api, state } = machine
    const library: Library = {
      name: 'redis',
      functions: {
        register_function: (caller) => this.#register(caller),
        log: redis.functions['log'],
      },
      values: Object.fromEntries(
        Object.entries(redis.values ?? {}).filter(([name]) => /^(LOG|REDIS)_/.test(name)),
      ),
    }
    api.lua_createtable(state, 0, 1)
    api.lua_createtable(state, 0, 0)
    fillTable(machine, library, machine.define(Object.values(library.functions), []))
    refuseMissing(machine)
    api.lua_setfield(state, -2, machine.text('redis'))
    refuseMissing(machine)
    sealTable(machine)
    return keep(machine)
  }

  // ── redis.register_function ──────────────────────────────────────────────────────────────────

  #register(state: number): number {
    const { api } = this.engine.machine
    const library = this.#loading
    if (library === undefined) {
      return this.#refuse(state, `${FUNCTION_NAME} can only be called on FUNCTION LOAD command`)
    }
    const count = api.lua_gettop(state)
    if (count < 1 || count > 2) {
      this.#refuse(state, `wrong number of arguments to ${FUNCTION_NAME}`)
    }
    if (count === 1) this.#registerNamed(state, library)
    else this.#registerPositional(state, library)
    return 0
  }

  #registerPositional(state: number, library: FunctionLibrary): void {
    const { machine } = this.engine
    if (!this.#isText(state, 1)) {
      this.#refuse(state, `first argument to ${FUNCTION_NAME} must be a string`)
    }
    const name = machine.textOf(state, 1)
    if (machine.api.lua_type(state, 2) !== LUA_FUNCTION) {
      this.#refuse(state, `second argument to ${FUNCTION_NAME} must be a function`)
    }
    this.#add(state, library, { name, description: undefined, flags: 0, ref: this.#take(state) })
  }

  #registerNamed(state: number, library: FunctionLibrary): void {
    const { machine } = this.engine
    const { api } = machine
    if (api.lua_type(state, 1) !== LUA_TABLE) {
      this.#refuse(
        state,
        `calling ${FUNCTION_NAME} with a single argument is only applicable to Lua table (representing named arguments).`,
      )
    }
    const given = { name: '', description: undefined as string | undefined, flags: 0, ref: 0 }
    let isNamed = false
    api.lua_pushnil(state)
    while (api.lua_next(state, 1) !== 0) {
      if (!this.#isText(state, -2)) {
        this.#refuseNamed(
          state,
          given.ref,
          `named argument key given to ${FUNCTION_NAME} is not a string`,
        )
      }
      // The key itself must not become text, or the next one could not be found.
      api.lua_pushvalue(state, -2)
      const key = machine.textOf(state, -1).toLowerCase()
      api.lua_settop(state, -2)
      if (key === 'function_name') {
        given.name = this.#text(state, given.ref, key)
        isNamed = true
      } else if (key === 'description') {
        given.description = this.#text(state, given.ref, key)
      } else if (key === 'callback') {
        if (api.lua_type(state, -1) !== LUA_FUNCTION) {
          this.#refuseNamed(
            state,
            given.ref,
            `callback argument given to ${FUNCTION_NAME} must be a function`,
          )
        }
        given.ref = this.#take(state)
        continue
      } else if (key === 'flags') {
        given.flags = this.#flags(state, given.ref)
      } else {
        this.#refuseNamed(state, given.ref, `unknown argument given to ${FUNCTION_NAME}`)
      }
      api.lua_settop(state, -2)
    }
    if (!isNamed) {
      this.#refuseNamed(state, given.ref, `${FUNCTION_NAME} must get a function name argument`)
    }
    if (given.ref === 0) this.#refuse(state, `${FUNCTION_NAME} must get a callback argument`)
    this.#add(state, library, given)
  }

  #text(state: number, ref: number, argument: string): string {
    if (!this.#isText(state, -1)) {
      this.#refuseNamed(
        state,
        ref,
        `${argument} argument given to ${FUNCTION_NAME} must be a string`,
      )
    }
    return this.engine.machine.textOf(state, -1)
  }

  #flags(state: number, ref: number): number {
    const { machine } = this.engine
    const { api } = machine
    if (api.lua_type(state, -1) !== LUA_TABLE) {
      const text = `flags argument to ${FUNCTION_NAME} must be a table representing function flags`
      this.#refuseNamed(state, ref, text)
    }
    let flags = 0
    for (let i = 1; ; i++) {
      api.lua_rawgeti(state, -1, i)
      if (api.lua_type(state, -1) === LUA_NIL) break
      const bit = this.#isText(state, -1) ? scriptFlag(machine.textOf(state, -1).toLowerCase()) : 0
      if (bit === 0) this.#refuseNamed(state, ref, 'unknown flag given')
      flags |= bit
      api.lua_settop(state, -2)
    }
    api.lua_settop(state, -2)
    return flags
  }

  #add(
    state: number,
    library: FunctionLibrary,
    given: { name: string; description: string | undefined; flags: number; ref: number },
  ): void {
    if (!NAME.test(given.name)) this.#refuseNamed(state, given.ref, BAD_NAME)
    if (library.functions.has(given.name)) {
      this.#refuseNamed(state, given.ref, 'Function already exists in the library')
    }
    library.functions.set(given.name, { ...given, library })
  }

  /** Keeps the function on top of the stack, and takes it off. */
  #take(state: number): number {
    return this.engine.machine.api.luaL_ref(state, LUA_REGISTRY_INDEX)
  }

  #isText(state: number, index: number): boolean {
    const type = this.engine.machine.api.lua_type(state, index)
    return type === LUA_STRING || type === LUA_NUMBER
  }

  #refuse(state: number, text: string): never {
    return raiseError(this.engine.machine, state, text)
  }

  #refuseNamed(state: number, ref: number, text: string): never {
    if (ref !== 0) this.engine.forget(ref)
    return this.#refuse(state, text)
  }
}
