/**
 * The end of the append-only file when writing or syncing goes wrong: what is in the file afterwards,
 * what was promised, and what is said.
 *
 * Thread: any.
 * Owns: a directory.
 * Never: leaves a fault armed.
 */
import { afterAll, afterEach, describe, expect, test } from 'bun:test'
import { openSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { AofPolicy } from '../../src/bridge/aof-control.ts'
import { AppendFile, type AppendListener } from '../../src/disk/append-file.ts'
import { armFaults } from '../../src/disk/faults.ts'
import { makeDirectory } from '../support/server.ts'

const directory = makeDirectory()
const open: AppendFile[] = []
afterEach(() => {
  armFaults('')
  for (const append of open.splice(0)) append.abandon()
})
afterAll(() => rmSync(directory, { recursive: true }))

const IO = 'Input/output error'
const FULL = 'No space left on device'
let files = 0

class Recorder implements AppendListener {
  readonly path = join(directory, `file-${files++}`)
  readonly append: AppendFile
  readonly events: string[] = []
  readonly lasting: string[] = []
  syncedPosition = 0

  constructor(policy: AofPolicy) {
    this.append = new AppendFile(this, openSync(this.path, 'a'), 0, 0, policy)
    open.push(this.append)
  }

  /** Adds text and ends a turn. */
  add(text: string): void {
    const bytes = Buffer.from(text)
    this.append.add(bytes, 0, bytes.length)
    this.append.commit()
  }

  get content(): string {
    return readFileSync(this.path, 'latin1')
  }

  take(): string[] {
    return this.events.splice(0)
  }

  synced(position: number): void {
    this.syncedPosition = position
  }

  written(): void {}

  writeFailed(problem: string): void {
    this.events.push(`write: ${problem}`)
  }

  syncFailed(problem: string): void {
    this.events.push(`sync: ${problem}`)
  }

  syncing(): void {}

  lasted(act: string): void {
    this.lasting.push(act)
  }

  delayed(): void {
    this.events.push('delayed')
  }

  warn(text: string): void {
    this.events.push(`warn: ${text}`)
  }

  fatal(text: string): void {
    this.events.push(`fatal: ${text}`)
  }
}

async function until(holds: () => boolean): Promise<void> {
  for (let i = 0; i < 500 && !holds(); i++) await Bun.sleep(10)
  expect(holds()).toBe(true)
}

describe('always', () => {
  test('promises what is written and synced, turn by turn', () => {
    const file = new Recorder('always')
    file.add('one')
    expect([file.content, file.syncedPosition]).toEqual(['one', 3])
    expect(file.lasting).toEqual(['write', 'sync'])
    file.add('two')
    expect([file.content, file.syncedPosition]).toEqual(['onetwo', 6])
    expect(file.append.finish()).toBe('')
  })

  for (const [fault, said] of [
    [
      'aof-write:2:EIO',
      "fatal: Can't recover from AOF write error when the AOF fsync policy is 'always'. Exiting...",
    ],
    [
      'aof-sync:2:EIO',
      `fatal: Can't persist AOF for fsync error when the AOF fsync policy is 'always': ${IO}. Exiting...`,
    ],
  ]) {
    test(`ends with ${fault}, and promises nothing afterwards`, () => {
      armFaults(fault)
      const file = new Recorder('always')
      file.add('one')
      file.add('two')
      expect(file.take().at(-1)).toBe(said)
      file.add('three')
      file.append.commit()
      expect(file.syncedPosition).toBe(3)
      expect(file.append.finish()).not.toBe('')
    })
  }

  test('goes on through short writes', () => {
    armFaults('aof-write:1:short')
    const file = new Recorder('always')
    file.add('a longer text')
    expect([file.content, file.syncedPosition]).toEqual(['a longer text', 13])
  })

  test('does not sync while it may not, and lets nobody wait for it', () => {
    const file = new Recorder('always')
    file.append.setPolicy('always', false)
    armFaults('aof-sync:1+:EIO')
    file.add('one')
    expect([file.take(), file.syncedPosition]).toEqual([[], 3])
  })
})

describe('everysec', () => {
  test('writes at once and syncs within about a second', async () => {
    const file = new Recorder('everysec')
    file.add('one')
    expect([file.content, file.syncedPosition]).toEqual(['one', 0])
    await until(() => file.syncedPosition === 3)
    file.add('two')
    expect(file.append.finish()).toBe('')
    expect([file.content, file.syncedPosition]).toEqual(['onetwo', 6])
  })

  test('keeps what cannot be written, and writes it when it can', async () => {
    armFaults('aof-write:2+:EIO')
    const file = new Recorder('everysec')
    file.add('one')
    file.add('two')
    // Half of it was written; that is taken back.
    expect(file.content).toBe('one')
    expect(file.take()).toEqual([
      'warn: Short write while writing to the AOF file: (nwritten=1, expected=3)',
      `write: ${FULL}`,
    ])
    file.add('three')
    expect(file.content).toBe('one')
    // The trouble is told once in a while only.
    expect(file.take()).toEqual([`write: ${FULL}`])
    armFaults('')
    await until(() => file.content === 'onetwothree')
    expect(file.take()).toEqual([
      'warn: AOF write error looks solved, Redis can write again.',
      'write: ',
    ])
  })

  test('goes on behind a torn write that cannot be taken back', async () => {
    armFaults('aof-write:1:ENOSPC,aof-truncate:1:EIO')
    const file = new Recorder('everysec')
    file.add('onetwo')
    expect(file.content).toBe('one')
    const events = file.take()
    expect(events[1]).toStartWith('warn: Could not remove short write from the append-only file.')
    await until(() => file.content === 'onetwo')
    expect(file.append.size).toBe(6)
  })

  test('says when a sync fails, and when one succeeds again', async () => {
    armFaults('aof-sync:1:EIO')
    const file = new Recorder('everysec')
    file.add('one')
    await until(() => file.events.length > 0)
    expect([file.take(), file.syncedPosition]).toEqual([[`sync: ${IO}`], 0])
    await until(() => file.events.length > 0)
    expect([file.take(), file.syncedPosition]).toEqual([['sync: '], 3])
  })

  test('tells at the end what could not be written or synced', () => {
    armFaults('aof-sync:1+:EIO')
    const file = new Recorder('everysec')
    file.add('one')
    expect(file.append.finish()).toBe(IO)
    const other = new Recorder('no')
    armFaults('aof-write:1+:EIO')
    other.add('one')
    expect(other.append.finish()).toBe(FULL)
  })
})

test('what was promised before the policy changes is kept', () => {
  const file = new Recorder('always')
  const bytes = Buffer.from('one')
  file.append.add(bytes, 0, bytes.length)
  file.append.setPolicy('no', true)
  expect([file.content, file.syncedPosition]).toEqual(['one', 3])
  file.add('two')
  expect([file.content, file.syncedPosition]).toEqual(['onetwo', 3])
  file.append.setPolicy('always', true)
  expect(file.syncedPosition).toBe(6)
})

test('much is written before the turn ends', () => {
  const file = new Recorder('no')
  const bytes = Buffer.alloc(700_000, 'x')
  file.append.add(bytes, 0, bytes.length)
  expect(file.content.length).toBe(0)
  file.append.add(bytes, 0, bytes.length)
  expect(file.content.length).toBe(1_400_000)
})
