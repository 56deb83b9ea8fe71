/**
 * redis.call and redis.pcall: a call made by a script. Its arguments are read where Lua keeps its
 * strings, and its reply is written into the interpreter's memory, from where it becomes values of
 * Lua: nothing is copied on the way but what Lua itself copies.
 *
 * Thread: core. Hot path.
 * Owns: the call, and the session in whose name scripts make calls.
 * Never: lets the interpreter's memory move between the reading of the arguments and the end of the
 * call.
 */

import { AssertionError } from '../../../lib/assert.ts'
import { formatDouble } from '../../../lib/bytes/double.ts'
import {
  type CommandEntry,
  FLAG_DENYOOM,
  FLAG_MAY_REPLICATE,
  FLAG_NOSCRIPT,
  FLAG_STALE,
  FLAG_WRITE,
} from '../../command/table.ts'
import { Args } from '../../engine/args.ts'
import { type Answer, Call, run } from '../../engine/call.ts'
import { OUT_OF_MEMORY } from '../../engine/errors.ts'
import { AUDIENCE_ALL } from '../../engine/propagation.ts'
import { Reply, type ReplySink } from '../../engine/reply.ts'
import { Session } from '../../engine/session.ts'
import type { Server } from '../../server.ts'
import { LUA_NUMBER, LUA_STRING, type LuaMachine } from './lua/machine.ts'
import { type ReplyReader, ReplyToLua } from './reply-to-lua.ts'
import type { ScriptRun } from './run.ts'
import { pushCountedError, pushError, raiseError } from './script-error.ts'

/** A longer reply goes on in memory of JavaScript. */
const REPLY_SIZE = 64 * 1024
/** The longest text of a number. */
const NUMBER_SIZE = 32
const NOBODY = { address: '?:0', localAddress: '', fd: -1, tls: false, unix: false, loopback: true }

const NO_ARGUMENTS = 'Please specify at least one argument for this redis lib call'
const BAD_ARGUMENT = 'Lua redis lib command arguments must be strings or integers'
const UNKNOWN = 'Unknown Redis command called from script'
const WRONG_ARITY = 'Wrong number of args calling Redis command from script'
const NOT_FROM_SCRIPT = 'This Redis command is not allowed from script'
const STALE = 'Can not execute the command on a stale replica'
const READ_ONLY = 'Write commands are not allowed from read-only scripts.'
const NOT_A_COMMAND = 'Invalid command passed to redis.acl_check_cmd()'
const DENIED = {
  command: "The user executing the script can't run this command or subcommand",
  key: "The user executing the script can't access at least one of the keys mentioned in the command arguments",
  channel: "The user executing the script can't publish to the channel mentioned in the command",
}
const OUTSIDE = 'redis.call/pcall can only be called inside a script invocation'

export class NestedCall implements ReplySink {
  readonly #server: Server
  readonly #machine: LuaMachine
  readonly #run: ScriptRun
  readonly #call: Call
  readonly #args: Args
  readonly #reply: Reply
  /** The debugger puts itself in its place. */
  toLua: ReplyReader
  readonly #look: (state: number) => void
  readonly session: Session
  /** Where replies begin in the interpreter's memory. */
  readonly #replyAt: number
  /** Where numbers among the arguments are written as text, and for how many there is room. */
  #numbersAt = 0
  #numberCount = 0
  /** The reply, once it has become too long for the interpreter's memory. */
  #long: Buffer | undefined = undefined

  /** `look`: called when it is time to see whether the run takes too long; may raise an error. */
  constructor(
    server: Server,
    machine: LuaMachine,
    scriptRun: ScriptRun,
    look: (state: number) => void,
  ) {
    this.#look = look
    this.#server = server
    this.#machine = machine
    this.#run = scriptRun
    this.#args = new Args(machine.bytes, machine.words, server.start.hashSeed)
    this.#reply = new Reply(this)
    this.toLua = new ReplyToLua(machine)
    this.session = new Session(0, server.links[0], -1, NOBODY, server.clock.nowMs)
    this.session.isScript = true
    this.session.authenticated = true
    this.#call = new Call(server, this.#args, this.#reply, this.session, server.commands.entries[0])
    this.#call.mayBlock = false
    this.#call.answerInstead = neverLater
    this.#replyAt = machine.api.malloc(REPLY_SIZE)
  }

