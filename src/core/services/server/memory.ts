/**
 * MEMORY: where the bytes are.
 *
 * Thread: core.
 * Owns: nothing: account.ts knows the figures.
 * Never: samples: what a key takes is known exactly.
 */
import {
  type Arena,
  CLASS_PAGES,
  CLASS_SIZES,
  KIND_LARGE,
  PAGE_MAP_SHIFT,
  RUN_KIND,
  RUN_PAGE_COUNT,
} from '../../../memory/arena.ts'
import { type CommandDefinition, command } from '../../command/command.ts'
import type { Call } from '../../engine/call.ts'
import { NOT_AN_INTEGER, SYNTAX } from '../../engine/errors.ts'
import { entryType } from '../../keyspace/entry.ts'
import { valueType } from '../../keyspace/value.ts'
import type { Server } from '../../server.ts'
import {
  arenaAccount,
  deadlineBytes,
  human,
  overheadBytes,
  slotBytes,
  tableBytes,
  uncountedBytes,
} from './account.ts'
import { helpSubcommand } from './help.ts'

const ALL_SHARDS = [
  'nondeterministic_output',
  'request_policy:all_shards',
  'response_policy:special',
]

const memoryUsage: CommandDefinition = {
  name: 'USAGE',
  usage: 'key [SAMPLES count]',
  summary: 'Returns the bytes that a key and its value take, exactly; SAMPLES changes nothing.',
  since: '4.0.0',
  complexity: 'O(N) where N is the number of samples.',
  flags: ['readonly'],
  access: 'ro',
  reply: 'integer | nil',

  run(call) {
    const { db, args, reply } = call
    checkSamples(call)
    // An expired key as well, while it is there.
    const ref = db.find(args, 2)
    if (ref === 0) return reply.nil()
    const { arena } = db
    const value = valueType(entryType(arena, ref))
    reply.integer(arena.blockSizeBytes(ref) + value.memoryBytes(arena, ref))
  },
}

const memoryStats: CommandDefinition = {
  name: 'STATS',
  usage: '',
  summary: 'Returns figures about the memory of the server.',
  since: '4.0.0',
  complexity: 'O(1)',
  flags: [],
  tips: ALL_SHARDS,
  reply: 'map',

  run(call) {
    answerStats(call)
  },
}

const memoryDoctor: CommandDefinition = {
  name: 'DOCTOR',
  usage: '',
  summary: 'Says what is wrong with the memory, if anything is.',
  since: '4.0.0',
  complexity: 'O(1)',
  flags: [],
  tips: ALL_SHARDS,
  reply: 'verbatim',

  run(call) {
    call.reply.verbatim(diagnosis(call.server), 'txt')
  },
}

const memoryMallocStats: CommandDefinition = {
  name: 'MALLOC-STATS',
  usage: '',
  summary: 'Shows how the arenas are filled.',
  since: '4.0.0',
  complexity: 'Depends on how much memory is allocated, could be slow',
  flags: [],
  tips: ALL_SHARDS,
  reply: 'verbatim',

  run(call) {
    call.reply.verbatim(arenaText(call.server), 'txt')
  },
}

const memoryPurge: CommandDefinition = {
  name: 'PURGE',
  usage: '',
  summary: 'Gives back memory that is not needed any more.',
  since: '4.0.0',
  complexity: 'Depends on how much memory is allocated, could be slow',
  flags: [],
  tips: ['request_policy:all_shards', 'response_policy:all_succeeded'],
  reply: 'ok',

  run(call) {
    call.server.reclaim.begin()
    call.reply.ok()
  },
}

const subcommands: readonly CommandDefinition[] = [
  memoryDoctor,
  memoryMallocStats,
  memoryPurge,
  memoryStats,
  memoryUsage,
]

export const memoryCommand = command({
  name: 'MEMORY',
  usage: '',
  summary: 'Tells about memory.',
  since: '4.0.0',
  complexity: 'Depends on subcommand.',
  flags: [],
  reply: 'any',
  subcommands: [...subcommands, helpSubcommand('MEMORY', '4.0.0', () => subcommands)],
})

function checkSamples({ args }: Call): void {
  for (let i = 3; i < args.count; i += 2) {
    if (!args.is(i, 'SAMPLES') || i + 1 === args.count) throw SYNTAX
    if (!args.integer64(i + 1)) throw NOT_AN_INTEGER
    if (args.high < 0) throw SYNTAX
  }
}

