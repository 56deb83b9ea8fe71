/**
 * A save that sends without end: the disk thread takes it in portions, between which other jobs have
 * their turn.
 *
 * Thread: any.
 * Owns: both ends, in one thread, and a directory.
 * Never: waits.
 */
import { afterAll, expect, test } from 'bun:test'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { FromDisk } from '../../src/bridge/disk-control.ts'
import { DISK_RING_SIZE } from '../../src/config/limits.ts'
import { RdbStream } from '../../src/core/services/persistence/rdb-stream.ts'
import { diskInThisThread, rdbOrder } from '../support/disk.ts'
import { makeDirectory } from '../support/server.ts'

const PIECE_SIZE = 32 * 1024
const PIECE_COUNT = 32
/** Behind the pieces: the end and the checksum. */
const TAIL_SIZE = 9

const directory = makeDirectory()
afterAll(() => rmSync(directory, { recursive: true }))

test('what a save has sent is taken in portions', () => {
  const { disk, thread } = diskInThisThread()
  const stream = new RdbStream(disk)
  const said: FromDisk[] = []
  const job = stream.begin(rdbOrder(directory, 'dump.rdb'), false, {
    told: (message) => said.push(message),
  })
  const piece = Buffer.alloc(PIECE_SIZE, 'p')
  for (let i = 0; i < PIECE_COUNT; i++) stream.writer.raw(piece, 0, PIECE_SIZE)
  stream.end(10)
  disk.publish()
  const sent = disk.pendingBytes
  expect(sent).toBeGreaterThanOrEqual(PIECE_COUNT * PIECE_SIZE)
  const [less, more] = [sent - PIECE_SIZE, sent + PIECE_SIZE].map((size) => size / DISK_RING_SIZE)
  expect(disk.hasRoom(less)).toBe(false)
  expect(disk.hasRoom(more)).toBe(true)
  let turns = 0
  while (disk.pendingBytes > 0) {
    const before = disk.pendingBytes
    expect(thread.turn()).toBe(true)
    expect(before - disk.pendingBytes).toBeLessThanOrEqual(sent / 2)
    turns++
    expect(disk.hasRoom(less)).toBe(true)
  }
  expect(turns).toBeGreaterThan(2)
  disk.waitFor(job)
  const file = readFileSync(join(directory, 'dump.rdb'))
  expect(said).toEqual([{ type: 'done', size: file.length }])
  expect(file.length).toBe(PIECE_COUNT * PIECE_SIZE + TAIL_SIZE)
  thread.stop()
})
