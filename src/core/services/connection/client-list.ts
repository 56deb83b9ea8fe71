/**
 * CLIENT ID, INFO and LIST: who is connected, a line for each.
 *
 * Thread: core.
 * Owns: the fields of a line and their order.
 * Never: keeps what it tells.
 */
import { CLASS_PUBSUB, CLASS_REPLICA } from '../../../bridge/message.ts'
import type { CommandDefinition } from '../../command/command.ts'
import type { Args } from '../../engine/args.ts'
import type { Call } from '../../engine/call.ts'
import { CommandError, SYNTAX } from '../../engine/errors.ts'
import type { Session } from '../../engine/session.ts'
import { REPLICA_INTRODUCES } from '../replication/replica.ts'
import { sessionBytes } from './client-memory.ts'

const INVALID_CLIENT_ID = new CommandError('ERR Invalid client ID')

export const clientId: CommandDefinition = {
  name: 'ID',
  usage: '',
  summary: 'Returns the number of the connection.',
  since: '5.0.0',
  complexity: 'O(1)',
  flags: ['noscript', 'loading', 'stale'],
  reply: 'integer',

  run(call) {
    call.reply.integer(call.session.id)
  },
}

export const clientInfo: CommandDefinition = {
  name: 'INFO',
  usage: '',
  summary: 'Describes the connection.',
  since: '6.2.0',
  complexity: 'O(1)',
  flags: ['noscript', 'loading', 'stale'],
  tips: ['nondeterministic_output'],
  reply: 'verbatim',

  run(call) {
    call.reply.verbatim(clientLine(call, call.session), 'txt')
  },
}

export const clientList: CommandDefinition = {
  name: 'LIST',
  usage:
    '[TYPE <normal_master_replica_pubsub: NORMAL | MASTER | REPLICA | PUBSUB>]@5.0.0 ' +
    '[ID <id: client-id [client-id ...]>]@6.2.0',
  summary: 'Describes all connections, or those of a type, or those with the given numbers.',
  since: '2.4.0',
  complexity: 'O(N) where N is the number of client connections',
  flags: ['admin', 'noscript', 'loading', 'stale'],
  tips: ['nondeterministic_output'],
  reply: 'verbatim',

  run(call) {
    const { args, server } = call
    let lines = ''
    if (args.count === 4 && args.is(2, 'TYPE')) {
      const type = clientType(args, 3)
      for (const session of server.clients.all()) {
        if (typeOf(session) === type) lines += clientLine(call, session)
      }
    } else if (args.count > 3 && args.is(2, 'ID')) {
      for (const id of clientIds(args)) {
        const session = server.clients.byId(id)
        if (session !== undefined) lines += clientLine(call, session)
      }
    } else if (args.count !== 2) {
      throw SYNTAX
    } else {
      for (const session of server.clients.all()) {
        if (!session.vain) lines += clientLine(call, session)
      }
    }
    call.reply.verbatim(lines, 'txt')
  },
}

export type ClientType = 'normal' | 'master' | 'replica' | 'pubsub'

/** The type named by an argument. Throws: CommandError. */
export function clientType(args: Args, index: number): ClientType {
  if (args.is(index, 'NORMAL')) return 'normal'
  if (args.is(index, 'SLAVE') || args.is(index, 'REPLICA')) return 'replica'
  if (args.is(index, 'PUBSUB')) return 'pubsub'
  if (args.is(index, 'MASTER')) return 'master'
  throw new CommandError(`ERR Unknown client type '${args.shown(index)}'`)
}

export function typeOf(session: Session): ClientType {
  if (session.isPrimary) return 'master'
  if (session.outputClass === CLASS_REPLICA) return 'replica'
  return session.outputClass === CLASS_PUBSUB ? 'pubsub' : 'normal'
}

function clientIds(args: Args): number[] {
  const ids: number[] = []
  for (let i = 3; i < args.count; i++) {
    if (!args.integer64(i)) throw INVALID_CLIENT_ID
    ids.push(args.high * 0x100000000 + (args.low >>> 0))
  }
  return ids
}

