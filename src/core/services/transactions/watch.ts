/**
 * WATCH and UNWATCH: EXEC does nothing once a watched key has changed.
 *
 * Thread: core.
 * Owns: nothing: watches.ts keeps the keys.
 * Never: makes a key count as used.
 */
import { command } from '../../command/command.ts'
import { CommandError } from '../../engine/errors.ts'

const INSIDE = new CommandError('ERR WATCH inside MULTI is not allowed')

export const watchCommand = command({
  name: 'WATCH',
  usage: 'key [key ...]',
  summary: 'Lets the next EXEC do nothing if one of the keys changes before.',
  since: '2.2.0',
  complexity: 'O(1) for every key.',
  flags: ['noscript', 'loading', 'stale', 'fast', 'allow_busy'],
  access: 'ro',
  inTransaction: 'runs',
  reply: 'ok',

  run({ args, db, session, server, reply }) {
    if (session.queue !== undefined) throw INSIDE
    // One change is enough: what comes after it does not matter.
    if (!session.stale) {
      for (let i = 1; i < args.count; i++) {
        server.transactions.watches.watch(session, db, args.text(i))
      }
    }
    reply.ok()
  },
})

export const unwatchCommand = command({
  name: 'UNWATCH',
  usage: '',
  summary: 'Forgets the watched keys.',
  since: '2.2.0',
  complexity: 'O(1)',
  flags: ['noscript', 'loading', 'stale', 'fast', 'allow_busy'],
  reply: 'ok',

  run({ session, server, reply }) {
    server.transactions.unwatch(session)
    reply.ok()
  },
})
