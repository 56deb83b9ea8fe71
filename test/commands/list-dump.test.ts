/**
 * Rows for lists that come by RESTORE: what DUMP gives, the encodings of older versions, and bytes
 * that are no list.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: looks inside the server; gives real Redis what only we are sure to refuse.
 */
import { sealPayload } from '../../src/lib/rdb/payload.ts'
import { RdbWriter } from '../../src/lib/rdb/writer.ts'
import { suite } from '../support/check.ts'
import { ziplist } from '../support/ziplist.ts'

const TEXTS = 1
const ZIPLIST = 10
const ZIPLIST_NODES = 14
const NODES = 18
const PLAIN = 1
const PACKED = 2
const BAD = '-ERR Bad data format'
const LONG = 'x'.repeat(5000)

function payload(type: number, fill: (writer: RdbWriter) => void): Buffer {
  const writer = new RdbWriter()
  writer.compress = false
  writer.byte(type)
  fill(writer)
  sealPayload(writer, 10)
  return Buffer.from(writer.bytes.subarray(0, writer.length))
}

function bytes(writer: RdbWriter, value: Buffer): void {
  writer.size(value.length)
  writer.raw(value, 0, value.length)
}

const texts = (...elements: readonly string[]) =>
  payload(TEXTS, (writer) => {
    writer.size(elements.length)
    for (const element of elements) bytes(writer, Buffer.from(element, 'latin1'))
  })

const ziplists = (...nodes: readonly Buffer[]) =>
  payload(ZIPLIST_NODES, (writer) => {
    writer.size(nodes.length)
    for (const node of nodes) bytes(writer, node)
  })

const nodes = (...parts: readonly (readonly [container: number, value: Buffer])[]) =>
  payload(NODES, (writer) => {
    writer.size(parts.length)
    for (const [container, value] of parts) {
      writer.size(container)
      bytes(writer, value)
    }
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

suite(
  'DUMP gives the nodes as they are',
  (check) => {
    check('RPUSH k a 1 b', ':3')
    check(
      'DUMP k',
      '$"\\x12\\x02\\x02\\x0c\\x0c\\x00\\x00\\x00\\x02\\x00\\x81a\\x02\\x01\\x01\\xff' +
        '\\x02\\n\\n\\x00\\x00\\x00\\x01\\x00\\x81b\\x02\\xff\\n\\x00\\x03=L\\xf7\\xb9\\x16\\xf0?"',
    )
    check('DEBUG QUICKLIST-PACKED-THRESHOLD 3b', '+OK')
    check('DEL k', ':1')
    check('RPUSH k abc', ':1')
    check('DUMP k', '$"\\x12\\x01\\x01\\x03abc\\n\\x00\\x0c7h\\xde\\x93`\\x19Z"')
    check('DEBUG QUICKLIST-PACKED-THRESHOLD 0', '+OK')
  },
  { config: { 'list-max-listpack-size': '2' } },
)

suite('RESTORE takes the lists of all versions', (check) => {
  check(['RESTORE', 't', '0', texts('a', '17', LONG, '')], '+OK')
  check('LRANGE t 0 -1', `*4 $a $17 $${LONG} $""`)
  check('DEBUG OBJECT t', /ql_nodes:1 /)
  check(
    ['RESTORE', 'z', '0', payload(ZIPLIST, (w) => bytes(w, ziplist('a', '-70000', LONG)))],
    '+OK',
  )
  check('LRANGE z 0 -1', `*3 $a $-70000 $${LONG}`)
  check('DEBUG OBJECT z', /ql_nodes:1 /)
  check(['RESTORE', 'q', '0', ziplists(ziplist('a', '12'), ziplist(), ziplist('b'))], '+OK')
  check('LRANGE q 0 -1', '*3 $a $12 $b')
  check('DEBUG OBJECT q', /ql_nodes:2 /)
  const parts = [
    [PACKED, listpack('a', 'b')],
    [PLAIN, Buffer.from('large')],
    [PACKED, listpack()],
    [PACKED, listpack('c')],
  ] as const
  check(['RESTORE', 'n', '0', nodes(...parts)], '+OK')
  check('LRANGE n 0 -1', '*4 $a $b $large $c')
  check('DEBUG OBJECT n', /ql_nodes:3 /)
  check('LPOS n large', ':2')
  check('LINSERT n AFTER large d', ':5')
  check('RPUSH n e', ':6')
  check('LREM n 0 large', ':1')
  check('LRANGE n 0 -1', '*5 $a $b $d $c $e')
  for (const key of ['t', 'z', 'q', 'n']) check(`OBJECT ENCODING ${key}`, '$quicklist')
})

suite('RESTORE refuses what is no list', (check) => {
  const wrongCount = listpack('a', 'b')
  wrongCount[4] = 3
  const wrongSize = listpack('a')
  wrongSize[0]++
  const wrongZiplist = ziplist('a', 'b')
  wrongZiplist[8] = 3
  const bad = [
    texts(),
    ziplists(),
    ziplists(ziplist()),
    nodes(),
    nodes([PACKED, listpack()]),
    nodes([3, listpack('a')]),
    nodes([PACKED, wrongCount]),
    nodes([PACKED, wrongSize]),
    nodes([PACKED, Buffer.from('short')]),
    ziplists(wrongZiplist),
    payload(ZIPLIST, (writer) => bytes(writer, wrongZiplist)),
    payload(NODES, (writer) => writer.size(0xffffffff)),
    payload(TEXTS, (writer) => writer.size(2 ** 40)),
  ]
  for (const value of bad) check.redbun(['RESTORE', 'k', '0', value], BAD)
  check('EXISTS k', ':0')
  check.redbun('DEBUG ARENA-CHECK', '+OK')
})
