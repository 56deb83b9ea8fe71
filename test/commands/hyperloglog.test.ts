/**
 * Rows for HyperLogLogs: the same elements make the same bytes everywhere, and the same counts.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: looks inside the server.
 */
import { sha1 } from '../../src/lib/sha1.ts'
import { suite } from '../support/check.ts'

const CORRUPT = '-INVALIDOBJ Corrupted HLL object detected'
const NO_HYPERLOGLOG = '-WRONGTYPE Key is not a valid HyperLogLog string value.'
const elements = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, i) => prefix + i)
const pfadd = (key: string, prefix: string, count: number) => [
  'PFADD',
  key,
  ...elements(prefix, count),
]

/** A long reply, by the SHA-1 of how it is written. */
const like = (sum: string) => (text: string) => sha1(Buffer.from(text)) === sum

suite('PFADD makes a HyperLogLog', (check) => {
  check('PFADD h', ':1')
  check('PFADD h', ':0')
  check('TYPE h', '+string')
  check('OBJECT ENCODING h', '$raw')
  check('GET h', '$"HYLL\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x80\\x7f\\xff"')
  check('PFCOUNT h', ':0')
  check('GET h', '$"HYLL\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x7f\\xff"')
  check('PFADD h a b c', ':1')
  check('PFADD h a c b', ':0')
  check('PFCOUNT h', ':3')
  check('PFDEBUG DECODE h', '$"Z:8436 v:1,1 Z:4274 v:2,1 Z:3068 v:1,1 Z:603"')
  check(
    'GET h',
    '$"HYLL\\x01\\x00\\x00\\x00\\x03\\x00\\x00\\x00\\x00\\x00\\x00\\x00`\\xf3\\x80P\\xb1\\x84K\\xfb\\x80BZ"',
  )
  check('PFADD h ""', ':1')
  check('PFCOUNT h', ':4')
  check('PFADD', "-ERR wrong number of arguments for 'pfadd' command")
})

suite('PFADD sees elements of any length alike everywhere', (check) => {
  const lengths = Array.from({ length: 40 }, (_, i) => 'xyzwvu'.repeat(10).slice(0, i))
  check(['PFADD', 'h', ...lengths], ':1')
  check('GET h', like('952951c0dabc8aa0f76103a41d2945f0216a3df1'))
  check(['PFADD', 'b', Buffer.from([0, 255, 128]), Buffer.alloc(9, 200), 'x'.repeat(100_000)], ':1')
  check('PFDEBUG DECODE b', '$"Z:1215 v:1,1 Z:552 v:2,1 Z:14486 v:2,1 Z:128"')
})

suite('a sparse HyperLogLog becomes dense when it is long', (check) => {
  for (let i = 0; i < 12; i++) check(pfadd('h', `${i}:`, 100), ':1')
  check('PFDEBUG ENCODING h', '+sparse')
  check('GET h', like('40626a47aa56148755ce2a6f727662af5025407e'))
  check('PFCOUNT h', ':1197')
  check(pfadd('h', 'more', 800), ':1')
  check('PFDEBUG ENCODING h', '+dense')
  check('STRLEN h', ':12304')
  check('GET h', like('672405462961ffc58301357384c978a0a968f038'))
  check('PFDEBUG GETREG h', like('1290a0605a2755bb838486213cb73020e44b8592'))
  check('PFDEBUG DECODE h', '-ERR HLL encoding is not sparse')
  check('PFCOUNT h', ':1980')
  check(pfadd('h', 'more', 800), ':0')
  check('GET h', like('1a83042df0b4f56e77ffd7767d4b55b053f5d718'))
})

