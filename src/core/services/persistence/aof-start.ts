/**
 * The append-only file at the start, and DEBUG LOADAOF: loading it, and what its failure means.
 *
 * Thread: core.
 * Owns: nothing.
 * Never: appends to files of which a part could not be read.
 */
import type { AofFound } from '../../../bridge/aof-control.ts'
import type { Call } from '../../engine/call.ts'
import { CommandError } from '../../engine/errors.ts'
import type { Server } from '../../server.ts'
import { AofLoader } from './aof-load.ts'

const NOTHING = new CommandError('ERR There is no append-only file to load')

/** Loads what there is and begins to append; `done` follows, unless the process ends. */
export function beginWithAof(server: Server, done: () => void): void {
  const { aof, clock, log } = server
  const files = aof.open(true)
  const startedMs = clock.tick()
  if (files.length === 0) {
    aof.beginAppending(files, aof.rewrites.makeFirst())
    return done()
  }
  loadFiles(server, files, () => {
    const seconds = (clock.tick() - startedMs) / 1000
    log.notice(`DB loaded from append only file: ${seconds.toFixed(3)} seconds`)
    aof.beginAppending(files, null)
    done()
  })
}

/** DEBUG LOADAOF. */
export function loadAof(call: Call): void {
  const { server, keyspace } = call
  const { aof, log, saves, transactions, tracking, scripting, reclaim } = server
  const files = aof.find()
  // DIFFERS: Redis ends then.
  if (files.length === 0) throw NOTHING
  for (const db of keyspace.dbs) transactions.watches.emptying(db)
  tracking.flushed()
  keyspace.flushAll()
  scripting.functions.flush()
  reclaim.begin()
  const answer = call.answerLater()
  loadFiles(server, files, () => {
    saves.forgetChanges()
    aof.closeIfUnused()
    log.warning('Append Only File loaded by DEBUG LOADAOF')
    answer((reply) => reply.ok())
  })
  // What follows in a transaction must find the data.
  if (call.session.queue !== undefined) server.loading.finish()
}

function loadFiles(server: Server, files: readonly AofFound[], done: () => void): void {
  const { loading, propagation, control } = server
  // What is loaded is in the file already.
  propagation.mute(true)
  const loader = new AofLoader(server, files, (outcome) => {
    propagation.mute(false)
    if (outcome.state === 'loaded') return done()
    loading.refuse()
    const { text, file } = outcome
    control.send(file === undefined ? { type: 'fatal', text } : { type: 'fatal', text, file })
  })
  loading.begin(loader)
}