  /** A script begins: as its caller, it uses this database. Replies are RESP2 until it says more. */
  begin(caller: Call): void {
    this.session.dbIndex = caller.db.index
    this.session.user = caller.session.user
    this.session.protocol = 2
  }

  /** The machine is closed. */
  close(): void {
    this.#args.openApart(this.#machine.bytes, this.#machine.words, 0)
    this.#reply.useSpace(this.#machine.bytes, 0, 0)
  }

  /** redis.call (`raises`) and redis.pcall. */
  make(state: number, raises: boolean): number {
    const scriptRun = this.#run
    if (scriptRun.caller === undefined) {
      pushError(this.#machine, state, OUTSIDE)
      return this.#machine.raiseTop(state)
    }
    const mistake = this.#openArguments(state)
    if (mistake !== undefined) {
      pushError(this.#machine, state, mistake)
    } else {
      const problem = this.#perform()
      if (problem !== '') pushCountedError(this.#machine, state, problem)
      else if (this.#pushReply(state)) {
        if (this.#server.clock.lapStartUs >= scriptRun.lookAtUs) this.#look(state)
        return 1
      }
    }
    if (raises) this.#machine.raiseTop(state)
    return 1
  }

  /** Whether the arguments of the function that runs are a call that the caller's user may make. */
  isAllowed(state: number): boolean {
    const problem = this.#openArguments(state)
    if (problem !== undefined) return raiseError(this.#machine, state, problem)
    const entry = this.#find()
    if (entry === undefined) return raiseError(this.#machine, state, NOT_A_COMMAND)
    return this.#server.users.check(this.session.user, entry, this.#args) === undefined
  }

  /** The arguments of the function that runs, as `Args`; undefined, or what is wrong with them. */
  #openArguments(state: number): string | undefined {
    const { api } = this.#machine
    const count = api.lua_gettop(state)
    if (count === 0) return NO_ARGUMENTS
    const args = this.#args
    args.reserve(count)
    for (let i = 0; i < count; i++) {
      const type = api.lua_type(state, i + 1)
      if (type === LUA_STRING) {
        args.offsets[i] = this.#machine.string(state, i + 1)
        args.lengths[i] = this.#machine.length
      } else if (type === LUA_NUMBER) {
        this.#writeNumber(state, i, count)
      } else {
        return BAD_ARGUMENT
      }
    }
    args.openApart(this.#machine.bytes, this.#machine.words, count)
    return undefined
  }

  /** QUIRK: numbers are written with 17 digits: redis.call('SET', k, 3.3) shows it. */
  #writeNumber(state: number, index: number, count: number): void {
    if (this.#numberCount < count) this.#growNumbers(state, count)
    const { api, bytes } = this.#machine
    const value = api.lua_tonumber(state, index + 1)
    const at = this.#numbersAt + index * NUMBER_SIZE
    const text = numberText(value)
    bytes.latin1Write(text, at)
    this.#args.offsets[index] = at
    this.#args.lengths[index] = text.length
  }

  #growNumbers(state: number, count: number): void {
    const { api } = this.#machine
    api.free(this.#numbersAt)
    this.#numberCount = 0
    this.#numbersAt = 0
    this.#numbersAt = this.#machine.allocate(state, count * NUMBER_SIZE)
    this.#numberCount = count
  }

  /** Finds the command and runs it. Gives why not, '' when it ran. */
  #perform(): string {
    const args = this.#args
    const entry = this.#find()
    if (entry === undefined) return this.#refused(UNKNOWN, undefined)
    if (entry.arity >= 0 ? args.count !== entry.arity : args.count < -entry.arity) {
      return this.#refused(WRONG_ARITY, entry)
    }
    const problem = this.#refusal(entry)
    if (problem !== '') return this.#refused(problem, entry)
    if ((entry.flagBits & FLAG_WRITE) !== 0) this.#run.wrote = true
    this.#runCall(entry)
    return ''
  }

  /** The command that the arguments name; undefined: there is none. */
  #find(): CommandEntry | undefined {
    const args = this.#args
    const { commands } = this.#server
    const at = args.offsets[0]
    const entry = commands.find(args.bytes, at, at + args.lengths[0])
    if (entry?.subcommands === undefined || args.count === 1) return entry
    const second = args.offsets[1]
    return commands.findSubcommand(entry, args.bytes, second, second + args.lengths[1])
  }

  /** The gates for calls of scripts, in Redis's order; '' when all are open. */
  #refusal(entry: CommandEntry): string {
    const scriptRun = this.#run
    const flags = entry.flagBits
    if ((flags & FLAG_NOSCRIPT) !== 0 && !this.#run.allowsAll) return NOT_FROM_SCRIPT
    if ((flags & FLAG_STALE) === 0 && this.#server.replication.isStale) return STALE
    if (this.session.user?.isLimited === true) {
      const problem = this.#denial(entry)
      if (problem !== '') return problem
    }
    if (scriptRun.readOnly && (flags & (FLAG_WRITE | FLAG_MAY_REPLICATE)) !== 0) return READ_ONLY
    // What has begun to write is not stopped half way.
    if ((flags & FLAG_WRITE) !== 0 && !scriptRun.wrote) {
      const refusal = this.#server.replication.writeRefusal ?? this.#server.saves.refusal
      if (refusal !== undefined) return `-${refusal.text}` // alloc: an error
    }
    if ((flags & FLAG_DENYOOM) !== 0 && !scriptRun.allowOom && !scriptRun.wrote) {
      if (this.#server.eviction.isOver) return `-${OUT_OF_MEMORY.text}` // alloc: an error
    }
    const { cluster } = this.#server
    return cluster.enabled ? cluster.scriptRefusal(entry, this.#args, scriptRun) : ''
  }

  /** Why the caller's user may not make the call, which is logged; '' when it may. */
  #denial(entry: CommandEntry): string {
    const { users } = this.#server
    const denial = users.check(this.session.user, entry, this.#args)
    const { caller } = this.#run
    if (denial === undefined || caller === undefined) return ''
    users.deny(caller, denial, 'lua')
    return DENIED[denial.reason]
  }

  #refused(problem: string, entry: CommandEntry | undefined): string {
    if (entry !== undefined) entry.rejectedCalls++
    this.#server.stats.countError(problem[0] === '-' ? problem.slice(1) : `ERR ${problem}`) // alloc: an error
    return problem
  }

  #runCall(entry: CommandEntry): void {
    const server = this.#server
    const call = this.#call
    const { session } = this
    const reply = this.#reply
    const { bytes } = this.#machine
    this.#long = undefined
    reply.protocol = session.protocol
    reply.useSpace(bytes, this.#replyAt, this.#replyAt + REPLY_SIZE)
    call.entry = entry
    call.db = server.keyspace.dbs[session.dbIndex]
    server.clock.startLap()
    server.propagation.audience = this.#run.audience
    run(call)
    server.propagation.audience = AUDIENCE_ALL
  }

  /** The reply becomes a value of Lua. False: it is an error. */
  #pushReply(state: number): boolean {
    const long = this.#long
    if (long === undefined) return this.toLua.push(state, undefined, this.#replyAt)
    this.#long = undefined
    return this.toLua.push(state, long, 0)
  }

  /** The reply outgrows its place: the interpreter's memory must not move now, so it leaves it. */
  // alloc: long replies
  more(reply: Reply, needed: number): void {
    const start = this.#long === undefined ? this.#replyAt : 0
    const used = reply.position - start
    const longer = Buffer.allocUnsafe(Math.max(used + needed, used * 2))
    reply.bytes.copy(longer, 0, start, reply.position)
    this.#long = longer
    reply.useSpace(longer, used, longer.length)
  }
}

/** A number as it is given to a command. */
export function numberText(value: number): string {
  return Number.isNaN(value) ? '-nan' : formatDouble(value)
}

function neverLater(): Answer {
  throw new AssertionError('scripts cannot make calls that are answered later')
}
