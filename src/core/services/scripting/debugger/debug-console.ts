/**
 * The commands that a debugging client has while its script stands still.
 *
 * Thread: core.
 * Owns: nothing.
 * Never: goes on by itself.
 */
import { Activation } from '../lua/activation.ts'
import { LUA_GLOBALS_INDEX, type LuaMachine } from '../lua/machine.ts'
import { cText, errorInformation, raiseError } from '../script-error.ts'
import { cString, leadingInteger } from './c-text.ts'
import type { DebugLog } from './debug-log.ts'
import type { ScriptSource } from './script-source.ts'
import { valueText } from './value-text.ts'

/** The script that stands still. */
export interface Debuggee {
  readonly log: DebugLog
  readonly source: ScriptSource
  isStepping: boolean
  /** Code runs that the client has sent: it is not the script's. */
  isEvaluating: boolean
  /** The next command, one character a byte; undefined: there will be none. May raise an error. */
  next(state: number): string[] | undefined
  /** Sends what the log holds. */
  send(): void
}

/** Words of a command, and Lua's thread. */
type Command = (words: readonly string[], state: number) => void

const CONTEXT_LINES = 5
const ALL_LINES = 1_000_000
const RECORD_SIZE = 128
const TEMPORARY = '(*temporary)'
const EVAL_NAME = '@ldb_eval'
const COMPILED_MARK = '\x1b'
const UNKNOWN = '<error> Unknown Redis Lua debugger command or wrong number of arguments.'

export class DebugConsole {
  readonly #machine: LuaMachine
  readonly #script: Debuggee
  readonly #log: DebugLog
  readonly #source: ScriptSource
  /** By their names and short forms; those that let the script go on are not among them. */
  readonly #commands: ReadonlyMap<string, Command>

