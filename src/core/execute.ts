/**
 * The gates: everything that may forbid a call, top to bottom in Redis's order, then the call.
 *
 * Thread: core. Hot path.
 * Owns: the order of the gates.
 * Never: knows what a command does; flags say what a gate has to know.
 */
import {
  type CommandEntry,
  FLAG_ALLOW_BUSY,
  FLAG_DENYOOM,
  FLAG_ENDS_QUEUE,
  FLAG_EXECUTES_QUEUE,
  FLAG_LOADING,
  FLAG_MAY_REPLICATE,
  FLAG_NO_ASYNC_LOADING,
  FLAG_NO_AUTH,
  FLAG_NO_MULTI,
  FLAG_NOT_QUEUED,
  FLAG_READONLY,
  FLAG_STALE,
  FLAG_TELLS_HEALTH,
  FLAG_WHILE_SUBSCRIBED,
  FLAG_WRITE,
} from './command/table.ts'
import { type Call, run } from './engine/call.ts'
import {
  CommandError,
  LOADING,
  NO_AUTH,
  OUT_OF_MEMORY,
  PRIMARY_DOWN,
  wrongArity,
} from './engine/errors.ts'
import { EVICT_FAILED } from './keyspace/eviction.ts'
import type { Server } from './server.ts'
import { protection } from './services/server/allows.ts'
import type { Queue } from './services/transactions/queue.ts'

/** Finds the command of `call.args` and runs it, or answers why not. */
export function execute(server: Server, call: Call): void {
  const { args, session } = call
  session.commandCount++
  session.lastInteractionMs = call.nowMs
  let entry = args.commandIndex < 0 ? undefined : server.commands.entries[args.commandIndex]
  if (entry === undefined) return reject(call, undefined, unknownCommand(call))
  if (entry.subcommands !== undefined) {
    const container = entry
    if (args.count > 1) {
      entry = server.commands.findSubcommand(
        container,
        args.bytes,
        args.offsets[1],
        args.offsets[1] + args.lengths[1],
      )
      if (entry === undefined) return reject(call, container, unknownSubcommand(call, container))
    }
  }
  session.lastCommand = entry
  if (entry.arity >= 0 ? args.count !== entry.arity : args.count < -entry.arity) {
    return reject(call, entry, wrongArity(entry.name))
  }
  call.entry = entry
  args.hashIsOf(entry.firstKeyIndex)
  if (server.guarded || session.special) {
    const { queue } = session
    const flags = flagsOf(call, entry, queue)
    const refusal = refuse(server, call, entry, flags)
    if (refusal !== undefined) return reject(call, entry, refusal)
    if (session.closed) return
    if (server.pause.holds(call, flags)) return
    if (queue !== undefined && (flags & FLAG_NOT_QUEUED) === 0) {
      server.transactions.add(call, queue, flags)
      return
    }
    if (session.noTouch) {
      server.keyspace.setTouching(false)
      run(call)
      server.keyspace.setTouching(true)
      server.tracking.ended(session, entry)
      return
    }
    run(call)
    server.tracking.ended(session, entry)
    return
  }
  run(call)
}

/** The same in the middle of a script: where that is debugged, nothing is executed. */
export function executeWithinScript(server: Server, call: Call): void {
  const { debugging } = server.scripting
  if (debugging.client === undefined) execute(server, call)
  else debugging.take(call)
}

