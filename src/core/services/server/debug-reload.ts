/**
 * DEBUG RELOAD: out to the file and back, as a restart would.
 *
 * Thread: core.
 * Owns: nothing.
 * Never: empties the keyspace before the file is in its place.
 */
import type { Call } from '../../engine/call.ts'
import { CommandError } from '../../engine/errors.ts'
import { loadRdb } from '../persistence/startup.ts'

const BAD_OPTION = new CommandError(
  'ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.',
)
const NOT_SAVED = new CommandError('ERR')
const NOT_LOADED = 'ERR Error trying to load the RDB dump'

export function reload(call: Call): void {
  const { args, server, keyspace } = call
  let [replaces, flushes, saves] = [false, true, true]
  for (let i = 2; i < args.count; i++) {
    if (args.is(i, 'MERGE')) replaces = true
    else if (args.is(i, 'NOFLUSH')) flushes = false
    else if (args.is(i, 'NOSAVE')) saves = false
    else throw BAD_OPTION
  }
  if (saves && !server.saves.save()) throw NOT_SAVED
  if (flushes) {
    for (const db of keyspace.dbs) server.transactions.watches.emptying(db)
    server.tracking.flushed()
    keyspace.flushAll()
    server.scripting.functions.flush()
    server.reclaim.begin()
  }
  const answer = call.answerLater()
  const failed = () => answer((reply) => reply.error(NOT_LOADED))
  loadRdb(server, {
    replaces,
    done() {
      server.log.warning('DB reloaded by DEBUG RELOAD')
      answer((reply) => reply.ok())
    },
    missing: failed,
    halfDone: failed,
  })
  // What follows in a transaction must find the data.
  if (call.session.queue !== undefined) server.loading.finish()
}
