/**
 * Rows for hashes that come by RESTORE: those of all versions up to Redis 7.4, the encodings that they
 * get, and bytes that are no hash.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: looks inside the server; gives real Redis what only we are sure to refuse.
 */
import type { RdbWriter } from '../../src/lib/rdb/writer.ts'
import { suite, unordered } from '../support/check.ts'
import { listpack, payload, plain, wrapped } from '../support/payload.ts'
import { ziplist } from '../support/ziplist.ts'
import { zipmap } from '../support/zipmap.ts'

const PLAIN = 4
const ZIPMAP = 9
const ZIPLIST = 13
const LISTPACK = 16
const TIMED = 24
const TIMED_LISTPACK = 25
const BAD = '-ERR Bad data format'
const LONG = 'x'.repeat(65)
/** An end far from now. */
const END = 33177117420000

const pairs = (count: number) => Array.from({ length: count }, (_, i) => [`f${i}`, `${i}`]).flat()

const fields = (...texts: readonly string[]) =>
  payload(PLAIN, (writer) => {
    writer.size(texts.length >> 1)
    for (const text of texts) plain(writer, text)
  })

/** `ends`: of each field, counted from `first` on, which is 1; 0: none. */
function timed(first: number, ...parts: readonly (readonly [string, string, number])[]): Buffer {
  const fill = (writer: RdbWriter) => {
    writer.milliseconds(first)
    writer.size(parts.length)
    for (const [field, value, end] of parts) {
      writer.size(end)
      plain(writer, field)
      plain(writer, value)
    }
  }
  return payload(TIMED, fill, 12)
}

const timedPack = (first: number, pack: Buffer) =>
  payload(
    TIMED_LISTPACK,
    (writer) => {
      writer.milliseconds(first)
      plain(writer, pack)
    },
    12,
  )

suite('RESTORE takes the hashes of all versions', (check) => {
  const long = ['a', '1', '12', 'x'.repeat(300), 'c', '-70000', '', '']
  const expected = `*8 $a $1 $12 $${'x'.repeat(300)} $c $-70000 $"" $""`
  for (const [bytes, encoding, count] of [
    [fields('a', '1', 'b', ''), 'listpack', 2],
    [fields(...long), 'hashtable', 4],
    [fields(...pairs(512)), 'listpack', 512],
    [fields(...pairs(513)), 'hashtable', 513],
    [fields('a', LONG), 'hashtable', 1],
    [fields(LONG, ''), 'hashtable', 1],
    [wrapped(ZIPMAP, zipmap(long)), 'hashtable', 4],
    [wrapped(ZIPMAP, zipmap(['a', '1', 'b', '2'])), 'listpack', 2],
    [wrapped(ZIPMAP, zipmap(['a', '1', 'b', '2'], 3)), 'listpack', 2],
    [wrapped(ZIPMAP, zipmap(pairs(300))), 'listpack', 300],
    [wrapped(ZIPMAP, zipmap(pairs(513))), 'hashtable', 513],
    [wrapped(ZIPMAP, zipmap(['a', LONG])), 'hashtable', 1],
    [wrapped(ZIPLIST, ziplist(...long)), 'listpack', 4],
    [wrapped(ZIPLIST, ziplist('a', LONG)), 'listpack', 1],
    [wrapped(ZIPLIST, ziplist(...pairs(512))), 'listpack', 512],
    [wrapped(ZIPLIST, ziplist(...pairs(513))), 'hashtable', 513],
    [wrapped(LISTPACK, listpack('a', 1, 'b', 5000000000)), 'listpack', 2],
    [wrapped(LISTPACK, listpack('a', LONG)), 'listpack', 1],
    [wrapped(LISTPACK, listpack(...pairs(512))), 'listpack', 512],
    [wrapped(LISTPACK, listpack(...pairs(513))), 'hashtable', 513],
  ] as const) {
    check(['RESTORE', 'k', '0', bytes, 'REPLACE'], '+OK')
    check('OBJECT ENCODING k', `$${encoding}`)
    check('HLEN k', `:${count}`)
    check('HVALS k', (text) => text.startsWith(`*${count} `))
  }
  check(['RESTORE', 'k', '0', wrapped(ZIPLIST, ziplist(...long)), 'REPLACE'], '+OK')
  check('HGETALL k', expected)
  check(['RESTORE', 'k', '0', wrapped(ZIPMAP, zipmap(long)), 'REPLACE'], '+OK')
  check('HGETALL k', unordered(expected))
  check.redbun('DEBUG ARENA-CHECK', '+OK')
})

suite(
  'RESTORE follows the limits',
  (check) => {
    for (const [bytes, encoding] of [
      [fields('a', '1', 'b', '2'), 'listpack'],
      [fields('a', '1', 'b', '2', 'c', '3'), 'hashtable'],
      [fields('abc', '1'), 'listpack'],
      [fields('abcd', '1'), 'hashtable'],
      [wrapped(ZIPLIST, ziplist('a', '1', 'b', '2', 'c', '3')), 'hashtable'],
      [wrapped(LISTPACK, listpack('a', 1, 'b', 2, 'c', 3)), 'hashtable'],
      [wrapped(ZIPMAP, zipmap(['a', '1', 'b', '2', 'c', '3'])), 'hashtable'],
      [wrapped(ZIPMAP, zipmap(['a', '1234'])), 'hashtable'],
    ] as const) {
      check(['RESTORE', 'k', '0', bytes, 'REPLACE'], '+OK')
      check('OBJECT ENCODING k', `$${encoding}`)
    }
  },
  { config: { 'hash-max-listpack-entries': '2', 'hash-max-listpack-value': '3' } },
)