/** The gates that are open as long as nothing is out of the ordinary. */
function refuse(
  server: Server,
  call: Call,
  entry: CommandEntry,
  flags: number,
): CommandError | undefined {
  const { session } = call
  const isQueueing = session.queue !== undefined
  // Otherwise the handler asks: what is not queued needs no gate for it.
  if (entry.definition.protectedBy !== undefined) {
    const refusal = protection(server, session, entry)
    if (refusal !== undefined) return refusal
  }
  if (!session.authenticated && (flags & FLAG_NO_AUTH) === 0 && server.users.passwordRequired) {
    return NO_AUTH
  }
  if (isQueueing && (flags & FLAG_NO_MULTI) !== 0) return NOT_IN_TRANSACTION
  if (session.user?.isLimited === true) {
    const refusal = server.users.refusal(call, entry)
    if (refusal !== undefined) return refusal
  }
  if (server.cluster.enabled) {
    const refusal = server.cluster.refusal(call, entry, flags)
    if (refusal !== undefined) return refusal
  }
  if (server.clientMemory.limitBytes > 0) {
    server.clientMemory.check(call)
    if (session.closed) return undefined
  }
  if (server.eviction.limitBytes > 0) {
    const outcome = server.eviction.evict(call.args.sizeBytes)
    server.eviction.isOver = outcome === EVICT_FAILED
    const isGreedy = (flags & FLAG_DENYOOM) !== 0 || (isQueueing && (flags & FLAG_ENDS_QUEUE) === 0)
    if (outcome === EVICT_FAILED && isGreedy) return OUT_OF_MEMORY
  }
  if (server.tracking.isOverfull) server.tracking.makeRoom()
  if ((flags & (FLAG_WRITE | FLAG_TELLS_HEALTH)) !== 0) {
    const trouble = server.saves.refusal ?? server.aof.refusal
    if (trouble !== undefined) return trouble
  }
  if ((flags & FLAG_WRITE) !== 0) {
    const refusal = server.replication.writeRefusal
    if (refusal !== undefined) return refusal
  }
  const listens = session.subscriptionCount > 0 && session.protocol === 2
  if (listens && (flags & FLAG_WHILE_SUBSCRIBED) === 0) return subscribersOnly(entry)
  if ((flags & FLAG_STALE) === 0 && server.replication.isStale) return PRIMARY_DOWN
  if (server.loading.active && (flags & FLAG_LOADING) === 0) return LOADING
  if (server.loading.isAside && (flags & FLAG_NO_ASYNC_LOADING) !== 0) return LOADING
  const touchesKeys = (flags & (FLAG_WRITE | FLAG_READONLY | FLAG_MAY_REPLICATE)) !== 0
  if (touchesKeys && (session.replica?.state ?? 0) > 0) return REPLICA_ASKS
  return (flags & FLAG_ALLOW_BUSY) === 0 ? server.scripting.busyError : undefined
}

/** The flags that the gates go by: EXEC does what is queued, a script what it declares. */
function flagsOf(call: Call, entry: CommandEntry, queue: Queue | undefined): number {
  const { callFlags } = entry.definition
  const flags = callFlags === undefined ? entry.flagBits : callFlags(call, entry.flagBits)
  if (queue === undefined || (flags & FLAG_EXECUTES_QUEUE) === 0) return flags
  const all = flags & ~(queue.missingBits & (FLAG_LOADING | FLAG_STALE))
  return all | (queue.flagBits & (FLAG_DENYOOM | FLAG_WRITE | FLAG_MAY_REPLICATE))
}

function reject(call: Call, entry: CommandEntry | undefined, error: CommandError): void {
  const { session, server } = call
  if (entry !== undefined) entry.rejectedCalls++
  if (session.queue !== undefined) session.queue.broken = true
  server.tracking.ended(session, entry)
  const isExecuting = entry !== undefined && (entry.flagBits & FLAG_EXECUTES_QUEUE) !== 0
  const told = isExecuting && !server.cluster.isOwnError(error) ? aborted(error) : error
  call.reply.error(told)
  server.stats.countError(told.text)
  if (!isExecuting) return
  server.transactions.discard(session)
  if (server.monitors.count > 0) server.monitors.feed(call)
}

// alloc: an error
function aborted({ text }: CommandError): CommandError {
  const reason = text.startsWith('ERR ') ? text.slice(4) : text
  return new CommandError(`EXECABORT Transaction discarded because of: ${reason}`)
}

const REPLICA_ASKS = new CommandError("ERR Replica can't interact with the keyspace")
const NOT_IN_TRANSACTION = new CommandError('ERR Command not allowed inside a transaction')

const SHOWN_ARGUMENT_SIZE = 128

// alloc: an error
function subscribersOnly(entry: CommandEntry): CommandError {
  return new CommandError(
    `ERR Can't execute '${entry.name}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context`,
  )
}

// alloc: an error
function unknownCommand(call: Call): CommandError {
  const { args } = call
  let shown = ''
  for (let i = 1; i < args.count && shown.length < SHOWN_ARGUMENT_SIZE; i++) {
    shown += `'${args.shown(i).slice(0, SHOWN_ARGUMENT_SIZE - shown.length)}' `
  }
  const name = args.shown(0).slice(0, SHOWN_ARGUMENT_SIZE)
  return new CommandError(`ERR unknown command '${name}', with args beginning with: ${shown}`)
}

// alloc: an error
function unknownSubcommand(call: Call, container: CommandEntry): CommandError {
  const name = call.args.shown(1).slice(0, SHOWN_ARGUMENT_SIZE)
  return new CommandError(`ERR unknown subcommand '${name}'. Try ${container.upperName} HELP.`)
}