function answerStats({ server, reply }: Call): void {
  const { aof, clients, keyspace, replication, stats } = server
  stats.notePeak()
  const { usedBytes: allocatedBytes, activeBytes, touchedBytes } = arenaAccount(keyspace)
  const notCountedBytes = uncountedBytes(server)
  const usedBytes = allocatedBytes + notCountedBytes
  const residentBytes = Number(server.control.process.rss ?? 0)
  const overhead = overheadBytes(keyspace) + notCountedBytes
  const keys = keyspace.keyCount()
  const dbs = keyspace.dbs.filter((db) => db.size() > 0)
  const figures: [name: string, value: number, isDouble?: true][] = [
    ['peak.allocated', stats.peakUsedBytes],
    ['total.allocated', usedBytes],
    ['startup.allocated', keyspace.fixedBytes],
    ['replication.backlog', replication.backlog?.capacity ?? 0],
    ['clients.slaves', clients.bufferedBytes(true)],
    ['clients.normal', clients.bufferedBytes()],
    ['cluster.links', 0],
    ['aof.buffer', aof.bufferedSize],
    ['lua.caches', server.scripting.scripts.cachedBytes],
    ['functions.caches', server.scripting.functions.cachedBytes],
  ]
  const rest: typeof figures = [
    ['overhead.total', overhead],
    ['keys.count', keys],
    ['keys.bytes-per-key', keys === 0 ? 0 : Math.floor((usedBytes - keyspace.fixedBytes) / keys)],
    ['dataset.bytes', usedBytes - overhead],
    [
      'dataset.percentage',
      share(usedBytes - overhead, usedBytes - keyspace.fixedBytes) * 100,
      true,
    ],
    ['peak.percentage', share(usedBytes, stats.peakUsedBytes) * 100, true],
    ['allocator.allocated', allocatedBytes],
    ['allocator.active', activeBytes],
    ['allocator.resident', touchedBytes],
    ['allocator-fragmentation.ratio', share(activeBytes, allocatedBytes), true],
    ['allocator-fragmentation.bytes', activeBytes - allocatedBytes],
    ['allocator-rss.ratio', share(touchedBytes, activeBytes), true],
    ['allocator-rss.bytes', touchedBytes - activeBytes],
    ['rss-overhead.ratio', share(residentBytes, touchedBytes), true],
    ['rss-overhead.bytes', residentBytes - touchedBytes],
    ['fragmentation', share(residentBytes, usedBytes), true],
    ['fragmentation.bytes', residentBytes - usedBytes],
  ]
  reply.map(figures.length + dbs.length + rest.length)
  const answer = (rows: typeof figures) => {
    for (const [name, value, isDouble] of rows) {
      reply.bulkText(name)
      if (isDouble === true) reply.double(value)
      else reply.integer(value)
    }
  }
  answer(figures)
  for (const db of dbs) {
    reply.bulkText(`db.${db.index}`)
    reply.map(3)
    answer([
      ['overhead.hashtable.main', tableBytes(keyspace, db)],
      ['overhead.hashtable.expires', deadlineBytes(db)],
      ['overhead.hashtable.slot-to-keys', slotBytes(db)],
    ])
  }
  answer(rest)
}

function share(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole
}

const SMALL_DATASET_SIZE = 5 * 1024 * 1024
const PEAK_RATIO = 1.5
const FRAGMENTATION_RATIO = 1.4

function diagnosis(server: Server): string {
  const { keyspace, stats } = server
  stats.notePeak()
  const { usedBytes, activeBytes, touchedBytes } = arenaAccount(keyspace)
  if (usedBytes < SMALL_DATASET_SIZE) {
    return 'There is too little data here to find anything wrong with its memory.\n'
  }
  const findings: string[] = []
  if (stats.peakUsedBytes > usedBytes * PEAK_RATIO) {
    findings.push(
      `Peak: ${human(stats.peakUsedBytes)} were used once, ${human(usedBytes)} are now. What was touched stays with the process until FLUSHALL; new data fills it first.`,
    )
  }
  if (activeBytes > usedBytes * FRAGMENTATION_RATIO) {
    findings.push(
      `Fragmentation: the blocks in use lie on pages of ${human(activeBytes)}. Blocks of the same size fill the gaps.`,
    )
  }
  const limit = server.eviction.limitBytes
  if (limit > 0 && usedBytes > limit) {
    findings.push(`Limit: ${human(usedBytes)} are used, maxmemory is ${human(limit)}.`)
  }
  if (findings.length === 0) {
    return `Nothing is wrong: ${human(usedBytes)} used, ${human(touchedBytes)} touched.\n`
  }
  return `${findings.map((finding) => `* ${finding}\n`).join('')}`
}

/** Spans by block size, and what lies in large blocks, for each arena. */
function arenaText({ keyspace }: Server): string {
  let text = ''
  keyspace.arenas.forEach((arena, i) => {
    text += `arena ${i}: used ${arena.usedBytes}, free ${arena.freeBytes}, touched ${arena.touchedBytes}\n`
    for (const [kind, count] of [...runCounts(arena)].sort(([a], [b]) => a - b)) {
      if (kind < KIND_LARGE) text += `  blocks of ${CLASS_SIZES[kind]}: ${count} spans\n`
      else text += kind === KIND_LARGE ? `  large blocks: ${count}\n` : `  free runs: ${count}\n`
    }
  })
  return text
}

/** Runs of pages by their kind. */
function runCounts(arena: Arena): Map<number, number> {
  const counts = new Map<number, number>()
  let page = arena.firstPage
  while (page < arena.topPage) {
    const run = page << PAGE_MAP_SHIFT
    const kind = arena.words[run + RUN_KIND]
    counts.set(kind, (counts.get(kind) ?? 0) + 1)
    page += kind < KIND_LARGE ? CLASS_PAGES[kind] : arena.words[run + RUN_PAGE_COUNT]
  }
  return counts
}
