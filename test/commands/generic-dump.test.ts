/**
 * DUMP and RESTORE: payloads that any Redis gives and takes.
 *
 * Thread: any.
 * Owns: rows, and payloads that Redis 7.0.15 made.
 * Never: takes a payload on trust.
 */
import { describe } from 'bun:test'
import { sealPayload } from '../../src/lib/rdb/payload.ts'
import { RdbWriter } from '../../src/lib/rdb/writer.ts'
import { between, save, suite } from '../support/check.ts'

const ABAB = 'ab'.repeat(50)
const LOREM = 'lorem ipsum dolor sit amet '.repeat(20)
const FAR_MS = 9_999_999_999_999

/** Values and what DUMP makes of them, where there is only one way. */
const EXACT: readonly (readonly [value: string, hex: string])[] = [
  ['1', '00c0010a002678e7b6d10111fc'],
  ['-300', '00c1d4fe0a00c6c48623febede2e'],
  ['70000', '00c2701101000a0001a408fe953095a5'],
  ['12345678901', '000b31323334353637383930310a00304e52d727176510'],
  ['hello', '000568656c6c6f0a006372df766534200a'],
  ['', '00000a005d9b5c400f7fa2da'],
  ['9223372036854775807', '0013393232333337323033363835343737353830370a003a657e9481e85f22'],
  ['\x00\xff\r\n', '000400ff0d0a0a008d10d19e4216ec65'],
  ['x'.repeat(20), '001478787878787878787878787878787878787878780a005b3c81eca58cc56b'],
]
/** Compressed: there are several ways. */
const PACKED: readonly (readonly [value: string, hex: string])[] = [
  [ABAB, '00c30a406402616261e056010161620a0017383d942096d863'],
  [
    LOREM,
    '00c327421c1a6c6f72656d20697073756d20646f6c6f722073697420616d657420200ce0ff1ae1eb0d0174200a00bdcde060078d4dec',
  ],
]

const HELLO = Buffer.from('000568656c6c6f0a006372df766534200a', 'hex')
const BAD_PAYLOAD = '-ERR DUMP payload version or checksum are wrong'
const BAD_DATA = '-ERR Bad data format'

function bytesOf(value: string): Buffer {
  return Buffer.from(value, 'latin1')
}

/** A payload with a right checksum around whatever bytes. */
function forged(hex: string): Buffer {
  const writer = new RdbWriter()
  const bytes = Buffer.from(hex, 'hex')
  writer.raw(bytes, 0, bytes.length)
  sealPayload(writer, 10)
  return Buffer.from(writer.bytes.subarray(0, writer.length))
}

describe('DUMP', () => {
  suite('gives the bytes that Redis gives', (check) => {
    check('DUMP nokey', '(nil)')
    for (const [value, hex] of EXACT) {
      check(['SET', 'k', bytesOf(value)], '+OK')
      check(
        'DUMP k',
        save('payload', (_text, saved) => bytesOf(saved.payload).toString('hex') === hex),
      )
    }
  })

  suite('compresses unless told not to', (check) => {
    check(['SET', 'k', LOREM], '+OK')
    check(
      'DUMP k',
      save('payload', (_text, saved) => saved.payload.length < 100),
    )
    check('CONFIG SET rdbcompression no', '+OK')
    check(
      'DUMP k',
      save('payload', (_text, saved) => saved.payload.length === LOREM.length + 13),
    )
    check('CONFIG SET rdbcompression yes', '+OK')
  })

  suite('gives what RESTORE takes, whatever the value', (check) => {
    let at = 0
    for (const size of [0, 1, 11, 12, 20, 21, 43, 44, 45, 63, 64, 1000, 16_383, 16_384, 100_000]) {
      for (const unit of ['7', 'ab', 'The quick brown fox. ', '\x00\xfe\xff']) {
        const value = bytesOf(unit.repeat(size).slice(0, size))
        const name = `k${at++}`
        check(['SET', name, value], '+OK')
        check(['DUMP', name], save('payload'))
        check((saved) => ['RESTORE', 'copy', 0, bytesOf(saved.payload), 'REPLACE'], '+OK')
        check('DEBUG DIGEST-VALUE copy', save('digest'))
        check(['DEBUG', 'DIGEST-VALUE', name], (text, saved) =>
          text.includes(saved.digest.slice(-40)),
        )
      }
    }
  })
})