suite(
  'hll-sparse-max-bytes limits a sparse HyperLogLog',
  (check) => {
    check('CONFIG SET hll-sparse-max-bytes 30', '+OK')
    check('PFADD h a b c', ':1')
    check('PFDEBUG ENCODING h', '+sparse')
    check('PFADD h d e', ':1')
    check('PFDEBUG ENCODING h', '+dense')
    check('PFCOUNT h', ':5')
    check('CONFIG SET hll-sparse-max-bytes 0', '+OK')
    check('PFADD g', ':1')
    check('PFDEBUG ENCODING g', '+sparse')
    check('PFADD g a', ':1')
    check('PFDEBUG ENCODING g', '+dense')
  },
  { config: { 'hll-sparse-max-bytes': '3000' } },
)

suite('PFCOUNT counts several together', (check) => {
  check(pfadd('a', 'x', 1000), ':1')
  check(pfadd('b', 'y', 1000), ':1')
  check(pfadd('c', 'x', 500), ':1')
  check('PFCOUNT a', ':1001')
  check('PFCOUNT b', ':992')
  check('PFCOUNT a b', ':1997')
  check('PFCOUNT a c', ':1001')
  check('PFCOUNT a b c none', ':1997')
  check('PFCOUNT none', ':0')
  check('PFCOUNT none other', ':0')
  check('EXISTS none', ':0')
  check(pfadd('d', 'z', 2500), ':1')
  check('PFDEBUG ENCODING d', '+dense')
  check('PFCOUNT d', ':2484')
  check('PFCOUNT a d', ':3467')
  check('PFCOUNT d b', ':3455')
  check('PFCOUNT', "-ERR wrong number of arguments for 'pfcount' command")
})

suite('PFMERGE takes in what others have seen', (check) => {
  check('PFADD a 1 2 3', ':1')
  check('PFADD b 3 4 5', ':1')
  check('PFMERGE d a b none', '+OK')
  check('PFCOUNT d', ':5')
  check(
    'PFDEBUG DECODE d',
    '$"Z:495 v:2,1 Z:2084 v:1,1 Z:4946 v:1,1 Z:3445 v:1,1 Z:4397 v:4,1 Z:1012"',
  )
  check('PFMERGE d', '+OK')
  check('PFCOUNT d', ':5')
  check('PFMERGE new', '+OK')
  check('PFCOUNT new', ':0')
  check('PFDEBUG DECODE new', '$Z:16384')
  check(pfadd('c', 'c', 700), ':1')
  check('PFMERGE d c', '+OK')
  check('GET d', like('ad759a7afcdb0556c490b6ba24b92683c6a70534'))
  check('PEXPIRE d 1000000', ':1')
  check(pfadd('big', 'z', 3000), ':1')
  check('PFMERGE d big a', '+OK')
  check('PFDEBUG ENCODING d', '+dense')
  check('GET d', like('4b8afd905b8348a62c72546d22a7afa5fcc0a2c9'))
  check('PFMERGE e a big', '+OK')
  check('GET e', like('72594d960986aa71ae483fe5020f1219be965776'))
  check('PFMERGE big big', '+OK')
  check('PFCOUNT big', ':2987')
  check('PERSIST d', ':1')
})

suite('PFMERGE of sparse ones is dense when they are too much together', (check) => {
  check(pfadd('a', 'a', 1300), ':1')
  check(pfadd('b', 'b', 1300), ':1')
  check('PFDEBUG ENCODING a', '+sparse')
  check('PFDEBUG ENCODING b', '+sparse')
  check('PFMERGE d a b', '+OK')
  check('PFDEBUG ENCODING d', '+dense')
  check('GET d', like('0616b2e798c9f8df6413f5f7c2c1f7d48777ee1f'))
})