  constructor(machine: LuaMachine, script: Debuggee) {
    this.#machine = machine
    this.#script = script
    this.#log = script.log
    this.#source = script.source
    const commands: Readonly<Record<string, Command>> = {
      help: () => this.#help(),
      trace: (_, state) => this.#trace(state),
      maxlen: (words) => this.#maxlen(words),
      break: (words) => this.#break(words),
      eval: (words, state) => this.#eval(words.slice(1).join(' '), state),
      abort: (_, state) => raiseError(machine, state, 'script aborted for user request'),
      redis: (words, state) => this.#redis(words, state),
      print: (words, state) => this.#print(words, state),
      list: (words) => this.#list(words),
      whole: () => this.#lines(1, ALL_LINES),
    }
    this.#commands = new Map(
      Object.entries(commands).flatMap(([name, run]) => [
        [name, run],
        [name[0], run],
      ]),
    )
  }

  /** Obeys the client until the script shall go on. False: the client is gone. May raise an error. */
  run(state: number): boolean {
    for (;;) {
      const words = this.#script.next(state)
      if (words === undefined) return false
      const name = cString(words[0]).toLowerCase()
      if (GOING_ON.includes(name)) return true
      if (STEPPING.includes(name)) {
        this.#script.isStepping = true
        return true
      }
      const run = this.#commands.get(name)
      if (run === undefined) this.#log.add(UNKNOWN)
      else run(words, state)
      this.#script.send()
    }
  }

  #help(): void {
    for (const line of HELP) this.#log.add(line)
  }

  // ── Lines ────────────────────────────────────────────────────────────────────────────────────

  #list(words: readonly string[]): void {
    const given = leadingInteger(words[1] ?? '')
    const distance = words.length > 2 ? leadingInteger(words[2]) : CONTEXT_LINES
    this.#lines(given > 0 ? given : this.#source.current, distance)
  }

  #lines(around: number, distance: number): void {
    for (const line of this.#source.around(around, distance)) this.#log.add(line)
  }

  #break(words: readonly string[]): void {
    const { breakpoints } = this.#source
    if (words.length > 1) {
      for (const word of words.slice(1)) this.#breakAt(word)
    } else if (breakpoints.length === 0) {
      this.#log.add("No breakpoints set. Use 'b <line>' to add one.")
    } else {
      this.#log.add(`${breakpoints.length} breakpoints set:`)
      for (const line of breakpoints) this.#log.add(this.#source.shown(line))
    }
  }

  #breakAt(word: string): void {
    const source = this.#source
    const line = Number(word)
    if (!/^(0|-?[1-9]\d*)$/.test(word)) {
      this.#log.add(`Invalid argument:'${cString(word)}'`)
    } else if (line === 0) {
      source.breakpoints = []
      this.#log.add('All breakpoints removed.')
    } else if (line < 0) {
      const isRemoved = source.removeBreakpoint(-line)
      this.#log.add(isRemoved ? 'Breakpoint removed.' : 'No breakpoint in the specified line.')
    } else if (source.isFull) {
      this.#log.add('Too many breakpoints set.')
    } else if (source.addBreakpoint(line)) {
      this.#lines(line, 1)
    } else {
      this.#log.add('Wrong line number.')
    }
  }

  #trace(state: number): void {
    this.#withRecord((activation) => {
      for (let level = 0; activation.find(state, level); level++) {
        if (!activation.isOfScript) continue
        this.#log.add(`${level === 0 ? 'In' : 'From'} ${activation.name ?? 'top level'}:`)
        this.#log.add(this.#source.shown(activation.line))
      }
    })
  }

  // ── Values ───────────────────────────────────────────────────────────────────────────────────

  #maxlen(words: readonly string[]): void {
    if (words.length === 2) this.#log.show(leadingInteger(words[1]))
    const { shownSize } = this.#log
    const state = shownSize === 0 ? 'unlimited' : `truncated at ${shownSize} bytes`
    this.#log.add(`<value> replies are ${state}.`)
  }

  #print(words: readonly string[], state: number): void {
    this.#withRecord((activation) => {
      if (words.length === 2) this.#printOne(activation, state, cString(words[1]))
      else this.#printAll(activation, state)
    })
  }

  /** The variable of that name in the innermost function that has one. */
  #printOne(activation: Activation, state: number, wanted: string): void {
    const { api } = this.#machine
    for (let level = 0; activation.find(state, level); level++) {
      for (let i = 1; ; i++) {
        const name = activation.pushLocal(state, i)
        if (name === undefined) break
        if (name === wanted) return this.#tellTop(state, '<value> ')
        api.lua_settop(state, -2)
      }
    }
    if (wanted !== 'KEYS' && wanted !== 'ARGV') return this.#log.add('No such variable.')
    api.lua_getfield(state, LUA_GLOBALS_INDEX, this.#machine.text(wanted))
    this.#tellTop(state, '<value> ')
  }

  #printAll(activation: Activation, state: number): void {
    let count = 0
    activation.find(state, 0)
    for (let i = 1; ; i++) {
      const name = activation.pushLocal(state, i)
      if (name === undefined) break
      if (name === TEMPORARY) {
        this.#machine.api.lua_settop(state, -2)
        continue
      }
      this.#tellTop(state, `<value> ${name} = `)
      count++
    }
    if (count === 0) this.#log.add('No local variables in the current context.')
  }

  /** Takes the value on top of the stack off and tells it. */
  #tellTop(state: number, head: string): void {
    this.#log.addValue(head + valueText(this.#machine, state, -1))
    this.#machine.api.lua_settop(state, -2)
  }

  #withRecord(look: (activation: Activation) => void): void {
    const { api } = this.#machine
    const at = api.malloc(RECORD_SIZE)
    if (at === 0) return this.#log.add('<error> not enough memory')
    try {
      look(new Activation(this.#machine, at))
    } finally {
      api.free(at)
    }
  }

  // ── Calls ────────────────────────────────────────────────────────────────────────────────────

  /**
   * Runs code as an expression, or else as statements, outside of the function that stands still: in a
   * coroutine, since nothing calls the debugger again where the debugger was called.
   */
  #eval(code: string, state: number): void {
    const machine = this.#machine
    const { api } = machine
    const top = api.lua_gettop(state)
    const thread = api.lua_newthread(state)
    let isSound = this.#compile(`return ${code}`, thread)
    if (!isSound) {
      api.lua_settop(thread, 0)
      isSound = this.#compile(code, thread)
    }
    this.#script.isEvaluating = true
    try {
      if (isSound) isSound = api.lua_pcall(thread, 0, 1, 0) === 0
    } finally {
      this.#script.isEvaluating = false
    }
    if (isSound) this.#log.addValue(`<retval> ${valueText(machine, thread, -1)}`)
    else this.#log.add(`<error> ${this.#problem(thread)}`)
    api.lua_settop(state, top)
  }

  /** Pushes the compiled code, or why it is none: then false. */
  #compile(code: string, state: number): boolean {
    const machine = this.#machine
    if (code.startsWith(COMPILED_MARK)) {
      machine.pushText(state, "ldb_eval:1: unexpected symbol near 'char(27)'")
      return false
    }
    machine.pushText(state, code)
    const at = machine.string(state, -1)
    const { length } = machine
    const isSound = machine.api.luaL_loadbuffer(state, at, length, machine.text(EVAL_NAME)) === 0
    machine.api.lua_remove(state, -2)
    return isSound
  }

  /** DIFFERS: of an error that is a table its text is told; Redis does not survive one. */
  #problem(state: number): string {
    return cText(this.#machine, state, -1) ?? errorInformation(this.#machine, state).text
  }

  /** As redis.call in the script; the calls tell themselves, as in a step. */
  #redis(words: readonly string[], state: number): void {
    const { api } = this.#machine
    if (words.length === 1) return this.#log.add(UNKNOWN)
    const top = api.lua_gettop(state)
    if (api.lua_checkstack(state, words.length + 1) === 0) return
    api.lua_getfield(state, LUA_GLOBALS_INDEX, this.#machine.text('redis'))
    api.lua_getfield(state, -1, this.#machine.text('call'))
    for (const word of words.slice(1)) this.#machine.pushText(state, word)
    this.#script.isStepping = true
    api.lua_pcall(state, words.length - 1, 1, 0)
    this.#script.isStepping = false
    api.lua_settop(state, top)
  }
}

const GOING_ON: readonly string[] = ['c', 'continue']
const STEPPING: readonly string[] = ['s', 'step', 'n', 'next']

/** DIFFERS: in words of our own. */
const HELP: readonly string[] = [
  'Commands of the Lua debugger:',
  '[s]tep               Runs the line and stops at the next one.',
  '[n]ext               The same.',
  '[c]ontinue           Runs up to a breakpoint.',
  '[l]ist [line] [ctx]  Lists the lines around one, 5 before and after unless told;',
  '                     0 or nothing for the line where the script stands.',
  '[w]hole              Lists all lines.',
  '[p]rint [var]        Shows a variable (also KEYS and ARGV), or all local ones.',
  '[b]reak              Lists the breakpoints.',
  '[b]reak <line> ...   Sets a breakpoint; -<line> removes it, 0 removes all.',
  '[t]race              Shows which functions have called each other.',
  '[e]val <code>        Runs Lua code, which does not see local variables.',
  '[r]edis <cmd> ...    Calls a command of Redis.',
  '[m]axlen [bytes]     Tells or sets how much of a value is shown; 0 for all of it.',
  '[a]bort              Ends the script. What it has written stays.',
  '[h]elp               Shows this.',
  '',
  'Functions for scripts:',
  'redis.debug(...)     Tells values here.',
  'redis.breakpoint()   Stops at the next line.',
]
