/**
 * CLIENT KILL: closing other connections, or one's own.
 *
 * Thread: core.
 * Owns: the filters.
 * Never: takes the answer from somebody who kills himself.
 */
import type { CommandDefinition } from '../../command/command.ts'
import type { Call } from '../../engine/call.ts'
import { CommandError, SYNTAX } from '../../engine/errors.ts'
import type { Session } from '../../engine/session.ts'
import { type ClientType, clientType, typeOf } from './client-list.ts'

const NO_SUCH_CLIENT = new CommandError('ERR No such client')
const CLIENT_ID_POSITIVE = new CommandError('ERR client-id should be greater than 0')
const MAXAGE_NUMBER = new CommandError('ERR maxage is not an integer or out of range')
const MAXAGE_POSITIVE = new CommandError('ERR maxage should be greater than 0')

interface Filter {
  id: number | undefined
  type: ClientType | undefined
  address: string | undefined
  localAddress: string | undefined
  user: string | undefined
  ageSeconds: number | undefined
  skipCaller: boolean
}

export const clientKill: CommandDefinition = {
  name: 'KILL',
  usage:
    '<filter: ip:port!2.8.12 | <new-format: [ID client-id]@2.8.12 ' +
    '| [TYPE <normal_master_slave_pubsub: NORMAL | MASTER@3.2.0 | SLAVE | REPLICA@5.0.0 | PUBSUB>]@2.8.12 ' +
    '| [USER username] | [ADDR ip:port] | [LADDR ip:port]@6.2.0 | [SKIPME yes/no]> [...]>',
  summary: 'Closes connections.',
  since: '2.4.0',
  complexity: 'O(N) where N is the number of client connections',
  flags: ['admin', 'noscript', 'loading', 'stale'],
  arity: -3,
  reply: 'ok | integer',

  run(call) {
    const { args, server, reply } = call
    const oldForm = args.count === 3
    const filter = oldForm ? oldFilter(args.text(2)) : parseFilter(call)
    const chosen = [...server.clients.all()].filter((session) => matches(call, filter, session))
    if (oldForm && chosen.length === 0) throw NO_SUCH_CLIENT

    for (const session of chosen) {
      if (session !== call.session) server.clients.kill(session)
    }
    if (oldForm) reply.ok()
    else reply.integer(chosen.length)
    if (chosen.includes(call.session)) server.clients.closeAfterReply(call.session)
  },
}

function oldFilter(address: string): Filter {
  return { ...EVERYBODY, address, skipCaller: false }
}

const EVERYBODY: Filter = {
  id: undefined,
  type: undefined,
  address: undefined,
  localAddress: undefined,
  user: undefined,
  ageSeconds: undefined,
  skipCaller: true,
}

function parseFilter(call: Call): Filter {
  const { args } = call
  const filter = { ...EVERYBODY }
  for (let i = 2; i < args.count; i += 2) {
    if (i + 1 === args.count) throw SYNTAX
    if (args.is(i, 'ID')) filter.id = positive(call, i + 1, CLIENT_ID_POSITIVE)
    else if (args.is(i, 'TYPE')) filter.type = clientType(args, i + 1)
    else if (args.is(i, 'ADDR')) filter.address = args.text(i + 1)
    else if (args.is(i, 'LADDR')) filter.localAddress = args.text(i + 1)
    else if (args.is(i, 'USER')) filter.user = existingUser(call, i + 1)
    else if (args.is(i, 'MAXAGE')) filter.ageSeconds = maximumAge(call, i + 1)
    else if (args.is(i, 'SKIPME')) filter.skipCaller = yesOrNo(call, i + 1)
    else throw SYNTAX
  }
  return filter
}

function matches(call: Call, filter: Filter, session: Session): boolean {
  const { info } = session
  if (filter.address !== undefined && filter.address !== info.address) return false
  if (filter.localAddress !== undefined && filter.localAddress !== info.localAddress) return false
  if (filter.type !== undefined && filter.type !== typeOf(session)) return false
  if (filter.id !== undefined && filter.id !== session.id) return false
  if (filter.user !== undefined && filter.user !== session.user?.name) return false
  if (filter.ageSeconds !== undefined) {
    const ageSeconds = Math.floor((call.nowMs - session.createdMs) / 1000)
    if (ageSeconds < filter.ageSeconds) return false
  }
  return !(filter.skipCaller && session === call.session)
}

function positive(call: Call, index: number, mistake: CommandError): number {
  const { args } = call
  if (!args.integer64(index)) throw mistake
  const value = args.high * 0x100000000 + (args.low >>> 0)
  if (value <= 0) throw mistake
  return value
}

function maximumAge(call: Call, index: number): number {
  if (!call.args.integer64(index)) throw MAXAGE_NUMBER
  return positive(call, index, MAXAGE_POSITIVE)
}

function existingUser(call: Call, index: number): string {
  const user = call.args.text(index)
  if (call.server.users.find(user) === undefined)
    throw new CommandError(`ERR No such user '${user}'`)
  return user
}

function yesOrNo(call: Call, index: number): boolean {
  if (call.args.is(index, 'YES')) return true
  if (call.args.is(index, 'NO')) return false
  throw SYNTAX
}
