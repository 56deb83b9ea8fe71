/**
 * The soak: `bun run test:soak [--minutes N] [--seed N] [--connections N]`, ten minutes unless told.
 *
 *     actors ⇄ server (AOF, snapshots, rewrites, evictions on and off) ⇄ replica, cut now and then
 *
 * Every actor knows what its keys hold and checks every reply. Every twenty seconds all stop: every key
 * is looked at, the arena is proven, and the replica must hold the same. In the end the server starts
 * again from its files, and every key is looked at once more.
 *
 * Thread: main.
 * Owns: the servers, and what disturbs them.
 * Never: ends well when a reply was wrong, lost or out of order, or when memory grew beyond the data.
 */
import { rmSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { Dice } from '../conformance/dice.ts'
import type { Client } from '../support/client.ts'
import { makeDirectory, type RunningServer, startRedbun } from '../support/server.ts'
import { Actor } from './actor.ts'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: String(Date.now() % 1e6) },
    connections: { type: 'string', default: '24' },
  },
})

const ROUND_MS = 20_000
const BGSAVE_PERIOD_MS = 3000
const REWRITE_PERIOD_MS = 7000
const CUT_PERIOD_MS = 8000
const EVICTION_PERIOD_MS = 5000
const FILLER_PERIOD_MS = 20
const FILLER_SIZE = 4000
const FILLER_BATCH = 20
/** Bytes that are over the limit when it is set. */
const EXCESS_SIZE = 2 ** 20
const REPLICA_WITHIN_MS = 20_000
/** Bytes that the process may take more for the same data, after its first rounds. */
const RSS_GROWTH_MAX = 64 * 2 ** 20
const DIFFERENCES_SHOWN = 5
/** So long it may take to be warm. */
const WARM_ROUNDS = 2

const seed = Number(values.seed)
const started = performance.now()
const directory = makeDirectory()
const args = ['--dir', directory, '--appendonly', 'yes', '--io-threads', '2']
let server = await startRedbun({ args })
const replica = await startRedbun({ args: ['--replicaof', '127.0.0.1', String(server.port)] })
const actors = Array.from({ length: Number(values.connections) }, (_, i) => {
  return new Actor(`a${i}`, server.address, new Dice(seed + i))
})
/** By how much the process exceeded its data, at the end of each round. */
const excesses: number[] = []
const counts = { bgsave: 0, rewrite: 0, cut: 0, eviction: 0 }
let status = 1

try {
  await soak()
  status = 0
  console.log(`Passed in ${elapsed()}: ${summary()}`)
} catch (error) {
  console.log(`FAILED after ${elapsed()} (--seed ${seed}): ${(error as Error).message}`)
  console.log(server.log.split('\n').slice(-15).join('\n'))
} finally {
  for (const actor of actors) actor.end()
  await Promise.all([server.stop('SIGKILL'), replica.stop('SIGKILL')])
  rmSync(directory, { recursive: true, force: true })
}
process.exit(status)

async function soak(): Promise<void> {
  const endMs = started + Number(values.minutes) * 60_000
  do {
    await round(Math.min(performance.now() + ROUND_MS, endMs))
  } while (performance.now() < endMs)
  judgeMemory()
  await again()
}

async function round(untilMs: number): Promise<void> {
  const admin = await server.connect()
  const disturbances = [
    every(BGSAVE_PERIOD_MS, untilMs, () => tolerantly(admin, 'BGSAVE', 'bgsave')),
    every(REWRITE_PERIOD_MS, untilMs, () => tolerantly(admin, 'BGREWRITEAOF', 'rewrite')),
    every(CUT_PERIOD_MS, untilMs, () => tolerantly(admin, 'CLIENT KILL TYPE replica', 'cut')),
    evictions(untilMs),
  ]
  const lives = actors.map(async (actor) => {
    while (performance.now() < untilMs) await actor.act()
  })
  await Promise.all([...lives, ...disturbances])
  await Promise.all(actors.map((actor) => actor.verify()))
  await settled(admin)
  const proof = await admin.ask('DEBUG ARENA-CHECK', 60_000)
  if (proof !== '+OK' && proof !== '$OK') throw new Error(`DEBUG ARENA-CHECK: ${proof}`)
  await sameOnReplica(admin)
  await measure(admin)
  admin.terminate()
}

async function every(periodMs: number, untilMs: number, act: () => Promise<void>): Promise<void> {
  while (performance.now() + periodMs < untilMs) {
    await Bun.sleep(periodMs)
    await act()
  }
}

/** It may be refused because another one is under way. */
async function tolerantly(admin: Client, command: string, what: keyof typeof counts) {
  const reply = await admin.ask(command, 60_000)
  if (!reply.startsWith('-')) counts[what]++
  else if (!/in progress|already|is active/i.test(reply)) throw new Error(`${command}: ${reply}`)
}

