/**
 * The core's end and the disk thread, as two threads: rings that are full in both directions, jobs
 * that fail, jobs side by side.
 *
 * Thread: any.
 * Owns: one Worker, started once, and a directory.
 * Never: waits without a limit.
 */
import { afterAll, describe, expect, test } from 'bun:test'
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { FromDisk } from '../../src/bridge/disk-control.ts'
import { createBridgeMemory } from '../../src/bridge/memory.ts'
import { DiskLink } from '../../src/core/engine/disk-link.ts'
import { RdbStream } from '../../src/core/services/persistence/rdb-stream.ts'
import { crc64 } from '../../src/lib/crc64.ts'
import { RdbReader } from '../../src/lib/rdb/reader.ts'
import { Dice } from '../conformance/dice.ts'
import { rdbOrder } from '../support/disk.ts'
import { makeDirectory } from '../support/server.ts'

/** Small, so that it is full most of the time. */
const RING_SIZE = 256 * 1024
const directory = makeDirectory()
const memory = createBridgeMemory(1, 4096, 4096, 1, RING_SIZE)
const worker = new Worker(new URL('../../src/disk/worker.ts', import.meta.url).href)
let starts = 0
const disk = new DiskLink(memory, false, () => {
  starts++
  worker.postMessage({ memory })
})

worker.onerror = (event) => console.error(event.message)

afterAll(() => {
  worker.terminate()
  rmSync(directory, { recursive: true })
})

class Answers {
  readonly all: FromDisk[] = []
  told(message: FromDisk): void {
    this.all.push(message)
  }
}

describe('an RDB file', () => {
  test('holds what was written, compressed where that pays, whatever the pieces', () => {
    const seed = 5
    const dice = new Dice(seed)
    const stream = new RdbStream(disk)
    const answers = new Answers()
    const job = stream.begin(rdbOrder(directory, 'a.rdb'), true, answers)
    const strings: Buffer[] = []
    const randomBytes = (size: number) => Buffer.alloc(size).map(() => dice.below(256)) as Buffer
    for (let i = 0; i < 3000; i++) {
      const size = i % 500 === 7 ? 300_000 : dice.below(200)
      const text = i % 3 === 0 ? Buffer.alloc(size, i) : randomBytes(size)
      strings.push(text)
      stream.writer.string(text, 0, text.length)
      if (dice.below(50) === 0) stream.flush()
    }
    stream.end(10)
    disk.waitFor(job)

    const file = readFileSync(join(directory, 'a.rdb'))
    expect(answers.all).toEqual([{ type: 'done', size: file.length }])
    expect(crc64(file, 0, file.length - 8).matches(file, file.length - 8)).toBe(true)
    expect(file[file.length - 9]).toBe(255)
    expect(file.length).toBeLessThan(strings.reduce((sum, { length }) => sum + length, 0))
    const reader = new RdbReader()
    reader.open(file, new Int32Array(0), 0, file.length - 9)
    for (const text of strings) {
      reader.string()
      const { stringBytes, stringOffset, stringLength } = reader
      expect(
        stringBytes.compare(text, 0, text.length, stringOffset, stringOffset + stringLength),
      ).toBe(0)
    }
    expect(reader.left).toBe(0)
    expect(readdirSync(directory)).toEqual(['a.rdb'])
    expect(starts).toBe(1)
  })

  test('gets the version that its values need, and its checksum with it', () => {
    const stream = new RdbStream(disk)
    const job = stream.begin(rdbOrder(directory, 'b.rdb'), true, new Answers())
    const text = Buffer.from('REDIS0010 and 100000 bytes '.padEnd(100_000, 'xyz'))
    stream.writer.raw(text, 0, text.length)
    stream.end(12)
    disk.waitFor(job)
    const file = readFileSync(join(directory, 'b.rdb'))
    expect(file.toString('latin1', 0, 9)).toBe('REDIS0012')
    expect(crc64(file, 0, file.length - 8).matches(file, file.length - 8)).toBe(true)
  })

  test('is not there when it was given up', () => {
    const stream = new RdbStream(disk)
    const job = stream.begin(rdbOrder(directory, 'c.rdb'), true, new Answers())
    stream.writer.raw(Buffer.alloc(1_000_000), 0, 1_000_000)
    stream.abort()
    disk.waitFor(job)
    expect(readdirSync(directory).sort()).toEqual(['a.rdb', 'b.rdb'])
  })

  test('that fails is told, and what is sent for it meanwhile is dropped', () => {
    const stream = new RdbStream(disk)
    const answers = new Answers()
    const job = stream.begin(rdbOrder(join(directory, 'nowhere'), 'd.rdb'), true, answers)
    stream.writer.raw(Buffer.alloc(1_000_000), 0, 1_000_000)
    disk.waitFor(job)
    stream.end(10)
    expect(answers.all).toEqual([
      {
        type: 'failed',
        problem: { point: 'rdb-open', code: 'ENOENT', text: 'No such file or directory' },
      },
    ])
  })

  test('is written beside others', () => {
    const streams = [1, 2, 3].map((n) => {
      const stream = new RdbStream(disk)
      return {
        n,
        stream,
        job: stream.begin(rdbOrder(directory, `e${n}.rdb`), false, new Answers()),
      }
    })
    for (let i = 0; i < 100; i++) {
      for (const { n, stream } of streams) stream.writer.raw(Buffer.alloc(10_000, n), 0, 10_000)
    }
    for (const { stream } of streams) stream.end(10)
    for (const { n, job } of streams) {
      disk.waitFor(job)
      const file = readFileSync(join(directory, `e${n}.rdb`))
      expect(file.subarray(0, 1_000_000).every((byte) => byte === n)).toBe(true)
      expect(existsSync(join(directory, `temp-e${n}.rdb`))).toBe(false)
    }
  })
})
