/**
 * The scripts that EVAL and SCRIPT LOAD have brought, by their SHA-1.
 *
 * Thread: core. Hot path.
 * Owns: the scripts, compiled, and the engine they live in.
 * Never: compiles a script twice, or starts Lua before there is a script.
 */
import { sha1 } from '../../../lib/sha1.ts'
import type { Call } from '../../engine/call.ts'
import { CommandError } from '../../engine/errors.ts'
import type { ScriptEngine } from './engine.ts'
import { scriptEngines } from './lazy.ts'
import type { Scripting } from './scripting.ts'
import { scriptShebang } from './shebang.ts'

const SHA_SIZE = 40
/** What a script takes beside its text, about, as MEMORY STATS tells it. */
const SCRIPT_OVERHEAD = 120

export interface Script {
  readonly sha: string
  /** One character a byte. */
  readonly text: string
  readonly flags: number
  /** Where the engine keeps it; 0: not compiled since the engine was replaced. */
  ref: number
}

export class Scripts {
  readonly #scripting: Scripting
  #engine: ScriptEngine | undefined = undefined
  readonly #bySha = new Map<string, Script>()
  /** For EVAL, which would have to compute the SHA every time. */
  readonly #byText = new Map<string, Script>()
  /** Bytes of all texts, and what they take beside. */
  #textBytes = 0

  constructor(scripting: Scripting) {
    this.#scripting = scripting
  }

  get count(): number {
    return this.#bySha.size
  }

  /** Bytes of Lua's values. */
  get machineBytes(): number {
    return this.#engine?.machine.usedBytes ?? 0
  }

  /** Bytes of what is known of scripts outside Lua. */
  get cachedBytes(): number {
    return this.#textBytes
  }

  /** By text, compiled if it is new. `text`: one character a byte. Throws: CommandError. */
  load(text: string): Script {
    const known = this.#byText.get(text)
    if (known !== undefined) return known
    const sha = sha1(Buffer.from(text, 'latin1'))
    const { flags } = scriptShebang(text)
    const script: Script = { sha, text, flags, ref: 0 } // alloc: a new script
    this.#compile(script)
    this.#bySha.set(sha, script)
    this.#byText.set(text, script)
    this.#textBytes += text.length + SCRIPT_OVERHEAD
    return script
  }

  /** By text, if it is known. */
  findText(text: string): Script | undefined {
    return this.#byText.get(text)
  }

  /** By SHA in any case; undefined: there is none. */
  find(sha: string): Script | undefined {
    if (sha.length !== SHA_SIZE) return undefined
    return this.#bySha.get(sha) ?? this.#bySha.get(sha.toLowerCase())
  }

  /** Runs a script in place of `call`. Throws: CommandError. */
  perform(call: Call, script: Script, keyCount: number, readOnly: boolean): void {
    if (script.ref === 0) this.#compile(script)
    const engine = this.#running()
    this.#scripting.perform(
      call,
      engine,
      script.ref,
      script.sha,
      script.flags,
      readOnly,
      keyCount,
      false,
    )
    if (engine.isBroken || engine.isWasteful) this.#dropEngine()
  }

  /** As `perform`, in an engine of the caller's. Throws: CommandError. */
  performIn(
    engine: ScriptEngine,
    call: Call,
    script: Script,
    keyCount: number,
    readOnly: boolean,
  ): void {
    const ref = compileIn(engine, script)
    const { sha, flags } = script
    this.#scripting.perform(call, engine, ref, sha, flags, readOnly, keyCount, false)
  }

  /** Forgets all scripts, and Lua with everything in it. */
  flush(): void {
    this.#bySha.clear()
    this.#byText.clear()
    this.#textBytes = 0
    this.#dropEngine()
  }

  // alloc: once
  #running(): ScriptEngine {
    this.#engine ??= scriptEngines().makeScriptEngine(this.#scripting)
    return this.#engine
  }

  // alloc: a new script
  #compile(script: Script): void {
    const engine = this.#running()
    try {
      script.ref = compileIn(engine, script)
    } finally {
      if (engine.isBroken) this.#dropEngine()
    }
  }

  /** Lets go of Lua and its memory: scripts are compiled anew when they are called. */
  // alloc: cold
  #dropEngine(): void {
    this.#engine?.close()
    this.#engine = undefined
    for (const script of this.#bySha.values()) script.ref = 0
  }
}

/** Gives the number under which the engine keeps the script. Throws: CommandError. */
// alloc: a new script
function compileIn(engine: ScriptEngine, { text }: Script): number {
  const { size } = scriptShebang(text)
  // The first line stays as an empty one, so that errors name the right lines.
  const source = Buffer.from(text.slice(size), 'latin1')
  const ref = engine.compile(source, '@user_script')
  if (typeof ref === 'string') {
    throw new CommandError(`ERR Error compiling script (new function): ${ref}`)
  }
  return ref
}