/** By turns there is memory for everything, or not for all of what has a deadline. */
async function evictions(untilMs: number): Promise<void> {
  const client = await server.connect()
  const filler = 'f'.repeat(FILLER_SIZE)
  let phases = 0
  for (; performance.now() + EVICTION_PERIOD_MS < untilMs; phases++) {
    const on = phases % 2 === 1
    const limit = on ? (await evictable(client)) - EXCESS_SIZE : 0
    if (on) for (const { model } of actors) model.evicts = true
    await client.ask(`CONFIG SET maxmemory ${limit} maxmemory-policy volatile-lru`)
    const phaseEndMs = performance.now() + EVICTION_PERIOD_MS
    for (let n = 0; performance.now() < phaseEndMs; n++) {
      for (let i = 0; i < FILLER_BATCH; i++)
        client.send(['SET', `fill:${(n * FILLER_BATCH + i) % 4000}`, filler, 'EX', '100'])
      for (let i = 0; i < FILLER_BATCH; i++) await client.next()
      await Bun.sleep(FILLER_PERIOD_MS)
    }
  }
  await client.ask('CONFIG SET maxmemory 0')
  for (const { model } of actors) model.evicts = false
  const before = counts.eviction
  counts.eviction = Number(/evicted_keys:(\d+)/.exec(await client.text('INFO stats'))?.[1])
  if (phases > 1 && counts.eviction === before) throw new Error('No key was evicted.')
  client.terminate()
}

/** Nothing is being written to files any more. */
async function settled(admin: Client): Promise<void> {
  for (;;) {
    const info = await admin.text('INFO persistence')
    if (/rdb_bgsave_in_progress:0/.test(info) && /aof_rewrite_in_progress:0/.test(info)) return
    await Bun.sleep(50)
  }
}

async function sameOnReplica(admin: Client): Promise<void> {
  const follower = await replica.connect()
  const untilMs = performance.now() + REPLICA_WITHIN_MS
  let digests = ['', '']
  while (performance.now() < untilMs) {
    digests = await Promise.all([admin, follower].map((client) => client.ask('DEBUG DIGEST')))
    if (digests[0] === digests[1]) {
      follower.terminate()
      return
    }
    await Bun.sleep(200)
  }
  throw new Error(`the replica holds something else: ${await differences(admin, follower)}`)
}

/** The keys that are not the same on both, with their digests. */
async function differences(primary: Client, follower: Client): Promise<string> {
  const held = await Promise.all([primary, follower].map(contents))
  const keys = new Set(held.flatMap((map) => [...map.keys()]))
  const different = [...keys].filter((key) => held[0].get(key) !== held[1].get(key))
  const shown = different.slice(0, DIFFERENCES_SHOWN).map((key) => {
    return `${key} (${held.map((map) => map.get(key) ?? 'missing').join(', ')})`
  })
  return `${different.length} of ${keys.size} keys: ${shown.join('; ')}`
}

async function contents(client: Client): Promise<Map<string, string>> {
  const { items = [] } = await client.call('KEYS *')
  const keys = items.map(({ bytes }) => bytes?.toString('latin1') ?? '')
  const map = new Map<string, string>()
  for (const key of keys) map.set(key, await client.ask(['DEBUG', 'DIGEST-VALUE', key]))
  return map
}

/** What `maxmemory` is held against: without what waits for replicas and the append-only file. */
async function evictable(client: Client): Promise<number> {
  const info = await client.text('INFO memory')
  return numberIn(info, 'used_memory') - numberIn(info, 'mem_not_counted_for_evict')
}

async function memory(client: Client, field: string): Promise<number> {
  return numberIn(await client.text('INFO memory'), field)
}

function numberIn(info: string, field: string): number {
  return Number(new RegExp(`^${field}:(\\d+)`, 'm').exec(info)?.[1])
}

async function measure(admin: Client): Promise<void> {
  // The process tells the core about itself from time to time.
  await Bun.sleep(1500)
  const [used, rss] = [await memory(admin, 'used_memory'), await memory(admin, 'used_memory_rss')]
  excesses.push(rss - used)
  console.log(`${elapsed()}: ${summary()}; ${mib(used)} used, ${mib(rss)} RSS`)
}

function judgeMemory(): void {
  if (excesses.length <= WARM_ROUNDS) return
  const growth = excesses[excesses.length - 1] - excesses[WARM_ROUNDS]
  console.log(`RSS beyond the data: ${excesses.map(mib).join(', ')}`)
  if (growth > RSS_GROWTH_MAX) throw new Error(`RSS has grown by ${mib(growth)} beyond the data`)
}

/** From the files that the server has left. */
async function again(): Promise<void> {
  const { port } = server
  for (const actor of actors) actor.end()
  if ((await stopped(server)) !== 0) throw new Error('the server did not end well')
  server = await startRedbun({ args, port })
  await server.logged('Ready to accept connections', 60_000)
  await Promise.all(actors.map((actor) => actor.verify()))
}

/** SIGTERM, with its directory left alone. */
async function stopped({ child }: RunningServer): Promise<number> {
  child.kill('SIGTERM')
  return await child.exited
}

function summary(): string {
  const replies = actors.reduce((sum, actor) => sum + actor.replies, 0)
  const connects = actors.reduce((sum, actor) => sum + actor.connects, 0)
  const { bgsave, rewrite, cut, eviction } = counts
  return (
    `${replies} replies, ${connects} connections, ${bgsave} BGSAVEs, ` +
    `${rewrite} rewrites, ${cut} cuts, ${eviction} keys evicted`
  )
}

function elapsed(): string {
  return `${((performance.now() - started) / 1000).toFixed(0)} s`
}

function mib(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`
}
