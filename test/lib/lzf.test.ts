/**
 * LZF there and back, payloads of the real server, and damage.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: needs a server.
 */
import { describe, expect, test } from 'bun:test'
import { lzfCompress, lzfDecompress } from '../../src/lib/lzf.ts'
import { Random } from '../../src/lib/random.ts'

/** Name, text, and its DUMP by Redis 7.0.15. */
const REDIS_DUMPS: [string, string, string][] = [
  ['a run', 'a'.repeat(100), '00c3094064016161e057000161610a00e8a3b507b06df271'],
  [
    'a phrase',
    'hello world, '.repeat(10),
    '00c31540820d68656c6c6f20776f726c642c2068e0690c012c200a00e16c2ea7fdcd90db',
  ],
  [
    'two runs',
    'abcdefghij'.repeat(30) + 'Z'.repeat(300),
    '00c31d42580a6162636465666768696a61e0ff09e1100d005ae0ff00e01800015a5a0a005c3f3ca9b0098b3c',
  ],
]

function pack(source: Buffer, room: number): Buffer | undefined {
  const into = Buffer.alloc(room + 10, 0xee)
  const padded = Buffer.concat([Buffer.from('ab'), source, Buffer.from('aa')])
  const size = lzfCompress(padded, 2, source.length, into, 5, room)
  expect(size).toBeLessThanOrEqual(room)
  for (let i = 0; i < 5; i++) expect([into[i], into[5 + room + i]]).toEqual([0xee, 0xee])
  return size === 0 ? undefined : into.subarray(5, 5 + size)
}

function unpack(packed: Buffer, room: number): Buffer | undefined {
  const into = Buffer.alloc(room + 10, 0xee)
  const padded = Buffer.concat([Buffer.from('ab'), packed, Buffer.from('cd')])
  const size = lzfDecompress(padded, 2, packed.length, into, 5, room)
  for (let i = 0; i < 5; i++) expect([into[i], into[5 + room + i]]).toEqual([0xee, 0xee])
  return size < 0 ? undefined : into.subarray(5, 5 + size)
}

function randomText(random: Random, size: number): Buffer {
  const letters = 1 + random.below(20)
  const parts: number[] = []
  while (parts.length < size) {
    if (parts.length > 4 && random.below(3) === 0) {
      const from = random.below(parts.length)
      for (let n = random.below(400), i = 0; i < n; i++) parts.push(parts[from + i])
    } else parts.push(random.below(letters))
  }
  return Buffer.from(parts.slice(0, size))
}

describe('lzf', () => {
  test('gives back what it packed', () => {
    for (let seed = 1; seed <= 300; seed++) {
      const random = new Random(seed)
      const source = randomText(random, random.below(seed % 10 === 0 ? 30_000 : 600))
      const packed = pack(source, source.length + 1024)
      if (source.length === 0) expect(packed).toBeUndefined()
      else expect(unpack(packed as unknown as Buffer, source.length)?.equals(source)).toBe(true)
    }
  })

  test('says when what it packs does not fit, at every size', () => {
    const source = Buffer.from('hello hello hello hello, 0123456789 hello')
    const full = pack(source, 100)?.length ?? 0
    expect(full).toBeGreaterThan(0)
    expect(full).toBeLessThan(source.length)
    for (let room = 0; room < full; room++) expect(pack(source, room)).toBeUndefined()
    expect(pack(source, full)?.length).toBe(full)
  })

  test('makes long runs short', () => {
    expect(pack(Buffer.alloc(10_000, 'a'), 10_000)?.length).toBeLessThan(150)
    expect(pack(Buffer.from('abcdefghij'.repeat(1000)), 10_000)?.length).toBeLessThan(150)
  })

  for (const [name, text, dump] of REDIS_DUMPS) {
    test(`unpacks what Redis packed: ${name}`, () => {
      expect(unpack(packedPart(Buffer.from(dump, 'hex')), text.length)?.toString()).toBe(text)
    })
  }

  test('damage is found or harmless, never outside its room', () => {
    for (let seed = 1; seed <= 3000; seed++) {
      const random = new Random(seed)
      const packed = pack(randomText(random, 200), 1000) as unknown as Buffer
      const damaged = Buffer.from(packed.subarray(0, 1 + random.below(packed.length)))
      for (let n = random.below(4); n > 0; n--)
        damaged[random.below(damaged.length)] = random.below(256)
      const room = random.below(300)
      const result = unpack(damaged, room)
      if (result !== undefined) expect(result.length).toBeLessThanOrEqual(room)
    }
  })
})

/** Type, c3, packed length and length of 1 or 2 bytes each, the packed bytes, version, checksum. */
function packedPart(dump: Buffer): Buffer {
  const sizeAt = (offset: number) => (dump[offset] < 64 ? 1 : 2)
  const start = 2 + sizeAt(2)
  return dump.subarray(start + sizeAt(start), -10)
}