/** One line of CLIENT LIST. `call`: the one in progress. */
export function clientLine(call: Call, session: Session): string {
  const { link } = session
  const { nowMs } = call
  const isCaller = session === call.session
  const readBytes = link.inputBytes(session) - link.unreadBytes(session)
  const argumentBytes = isCaller ? argumentSize(call.args) : readBytes
  const inputBytes = link.unreadBytes(session) + (isCaller ? requestSize(call.args) : 0)
  const outputBytes = link.outputBytes(session)
  const queueBytes = session.queue?.sizeBytes ?? 0
  const fields = [
    `id=${session.id}`,
    `addr=${session.info.address}`,
    `laddr=${session.info.localAddress}`,
    `fd=${session.info.fd}`,
    `name=${session.name}`,
    `age=${Math.floor((nowMs - session.createdMs) / 1000)}`,
    `idle=${Math.floor((nowMs - session.lastInteractionMs) / 1000)}`,
    `flags=${clientFlags(session)}`,
    `db=${session.dbIndex}`,
    `sub=${session.subscriptions?.channels.size ?? 0}`,
    `psub=${session.subscriptions?.patterns.size ?? 0}`,
    `ssub=${session.subscriptions?.shards.size ?? 0}`,
    `multi=${session.queue?.count ?? -1}`,
    `qbuf=${inputBytes}`,
    // DIFFERS: room is set aside only where a request arrives in pieces.
    `qbuf-free=${link.spareBytes(session)}`,
    `argv-mem=${argumentBytes}`,
    // Replies go straight into the ring: there are no buffers of a client's own to tell of.
    `multi-mem=${queueBytes} rbs=0 rbp=0 obl=0`,
    `oll=${outputBytes > 0 ? 1 : 0}`,
    `omem=${outputBytes}`,
    `tot-mem=${sessionBytes(session) + (isCaller ? argumentBytes : 0)}`,
    `events=${outputBytes > 0 ? 'rw' : 'r'}`,
    `cmd=${session.lastCommand?.name ?? 'NULL'}`,
    `user=${session.user?.name ?? '(superuser)'}`,
    `redir=${session.tracking?.redirectId ?? -1}`,
    `resp=${session.protocol}`,
  ]
  // DIFFERS: these two came with Redis 7.2; they are told of those who have set them, so that a
  // line is otherwise the one of 7.0.
  if (session.libName !== '') fields.push(`lib-name=${session.libName}`)
  if (session.libVersion !== '') fields.push(`lib-ver=${session.libVersion}`)
  // As above, with Redis 7.4.
  if (session.watched !== undefined) fields.push(`watch=${session.watched.length}`)
  return `${fields.join(' ')}\n`
}

function isReplica({ replica }: Session): boolean {
  return replica !== undefined && replica.state !== REPLICA_INTRODUCES
}

function clientFlags(session: Session): string {
  let flags = ''
  if (isReplica(session)) flags += 'S'
  if (session.isPrimary) flags += 'M'
  if (session.monitor) flags += 'O'
  if (session.subscriptionCount > 0) flags += 'P'
  if (session.queue !== undefined) flags += 'x'
  if (session.waiting !== undefined) flags += 'b'
  if (session.tracking !== undefined) flags += 't'
  if (session.tracking?.brokenRedirect) flags += 'R'
  if (session.tracking?.broadcast) flags += 'B'
  if (session.stale) flags += 'd'
  if (session.closing) flags += 'c'
  if (session.info.unix) flags += 'U'
  if (session.noEvict) flags += 'e'
  if (session.noTouch) flags += 'T'
  return flags === '' ? 'N' : flags
}

function argumentSize(args: Args): number {
  let size = 0
  for (let i = 0; i < args.count; i++) size += args.lengths[i]
  return size
}

/** Bytes of the request as an array of bulk strings: what of the query buffer is in use. */
function requestSize(args: Args): number {
  let size = headerSize(args.count)
  for (let i = 0; i < args.count; i++) {
    size += headerSize(args.lengths[i]) + args.lengths[i] + 2
  }
  return size
}

function headerSize(value: number): number {
  return String(value).length + 3
}
