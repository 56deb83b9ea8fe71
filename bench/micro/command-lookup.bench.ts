/**
 * A command's name to its number, as io does it for every request, alone on one thread.
 *
 *   request bytes (one buffer) ──lookup──▶ index          against: text of the bytes ──▶ Map
 *
 * Goals: time of one lookup of a short, a long and an unknown name in a table of 240.
 * Non-goals: finding where the name is; anything between threads.
 *
 * `bun bench/micro/command-lookup.bench.ts`; BENCH_SMOKE=1 runs each a few times, silently.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: prints a number whose result was not verified.
 */
import { bench, do_not_optimize, run } from 'mitata'
import { CommandLookup } from '../../src/lib/command-lookup.ts'

const IS_SMOKE = process.env['BENCH_SMOKE'] === '1'
const ROUND = 1000
const STEMS =
  'get set del incr decr append strlen exists expire ttl lpush rpush lpop rpop lrange llen hset ' +
  'hget hdel hgetall sadd srem smembers zadd zrem zrange zscore xadd xread ping'
const ENDINGS = ['', 'x', 'range', 'store', 'by', 'bylex', 'all', '_ro']

const names = [
  ...new Set(STEMS.split(' ').flatMap((stem) => ENDINGS.map((ending) => stem + ending))),
]
const lookup = new CommandLookup(names.map((name, index) => ({ name, index, firstKeyIndex: 1 })))
const map = new Map(names.map((name, index) => [name, index]))

function verify(condition: boolean, text: string): void {
  if (!condition) throw new Error(`wrong result: ${text}`)
}

/** `ROUND` lookups in a buffer of these names one after the other, as a pipeline brings them. */
function measure(title: string, asked: readonly string[]): void {
  const text = asked.map((name) => name.toUpperCase()).join('')
  const bytes = Buffer.from(text, 'latin1')
  const starts = asked.map((_, i) => asked.slice(0, i).join('').length)
  const ends = asked.map((name, i) => starts[i] + name.length)
  const expected = asked.map((name) => map.get(name) ?? -1)
  const all = (find: (start: number, end: number) => number): number => {
    let sum = 0
    for (let i = 0, at = 0; i < ROUND; i++) {
      sum += find(starts[at], ends[at])
      if (++at === starts.length) at = 0
    }
    return sum
  }
  let sum = 0
  for (let i = 0; i < ROUND; i++) sum += expected[i % expected.length]
  const byTable = () => all((start, end) => lookup.lookup(bytes, start, end))
  const byText = () =>
    all((start, end) => map.get(bytes.latin1Slice(start, end).toLowerCase()) ?? -1)
  verify(byTable() === sum, `${title} by table`)
  verify(byText() === sum, `${title} by text`)
  if (IS_SMOKE) return
  bench(`${title}: ${ROUND} lookups by table`, () => do_not_optimize(byTable()))
  bench(`${title}: ${ROUND} lookups by text and Map`, () => do_not_optimize(byText()))
}

measure('GET', ['get'])
measure('mixed', ['set', 'get', 'lrange', 'hgetall', 'zaddbylex', 'incr', 'ping', 'expire'])
measure('unknown', ['nosuch', 'getter', 'q'])
if (!IS_SMOKE) await run()
