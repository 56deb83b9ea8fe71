/**
 * Rows for sorted sets that come by RESTORE: what DUMP gives, the encodings of older versions, and
 * bytes that are no sorted set.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: looks inside the server; gives real Redis what only we are sure to refuse.
 */
import { sealPayload } from '../../src/lib/rdb/payload.ts'
import { RdbWriter } from '../../src/lib/rdb/writer.ts'
import { suite } from '../support/check.ts'
import { ziplist } from '../support/ziplist.ts'

const TEXT_SCORES = 3
const BINARY_SCORES = 5
const ZIPLIST = 12
const LISTPACK = 17
const BAD = '-ERR Bad data format'

function payload(type: number, fill: (writer: RdbWriter) => void): Buffer {
  const writer = new RdbWriter()
  writer.compress = false
  writer.byte(type)
  fill(writer)
  sealPayload(writer, 10)
  return Buffer.from(writer.bytes.subarray(0, writer.length))
}

function text(writer: RdbWriter, value: string): void {
  const bytes = Buffer.from(value, 'latin1')
  writer.size(bytes.length)
  writer.raw(bytes, 0, bytes.length)
}

const binary = (...pairs: readonly (readonly [string, number])[]) =>
  payload(BINARY_SCORES, (writer) => {
    writer.size(pairs.length)
    for (const [member, score] of pairs) {
      text(writer, member)
      writer.double(score)
    }
  })

const texts = (...pairs: readonly (readonly [string, string | number])[]) =>
  payload(TEXT_SCORES, (writer) => {
    writer.size(pairs.length)
    for (const [member, score] of pairs) {
      text(writer, member)
      if (typeof score === 'number') writer.byte(score)
      else {
        writer.byte(score.length)
        writer.raw(Buffer.from(score), 0, score.length)
      }
    }
  })

const packed = (type: number, bytes: Buffer) =>
  payload(type, (writer) => {
    writer.size(bytes.length)
    writer.raw(bytes, 0, bytes.length)
  })

/** A listpack of short strings. */
function listpack(...elements: readonly string[]): Buffer {
  const parts = elements.map((element) =>
    Buffer.from([0x80 | element.length, ...Buffer.from(element), element.length + 1]),
  )
  const size = 7 + parts.reduce((sum, part) => sum + part.length, 0)
  const head = Buffer.alloc(6)
  head.writeUInt32LE(size)
  head.writeUInt16LE(elements.length, 4)
  return Buffer.concat([head, ...parts, Buffer.of(0xff)])
}

suite('DUMP gives the listpack, or members from the highest down', (check) => {
  check('ZADD k 1 a 2.5 b', ':2')
  check(
    'DUMP k',
    '$"\\x11\\x14\\x14\\x00\\x00\\x00\\x04\\x00\\x81a\\x02\\x01\\x01\\x81b\\x02\\x832.5\\x04\\xff' +
      '\\n\\x00\\xd4Ln\\xa4\\xf6D\\xd9\\xd7"',
  )
  check('CONFIG SET zset-max-listpack-entries 1', '+OK')
  check('ZADD k 3 c', ':1')
  check(
    'DUMP k',
    '$"\\x05\\x03\\x01c\\x00\\x00\\x00\\x00\\x00\\x00\\x08@\\x01b\\x00\\x00\\x00\\x00\\x00\\x00\\x04@' +
      '\\x01a\\x00\\x00\\x00\\x00\\x00\\x00\\xf0?\\n\\x00&[\\x9a/\\x1d\\xe4\\xfea"',
  )
  check('CONFIG SET zset-max-listpack-entries 128', '+OK')
})

suite('RESTORE takes members and scores in all forms that versions have had', (check) => {
  check(['RESTORE', 'k', 0, binary(['b', 2], ['a', -0.5], ['', Infinity])], '+OK')
  check('ZRANGE k 0 -1 WITHSCORES', '*6 $a $-0.5 $b $2 $"" $inf')
  check('OBJECT ENCODING k', '$listpack')
  check(['RESTORE', 'l', 0, binary(['x'.repeat(65), 2], ['a', 1])], '+OK')
  check('OBJECT ENCODING l', '$skiplist')
  check(['RESTORE', 't', 0, texts(['b', '2'], ['a', '0.25'], ['c', 254], ['d', 255])], '+OK')
  check('ZRANGE t 0 -1 WITHSCORES', '*8 $d $-inf $a $0.25 $b $2 $c $inf')
  const old = ziplist('a', '1', '-7', '1.5', '12', '300', 'x'.repeat(100), '70000', 'z', '-inf')
  check(['RESTORE', 'n', 0, packed(ZIPLIST, ziplist('q', '-5', 'a', '12', '40000', '13'))], '+OK')
  check('ZRANGE n 0 -1 WITHSCORES', '*6 $q $-5 $a $12 $40000 $13')
  check('OBJECT ENCODING n', '$listpack')
  check.redbun(['RESTORE', 'o', 0, packed(ZIPLIST, old)], '+OK')
  check.redbun('ZRANGE o 0 1 WITHSCORES', '*4 $z $-inf $a $1')
  check(['RESTORE', 'p', 0, packed(LISTPACK, listpack('a', '1', 'b', '1.5'))], '+OK')
  check('ZRANGE p 0 -1 WITHSCORES', '*4 $a $1 $b $1.5')
})

suite(
  'the settings say which encoding restored values have',
  (check) => {
    check(['RESTORE', 'a', 0, packed(LISTPACK, listpack('a', '1', 'b', '2'))], '+OK')
    check('OBJECT ENCODING a', '$listpack')
    check(['RESTORE', 'b', 0, packed(LISTPACK, listpack('a', '1', 'b', '2', 'c', '3'))], '+OK')
    check('OBJECT ENCODING b', '$skiplist')
    check('ZRANGE b 0 -1 WITHSCORES', '*6 $a $1 $b $2 $c $3')
    check(['RESTORE', 'c', 0, binary(['a', 1], ['b', 2])], '+OK')
    check('OBJECT ENCODING c', '$listpack')
    check(['RESTORE', 'd', 0, binary(['a', 1], ['b', 2], ['c', 3])], '+OK')
    check('OBJECT ENCODING d', '$skiplist')
  },
  { config: { 'zset-max-listpack-entries': '2' } },
)

suite('RESTORE refuses what is no sorted set', (check) => {
  const forged = [
    binary(),
    binary(['a', 1], ['a', 2]),
    binary(['a', Number.NaN]),
    texts(),
    texts(['a', 253]),
    texts(['a', 'x']),
    texts(['a', '1'], ['a', '2']),
    packed(LISTPACK, listpack()),
    packed(LISTPACK, listpack('a')),
    packed(LISTPACK, listpack('a', 'x')),
    packed(LISTPACK, listpack('a', '2', 'b', '1.5')),
    packed(LISTPACK, listpack('b', '2.5', 'a', '2.5')),
    packed(LISTPACK, listpack('a', '1', 'a', '2')),
    packed(LISTPACK, listpack('a', '1', 'b')),
    packed(ZIPLIST, ziplist()),
    packed(ZIPLIST, ziplist('a')),
    packed(ZIPLIST, ziplist('a', 'x')),
    packed(ZIPLIST, ziplist('a', '1', 'a', '2')),
    packed(ZIPLIST, ziplist('a', '1').subarray(1)),
  ]
  for (const one of forged) check.redbun(['RESTORE', 'k', 0, one], BAD)
  check.redbun('EXISTS k', ':0')
  check.redbun('DEBUG ARENA-CHECK', /OK|\*0/i)
})
