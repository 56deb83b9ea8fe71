/**
 * The cases of collections, and the keys that they need.
 *
 * Thread: main.
 * Owns: what the keys hold.
 * Never: lets a key grow from one measurement to the next without saying so: see `reset`.
 */
import type { Case, DataSet } from './cases.ts'
import { EveryNumber, load, Template } from './load.ts'
import type { Server } from './servers.ts'

const PIPELINE = 16
const VALUE_SIZE = 32
const VALUE = 'x'.repeat(VALUE_SIZE)
/** Fields of a hash, members of a set, elements of a list: so many that ranges of 600 fit. */
const SMALL_COUNT = 1000
const HASH_FIELD_COUNT = 50
const SET_MEMBER_COUNT = 100
const PUSH_AT_ONCE = 1000
/** Connections and pipeline that load as fast as servers take it. */
const LOADING = { connections: 4, pipeline: 32 }

/** What redis-benchmark replaces by a number of twelve digits, and by the value. */
const RANDOM = '__rand_int__'
const DATA = '__data__'
/** The hole of a template, where that number goes. */
const NUMBER = '000000000000'

const SMALL: DataSet = { name: 'small collections', fill: fillSmall }
const BIG: DataSet = { name: 'a sorted set of all keys', fill: fillBig }

interface Row {
  readonly label: string
  readonly words: readonly string[]
  /** Random numbers are taken from so many. */
  readonly range?: number
  readonly reset?: (server: Server, requestCount: number) => Promise<void>
}

const SMALL_ROWS: readonly Row[] = [
  { label: 'LPUSH', words: ['LPUSH', 'pushed', DATA], reset: removing('pushed') },
  { label: 'RPOP', words: ['RPOP', 'popped'], reset: refill },
  { label: 'LRANGE of 100', words: ['LRANGE', 'list', '0', '99'] },
  { label: 'LRANGE of 600', words: ['LRANGE', 'list', '0', '599'] },
  { label: 'HSET', words: ['HSET', 'fields', `element:${RANDOM}`, DATA], range: 100_000 },
  { label: 'HGETALL of 50', words: ['HGETALL', 'hash'] },
  { label: 'SADD', words: ['SADD', 'members', `element:${RANDOM}`], range: 100_000 },
  { label: 'SINTER of 100', words: ['SINTER', 'set:a', 'set:b'] },
  { label: 'ZADD', words: ['ZADD', 'scores', RANDOM, `element:${RANDOM}`], range: 100_000 },
  { label: 'ZRANGE of 100', words: ['ZRANGE', 'ranked', '0', '99'] },
  { label: 'XADD', words: ['XADD', 'stream', '*', 'field', DATA], reset: removing('stream') },
]

const BIG_ROWS: readonly Row[] = [
  { label: 'ZADD', words: ['ZADD', 'big', RANDOM, RANDOM] },
  { label: 'ZRANK', words: ['ZRANK', 'big', RANDOM] },
  {
    label: 'ZRANGE of 100 by score',
    words: ['ZRANGE', 'big', RANDOM, '+inf', 'BYSCORE', 'LIMIT', '0', '100'],
  },
]

export function collectionCases(connections: number, keyCount: number): Case[] {
  const small = SMALL_ROWS.map((row) => caseOf(row, SMALL, connections, row.range ?? SMALL_COUNT))
  const big = BIG_ROWS.map((row) => caseOf(row, BIG, connections, keyCount))
  return [...small, ...big]
}

function caseOf(row: Row, dataSet: DataSet, connections: number, keyCount: number): Case {
  const name = row.label.toLowerCase().replaceAll(' ', '-')
  return {
    id: `${name}-c${connections}-p${PIPELINE}${dataSet === BIG ? '-big' : ''}`,
    group: `${connections} connections, pipeline ${PIPELINE}, ${dataSet === BIG ? 'a sorted set of 1 M members' : 'collections'}`,
    label: row.label,
    words: row.words,
    connections,
    pipeline: PIPELINE,
    valueSize: VALUE_SIZE,
    keyCount,
    dataSet,
    looksUp: false,
    ...(row.reset === undefined ? {} : { reset: row.reset }),
  }
}

function removing(key: string): NonNullable<Row['reset']> {
  return async (server) => {
    await server.with((client) => client.call(`DEL ${key}`))
  }
}

/** As many elements as are about to be popped. */
async function refill(server: Server, requestCount: number): Promise<void> {
  const words = ['RPUSH', 'popped', ...new Array<string>(PUSH_AT_ONCE).fill(VALUE)]
  await server.with(async (client) => {
    let length = Number((await client.call('LLEN popped')).bytes)
    while (length < requestCount) length = Number((await client.call(words)).bytes)
  })
}

async function fillSmall(server: Server): Promise<void> {
  await server.with(async (client) => {
    const numbers = Array.from({ length: SMALL_COUNT }, (_, i) => String(i).padStart(12, '0'))
    await client.call(['RPUSH', 'list', ...numbers.map(() => VALUE)])
    await client.call(['ZADD', 'ranked', ...numbers.flatMap((n) => [n, `element:${n}`])])
    const fields = numbers.slice(0, HASH_FIELD_COUNT)
    await client.call(['HSET', 'hash', ...fields.flatMap((n) => [n, VALUE])])
    const members = numbers.slice(0, SET_MEMBER_COUNT).map((n) => `element:${n}`)
    const half = numbers.slice(SET_MEMBER_COUNT / 2, (3 * SET_MEMBER_COUNT) / 2)
    await client.call(['SADD', 'set:a', ...members])
    await client.call(['SADD', 'set:b', ...half.map((n) => `element:${n}`)])
  })
}

async function fillBig(server: Server, keyCount: number): Promise<void> {
  const requests = new EveryNumber(new Template(['ZADD', 'big', NUMBER, NUMBER]), keyCount)
  await load({ target: server, ...LOADING, requests })
}

export interface ElementCost {
  readonly type: string
  /** Bytes an element by MEMORY USAGE with SAMPLES 0. */
  readonly bytes: number
}

const ELEMENTS: readonly (readonly [type: string, words: readonly string[]])[] = [
  ['list', ['RPUSH', 'list', NUMBER]],
  ['hash', ['HSET', 'hash', NUMBER, 'v']],
  ['set', ['SADD', 'set', NUMBER]],
  ['sorted set', ['ZADD', 'sorted set', NUMBER, NUMBER]],
  ['stream', ['XADD', 'stream', '*', 'f', NUMBER]],
]

/** What one element of `count` costs in one key of each type; elements are 12 bytes long. */
export async function elementCosts(server: Server, count: number): Promise<ElementCost[]> {
  const costs: ElementCost[] = []
  for (const [type, words] of ELEMENTS) {
    const requests = new EveryNumber(new Template(words), count)
    await load({ target: server, ...LOADING, requests })
    const usage = await server.with((client) =>
      client.call(['MEMORY', 'USAGE', type, 'SAMPLES', 0]),
    )
    costs.push({ type, bytes: Number(usage.bytes) / count })
    await server.flush()
  }
  return costs
}