suite('a HyperLogLog that is read and written as a string stays one', (check) => {
  check(pfadd('h', 'e', 50), ':1')
  check('COPY h c', ':1')
  check('PFADD c new', ':1')
  check('PFCOUNT h', ':50')
  check('PFCOUNT c', ':51')
  check(
    'SETRANGE s 0 "HYLL\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x7f\\xff"',
    ':18',
  )
  check('SET e "HYLL\\x01\\x00\\x00\\x00\\x05\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x7f\\xff"', '+OK')
  check('OBJECT ENCODING e', '$embstr')
  check('PFCOUNT e', ':5')
  check('OBJECT ENCODING e', '$raw')
  check('PFADD e x', ':1')
  check('PFCOUNT e', ':1')
  check('SET e "HYLL\\x01xyz\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\x7f\\x7f\\xff"', '+OK')
  check('PFCOUNT e', ':9223372036854775807')
  check('PEXPIRE e 1000000', ':1')
  check('PFDEBUG TODENSE e', ':1')
  check('PFDEBUG TODENSE e', ':0')
  check('PERSIST e', ':1')
  check('GETRANGE e 0 15', '$"HYLL\\x00xyz\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\x7f"')
})

suite('what is no HyperLogLog is refused', (check) => {
  check('SET s HYLLabcdefghijklmnop', '+OK')
  check('PFADD s a', NO_HYPERLOGLOG)
  check('PFCOUNT s', NO_HYPERLOGLOG)
  check('PFCOUNT none s', NO_HYPERLOGLOG)
  check('PFMERGE d s', NO_HYPERLOGLOG)
  check('PFMERGE s none', NO_HYPERLOGLOG)
  check('PFDEBUG GETREG s', NO_HYPERLOGLOG)
  check('SET s HYLL', '+OK')
  check('PFADD s a', NO_HYPERLOGLOG)
  check('SET s 12345', '+OK')
  check('PFADD s a', NO_HYPERLOGLOG)
  check('SET s "HYLL\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x7f\\xff"', '+OK')
  check('PFADD s a', NO_HYPERLOGLOG)
  check('RPUSH l a', ':1')
  check('PFADD l a', '-WRONGTYPE Operation against a key holding the wrong kind of value')
  check('PFCOUNT l', '-WRONGTYPE Operation against a key holding the wrong kind of value')
  check('PFDEBUG GETREG none', '-ERR The specified key does not exist')
  check('PFADD h a', ':1')
  check('PFDEBUG nonsense h', "-ERR Unknown PFDEBUG subcommand 'nonsense'")
  check('EXISTS d none', ':0')
})

suite('corrupt registers are an error', (check) => {
  const runs = (text: string) =>
    `SET k "HYLL\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x80${text}"`
  for (const text of [
    '',
    '\\x00',
    '\\x7f\\xff\\x00',
    '\\x7f\\xfe',
    '\\x80\\x7f\\xff',
    '\\xff\\xff',
  ]) {
    check(runs(text), '+OK')
    check('PFCOUNT k', CORRUPT)
    check('PFCOUNT k k', CORRUPT)
    check('PFMERGE d k', CORRUPT)
    check('PFMERGE k', CORRUPT)
    check('PFDEBUG TODENSE k', CORRUPT)
    check('PFDEBUG GETREG k', CORRUPT)
    check('PFDEBUG ENCODING k', '+sparse')
  }
  // Those that are there can be raised all the same.
  check(runs('\\x7f\\xfe'), '+OK')
  check('PFADD k a', ':1')
  check('PFDEBUG DECODE k', '$"Z:12711 v:2,1 Z:3671"')
  check(runs('\\x00'), '+OK')
  check('PFADD k a', CORRUPT)
})

suite('dense registers of any content have a count', (check) => {
  for (const [byte, count] of [
    [0x00, ':0'],
    [0xff, ':-9223372036854775808'],
    [0x55, ':24785312075'],
    [0x04, ':25637'],
  ] as const) {
    const value = Buffer.alloc(12304, byte)
    value.set(Buffer.from('HYLL'))
    value.fill(0, 4, 16)
    value[15] = 0x80
    check(['SET', 'k', value], '+OK')
    check('PFCOUNT k', count)
    check('PFCOUNT k', count)
    check('PFCOUNT k k', count)
  }
})
