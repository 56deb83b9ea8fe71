/**
 * AUTH and HELLO: saying who one is, and in which protocol one wants to be answered.
 *
 * Thread: core.
 * Owns: nothing: users.ts knows who may come in.
 * Never: shows a password: those arguments are hidden from MONITOR and the slow log.
 */
import { REDIS_VERSION } from '../../../config/version.ts'
import { command } from '../../command/command.ts'
import type { Call } from '../../engine/call.ts'
import { CommandError, NO_AUTH_HELLO, NO_PROTO, SYNTAX, WRONG_PASS } from '../../engine/errors.ts'
import { DEFAULT_USER } from '../acl/users.ts'
import { checkName } from './name.ts'

const NO_PASSWORD_SET = new CommandError(
  'ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?',
)
const PROTOCOL_NUMBER = new CommandError('ERR Protocol version is not an integer or out of range')

export const authCommand = command({
  name: 'AUTH',
  usage: '[username]@6.0.0 password',
  summary: 'Authenticates the connection.',
  since: '1.0.0',
  complexity: 'O(N) where N is the number of passwords defined for the user',
  flags: ['noscript', 'loading', 'stale', 'fast', 'no_auth', 'allow_busy'],
  reply: 'ok',

  run(call) {
    const { args, server, session } = call
    if (args.count > 3) throw SYNTAX
    for (let i = 1; i < args.count; i++) call.redact(i)
    if (args.count === 2 && server.users.default.nopass) throw NO_PASSWORD_SET
    const name = args.count === 2 ? DEFAULT_USER : args.text(1)
    const user = server.users.authenticate(call, name, args.copy(args.count - 1))
    if (user === undefined) throw WRONG_PASS

    server.users.admit(session, user)
    call.reply.ok()
  },
})

interface HelloOptions {
  readonly userName: string | undefined
  readonly password: Uint8Array
  readonly name: string | undefined
}

export const helloCommand = command({
  name: 'HELLO',
  usage: '[arguments: protover [AUTH username password] [SETNAME clientname]]',
  summary: 'Chooses the protocol, authenticates and names the connection at once.',
  since: '6.0.0',
  complexity: 'O(1)',
  flags: ['noscript', 'loading', 'stale', 'fast', 'no_auth', 'allow_busy'],
  reply: 'map',

  run(call) {
    const { args, server, session, reply } = call
    const protocol = args.count > 1 ? protocolNumber(call) : session.protocol
    const { userName, password, name } = helloOptions(call)
    if (userName !== undefined) {
      const user = server.users.authenticate(call, userName, password)
      if (user === undefined) throw WRONG_PASS
      server.users.admit(session, user)
    }
    if (!session.authenticated) throw NO_AUTH_HELLO

    if (name !== undefined) session.name = name
    session.protocol = protocol
    server.pubsub.protocolChanged(session)
    reply.protocol = protocol
    reply.map(7)
    reply.bulkText('server')
    reply.bulkText('redis')
    reply.bulkText('version')
    reply.bulkText(REDIS_VERSION)
    reply.bulkText('proto')
    reply.integer(protocol)
    reply.bulkText('id')
    reply.integer(session.id)
    reply.bulkText('mode')
    reply.bulkText(call.server.cluster.enabled ? 'cluster' : 'standalone')
    reply.bulkText('role')
    reply.bulkText('master')
    reply.bulkText('modules')
    reply.array(0)
  },
})

function protocolNumber(call: Call): number {
  if (!call.args.integer64(1)) throw PROTOCOL_NUMBER
  const { high, low } = call.args
  if (high !== 0 || (low !== 2 && low !== 3)) throw NO_PROTO
  return low
}

function helloOptions(call: Call): HelloOptions {
  const { args } = call
  let userName: string | undefined
  let password: Uint8Array = new Uint8Array(0)
  let name: string | undefined
  for (let i = 2; i < args.count; ) {
    const left = args.count - 1 - i
    if (args.is(i, 'AUTH') && left >= 2) {
      call.redact(i + 1)
      call.redact(i + 2)
      userName = args.text(i + 1)
      password = args.copy(i + 2)
      i += 3
    } else if (args.is(i, 'SETNAME') && left >= 1) {
      name = args.text(i + 1)
      checkName(name, 'Client names')
      i += 2
    } else {
      throw new CommandError(`ERR Syntax error in HELLO option '${args.shown(i)}'`)
    }
  }
  return { userName, password, name }
}
