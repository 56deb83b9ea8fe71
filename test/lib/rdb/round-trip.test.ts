/**
 * What the writer writes, the reader reads; what nobody wrote, it refuses.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: starts a server.
 */
import { describe, expect, test } from 'bun:test'
import { payloadEnd, sealPayload } from '../../../src/lib/rdb/payload.ts'
import { RDB_CORRUPT, RdbReader } from '../../../src/lib/rdb/reader.ts'
import { RdbWriter } from '../../../src/lib/rdb/writer.ts'
import { seededRandom } from '../../memory/seeded-random.ts'

function readerOf(source: Uint8Array): RdbReader {
  const memory = new ArrayBuffer((source.length + 7) & ~3)
  const bytes = Buffer.from(memory)
  bytes.set(source)
  const reader = new RdbReader()
  reader.open(bytes, new Int32Array(memory), 0, source.length)
  return reader
}

function written(write: (writer: RdbWriter) => void): Buffer {
  const writer = new RdbWriter(1)
  write(writer)
  return Buffer.from(writer.bytes.subarray(0, writer.length))
}

function writtenString(text: string, compress = true): Buffer {
  return written((writer) => {
    writer.compress = compress
    writer.string(Buffer.from(text, 'latin1'), 0, text.length)
  })
}

function readString(reader: RdbReader): string {
  reader.string()
  const { stringBytes, stringOffset, stringLength } = reader
  return stringBytes.latin1Slice(stringOffset, stringOffset + stringLength)
}

/** What reading throws, undefined when it does not. */
function thrownBy(read: () => unknown): unknown {
  try {
    read()
  } catch (error) {
    return error
  }
  return undefined
}

describe('sizes', () => {
  test('take the fewest bytes that hold them', () => {
    const rows: [number, string][] = [
      [0, '00'],
      [63, '3f'],
      [64, '4040'],
      [16383, '7fff'],
      [16384, '8000004000'],
      [0xffffffff, '80ffffffff'],
      [0x100000000, '810000000100000000'],
      [Number.MAX_SAFE_INTEGER, '81001fffffffffffff'],
    ]
    for (const [value, hex] of rows) {
      const bytes = written((writer) => writer.size(value))
      expect(bytes.toString('hex')).toBe(hex)
      expect(readerOf(bytes).size()).toBe(value)
    }
  })

  test('of 64 bits come back in two words', () => {
    for (const [high, low] of [
      [0, 5],
      [0, -1],
      [1, 0],
      [-1, -1],
      [0x7fffffff, -2],
    ]) {
      const reader = readerOf(written((writer) => writer.size64(high, low)))
      reader.size64()
      expect([reader.high, reader.low]).toEqual([high, low])
    }
  })

  test('that no number can hold are refused', () => {
    expect(thrownBy(() => readerOf(Buffer.from('81ffffffffffffffff', 'hex')).size())).toBe(
      RDB_CORRUPT,
    )
  })

  test('as counts are refused beyond what the bytes can hold', () => {
    expect(readerOf(Buffer.from('0200000000', 'hex')).count(2)).toBe(2)
    expect(thrownBy(() => readerOf(Buffer.from('0300000000', 'hex')).count(2))).toBe(RDB_CORRUPT)
  })
})

describe('an empty string', () => {
  test('is no number, whatever lies behind it', () => {
    for (const behind of ['', '-', '-5', '7']) {
      const bytes = written((writer) => writer.string(Buffer.from(behind), 0, 0))
      expect(bytes.toString('hex')).toBe('00')
    }
  })
})

describe('fixed fields', () => {
  test('come back', () => {
    const reader = readerOf(
      written((writer) => {
        writer.byte(200)
        writer.uint16(65535)
        writer.uint32(0xfffffffe)
        writer.int64(-2, 7)
        writer.milliseconds(1_700_000_000_123)
        writer.milliseconds(-5)
        writer.double(-1.5e300)
        writer.double(Number.NEGATIVE_INFINITY)
      }),
    )
    expect(reader.byte()).toBe(200)
    expect(reader.uint16()).toBe(65535)
    expect(reader.uint32()).toBe(0xfffffffe)
    reader.int64()
    expect([reader.high, reader.low]).toEqual([-2, 7])
    expect(reader.milliseconds()).toBe(1_700_000_000_123)
    expect(reader.milliseconds()).toBe(-5)
    expect(reader.double()).toBe(-1.5e300)
    expect(reader.double()).toBe(Number.NEGATIVE_INFINITY)
    expect(reader.left).toBe(0)
  })
})

