/**
 * CLIENT GETNAME, SETNAME, SETINFO, REPLY, NO-EVICT, NO-TOUCH: what a connection says of itself.
 *
 * Thread: core.
 * Owns: nothing: the session does.
 * Never: touches another connection.
 */
import type { CommandDefinition } from '../../command/command.ts'
import type { Call } from '../../engine/call.ts'
import { CommandError, SYNTAX } from '../../engine/errors.ts'
import { REPLY_OFF, REPLY_SKIP_NEXT } from '../../engine/session.ts'
import { checkName } from './name.ts'

export const clientGetname: CommandDefinition = {
  name: 'GETNAME',
  usage: '',
  summary: 'Returns the name of the connection.',
  since: '2.6.9',
  complexity: 'O(1)',
  flags: ['noscript', 'loading', 'stale'],
  reply: 'bulk | nil',

  run(call) {
    const { name } = call.session
    if (name === '') call.reply.nil()
    else call.reply.bulkText(name)
  },
}

export const clientSetname: CommandDefinition = {
  name: 'SETNAME',
  usage: 'connection-name',
  summary: 'Names the connection.',
  since: '2.6.9',
  complexity: 'O(1)',
  flags: ['noscript', 'loading', 'stale'],
  reply: 'ok',

  run(call) {
    const name = call.args.text(2)
    checkName(name, 'Client names')

    call.session.name = name
    call.reply.ok()
  },
}

export const clientSetinfo: CommandDefinition = {
  name: 'SETINFO',
  usage: '<attr: LIB-NAME libname | LIB-VER libver>',
  summary: 'Says which client library the connection uses, and its version.',
  since: '7.2.0',
  complexity: 'O(1)',
  flags: ['noscript', 'loading', 'stale'],
  arity: 4,
  reply: 'ok',

  run(call) {
    const { args, session } = call
    const isName = args.is(2, 'LIB-NAME')
    if (!isName && !args.is(2, 'LIB-VER')) {
      throw new CommandError(`ERR Unrecognized option '${args.shown(2)}'`)
    }
    const value = args.text(3)
    checkName(value, isName ? 'lib-name' : 'lib-ver')

    if (isName) session.libName = value
    else session.libVersion = value
    call.reply.ok()
  },
}

export const clientReply: CommandDefinition = {
  name: 'REPLY',
  usage: '<on_off_skip: ON | OFF | SKIP>',
  summary: 'Turns the replies to the connection off and on, or skips the next one.',
  since: '3.2.0',
  complexity: 'O(1)',
  flags: ['noscript', 'loading', 'stale'],
  reply: 'ok',

  run(call) {
    const { args, session, server } = call
    if (args.is(2, 'ON')) {
      // QUIRK: after SKIP in the same transaction it takes nothing back: what follows EXEC is skipped.
      if (session.replyMode !== REPLY_SKIP_NEXT) server.clients.replyOn(session)
      call.reply.ok()
    } else if (args.is(2, 'OFF')) {
      session.replyMode = REPLY_OFF
    } else if (args.is(2, 'SKIP')) {
      if (session.replyMode !== REPLY_OFF) session.replyMode = REPLY_SKIP_NEXT
    } else {
      throw SYNTAX
    }
  },
}

export const clientNoEvict: CommandDefinition = {
  name: 'NO-EVICT',
  usage: '<enabled: ON | OFF>',
  summary: 'Keeps the connection when clients have to give way.',
  since: '7.0.0',
  complexity: 'O(1)',
  flags: ['admin', 'noscript', 'loading', 'stale'],
  reply: 'ok',

  run(call) {
    call.session.noEvict = onOrOff(call)
    call.reply.ok()
  },
}

export const clientNoTouch: CommandDefinition = {
  name: 'NO-TOUCH',
  usage: '<enabled: ON | OFF>',
  summary: 'Leaves the ages of the keys alone that the connection uses.',
  since: '7.2.0',
  complexity: 'O(1)',
  flags: ['noscript', 'loading', 'stale'],
  reply: 'ok',

  run(call) {
    const { session } = call
    session.noTouch = onOrOff(call)
    session.updateSpecial()
    call.reply.ok()
  },
}

function onOrOff(call: Call): boolean {
  if (call.args.is(2, 'ON')) return true
  if (call.args.is(2, 'OFF')) return false
  throw SYNTAX
}
