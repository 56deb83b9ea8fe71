/**
 * Reading an append-only file: whole, cut at every byte, damaged at every bit.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: feeds a byte twice.
 */
import { describe, expect, test } from 'bun:test'
import {
  AOF_BAD,
  AOF_COMMAND,
  AOF_MORE,
  AofCommandReader,
} from '../../../src/lib/aof/command-reader.ts'
import { seededRandom } from '../../memory/seeded-random.ts'
import { argumentsOf, encodeRequest } from '../../support/argv.ts'

const encoded = (line: string) => encodeRequest(argumentsOf(line))
const LINES = ['SELECT 0', 'SET k v', 'RPUSH l "" a "\\r\\n$5\\r\\n"', 'MULTI', 'DEL k', 'EXEC']
const FILE = Buffer.concat([
  encoded(LINES[0]),
  Buffer.from('#TS:1700000000\r\n'),
  encoded(LINES[1]),
  Buffer.from('#TS:1700000009\r\n# anything\n'),
  ...LINES.slice(2).map(encoded),
])

interface Outcome {
  readonly commands: string[][]
  readonly outcome: number
  readonly position: number
  readonly timestamp: number
}

/** Reads `file` in pieces of the sizes that `size` gives. */
function read(file: Buffer, size: () => number): Outcome {
  const reader = new AofCommandReader()
  const commands: string[][] = []
  let outcome = AOF_MORE
  for (let at = 0; at < file.length && outcome !== AOF_BAD; ) {
    const piece = Math.min(size(), file.length - at)
    reader.feed(file, at, piece)
    at += piece
    for (outcome = reader.next(); outcome === AOF_COMMAND; outcome = reader.next()) {
      const { bytes, offsets } = reader
      commands.push(
        Array.from({ length: reader.argc }, (_, i) =>
          bytes.latin1Slice(offsets[2 * i], offsets[2 * i + 1]),
        ),
      )
    }
  }
  if (outcome !== AOF_BAD) outcome = reader.end()
  return { commands, outcome, position: reader.position, timestamp: reader.timestamp }
}

const whole = (file: Buffer) => read(file, () => file.length)

describe('a whole file', () => {
  test('is its commands, annotations are passed over', () => {
    const { commands, outcome, position, timestamp } = whole(FILE)
    expect(commands.map((argv) => argv.join(' '))).toEqual(
      LINES.map((line) => argumentsOf(line).join(' ')),
    )
    expect([outcome, position, timestamp]).toEqual([AOF_COMMAND, FILE.length, 1700000009])
  })

  test('is the same in pieces of every size', () => {
    for (let size = 1; size < 60; size++) expect(read(FILE, () => size)).toEqual(whole(FILE))
  })

  test('may hold commands longer than any buffer', () => {
    const random = seededRandom(1, 'long commands')
    const argv = Array.from({ length: 3000 }, (_, i) => Buffer.alloc(i % 997, i))
    const huge = [Buffer.from('SET'), Buffer.alloc(300_000, 7)]
    const file = Buffer.concat([FILE, encodeRequest(argv), encodeRequest(huge), FILE])
    const { commands, outcome, position } = read(file, () => 1 + Math.floor(random() * 70_000))
    expect([outcome, position]).toEqual([AOF_COMMAND, file.length])
    expect(commands[LINES.length]).toEqual(argv.map((part) => part.toString('latin1')))
    expect(commands[LINES.length + 1][1].length).toBe(300_000)
  })
})

test('a file cut at any byte ends behind its last whole command', () => {
  const ends = [0]
  let end = 0
  for (const part of FILE.toString('latin1').split(/(?=\*\d+\r\n\$|#)/)) {
    end += part.length
    ends.push(end)
  }
  for (let size = 0; size <= FILE.length; size++) {
    const { outcome, position } = whole(FILE.subarray(0, size))
    const last = ends.filter((one) => one <= size).at(-1)
    // A star and a number is all there is of a command that has just begun: nothing is certain.
    expect([size, position]).toEqual([size, last ?? 0])
    expect([size, outcome]).toEqual([size, last === size ? AOF_COMMAND : AOF_MORE])
  }
})

test.each<[file: string, outcome: number, position: number]>([
  ['SET k v\r\n', AOF_BAD, 0],
  ['*0\r\n', AOF_BAD, 0],
  ['*-1\r\n', AOF_BAD, 0],
  ['*x\r\n', AOF_BAD, 0],
  ['*', AOF_MORE, 0],
  ['*0', AOF_BAD, 0],
  ['*1', AOF_MORE, 0],
  ['*1\r\n', AOF_MORE, 0],
  ['*1\r\n:1\r\n', AOF_BAD, 0],
  ['*1\r\n$', AOF_MORE, 0],
  ['*1\r\n$-1\r\n', AOF_BAD, 0],
  ['*1\r\n$4\r\nPING', AOF_MORE, 0],
  ['*1\r\n$4\r\nPING\r', AOF_MORE, 0],
  ['*1\r\n$4\r\nPINGxx', AOF_COMMAND, 14],
  ['*1xyz\n$4abc\nPINGxx', AOF_COMMAND, 18],
  ['*1\r\n$4\r\nPING\r\n\r\n', AOF_BAD, 14],
  [`#${'-'.repeat(125)}\n*1\r\n$4\r\nPING\r\n`, AOF_COMMAND, 141],
  [`#${'-'.repeat(127)}\n*1\r\n$4\r\nPING\r\n`, AOF_BAD, 127],
])('%j', (file, outcome, position) => {
  const found = whole(Buffer.from(file))
  expect([found.outcome, found.position]).toEqual([outcome, position])
  expect(read(Buffer.from(file), () => 1)).toEqual(found)
})

test('a file with any bit flipped is read to an end', () => {
  for (let bit = 0; bit < FILE.length * 8; bit++) {
    const damaged = Buffer.from(FILE)
    damaged[bit >> 3] ^= 1 << (bit & 7)
    const found = whole(damaged)
    expect(found.position).toBeLessThanOrEqual(FILE.length)
    expect(read(damaged, () => 3)).toEqual(found)
  }
})
