/**
 * A script that runs under its client's eyes: Lua calls in at every line, and where it is to stop,
 * the client says what happens until it goes on.
 *
 * The connection speaks the debugger's protocol meanwhile: commands are requests, and each is answered
 * with an array of lines. When the script is over, its reply follows, and the connection is closed.
 *
 * The script has an engine of its own, with functions that tell the debugger, so that other scripts
 * know nothing of it.
 *
 * Thread: core.
 * Owns: whether the script stops at the next line.
 * Never: runs longer than the call.
 *
 * @see https://redis.io/docs/latest/develop/programmability/lua-debugging/
 */
import { LUA_HOOK_INSTRUCTION_COUNT } from '../../../../config/limits.ts'
import type { Call } from '../../../engine/call.ts'
import { CommandError } from '../../../engine/errors.ts'
import { REPLY_ON } from '../../../engine/session.ts'
import type { ScriptEngine } from '../engine.ts'
import { Activation, EVENT_COUNT } from '../lua/activation.ts'
import { HOOK_COUNT, HOOK_LINE, LUA_NUMBER, LUA_STRING, type LuaMachine } from '../lua/machine.ts'
import type { Library } from '../lua/sandbox.ts'
import { numberText } from '../nested-call.ts'
import { type FurnishedEngine, makeDebugEngine } from '../script-engine.ts'
import { raiseError } from '../script-error.ts'
import { cString } from './c-text.ts'
import { DebugConsole, type Debuggee } from './debug-console.ts'
import { DebugLog } from './debug-log.ts'
import { ScriptSource } from './script-source.ts'
import { shownReply } from './shown-reply.ts'
import { valueText } from './value-text.ts'

/** Where `busy-reply-threshold` is 0. */
const PATIENCE_MS = 5000
/** Arguments of a call that are shown. */
const SHOWN_ARGUMENT_COUNT = 10
const ARGUMENT_COUNT_MAX = 1024
const ARGUMENT_SIZE_MAX = 1024

const STEP = 'step over'
const BREAKPOINT = 'break point'
const CALLED = 'redis.breakpoint() called'
const LONG = 'timeout reached, infinite loop?'
const FORSAKEN = 'timeout during Lua debugging with client closing connection'

/** Compiles the script and runs it in an engine. Throws: CommandError. */
export type PerformIn = (engine: ScriptEngine) => void

/** Runs a script for the client of `call`, who debugs it. */
export function debugScript(call: Call, perform: PerformIn): void {
  const session = new DebugSession(call)
  try {
    perform(session.engine)
  } catch (mistake) {
    if (!(mistake instanceof CommandError)) throw mistake
    session.end()
    call.reply.error(mistake)
  }
  session.close()
}

class DebugSession implements Debuggee {
  readonly engine: ScriptEngine
  readonly log = new DebugLog()
  readonly source: ScriptSource
  readonly #call: Call
  readonly #console: DebugConsole
  readonly #hook: number
  /** It stops at the next line; what commands it calls until then is told. */
  isStepping = true
  isEvaluating = false
  /** redis.breakpoint was called. */
  #isCalled = false
  /** Nobody is there any more who could end it: it is told to end at every line. */
  #isForsaken = false
  /** When it has begun, or gone on. */
  #startedUs: number
  #isEnded = false

