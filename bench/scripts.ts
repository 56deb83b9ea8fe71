/**
 * The cases of scripts and functions, and what they need.
 *
 * Thread: main.
 * Owns: the scripts.
 * Never: measures how long a script takes to be compiled: all are known before.
 */
import type { Case, DataSet } from './cases.ts'
import { everyKey, load } from './load.ts'
import type { Server } from './servers.ts'

const PIPELINE = 16
const VALUE_SIZE = 32
const KEY_COUNT = 100_000
const LOADING = { connections: 4, pipeline: 32 }
const KEY = 'key:__rand_int__'

const GET = "return redis.call('get', KEYS[1])"
const LOOP = 'local n = 0 for i = 1, 100000 do n = n + i end return n'
const JSON_TURN = 'return cjson.encode(cjson.decode(\'{"a":[1,2,3],"b":{"c":"text"},"d":1.5}\'))'
const LIBRARY = `#!lua name=bench
redis.register_function('get', function(keys) return redis.call('get', keys[1]) end)`

const DATA: DataSet = { name: 'scripts', fill }

interface Row {
  readonly label: string
  readonly words: readonly string[]
  readonly pipeline?: number
}

const ROWS: readonly Row[] = [
  { label: 'EVALSHA of GET', words: ['EVALSHA', shaOf(GET), '1', KEY] },
  { label: 'EVAL of GET', words: ['EVAL', GET, '1', KEY] },
  { label: 'FCALL of GET', words: ['FCALL', 'get', '1', KEY] },
  { label: 'EVALSHA of JSON there and back', words: ['EVALSHA', shaOf(JSON_TURN), '0'] },
  { label: 'EVALSHA of a loop of 100,000', words: ['EVALSHA', shaOf(LOOP), '0'], pipeline: 1 },
]

export function scriptCases(connections: number): Case[] {
  return ROWS.map(({ label, words, pipeline = PIPELINE }) => ({
    id: `script-${label.toLowerCase().replaceAll(',', '').replaceAll(' ', '-')}-c${connections}-p${pipeline}`,
    group: `${connections} connections, scripts`,
    label: pipeline === 1 ? `${label}, no pipeline` : label,
    words,
    connections,
    pipeline,
    valueSize: VALUE_SIZE,
    keyCount: KEY_COUNT,
    dataSet: DATA,
    looksUp: false,
  }))
}

function shaOf(script: string): string {
  return new Bun.CryptoHasher('sha1').update(script).digest('hex')
}

async function fill(server: Server, keyCount: number): Promise<void> {
  await load({ target: server, ...LOADING, requests: everyKey(keyCount, VALUE_SIZE) })
  await server.with(async (client) => {
    for (const script of [GET, JSON_TURN, LOOP]) await client.call(['SCRIPT', 'LOAD', script])
    await client.call(['FUNCTION', 'LOAD', 'REPLACE', LIBRARY])
  })
}
