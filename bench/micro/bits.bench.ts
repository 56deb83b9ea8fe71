/**
 * Counting the bits of a bitmap, alone on one thread.
 *
 *   bytes (one buffer) ──▶ count          by carry-save adding, and word by word
 *
 * Goals: time of counting 64 bytes, 4 KiB and 1 MiB; how much carry-save adding gains.
 * Non-goals: finding the bitmap; single bits.
 *
 * `bun bench/micro/bits.bench.ts`; BENCH_SMOKE=1 runs each a few times, silently.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: prints a number whose result was not verified.
 */
import { countBits } from '../../src/core/types/bitmap/bits.ts'
import { Random } from '../../src/lib/random.ts'
import { finish, measure } from './measure.ts'

function countWord(word: number): number {
  let x = word - ((word >>> 1) & 0x55555555)
  x = (x & 0x33333333) + ((x >>> 2) & 0x33333333)
  return Math.imul((x + (x >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}

function compare(name: string, size: number): void {
  const memory = new SharedArrayBuffer(size)
  const bytes = Buffer.from(memory)
  const words = new Int32Array(memory)
  const random = new Random(size)
  let expected = 0
  for (let i = 0; i < size; i++) {
    bytes[i] = random.below(256)
    for (let byte = bytes[i]; byte !== 0; byte >>= 1) expected += byte & 1
  }
  measure(`${name}: carry-save`, expected, () => countBits(bytes, words, 0, size))
  measure(`${name}: word by word`, expected, () => {
    let count = 0
    for (let at = 0; at < size >> 2; at++) count += countWord(words[at])
    return count
  })
}

compare('64 bytes', 64)
compare('4 KiB', 4096)
compare('1 MiB', 1024 * 1024)
await finish()
