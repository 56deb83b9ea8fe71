/**
 * BGREWRITEAOF.
 *
 * Thread: core.
 * Owns: nothing: aof-rewrites.ts knows what is in progress.
 * Never: says that a rewrite has begun before its files are there.
 */
import { command } from '../../command/command.ts'
import { CommandError } from '../../engine/errors.ts'

const IN_PROGRESS = new CommandError(
  'ERR Background append only file rewriting already in progress',
)
const CANNOT = new CommandError(
  "ERR Can't execute an AOF background rewriting. Please check the server logs for more information.",
)

export const bgrewriteaofCommand = command({
  name: 'BGREWRITEAOF',
  usage: '',
  summary: 'Begins to write the append-only file anew, as short as it can be.',
  since: '1.0.0',
  complexity: 'O(1)',
  flags: ['admin', 'noscript', 'no_async_loading'],
  reply: 'simple',

  run({ server, session, reply }) {
    const { rewrites } = server.aof
    if (rewrites.isActive) throw IN_PROGRESS
    if (rewrites.isBlocked || session.queue !== undefined) {
      rewrites.schedule()
      rewrites.failureCount = 0
      return reply.simple('Background append only file rewriting scheduled')
    }
    if (!rewrites.begin()) throw CANNOT
    reply.simple('Background append only file rewriting started')
  },
})
