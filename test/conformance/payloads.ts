/**
 * Payloads of encodings that no server of version 7.0 writes: older ones, and those of 7.2.
 *
 * Thread: any.
 * Owns: what is in them.
 * Never: holds anything that is not sound.
 */
import { listpack, payload, plain, wrapped } from '../support/payload.ts'
import { ziplist } from '../support/ziplist.ts'
import { zipmap } from '../support/zipmap.ts'

const END = 33177117420000
const REPEATED = 'The quick brown fox. '.repeat(12)
const PAIRS = ['a', '1', 'bb', '-70000', 'c', 'x'.repeat(70), 'd', '5000000000', '', 'e']
const SCORED = ['a', '1', 'b', '1.5', 'c', '70000', 'd', '9.5000000000000003e+30']

/** What our own DUMP writes: each line makes the key `k`. */
export const WRITTEN: readonly (readonly string[])[] = [
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

/** Looks at all of a value, and changes it, by what TYPE says. */
export const USES: Readonly<Record<string, readonly string[]>> = {
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

/** What Redis 7.0 and all before it read. */
export function oldPayloads(): Buffer[] {
  const strings = (type: number, texts: readonly string[], count = texts.length) =>
    payload(type, (writer) => {
      writer.size(count)
      for (const text of texts) plain(writer, text)
    })
  const scores = (type: number) =>
    payload(type, (writer) => {
      writer.size(4)
      for (const [i, member] of ['a', 'bb', 'c', 'd'].entries()) {
        plain(writer, member)
        if (type === 5) writer.double(i * 1.5 - 2)
        else if (i === 3) writer.byte(254)
        else plain(writer, `${i * 1.5}`)
      }
    })
  const compressed = payload(0, (writer) => {
    writer.compress = true
    writer.string(Buffer.from(REPEATED), 0, REPEATED.length)
  })
  return [
    compressed,
    strings(1, ['a', '12', 'x'.repeat(70), '']),
    strings(2, ['a', '12', 'x'.repeat(70), '']),
    strings(4, PAIRS, PAIRS.length >> 1),
    scores(3),
    scores(5),
    wrapped(9, zipmap(PAIRS)),
    wrapped(9, zipmap(PAIRS, 2)),
    wrapped(10, ziplist(...PAIRS)),
    wrapped(12, ziplist(...SCORED)),
    wrapped(12, ziplist('a', '1', 'x'.repeat(90), '2')),
    wrapped(13, ziplist(...PAIRS)),
    payload(14, (writer) => {
      writer.size(2)
      plain(writer, ziplist('a', '1'))
      plain(writer, ziplist(...PAIRS))
    }),
    wrapped(16, listpack(...PAIRS)),
    wrapped(17, listpack('a', 1, 'b', '1.5', 'c', 2)),
    payload(18, (writer) => {
      writer.size(3)
      writer.size(2)
      plain(writer, listpack('a', 'b', 3))
      writer.size(1)
      plain(writer, 'y'.repeat(90))
      writer.size(2)
      plain(writer, listpack(...PAIRS))
    }),
  ]
}

/** What Redis 7.2 writes. */
export function newPayloads(): Buffer[] {
  return [wrapped(20, listpack('a', 'b', 3), 11), wrapped(20, listpack(5, 3), 11)]
}
