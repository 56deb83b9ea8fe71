/**
 * SAVE, BGSAVE, LASTSAVE.
 *
 * Thread: core.
 * Owns: nothing: saves.ts knows what was saved when.
 * Never: answers OK before the file is in its place, or before a background save has begun.
 */
import { command } from '../../command/command.ts'
import { CommandError, SYNTAX } from '../../engine/errors.ts'

const IN_PROGRESS = new CommandError('ERR Background save already in progress')
const OTHER_IN_PROGRESS = new CommandError(
  "ERR Another child process is active (AOF?): can't BGSAVE right now. Use BGSAVE SCHEDULE in order to schedule a BGSAVE whenever possible.",
)
/** QUIRK: Redis's shared error without a text; the log says more. */
const FAILED = new CommandError('ERR')

export const saveCommand = command({
  name: 'SAVE',
  usage: '',
  summary: 'Writes all data to the RDB file and waits for it.',
  since: '1.0.0',
  complexity: 'O(N) where N is the total number of keys in all databases',
  flags: ['admin', 'noscript', 'no_async_loading', 'no_multi'],
  reply: 'ok',

  run({ server, reply }) {
    const { saves } = server
    if (saves.isInBackground) throw IN_PROGRESS
    saves.count++
    if (!saves.save()) throw FAILED
    reply.ok()
  },
})

export const bgsaveCommand = command({
  name: 'BGSAVE',
  usage: '[SCHEDULE]@3.2.2',
  summary: 'Begins to write all data to the RDB file in the background.',
  since: '1.0.0',
  complexity: 'O(1)',
  flags: ['admin', 'noscript', 'no_async_loading'],
  history: [['3.2.2', 'SCHEDULE came.']],
  reply: 'simple',

  run(call) {
    const { args, server, reply, session } = call
    const { saves } = server
    const mayWait = args.count > 1
    if (mayWait && (args.count > 2 || !args.is(1, 'SCHEDULE'))) throw SYNTAX
    if (saves.isInBackground) throw IN_PROGRESS
    const isInTransaction = session.queue !== undefined
    if (saves.isOtherWriting() || isInTransaction) {
      if (!mayWait && !isInTransaction) throw OTHER_IN_PROGRESS
      saves.schedule()
      return reply.simple('Background saving scheduled')
    }
    saves.count++
    saves.begin()
    reply.simple('Background saving started')
  },
})

export const lastsaveCommand = command({
  name: 'LASTSAVE',
  usage: '',
  summary: 'Returns the Unix time of the last save that succeeded.',
  since: '1.0.0',
  complexity: 'O(1)',
  flags: ['loading', 'stale', 'fast'],
  categories: ['admin', 'dangerous'],
  tips: ['nondeterministic_output'],
  reply: 'integer',

  run({ server, reply }) {
    reply.integer(server.saves.lastSaveSeconds)
  },
})
