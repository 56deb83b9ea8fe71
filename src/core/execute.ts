/**
 * The gates: everything that may forbid a call, top to bottom in Redis's order, then the call.
 *
 * Thread: core. Hot path.
 * Owns: the order of the gates.
 * Never: knows what a command does; flags say what a gate has to know.
 */
import {
  type CommandEntry,
  FLAG_DENYOOM,
  FLAG_NO_AUTH,
  FLAG_WHILE_SUBSCRIBED,
} from './command/table.ts'
import { type Call, run } from './engine/call.ts'
import { CommandError, NO_AUTH, OUT_OF_MEMORY, wrongArity } from './engine/errors.ts'
import { EVICT_FAILED } from './keyspace/eviction.ts'
import type { Server } from './server.ts'

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
    const refusal = refuse(server, call, entry)
    if (refusal !== undefined) return reject(call, entry, refusal)
    if (server.pause.holds(call)) return
    if (session.noTouch) {
      server.keyspace.setTouching(false)
      run(call)
      server.keyspace.setTouching(true)
      return
    }
  }
  run(call)
}

/** The gates that are open as long as nothing is out of the ordinary. */
function refuse(server: Server, call: Call, entry: CommandEntry): CommandError | undefined {
  const { session } = call
  const flags = entry.flagBits
  if (!session.authenticated && (flags & FLAG_NO_AUTH) === 0 && server.users.passwordRequired) {
    return NO_AUTH
  }
  if (server.eviction.limitBytes > 0) {
    const outcome = server.eviction.evict(call.args.sizeBytes)
    if (outcome === EVICT_FAILED && (flags & FLAG_DENYOOM) !== 0) return OUT_OF_MEMORY
  }
  const listens = session.subscriptionCount > 0 && session.protocol === 2
  if (listens && (flags & FLAG_WHILE_SUBSCRIBED) === 0) return subscribersOnly(entry)
  return undefined
}

function reject(call: Call, entry: CommandEntry | undefined, error: CommandError): void {
  if (entry !== undefined) entry.rejectedCalls++
  call.reply.error(error)
  call.server.stats.countError(error.text)
}

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
