/**
 * Payloads of every type and every encoding that RDB has had, changed by chance and with a right
 * checksum again: each is refused, or what it makes is a value like any other.
 *
 * Thread: any.
 * Owns: the payloads.
 * Never: sends one to real Redis: it need not survive it.
 */
import { describe, expect, test } from 'bun:test'
import { keyspaceFaults } from '../core/keyspace/faults.ts'
import { seededRandom } from '../memory/seeded-random.ts'
import { encodeRequest } from '../support/argv.ts'
import { type InProcessClient, InProcessServer } from '../support/in-process.ts'
import { forged, sealed } from '../support/payload.ts'
import { notation } from '../support/reply.ts'
import { newPayloads, oldPayloads } from './payloads.ts'

/** For a longer run: the variable FORGED_COUNT. */
const FORGED_COUNT = Number(process.env['FORGED_COUNT'] ?? 120)
const BAD = '-ERR Bad data format'
const OOM = "-OOM command not allowed when used memory > 'maxmemory'."
const END = 33177117420000
const REPEATED = 'The quick brown fox. '.repeat(12)

type Part = string | Buffer

function ask(client: InProcessClient, ...argv: readonly Part[]) {
  client.write(encodeRequest(argv.map((part) => Buffer.from(part as string))))
  return client.next(0)
}

const says = (client: InProcessClient, ...argv: readonly Part[]) => notation(ask(client, ...argv))

/** What our own DUMP writes: each line makes the key `k`. */
const WRITTEN: readonly (readonly string[])[] = [
  ['SET k text'],
  ['SET k 12345'],
  [`SET k ${REPEATED.replaceAll(' ', '_')}`],
  ['HSET k a 1 b 2 c -70000 d xyz'],
  ['CONFIG SET hash-max-listpack-entries 2', 'HSET k a 1 b 2 c -70000 d xyz'],
  ['HSET k a 1 b 2 c 3', `HPEXPIREAT k ${END} FIELDS 2 a b`],
  [
    'CONFIG SET hash-max-listpack-entries 2',
    'HSET k a 1 b 2 c 3',
    `HPEXPIREAT k ${END} FIELDS 1 a`,
    `HPEXPIREAT k ${END + 100000} FIELDS 1 c`,
  ],
  ['RPUSH k a 1 -70000 5000000000'],
  [
    'CONFIG SET list-max-listpack-size 2 list-compress-depth 1',
    `RPUSH k a ${'b'.repeat(80)} c d e f`,
  ],
  ['SADD k 1 -5 70000'],
  ['SADD k a 1 bc'],
  ['ZADD k 1 a -1.5 b inf c 70000 12'],
  ['CONFIG SET zset-max-listpack-entries 2', 'ZADD k 1 a -1.5 b inf c 70000 12'],
  [
    'XADD k 1-1 f v g w',
    'XADD k 2-1 f v g w',
    'XADD k 3-1 other 5',
    'XDEL k 2-1',
    'XGROUP CREATE k group 0',
    'XREADGROUP GROUP group alice COUNT 1 STREAMS k >',
    'XREADGROUP GROUP group bob STREAMS k >',
  ],
]

function written(client: InProcessClient): Buffer[] {
  return WRITTEN.map((lines) => {
    says(client, 'FLUSHALL')
    for (const line of lines) {
      expect(says(client, ...line.split(' ')).startsWith('-')).toBe(false)
    }
    const { bytes } = ask(client, 'DUMP', 'k')
    const defaults = ['hash-max-listpack-entries', '512', 'list-max-listpack-size', '-2']
    const more = ['list-compress-depth', '0', 'zset-max-listpack-entries', '128']
    says(client, 'CONFIG', 'SET', ...defaults, ...more)
    return bytes ?? Buffer.alloc(0)
  })
}

/** Looks at all of a value and changes it, whatever it is; its copy by DUMP is the same. */
function use(client: InProcessClient, key: string): void {
  const { bytes } = ask(client, 'DUMP', key)
  expect(says(client, 'RESTORE', 'again', '0', bytes ?? '', 'REPLACE')).toBe('+OK')
  const [again, itself] = ['again', key].map((name) => says(client, 'DEBUG', 'DIGEST-VALUE', name))
  expect(again).toBe(itself)
  for (const line of USES[says(client, 'TYPE', key)]) {
    says(client, ...line.replaceAll('KEY', key).split(' '))
  }
}

const USES: Readonly<Record<string, readonly string[]>> = {
  '+none': [],
  '+string': ['GET KEY', 'APPEND KEY x', 'STRLEN KEY', 'SETRANGE KEY 3 yy', 'BITCOUNT KEY'],
  '+hash': [
    'HGETALL KEY',
    'HPEXPIRETIME KEY FIELDS 3 a b c',
    'HSCAN KEY 0',
    'HRANDFIELD KEY 3 WITHVALUES',
    'HSET KEY a changed new value',
    'HEXPIRE KEY 100 FIELDS 2 d new',
    'HPERSIST KEY FIELDS 2 a b',
    'HDEL KEY b c',
  ],
  '+list': ['LRANGE KEY 0 -1', 'LREM KEY 0 a', 'LPUSH KEY x', 'RPOP KEY', 'LINSERT KEY AFTER a y'],
  '+set': ['SMEMBERS KEY', 'SADD KEY x 7', 'SREM KEY a 1', 'SRANDMEMBER KEY 3', 'SPOP KEY'],
  '+zset': [
    'ZRANGE KEY 0 -1 WITHSCORES',
    'ZADD KEY 2 x 3 a',
    'ZRANK KEY a',
    'ZREM KEY b',
    'ZRANGEBYLEX KEY - +',
    'ZPOPMIN KEY',
  ],
  '+stream': [
    'XRANGE KEY - +',
    'XREVRANGE KEY + -',
    'XADD KEY * f v',
    'XINFO STREAM KEY FULL',
    'XPENDING KEY group',
    'XDEL KEY 1-1',
    'XTRIM KEY MAXLEN 1',
    'XREADGROUP GROUP group carol STREAMS KEY >',
    'XACK KEY group 3-1',
  ],
}

describe('a forged payload', () => {
  for (const seed of [1, 2]) {
    test(`is refused or is a value (seed ${seed})`, () => {
      const server = new InProcessServer({ arenaCount: 3, arenaSize: 1024 * 1024 })
      const client = server.connect()
      const random = seededRandom(seed, 'forged payloads of every encoding')
      const kinds = [...written(client), ...oldPayloads(), ...newPayloads()]
      const taken = kinds.map((bytes, kind) => {
        expect(says(client, 'RESTORE', 'k', '0', sealed(bytes), 'REPLACE')).toBe('+OK')
        use(client, 'k')
        let count = 0
        for (let i = 0; i < FORGED_COUNT; i++) {
          const key = `k${i % 5}`
          const reply = says(client, 'RESTORE', key, '0', forged(bytes, random), 'REPLACE')
          expect([BAD, OOM, '+OK']).toContain(reply)
          if (reply !== '+OK') continue
          count++
          use(client, key)
        }
        expect(`${kind}: ${keyspaceFaults(server.server.keyspace)}`).toBe(`${kind}: `)
        return count
      })
      // Something of each kind is still a value when changed a little.
      expect(taken.filter((count) => count === 0).length).toBeLessThan(4)
      says(client, 'FLUSHALL')
      expect(server.server.keyspace.usedBytes()).toBe(0)
    }, 60_000)
  }
})
