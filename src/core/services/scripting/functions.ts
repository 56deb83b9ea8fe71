/**
 * Libraries of functions: Lua code that registers functions when it is loaded, to be called by name
 * later. Libraries belong to the data: files and replicas hold their code.
 *
 * Thread: core.
 * Owns: the libraries, and the engine that their functions live in.
 * Never: changes a library in part: a load that fails leaves everything as it was.
 */
import type { Call } from '../../engine/call.ts'
import { CommandError } from '../../engine/errors.ts'
import type { FunctionLibrary, LibraryFunction } from './function-library.ts'
import { libraryLoaders } from './lazy.ts'
import type { LibraryLoader } from './library-loader.ts'
import type { Scripting } from './scripting.ts'

/** What a library and a function take beside the code, about, as MEMORY STATS tells it. */
const LIBRARY_OVERHEAD = 200
const FUNCTION_OVERHEAD = 120

/** What happens to libraries that are there already when others are restored. */
export type RestorePolicy = 'append' | 'replace' | 'flush'

/** Libraries by name, and which function is in which. */
export class LibrarySet {
  readonly libraries = new Map<string, FunctionLibrary>()
  /** By name in small letters. */
  readonly functions = new Map<string, LibraryFunction>()
  /** Bytes of all code, and what the libraries take beside, about. */
  codeBytes = 0

  /** Throws: CommandError when a function's name is taken by a library other than `replaced`. */
  check(library: FunctionLibrary, replaced: FunctionLibrary | undefined): void {
    for (const { name } of library.functions.values()) {
      const other = this.functions.get(name.toLowerCase())
      if (other !== undefined && other.library !== replaced) {
        throw new CommandError(`ERR Function ${name} already exists`)
      }
    }
  }

  add(library: FunctionLibrary): void {
    this.codeBytes += library.code.length + LIBRARY_OVERHEAD
    this.libraries.set(library.name, library)
    for (const one of library.functions.values()) this.functions.set(one.name.toLowerCase(), one)
  }

  remove(library: FunctionLibrary): void {
    this.codeBytes -= library.code.length + LIBRARY_OVERHEAD
    this.libraries.delete(library.name)
    for (const { name } of library.functions.values()) this.functions.delete(name.toLowerCase())
  }
}

export class Functions {
  readonly #scripting: Scripting
  #loader: LibraryLoader | undefined = undefined
  #set = new LibrarySet()

  constructor(scripting: Scripting) {
    this.#scripting = scripting
  }

  get libraryCount(): number {
    return this.#set.libraries.size
  }

  get functionCount(): number {
    return this.#set.functions.size
  }

  /** Bytes of Lua's values. */
  get machineBytes(): number {
    return this.#loader?.engine.machine.usedBytes ?? 0
  }

  /** Bytes of what is known of libraries outside Lua. */
  get cachedBytes(): number {
    return this.#set.codeBytes + this.functionCount * FUNCTION_OVERHEAD
  }

  /** All libraries; a file holds their `code`. */
  libraries(): IterableIterator<FunctionLibrary> {
    return this.#set.libraries.values()
  }

  /** The function of that name in any case. */
  find(name: string): LibraryFunction | undefined {
    return this.#set.functions.get(name.toLowerCase())
  }

  library(name: string): FunctionLibrary | undefined {
    return this.#set.libraries.get(name)
  }

  /** Loads a library. Gives its name. Throws: CommandError. */
  load(code: Buffer, replace: boolean): string {
    let library: FunctionLibrary | undefined
    let before: FunctionLibrary | undefined
    try {
      library = this.#running().load(code, (name) => {
        if (!replace && this.library(name) !== undefined) {
          throw new CommandError(`ERR Library '${name}' already exists`)
        }
      })
      before = this.library(library.name)
      this.#set.check(library, before)
    } catch (error) {
      if (library !== undefined) this.#release([library])
      this.#tidy()
      throw error
    }
    if (before !== undefined) {
      this.#set.remove(before)
      this.#release([before])
    }
    this.#set.add(library)
    return library.name
  }

  /** For files and replication: takes over a library as it was saved. Throws: CommandError. */
  restore(code: Buffer): void {
    this.load(code, false)
  }

  /** FUNCTION RESTORE: all of these or none. Throws: CommandError. */
  restoreAll(codes: readonly Buffer[], policy: RestorePolicy): void {
    const loader = this.#running()
    const coming = new LibrarySet()
    const wanted = policy === 'flush' ? new LibrarySet() : this.#copy()
    try {
      for (const code of codes) {
        const library = loader.load(code, (name) => {
          if (coming.libraries.has(name)) {
            throw new CommandError(`ERR Library '${name}' already exists`)
          }
        })
        coming.check(library, undefined)
        coming.add(library)
      }
      for (const library of coming.libraries.values()) {
        const before = wanted.libraries.get(library.name)
        if (before === undefined) continue
        if (policy !== 'replace') {
          throw new CommandError(`ERR Library ${library.name} already exists`)
        }
        wanted.remove(before)
      }
      for (const library of coming.libraries.values()) wanted.check(library, undefined)
    } catch (error) {
      this.#release(coming.libraries.values())
      this.#tidy()
      throw error
    }
    for (const library of coming.libraries.values()) wanted.add(library)
    const kept = new Set(wanted.libraries.values())
    this.#release([...this.libraries()].filter((library) => !kept.has(library)))
    this.#set = wanted
  }

  /** False: there is no library of that name. */
  remove(name: string): boolean {
    const library = this.library(name)
    if (library === undefined) return false
    this.#set.remove(library)
    this.#release([library])
    this.#tidy()
    return true
  }

  /** Forgets all libraries, and Lua with everything in it. */
  flush(): void {
    this.#set = new LibrarySet()
    this.#loader?.engine.close()
    this.#loader = undefined
  }

  /** Runs a function in place of `call`. Throws: CommandError. */
  perform(call: Call, one: LibraryFunction, keyCount: number, readOnly: boolean): void {
    const { engine } = this.#running()
    this.#scripting.perform(call, engine, one.ref, one.name, one.flags, readOnly, keyCount, true)
    if (engine.isBroken) this.#rebuild()
  }

  /** Something has left Lua: where nothing is left there, it need not keep all of its memory. */
  #tidy(): void {
    if (this.#loader === undefined) return
    const { engine } = this.#loader
    if (engine.isBroken) this.#rebuild()
    else if (this.libraryCount === 0 && engine.isWasteful) this.flush()
  }

  #copy(): LibrarySet {
    const copy = new LibrarySet()
    for (const library of this.libraries()) copy.add(library)
    return copy
  }

  #running(): LibraryLoader {
    this.#loader ??= new (libraryLoaders().LibraryLoader)(this.#scripting)
    return this.#loader
  }

  #release(libraries: Iterable<FunctionLibrary>): void {
    for (const { functions } of libraries) {
      for (const { ref } of functions.values()) this.#loader?.engine.forget(ref)
    }
  }

  /** Lua has failed: the libraries are loaded anew. */
  #rebuild(): void {
    const codes = [...this.libraries()].map(({ code }) => code)
    this.flush()
    for (const code of codes) this.load(code, false)
  }
}