  constructor(call: Call) {
    const { log, scripting } = call.server
    this.#call = call
    scripting.debugging.begin(call)
    log.warning('A client begins to debug a script; all others wait')
    this.source = new ScriptSource(call.args.text(1))
    this.engine = makeDebugEngine(scripting, (engine) => this.#functions(engine))
    const { machine, nested } = this.engine
    const { toLua } = nested
    nested.toLua = {
      push: (state, apart, at) => {
        const isResult = toLua.push(state, apart, at)
        if (this.isStepping) this.#tellReply(apart ?? machine.bytes, at)
        return isResult
      },
    }
    machine.onError = (text) => {
      if (this.isStepping) this.log.add(`<error> ${cString(text)}`)
    }
    this.engine.onReturn = () => this.end()
    this.#console = new DebugConsole(machine, this)
    this.#hook = machine.define([], [(state, record) => this.#line(state, record)])[0]
    const mask = HOOK_LINE | HOOK_COUNT
    machine.api.lua_sethook(machine.state, this.#hook, mask, LUA_HOOK_INSTRUCTION_COUNT)
    this.#startedUs = call.server.clock.microseconds()
  }

  /** The script is over: its reply may follow. */
  end(): void {
    if (this.#isEnded) return
    this.#isEnded = true
    this.log.add('<endsession>')
    this.send()
    this.#call.server.scripting.debugging.end()
  }

  /** The reply has been written. */
  close(): void {
    const { clients, log } = this.#call.server
    this.end()
    this.engine.close()
    log.warning('A client has debugged a script; all others go on')
    clients.closeAfterReply(this.#call.session)
  }

  /** Sends what the debugger has to tell. */
  send(): void {
    const { outbox } = this.#call.server
    const { session, reply } = this.#call
    const bytes = this.log.take()
    outbox.flush()
    if (!session.closed) outbox.transmit(session, bytes, 0, bytes.length)
    outbox.flush()
    // The client does not wait for its writes to be durable before it is told where it is.
    outbox.withheld.drain()
    if (session.replyMode === REPLY_ON) outbox.select(session)
    else outbox.mute(session)
    reply.mark()
  }

  // ── What the script does ─────────────────────────────────────────────────────────────────────

  /** In place of functions of the table `redis`. */
  #functions({ machine, nested }: FurnishedEngine): Library['functions'] {
    return {
      call: (state) => {
        if (this.isStepping) this.#tellCall(machine, state)
        return nested.make(state, true)
      },
      pcall: (state) => {
        if (this.isStepping) this.#tellCall(machine, state)
        return nested.make(state, false)
      },
      breakpoint: (state) => {
        this.#isCalled = true
        machine.api.lua_pushboolean(state, 1)
        return 1
      },
      debug: (state) => {
        const values: string[] = []
        const count = machine.api.lua_gettop(state)
        for (let i = 1; i <= count; i++) values.push(valueText(machine, state, i))
        this.log.add(`<debug> line ${this.source.current}: ${values.join(', ')}`)
        return 0
      },
    }
  }

  /** The call is about to be made whose arguments are on the stack; nothing if they are no call. */
  #tellCall(machine: LuaMachine, state: number): void {
    const { api } = machine
    const count = api.lua_gettop(state)
    let text = '<redis>'
    for (let i = 1; i <= count; i++) {
      const type = api.lua_type(state, i)
      if (type !== LUA_STRING && type !== LUA_NUMBER) return
      // QUIRK: the one in whose place this stands is not counted.
      if (i === SHOWN_ARGUMENT_COUNT + 1) text += ` ... (${count - i} more)`
      if (i > SHOWN_ARGUMENT_COUNT) continue
      const isNumber = type === LUA_NUMBER
      const shown = isNumber ? numberText(api.lua_tonumber(state, i)) : machine.textOf(state, i)
      text += ` ${shown}`
    }
    if (count > 0) this.log.add(text)
  }

  #tellReply(bytes: Buffer, at: number): void {
    this.log.addValue(`<reply> ${shownReply(bytes, at)}`)
  }

  // ── Stops ────────────────────────────────────────────────────────────────────────────────────

  /** Called by Lua at every line, and now and then in between. */
  #line(state: number, record: number): void {
    const { source } = this
    const activation = new Activation(this.engine.machine, record)
    const isBetween = activation.event === EVENT_COUNT
    if (this.#isForsaken) return this.#forsake(state)
    if (this.isEvaluating) return this.#lookAtOther(state, isBetween)
    activation.find(state, 0)
    source.current = activation.line
    // Other code is run without a stop.
    if (!activation.isOfScript) return this.#lookAtOther(state, isBetween)
    const isBreakpoint = this.#isCalled || source.breakpoints.includes(source.current)
    if (isBreakpoint) this.#stop(state, this.#isCalled ? CALLED : BREAKPOINT)
    else if (this.isStepping) this.#stop(state, STEP)
    else if (isBetween && this.#takesLong()) this.#stopLong(state)
  }

  /** False when the client is gone: the script goes on alone. */
  #stop(state: number, reason: string): boolean {
    const { source, log } = this
    const { clock, keyspace, scripting } = this.#call.server
    // The debugger says when it takes too long, and nobody else is told.
    scripting.run.lookAtUs = Number.POSITIVE_INFINITY
    this.isStepping = false
    this.#isCalled = false
    log.add(`* Stopped at ${source.current}, stop reason = ${reason}`)
    log.add(source.shown(source.current))
    this.send()
    const isWatched = this.#console.run(state)
    this.#startedUs = clock.microseconds()
    // Time goes on while it stands, and keys come to their end.
    clock.tick()
    keyspace.tick()
    return isWatched
  }

  #stopLong(state: number): void {
    if (!this.#stop(state, LONG)) this.#forsake(state)
  }

  /**
   * DIFFERS: code that was evaluated, or made by the script, ends when its client goes; Redis hangs if
   * it would not end by itself.
   */
  #lookAtOther(state: number, isBetween: boolean): void {
    if (!isBetween || !this.#takesLong()) return
    if (this.#call.server.scripting.debugging.isLeft()) this.#forsake(state)
  }

  /** DIFFERS: the error comes again with the next line; Redis hangs when a script catches it. */
  #forsake(state: number, text = FORSAKEN): never {
    this.#isForsaken = true
    return raiseError(this.engine.machine, state, text)
  }

  #takesLong(): boolean {
    const { clock, settings } = this.#call.server
    const patienceMs = settings.int('busy-reply-threshold') || PATIENCE_MS
    return clock.microseconds() - this.#startedUs >= patienceMs * 1000
  }

  /** The next command, one character a byte; undefined: there will be none. */
  next(state: number): string[] | undefined {
    const command = this.#call.server.scripting.debugging.next()
    if (command === undefined) {
      this.source.breakpoints = []
      // If it was evaluated code that did not end, the script itself may.
      this.#isForsaken = false
      return undefined
    }
    // QUIRK: what is longer, or empty, is taken for a breach of the protocol.
    const isSound =
      command !== 'broken' &&
      command.length <= ARGUMENT_COUNT_MAX &&
      command.every(({ length }) => length > 0 && length <= ARGUMENT_SIZE_MAX)
    if (!isSound) return this.#forsake(state, 'protocol error')
    return command.map((argument) => argument.toString('latin1'))
  }
}