suite(
  'RESTORE takes the ends of fields of Redis 7.4',
  (check) => {
    const small = timed(END, ['a', '1', 1], ['b', '2', 0], ['c', '3', 1001])
    check(['RESTORE', 'a', '0', small], '+OK')
    check('OBJECT ENCODING a', '$listpackex')
    check('HGETALL a', '*6 $a $1 $c $3 $b $2')
    check('HPEXPIRETIME a FIELDS 3 a b c', `*3 :${END} :-1 :${END + 1000}`)
    check(['RESTORE', 'b', '0', timed(END, ['a', LONG, 0], ['b', '2', 7])], '+OK')
    check('OBJECT ENCODING b', '$hashtable')
    check('HPEXPIRETIME b FIELDS 2 a b', `*2 :-1 :${END + 6}`)
    const pack = listpack('x', 1, END, 'y', 'z', END + 5, 'last', 'one', 0)
    check(['RESTORE', 'c', '0', timedPack(END, pack)], '+OK')
    check('OBJECT ENCODING c', '$listpackex')
    check('HPEXPIRETIME c FIELDS 3 x y last', `*3 :${END} :${END + 5} :-1`)
    check('DUMP c', (text, saved) => {
      saved['dumped'] = text
      return text.startsWith('$"\\x19')
    })
    check(['RESTORE', 'd', '0', timedPack(0, listpack('a', 'b', 0))], '+OK')
    check('HTTL d FIELDS 1 a', '*1 :-1')
    check('DUMP d', (text) => text.startsWith('$"\\x10'))
    check(['RESTORE', 'e', '0', timed(END, ['a', '1', 0])], '+OK')
    check('OBJECT ENCODING e', '$listpack')
    check(['RESTORE', 'f', '0', timed(1000, ['a', '1', 1], ['b', '2', 5])], '+OK')
    check.wait(20)
    check('EXISTS f', ':0')
    check('DEBUG ARENA-CHECK', '+OK')
  },
  { since: '7.4.0' },
)

suite('RESTORE refuses what is no hash', (check) => {
  const cut = (bytes: Buffer) => bytes.subarray(0, bytes.length - 1)
  for (const bytes of [
    fields(),
    fields('a', '1', 'a', '2'),
    payload(PLAIN, (writer) => writer.size(2 ** 40)),
    payload(PLAIN, (writer) => writer.size(3)),
    wrapped(ZIPMAP, zipmap([])),
    wrapped(ZIPMAP, zipmap(['a', '1', 'a', '2'])),
    wrapped(ZIPMAP, zipmap(['a', '1', 'b'])),
    wrapped(ZIPMAP, cut(zipmap(['a', '1']))),
    wrapped(ZIPMAP, Buffer.of(2, 1, 97, 1, 0, 98, 0xff)),
    wrapped(ZIPMAP, Buffer.of(1, 1, 97, 9, 0, 98, 0xff)),
    wrapped(ZIPMAP, Buffer.of(1, 1, 97, 1, 200, 98, 0xff)),
    wrapped(ZIPMAP, Buffer.of(1, 254, 255, 255, 255, 255, 0xff)),
    wrapped(ZIPMAP, Buffer.of(0xff)),
    wrapped(ZIPLIST, ziplist()),
    wrapped(ZIPLIST, ziplist('a')),
    wrapped(ZIPLIST, ziplist('a', '1', 'a', '2')),
    wrapped(ZIPLIST, cut(ziplist('a', '1'))),
    wrapped(LISTPACK, listpack()),
    wrapped(LISTPACK, listpack('a', 1, 'b')),
    wrapped(LISTPACK, listpack('a', 1, 'a', 2)),
    wrapped(LISTPACK, cut(listpack('a', 1))),
    timed(END),
    timed(END, ['a', '1', 1], ['a', '2', 0]),
    timed(2 ** 48, ['a', '1', 1]),
    timed(-1, ['a', '1', 1]),
    timed(0, ['a', '1', 1]),
    timed(2 ** 48 - 2, ['a', '1', 2]),
    timed(END, ['a', '1', 2 ** 52]),
    timedPack(END, listpack()),
    timedPack(END, listpack('a', 1)),
    timedPack(END, listpack('a', 1, 0, 'a', 2, 0)),
    timedPack(END, listpack('a', 1, 0, 'b', 2, END)),
    timedPack(END, listpack('a', 1, END + 1, 'b', 2, END)),
    timedPack(END, listpack('a', 1, 'b')),
    timedPack(END, listpack('a', 1, 2 ** 48)),
    timedPack(END, listpack('a', 1, -5)),
    timedPack(2 ** 50, listpack('a', 1, END)),
  ]) {
    check.redbun(['RESTORE', 'k', '0', bytes], BAD)
    check.redbun('EXISTS k', ':0')
  }
  check.redbun('DEBUG ARENA-CHECK', '+OK')
})
