/**
 * What is written is what the request parser reads, and is as long as was told.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: leaves out a length at which the number of digits changes.
 */
import { expect, test } from 'bun:test'
import {
  argvSize,
  commandSize,
  encodeArgv,
  writeCommand,
} from '../../../src/lib/resp/command-writer.ts'
import { encodeRequest } from '../../support/argv.ts'

const LENGTHS = [0, 1, 9, 10, 31, 32, 33, 99, 100, 101, 999, 1000, 10_000, 100_000]

function argument(length: number): Buffer {
  return Buffer.from(Array.from({ length }, (_, i) => (i * 7 + length) & 255))
}

test('a command is written as clients write it', () => {
  for (let count = 1; count <= 120; count += count < 12 ? 1 : 53) {
    const argv = Array.from({ length: count }, (_, i) => argument(LENGTHS[i % 9]))
    expect(encodeArgv(argv).equals(encodeRequest(argv))).toBe(true)
    expect(argvSize(argv)).toBe(encodeRequest(argv).length)
  }
})

test('arguments of every length are taken from where they lie', () => {
  const argv = LENGTHS.map(argument)
  const source = Buffer.concat([Buffer.from('before'), ...argv])
  const lengths = Int32Array.from(LENGTHS)
  const offsets = new Int32Array(LENGTHS.length)
  let at = 6
  for (let i = 0; i < LENGTHS.length; i++) {
    offsets[i] = at
    at += LENGTHS[i]
  }
  const size = commandSize(lengths, LENGTHS.length)
  const into = Buffer.alloc(size + 6, 0x2e)
  const end = writeCommand(into, 3, source, offsets, lengths, LENGTHS.length)
  expect(end).toBe(size + 3)
  expect(into.subarray(3, end).equals(encodeRequest(argv))).toBe(true)
  expect(into.subarray(end).toString()).toBe('...')
})
