/**
 * PSYNC, SYNC, REPLCONF: what replicas say to their primary, and REPLCONF GETACK, which a primary
 * says to its replicas.
 *
 * Thread: core.
 * Owns: nothing: `replicas.ts` does.
 * Never: answers a session that has become a replica's, but for the lines of the protocol.
 */
import { command } from '../../command/command.ts'
import type { Call } from '../../engine/call.ts'
import { CommandError, NOT_AN_INTEGER, SYNTAX } from '../../engine/errors.ts'
import { REPLICA_INTRODUCES, type Replica } from './replica.ts'

const NO_PRIMARY = new CommandError("NOMASTERLINK Can't SYNC while not connected with my master")
const HAS_OUTPUT = new CommandError('ERR SYNC and PSYNC are invalid with pending output')
const NOT_A_REPLICA = new CommandError("ERR PSYNC FAILOVER can't be sent to a replica.")
const WRONG_ID = new CommandError('ERR PSYNC FAILOVER replid must match my replid.')

export const psyncCommand = command({
  name: 'PSYNC',
  usage: 'replicationid offset:integer',
  summary: 'Begins or goes on with replication.',
  since: '2.8.0',
  complexity: 'O(N) for N bytes of data or of the stream',
  flags: ['admin', 'noscript', 'no_async_loading', 'no_multi'],
  arity: -3,
  reply: 'any',

  run(call) {
    const { args, server, session } = call
    if (!args.integer64(2)) {
      const { name } = server.replication.replicas.of(session)
      server.log.warning(`Replica ${name} asks for synchronization but with a wrong offset`)
      throw NOT_AN_INTEGER
    }
    const offset = args.high * 0x100000000 + (args.low >>> 0)
    if (args.count > 3 && args.is(3, 'FAILOVER')) takeOver(call)
    attach(call, args.text(1), offset)
  },
})

export const syncCommand = command({
  name: 'SYNC',
  usage: '',
  summary: 'Begins replication, as servers before 2.8 do.',
  since: '1.0.0',
  complexity: 'O(N) for N bytes of data or of the stream',
  flags: ['admin', 'noscript', 'no_async_loading', 'no_multi'],
  reply: 'any',

  run(call) {
    attach(call, undefined, 0)
  },
})

/** A primary that fails over to this replica asks for the stream already: that makes it one. */
function takeOver({ server, args }: Call): void {
  const { replication } = server
  if (!replication.isReplica) throw NOT_A_REPLICA
  if (args.text(1) !== replication.id) throw WRONG_ID
  server.log.warning(`Failover request received for replid ${args.text(1)}.`)
  replication.promote()
}

/** `id`: undefined for SYNC. `offset`: of the byte wanted next, counted from 1. */
function attach(call: Call, id: string | undefined, offset: number): void {
  const { server, session } = call
  const { replication, log } = server
  const replica = replication.replicas.of(session)
  if (replica.state !== REPLICA_INTRODUCES) return
  if (replication.link !== undefined && !replication.link.isOnline) throw NO_PRIMARY
  if (session.link.outputBytes(session) > 0) throw HAS_OUTPUT
  log.notice(`Replica ${replica.name} asks for synchronization`)
  if (id !== undefined && goesOn(call, replica, id, offset)) return
  if (id === undefined) replica.asksById = false
  replication.open()
  replication.replicas.add(replica)
  replication.replicas.fullSync.request(replica)
}

