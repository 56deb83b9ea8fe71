/**
 * Rows for sets that come by RESTORE: the encodings that they get, those of older and newer versions,
 * and bytes that are no set.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: looks inside the server; gives real Redis what only we are sure to refuse.
 */
import { sealPayload } from '../../src/lib/rdb/payload.ts'
import { RdbWriter } from '../../src/lib/rdb/writer.ts'
import { suite, unordered } from '../support/check.ts'

const MEMBERS = 2
const INTSET = 11
const LISTPACK = 20
const BAD = '-ERR Bad data format'

const numbers = (count: number) => Array.from({ length: count }, (_, i) => `${i}`)

function payload(type: number, fill: (writer: RdbWriter) => void, version = 10): Buffer {
  const writer = new RdbWriter()
  writer.compress = false
  writer.byte(type)
  fill(writer)
  sealPayload(writer, version)
  return Buffer.from(writer.bytes.subarray(0, writer.length))
}

function text(writer: RdbWriter, bytes: Buffer): void {
  writer.size(bytes.length)
  writer.raw(bytes, 0, bytes.length)
}

const members = (...texts: readonly string[]) =>
  payload(MEMBERS, (writer) => {
    writer.size(texts.length)
    for (const one of texts) text(writer, Buffer.from(one))
  })

const wrapped = (type: number, bytes: Buffer, version = 10) =>
  payload(type, (writer) => text(writer, bytes), version)

/** `width`: bytes of an integer. */
function intset(width: number, ...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(8 + width * values.length)
  bytes.writeUInt32LE(width, 0)
  bytes.writeUInt32LE(values.length, 4)
  values.forEach((value, i) => {
    const at = 8 + width * i
    if (width === 8) bytes.writeBigInt64LE(BigInt(value), at)
    else bytes.writeIntLE(value, at, width)
  })
  return bytes
}

/** Of short strings and of integers up to 127. */
function listpack(...values: readonly (string | number)[]): Buffer {
  const elements = values.map((value) =>
    typeof value === 'number'
      ? Buffer.of(value, 1)
      : Buffer.concat([
          Buffer.of(0x80 | value.length),
          Buffer.from(value),
          Buffer.of(value.length + 1),
        ]),
  )
  const body = Buffer.concat(elements)
  const head = Buffer.alloc(6)
  head.writeUInt32LE(6 + body.length + 1, 0)
  head.writeUInt16LE(values.length, 4)
  return Buffer.concat([head, body, Buffer.of(0xff)])
}

suite('RESTORE gives a set the encoding that its members allow', (check) => {
  check(['RESTORE', 'a', '0', members('3', '1', '2')], '+OK')
  check('SMEMBERS a', '*3 $1 $2 $3')
  check('OBJECT ENCODING a', '$intset')
  check(['RESTORE', 'b', '0', members('3', 'x', '2')], '+OK')
  check('SMEMBERS b', unordered('*3 $2 $3 $x'))
  check('OBJECT ENCODING b', '$hashtable')
  check(['RESTORE', 'c', '0', members(...numbers(512))], '+OK')
  check('OBJECT ENCODING c', '$intset')
  check(['RESTORE', 'd', '0', members(...numbers(513))], '+OK')
  check('OBJECT ENCODING d', '$hashtable')
  check('SCARD d', ':513')
  check(['RESTORE', 'e', '0', wrapped(INTSET, intset(2, -5, 7))], '+OK')
  check('SMEMBERS e', '*2 $-5 $7')
  check('OBJECT ENCODING e', '$intset')
  check(['RESTORE', 'f', '0', wrapped(INTSET, intset(8, -5, 7, 2 ** 40))], '+OK')
  check('SMEMBERS f', '*3 $-5 $7 $1099511627776')
  check('SADD f 8', ':1')
  check('SMEMBERS f', '*4 $-5 $7 $8 $1099511627776')
})

suite(
  'RESTORE follows the limit of intsets',
  (check) => {
    check(['RESTORE', 'a', '0', members('3', '1')], '+OK')
    check('OBJECT ENCODING a', '$intset')
    check(['RESTORE', 'b', '0', members('3', '1', '2')], '+OK')
    check('OBJECT ENCODING b', '$hashtable')
    check(['RESTORE', 'c', '0', wrapped(INTSET, intset(4, 1, 2))], '+OK')
    check('OBJECT ENCODING c', '$intset')
    check(['RESTORE', 'd', '0', wrapped(INTSET, intset(4, 1, 2, 100_000))], '+OK')
    check('OBJECT ENCODING d', '$hashtable')
    check('SMEMBERS d', unordered('*3 $1 $2 $100000'))
  },
  { config: { 'set-max-intset-entries': '2' } },
)

suite('RESTORE takes the small sets of Redis 7.2', (check) => {
  check.redbun(['RESTORE', 'a', '0', wrapped(LISTPACK, listpack('x', 1, 'y'), 11)], '+OK')
  check.redbun('SMEMBERS a', unordered('*3 $x $1 $y'))
  check.redbun('OBJECT ENCODING a', '$hashtable')
  check.redbun(['RESTORE', 'b', '0', wrapped(LISTPACK, listpack(5, 1), 11)], '+OK')
  check.redbun('SMEMBERS b', '*2 $1 $5')
  check.redbun('OBJECT ENCODING b', '$intset')
  check.redbun(['RESTORE', 'c', '0', wrapped(LISTPACK, listpack('x', 'x'), 11)], BAD)
  check.redbun(['RESTORE', 'c', '0', wrapped(LISTPACK, listpack(), 11)], BAD)
  check.redbun(['RESTORE', 'c', '0', wrapped(LISTPACK, listpack('x').subarray(1), 11)], BAD)
  check.redbun('EXISTS c', ':0')
})

suite('RESTORE refuses what is no set', (check) => {
  for (const bytes of [
    members(),
    members('a', 'a'),
    wrapped(INTSET, intset(2)),
    wrapped(INTSET, intset(2, 1, 1)),
    wrapped(INTSET, intset(2, 2, 1)),
    wrapped(INTSET, intset(4, 1, 2).subarray(0, 15)),
    wrapped(INTSET, Buffer.concat([intset(4, 1, 2), Buffer.alloc(4)])),
    wrapped(INTSET, Buffer.of(3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0)),
    wrapped(INTSET, Buffer.of(8, 0, 0, 0, 255, 255, 255, 255)),
    payload(MEMBERS, (writer) => writer.size(2 ** 40)),
    payload(MEMBERS, (writer) => writer.size(3)),
  ]) {
    check.redbun(['RESTORE', 'k', '0', bytes], BAD)
    check.redbun('EXISTS k', ':0')
  }
  check.redbun(['RESTORE', 'k', '0', members('1', '1')], BAD)
})
