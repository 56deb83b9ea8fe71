/**
 * What Lua tells of a function in the middle of its call: a `lua_Debug` record, and its variables.
 *
 *     event (4) | name (4) | kind of name (4) | what (4) | source (4) | present line (4) |
 *     upvalues (4) | first line (4) | last line (4) | short source (60) | call (4)
 *
 * Thread: core.
 * Owns: nothing: the record lies in the interpreter's memory, where `at` says.
 * Never: keeps what it has read.
 *
 * @see https://www.lua.org/manual/5.1/manual.html#lua_Debug
 */
import type { LuaMachine } from './machine.ts'

export const EVENT_COUNT = 3

const NAME = 4
const LINE = 20
const SHORT_SOURCE = 36
const SCRIPT_SOURCE = 'user_script'

export class Activation {
  readonly #machine: LuaMachine
  readonly #at: number

  /** `at`: where the record lies, or is to be made. */
  constructor(machine: LuaMachine, at: number) {
    this.#machine = machine
    this.#at = at
  }

  /** Why Lua has called the hook that was given this record. */
  get event(): number {
    return this.#word(0)
  }

  /** The line that is about to be run. */
  get line(): number {
    return this.#word(LINE)
  }

  /** By which name it was called, where there is one. */
  get name(): string | undefined {
    const name = this.#word(NAME)
    return name === 0 ? undefined : this.#machine.textAt(name)
  }

  /** Whether it is of the script, and not of code that the debugger runs. */
  get isOfScript(): boolean {
    return this.#machine.textAt(this.#at + SHORT_SOURCE).includes(SCRIPT_SOURCE)
  }

  /** Describes the function at a level of the call stack. False when there is no such level. */
  find(state: number, level: number): boolean {
    const { api } = this.#machine
    if (api.lua_getstack(state, level, this.#at) === 0) return false
    api.lua_getinfo(state, this.#machine.text('Snl'), this.#at)
    return true
  }

  /** Pushes a local variable, from 1 on. Gives its name; undefined, with nothing pushed, at the end. */
  pushLocal(state: number, index: number): string | undefined {
    const name = this.#machine.api.lua_getlocal(state, this.#at, index)
    return name === 0 ? undefined : this.#machine.textAt(name)
  }

  #word(offset: number): number {
    return this.#machine.words[(this.#at + offset) >> 2]
  }
}