describe('RESTORE', () => {
  suite('takes the bytes that Redis gives', (check) => {
    for (const [value, hex] of [...EXACT, ...PACKED]) {
      check('DEL k', (text) => text.startsWith(':'))
      check(['RESTORE', 'k', 0, Buffer.from(hex, 'hex')], '+OK')
      check(
        'GET k',
        save('value', (_text, saved) => saved.value === value),
      )
      check('TTL k', ':-1')
    }
  })

  suite('gives values the encoding that SET gives', (check) => {
    check(['RESTORE', 'i', 0, Buffer.from(EXACT[0][1], 'hex')], '+OK')
    check(['RESTORE', 'big', 0, Buffer.from(EXACT[6][1], 'hex')], '+OK')
    check(['RESTORE', 'e', 0, HELLO], '+OK')
    check(['RESTORE', 'r', 0, Buffer.from(PACKED[0][1], 'hex')], '+OK')
    check('OBJECT ENCODING i', '$int')
    check('OBJECT ENCODING big', '$int')
    check('OBJECT ENCODING e', '$embstr')
    check('OBJECT ENCODING r', '$raw')
    check('INCR i', ':2')
    check('APPEND r x', ':101')
  })

  suite('sets a deadline', (check) => {
    check(['RESTORE', 'k', 5000, HELLO], '+OK')
    check('PTTL k', between(3000, 5000))
    check(['RESTORE', 'k', FAR_MS, HELLO, 'ABSTTL', 'REPLACE'], '+OK')
    check('PEXPIRETIME k', `:${FAR_MS}`)
    check(['RESTORE', 'k', 0, HELLO, 'ABSTTL', 'REPLACE'], '+OK')
    check('TTL k', ':-1')
    check(['RESTORE', 'k', 40, HELLO, 'REPLACE'], '+OK')
    check.wait(80)
    check('EXISTS k', ':0')
  })

  suite('makes nothing of a value whose time is over, and takes away what was there', (check) => {
    check(['RESTORE', 'k', 1000, HELLO, 'ABSTTL'], '+OK')
    check('EXISTS k', ':0')
    check('SET k v', '+OK')
    check(['RESTORE', 'k', 1000, HELLO, 'ABSTTL', 'REPLACE'], '+OK')
    check('EXISTS k', ':0')
  })

  suite('leaves a key that is there unless told to replace it', (check) => {
    check('SET k v EX 100', '+OK')
    check(['RESTORE', 'k', 0, HELLO], '-BUSYKEY Target key name already exists.')
    check('GET k', '$v')
    check(['RESTORE', 'k', 0, HELLO, 'replace'], '+OK')
    check('GET k', '$hello')
    check('TTL k', ':-1')
    check('SET old v PX 20', '+OK')
    check.wait(50)
    check(['RESTORE', 'old', 0, HELLO], '+OK')
  })

  suite('sets how long a key has been idle', (check) => {
    check(['RESTORE', 'k', 0, HELLO, 'IDLETIME', 500], '+OK')
    check('OBJECT IDLETIME k', between(500, 502))
    check(['RESTORE', 'l', 0, HELLO, 'FREQ', 100], '+OK')
    check('OBJECT IDLETIME l', between(0, 1))
    check(['RESTORE', 'm', 0, HELLO, 'IDLETIME', 100_000_000], '+OK')
    // Longer than the clock can tell.
    check('OBJECT IDLETIME m', between(16_113_919, 16_113_922))
  })

  suite('refuses options that are none', (check) => {
    check(['RESTORE', 'k', 0, HELLO, 'IDLETIME', -1], '-ERR Invalid IDLETIME value, must be >= 0')
    check(
      ['RESTORE', 'k', 0, HELLO, 'FREQ', 256],
      '-ERR Invalid FREQ value, must be >= 0 and <= 255',
    )
    check(
      ['RESTORE', 'k', 0, HELLO, 'FREQ', -1],
      '-ERR Invalid FREQ value, must be >= 0 and <= 255',
    )
    check(['RESTORE', 'k', 0, HELLO, 'FREQ', 'x'], '-ERR value is not an integer or out of range')
    check(['RESTORE', 'k', 0, HELLO, 'FREQ', 1, 'IDLETIME', 1], '-ERR syntax error')
    check(['RESTORE', 'k', 0, HELLO, 'IDLETIME'], '-ERR syntax error')
    check(['RESTORE', 'k', 0, HELLO, 'FOO'], '-ERR syntax error')
    check(['RESTORE', 'k', -1, HELLO], '-ERR Invalid TTL value, must be >= 0')
    check(['RESTORE', 'k', 'x', HELLO], '-ERR value is not an integer or out of range')
    check('RESTORE k 0', "-ERR wrong number of arguments for 'restore' command")
    check('EXISTS k', ':0')
  })

  suite('refuses a payload with any bit wrong, and any part of one', (check) => {
    check('SET k v', '+OK')
    for (let bit = 0; bit < HELLO.length * 8; bit++) {
      const damaged = Buffer.from(HELLO)
      damaged[bit >> 3] ^= 1 << (bit & 7)
      check(['RESTORE', 'k', 0, damaged, 'REPLACE'], BAD_PAYLOAD)
    }
    for (let size = 0; size < HELLO.length; size++) {
      check(['RESTORE', 'k', 0, HELLO.subarray(0, size), 'REPLACE'], BAD_PAYLOAD)
    }
    check('GET k', '$v')
  })

  suite('refuses what a right checksum was put around', (check) => {
    check('SET k v', '+OK')
    // No such type; no value; a string in no known form; compressed bytes that are none.
    for (const hex of ['fe', '08', '6405', '', '00', '00c4', '00c30102ff41', '00c30a4064026162']) {
      check(['RESTORE', 'k', 0, forged(hex), 'REPLACE'], BAD_DATA)
    }
    // Lengths beyond all memory.
    for (const hex of ['0080ffffffff', '008100ffffffffffffff', '0081ffffffffffffffff']) {
      check.redbun(['RESTORE', 'k', 0, forged(hex), 'REPLACE'], BAD_DATA)
      check.redbun(['RESTORE', 'k', 0, forged(`00c303${hex.slice(2)}414243`), 'REPLACE'], BAD_DATA)
    }
    check('GET k', '$v')
    check('PING', '+PONG')
  })

  suite('is the same under its other name', (check) => {
    check(['RESTORE-ASKING', 'k', 0, HELLO], '+OK')
    check('GET k', '$hello')
    check(['RESTORE-ASKING', 'k', 0, HELLO], '-BUSYKEY Target key name already exists.')
  })
})