describe('strings', () => {
  test('that are 32-bit integers take one, two or four bytes', () => {
    const rows: [string, string][] = [
      ['0', 'c000'],
      ['-1', 'c0ff'],
      ['127', 'c07f'],
      ['-128', 'c080'],
      ['128', 'c18000'],
      ['-32768', 'c10080'],
      ['32768', 'c200800000'],
      ['2147483647', 'c2ffffff7f'],
      ['-2147483648', 'c200000080'],
    ]
    for (const [text, hex] of rows) {
      expect(writtenString(text).toString('hex')).toBe(hex)
      expect(readString(readerOf(Buffer.from(hex, 'hex')))).toBe(text)
    }
  })

  test('that only look like integers stay as they are', () => {
    for (const text of [
      '',
      '-',
      '-0',
      '00',
      '+1',
      ' 1',
      '1a',
      '2147483648',
      '-2147483649',
      '1.0',
    ]) {
      const bytes = writtenString(text)
      expect(bytes.toString('latin1')).toBe(String.fromCharCode(text.length) + text)
      expect(readString(readerOf(bytes))).toBe(text)
    }
  })

  test('are compressed from 21 bytes on, where that pays', () => {
    expect(writtenString('a'.repeat(20))[0]).toBe(20)
    expect(writtenString('a'.repeat(21))[0]).toBe(0xc3)
    expect(writtenString('a'.repeat(21), false)[0]).toBe(21)
    expect(writtenString('abcdefghijklmnopqrstuvwxyz')[0]).toBe(26)
  })

  test('of any length come back', () => {
    const random = seededRandom(5, 'rdb strings')
    for (let i = 0; i < 400; i++) {
      const length = Math.floor(random() ** 3 * 70_000)
      const variety = 1 + Math.floor(random() * 255)
      const bytes = Buffer.alloc(length)
      for (let at = 0; at < length; at++) bytes[at] = Math.floor(random() * variety)
      const text = bytes.toString('latin1')
      const reader = readerOf(writtenString(text, random() < 0.8))
      expect(readString(reader) === text).toBe(true)
      expect(reader.left).toBe(0)
    }
  })

  test('are aligned in memory that words can be read from, once unpacked', () => {
    const reader = readerOf(writtenString('abc'.repeat(100)))
    reader.string()
    expect(reader.stringBytes.buffer).toBe(reader.stringWords.buffer)
    expect(reader.stringOffset & 3).toBe(0)
  })
})

describe('damage', () => {
  test('a value cut at any byte is refused', () => {
    for (const text of ['12', '1234', '123456', 'plain text', 'squeeze '.repeat(40)]) {
      const bytes = writtenString(text)
      for (let length = 0; length < bytes.length; length++) {
        expect(thrownBy(() => readString(readerOf(bytes.subarray(0, length))))).toBe(RDB_CORRUPT)
      }
    }
  })

  test('a forged length reserves no memory', () => {
    const forged = Buffer.from('c3' + '05' + '81000000ffffffffff' + '0000000000', 'hex')
    expect(thrownBy(() => readString(readerOf(forged)))).toBe(RDB_CORRUPT)
    const zero = Buffer.from('c3' + '01' + '00' + '00', 'hex')
    expect(thrownBy(() => readString(readerOf(zero)))).toBe(RDB_CORRUPT)
  })

  test('random bytes are read or refused, never more', () => {
    const random = seededRandom(6, 'rdb garbage')
    for (let i = 0; i < 20_000; i++) {
      const bytes = Buffer.alloc(Math.floor(random() * 40))
      for (let at = 0; at < bytes.length; at++) bytes[at] = Math.floor(random() * 256)
      if (bytes.length > 0 && i % 2 === 0) bytes[0] |= 0xc0
      const reader = readerOf(bytes)
      const thrown = thrownBy(() => readString(reader))
      expect(thrown === undefined || thrown === RDB_CORRUPT).toBe(true)
      expect(reader.offset).toBeLessThanOrEqual(bytes.length)
    }
  })
})

describe('payloads', () => {
  test('end in version and checksum, and are refused when a bit is wrong', () => {
    const payload = written((writer) => {
      writer.byte(0)
      writer.string(Buffer.from('hello'), 0, 5)
      sealPayload(writer, 10)
    })
    expect(payload.subarray(0, 9).toString('latin1')).toBe('\x00\x05hello\x0a\x00')
    expect(payloadEnd(payload, 0, payload.length, true)).toBe(7)
    for (let bit = 0; bit < payload.length * 8; bit++) {
      const damaged = Buffer.from(payload)
      damaged[bit >> 3] ^= 1 << (bit & 7)
      expect(payloadEnd(damaged, 0, damaged.length, true)).toBe(-1)
    }
    for (let length = 0; length < payload.length; length++) {
      expect(payloadEnd(payload, 0, length, true)).toBe(-1)
    }
  })

  test('of servers up to 7.4 are read, of later ones refused', () => {
    const sealed = (version: number) =>
      written((writer) => {
        writer.byte(0)
        writer.size(0)
        sealPayload(writer, version)
      })
    expect(payloadEnd(sealed(6), 0, 12, true)).toBe(2)
    expect(payloadEnd(sealed(12), 0, 12, true)).toBe(2)
    expect(payloadEnd(sealed(13), 0, 12, true)).toBe(-1)
  })
})