/** Goes on with the stream where the replica has it up to, if that can be. */
function goesOn(call: Call, replica: Replica, id: string, offset: number): boolean {
  const { server, reply } = call
  const { replication, log } = server
  const { replicas } = replication
  if (!replication.canContinue(id, offset - 1)) {
    if (id === '?') log.notice(`Full resync requested by replica ${replica.name}`)
    else {
      log.notice(
        id === replication.id || id === replication.previousId
          ? `Unable to partial resync with replica ${replica.name} for lack of backlog (Replica request was: ${offset}).`
          : `Partial resynchronization not accepted: Replication ID mismatch (Replica asked for '${id}', my replication IDs are '${replication.id}' and '${replication.previousId}')`,
      )
      replicas.refusedCount++
    }
    return false
  }
  reply.raw(replica.understandsPsync2 ? `+CONTINUE ${replication.id}\r\n` : '+CONTINUE\r\n')
  replication.flush()
  const size = replication.offset - (offset - 1)
  replicas.goOn(replica, offset - 1)
  log.notice(
    `Partial resynchronization request from ${replica.name} accepted. Sending ${size} bytes of backlog starting from offset ${offset}.`,
  )
  return true
}

export const replconfCommand = command({
  name: 'REPLCONF',
  usage: '',
  summary: 'Says what a replica is and how far it has come.',
  since: '3.0.0',
  complexity: 'O(1)',
  flags: ['admin', 'noscript', 'loading', 'stale', 'allow_busy'],
  arity: -1,
  internal: true,
  reply: 'any',

  run(call) {
    const { args, server, reply } = call
    if ((args.count & 1) === 0) throw SYNTAX
    const replica = server.replication.replicas.of(call.session)
    for (let i = 1; i < args.count; i += 2) {
      const name = args.text(i).toLowerCase()
      const take = OPTIONS[name]
      if (take === undefined) {
        throw new CommandError(`ERR Unrecognized REPLCONF option: ${args.shown(i)}`)
      }
      if (take(call, replica, i + 1) === QUIET) return
    }
    reply.ok()
  },
})

/** What was said is answered by nothing, and ends the call. */
const QUIET = true
type Take = (call: Call, replica: Replica, index: number) => boolean

const OPTIONS: Readonly<Record<string, Take | undefined>> = {
  'listening-port': ({ args }, replica, index) => {
    replica.port = args.integer(index)
    return false
  },
  'ip-address': ({ args }, replica, index) => {
    if (args.lengths[index] >= IP_SIZE_MAX) {
      throw new CommandError(
        `ERR REPLCONF ip-address provided by replica instance is too long: ${args.lengths[index]} bytes`,
      )
    }
    replica.announcedIp = args.text(index)
    return false
  },
  capa: ({ args }, replica, index) => {
    if (args.is(index, 'EOF')) replica.understandsEof = true
    else if (args.is(index, 'PSYNC2')) replica.understandsPsync2 = true
    return false
  },
  ack: (call, replica, index) => {
    if (replica.state === REPLICA_INTRODUCES) return QUIET
    const offset = number(call, index)
    const { args } = call
    const hasAof = index + 2 < args.count && args.is(index + 1, 'FACK')
    const aofOffset = hasAof ? number(call, index + 2) : 0
    if (offset >= 0) call.server.replication.replicas.acknowledged(replica, offset, aofOffset)
    else replica.ackMs = call.nowMs
    return QUIET
  },
  getack: ({ server }) => {
    server.replication.link?.acknowledge()
    return QUIET
  },
  'rdb-only': ({ args }, replica, index) => {
    replica.snapshotOnly = args.integer(index) === 1
    return false
  },
  'rdb-filter-only': ({ args }, replica, index) => {
    const wanted = args.text(index).split(' ')
    for (const word of wanted) {
      if (word !== '' && word !== 'functions') {
        throw new CommandError(`ERR Unsupported rdb-filter-only option: ${word}`)
      }
    }
    replica.withoutData = true
    replica.withoutFunctions = !wanted.includes('functions')
    return false
  },
  // Redis 7.2 and later say it; nothing follows from it here.
  version: () => false,
}

const IP_SIZE_MAX = 46

/** A number, -1 for what is none. */
function number({ args }: Call, index: number): number {
  return args.integer64(index) ? args.high * 0x100000000 + (args.low >>> 0) : -1
}
