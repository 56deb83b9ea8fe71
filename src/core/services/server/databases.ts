/**
 * DBSIZE, FLUSHDB, FLUSHALL, SWAPDB: whole databases.
 *
 * Thread: core.
 * Owns: nothing.
 * Never: leaves memory behind: what a flush empties goes back to the system.
 */
import { command } from '../../command/command.ts'
import type { Call } from '../../engine/call.ts'
import { CommandError, INVALID_DB_INDEX, SYNTAX } from '../../engine/errors.ts'
import type { Keyspace } from '../../keyspace/keyspace.ts'
import { emptyDatabase } from '../../keyspace/whole-database.ts'
import type { Server } from '../../server.ts'

/**
 * Arenas that have touched less than this are emptied key by key and kept: a fresh buffer and the
 * collection that gives the old one back cost more than they free.
 */
const KEPT_ARENAS_SIZE = 8 * 1024 * 1024

const FIRST_DB_INDEX = new CommandError('ERR invalid first DB index')
const SWAPDB_IN_CLUSTER = new CommandError('ERR SWAPDB is not allowed in cluster mode')
const SECOND_DB_INDEX = new CommandError('ERR invalid second DB index')

export const dbsizeCommand = command({
  name: 'DBSIZE',
  usage: '',
  summary: 'Returns how many keys the database has.',
  since: '1.0.0',
  complexity: 'O(1)',
  flags: ['readonly', 'fast'],
  categories: ['keyspace'],
  tips: ['request_policy:all_shards', 'response_policy:agg_sum'],
  reply: 'integer',

  run(call) {
    call.reply.integer(call.db.size())
  },
})

export const flushdbCommand = command({
  name: 'FLUSHDB',
  usage: '[ASYNC@4.0.0 | SYNC@6.2.0]',
  summary: 'Removes all keys of the database.',
  since: '1.0.0',
  complexity: 'O(N) where N is the number of keys in the selected database',
  flags: ['write'],
  categories: ['keyspace', 'dangerous'],
  tips: ['request_policy:all_shards', 'response_policy:all_succeeded'],
  reply: 'ok',

  run(call) {
    const lazily = flushesLazily(call)
    const { keyspace, db } = call
    const isOnly = keyspace.dbs.every((other) => other === db || other.size() === 0)

    call.server.transactions.watches.emptying(db)
    call.server.tracking.flushed()
    keyspace.dirty += isOnly
      ? flushEverything(call.server, lazily)
      : emptyDatabase(keyspace, db, lazily)
    propagateItself(call)
    call.reply.ok()
  },
})

export const flushallCommand = command({
  name: 'FLUSHALL',
  usage: '[ASYNC@4.0.0 | SYNC@6.2.0]',
  summary: 'Removes all keys of all databases.',
  since: '1.0.0',
  complexity: 'O(N) where N is the total number of keys in all databases',
  flags: ['write'],
  categories: ['keyspace', 'dangerous'],
  tips: ['request_policy:all_shards', 'response_policy:all_succeeded'],
  reply: 'ok',

  run(call) {
    const lazily = flushesLazily(call)

    const { replication, saves, transactions, tracking } = call.server
    for (const db of call.keyspace.dbs) transactions.watches.emptying(db)
    tracking.flushed()
    // A save of what is about to go would be in vain; the empty file is written at once.
    saves.abandon()
    replication.replicas.fullSync.abandon()
    call.keyspace.dirty += flushEverything(call.server, lazily)
    if (saves.points().length > 0) saves.save()
    propagateItself(call)
    call.reply.ok()
  },
})

export const swapdbCommand = command({
  name: 'SWAPDB',
  usage: 'index1 index2',
  summary: 'Exchanges the contents of two databases.',
  since: '4.0.0',
  complexity:
    'O(N) where N is the count of clients watching or blocking on keys from both databases.',
  flags: ['write', 'fast'],
  categories: ['keyspace', 'dangerous'],
  reply: 'ok',

  run(call) {
    const { keyspace } = call
    if (call.server.cluster.enabled) throw SWAPDB_IN_CLUSTER
    const first = databaseIndex(call, 1, FIRST_DB_INDEX)
    const second = databaseIndex(call, 2, SECOND_DB_INDEX)
    const count = keyspace.dbs.length
    if (first < 0 || first >= count || second < 0 || second >= count) throw INVALID_DB_INDEX

    if (first !== second) {
      const { watches } = call.server.transactions
      watches.emptying(keyspace.dbs[first], keyspace.dbs[second])
      watches.emptying(keyspace.dbs[second], keyspace.dbs[first])
      keyspace.swap(first, second)
    }
    keyspace.dirty++
    call.reply.ok()
  },
})

/** Throws: SYNTAX. */
function flushesLazily({ args, server }: Call): boolean {
  if (args.count === 1) return server.settings.bool('lazyfree-lazy-user-flush')
  if (args.count > 2 || !(args.is(1, 'SYNC') || args.is(1, 'ASYNC'))) throw SYNTAX
  return args.is(1, 'ASYNC')
}

/** Empties all databases for data that come from elsewhere, and forgets all libraries. */
export function emptyForOthers(server: Server): void {
  makeWay(server)
  server.scripting.functions.flush()
  // There is no room for what was and what comes.
  server.keyspace.snapshot?.finish()
  flushEverything(server, server.settings.bool('replica-lazy-flush'))
}

/** Whoever has to know is told that all data are about to be others. */
export function makeWay(server: Server): void {
  for (const db of server.keyspace.dbs) server.transactions.watches.emptying(db)
  server.tracking.flushed()
}

/** Frees some of what waits for it. False when nothing is left that may be freed. */
export function freeLazily(server: Server): boolean {
  const { keyspace, loading } = server
  const { lazyFree } = keyspace
  const isAlone = lazyFree.hasTables && keyspace.keyCount() === 0 && !loading.isBusy
  // A snapshot has kept the arenas from being dropped as a whole.
  if (isAlone && mayDrop(keyspace)) dropEverything(server)
  else lazyFree.turn()
  return lazyFree.canGoOn
}

/** Empties all databases. Gives how many keys there were. */
function flushEverything(server: Server, lazily: boolean): number {
  const { keyspace } = server
  if (mayDrop(keyspace)) {
    const count = dropEverything(server)
    if (lazily) keyspace.lazyFree.freedCount += count
    return count
  }
  let count = 0
  for (const db of keyspace.dbs) count += emptyDatabase(keyspace, db, lazily)
  keyspace.findNextDeadline()
  return count
}

function mayDrop(keyspace: Keyspace): boolean {
  if (keyspace.snapshot !== undefined) return false
  return keyspace.arenas.reduce((sum, arena) => sum + arena.touchedBytes, 0) > KEPT_ARENAS_SIZE
}

function dropEverything({ keyspace, reclaim }: Server): number {
  const count = keyspace.flushAll()
  reclaim.begin()
  return count
}

/** As Redis does, even when there was nothing to remove. */
function propagateItself(call: Call): void {
  const words: string[] = []
  for (let i = 0; i < call.args.count; i++) words.push(call.args.text(i))
  call.propagateAs(...words)
}

function databaseIndex(call: Call, index: number, mistake: CommandError): number {
  const { args } = call
  if (!args.integer64(index) || args.high !== args.low >> 31) throw mistake
  return args.low
}
