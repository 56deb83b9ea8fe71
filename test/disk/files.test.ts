/**
 * Operations on files, and what happens at each of their points when a test wants it to go wrong.
 *
 * Thread: any.
 * Owns: a directory of its own.
 * Never: leaves a fault armed.
 */
import { afterAll, afterEach, describe, expect, test } from 'bun:test'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { armFaults, FAULT_POINTS, faultAt } from '../../src/disk/faults.ts'
import {
  closeFile,
  DiskError,
  fileSize,
  isNoWayToSync,
  openFile,
  readSome,
  removeFile,
  renameFile,
  syncDirectory,
  syncDirectoryUnguarded,
  syncFile,
  truncateFile,
  writeAll,
  writeAt,
} from '../../src/disk/files.ts'
import { makeDirectory } from '../support/server.ts'

const directory = makeDirectory()
const path = join(directory, 'file')
const bytes = Buffer.from('0123456789')

afterEach(() => armFaults(''))
afterAll(() => rmSync(directory, { recursive: true }))

function problemOf(act: () => unknown): unknown {
  try {
    act()
  } catch (error) {
    if (error instanceof DiskError) return error.problem
    throw error
  }
  return undefined
}

describe('files', () => {
  test('are written, read, cut, renamed and deleted', () => {
    const file = openFile('rdb-open', path, 'w')
    writeAll('rdb-write', file, bytes, 2, 6)
    writeAt('rdb-write', file, Buffer.from('ab'), 1)
    syncFile('rdb-sync', file)
    truncateFile('rdb-write', file, 5)
    expect(fileSize('rdb-open', file)).toBe(5)
    closeFile('rdb-close', file)
    renameFile('rdb-rename', path, `${path}2`)
    syncDirectory('rdb-sync-directory', directory)
    const again = openFile('rdb-open-to-read', `${path}2`, 'r')
    const read = Buffer.alloc(10)
    expect(readSome('rdb-read', again, read, 1, 9)).toBe(5)
    expect(read.toString('latin1', 1, 6)).toBe('2ab56')
    expect(readSome('rdb-read', again, read, 0, 9)).toBe(0)
    closeFile('rdb-close', again)
    removeFile('rdb-remove', `${path}2`)
    removeFile('rdb-remove', `${path}2`)
    expect(existsSync(`${path}2`)).toBe(false)
  })

  test('of a system that syncs no directories are as good as synced', () => {
    for (const code of ['EINVAL', 'EBADF', 'EISDIR', 'EIO', 'EPERM']) {
      armFaults(`rdb-sync-directory:1:${code}`)
      const problem = problemOf(() => syncDirectory('rdb-sync-directory', directory))
      if (isNoWayToSync(code)) expect(problem).toBeUndefined()
      else expect(problem).toMatchObject({ code })
    }
    expect(isNoWayToSync('EINVAL')).toBe(true)
    expect(isNoWayToSync('EPERM', 'win32')).toBe(true)
    expect(isNoWayToSync('EPERM', 'linux')).toBe(false)
    expect(() => syncDirectoryUnguarded(`${directory}/not there`)).toThrow('ENOENT')
  })

  test('that are not there are told with the words of the system', () => {
    expect(problemOf(() => openFile('rdb-open-to-read', `${path}3`, 'r'))).toEqual({
      point: 'rdb-open-to-read',
      code: 'ENOENT',
      text: 'No such file or directory',
    })
  })
})

describe('a fault', () => {
  test('strikes once, at the time that was asked for', () => {
    armFaults('rdb-rename:2:EIO')
    expect([1, 2, 3].map(() => faultAt('rdb-rename'))).toEqual([undefined, 'EIO', undefined])
  })

  test('stays when it is asked to', () => {
    armFaults('rdb-rename:2+:EIO')
    expect([1, 2, 3].map(() => faultAt('rdb-rename'))).toEqual([undefined, 'EIO', 'EIO'])
  })

  test('must name a point that there is', () => {
    for (const wrong of ['nowhere:1:die', 'rdb-write:1:perish', 'rdb-write']) {
      expect(() => armFaults(wrong)).toThrow('no such fault')
    }
  })

  test('of a write leaves half of it behind', () => {
    armFaults('rdb-write:1:ENOSPC')
    const file = openFile('rdb-open', path, 'w')
    const problem = problemOf(() => writeAll('rdb-write', file, bytes, 0, 10))
    expect(problem).toEqual({ point: 'rdb-write', code: 'ENOSPC', text: 'No space left on device' })
    closeFile('rdb-close', file)
    expect(readFileSync(path, 'latin1')).toBe('01234')
  })

  test('of a short write is made up for by the next', () => {
    armFaults('rdb-write:1+:short')
    const file = openFile('rdb-open', path, 'w')
    writeAll('rdb-write', file, bytes, 0, 10)
    closeFile('rdb-close', file)
    expect(readFileSync(path, 'latin1')).toBe('0123456789')
  })

  test.each(FAULT_POINTS.map((point) => [point]))('can be had at %s', (point) => {
    armFaults(`${point}:1:EIO`)
    expect(faultAt(point)).toBe('EIO')
  })

  test('kills the process, before a write or in the middle of it', async () => {
    const program = `
      import { openFile, writeAll } from ${JSON.stringify(join(import.meta.dir, '../../src/disk/files.ts'))}
      const file = openFile('rdb-open', ${JSON.stringify(path)}, 'w')
      writeAll('rdb-write', file, Buffer.from('0123456789'), 0, 10)
    `
    writeFileSync(join(directory, 'program.ts'), program)
    for (const [action, left] of [
      ['die', ''],
      ['tear', '01234'],
    ]) {
      const child = Bun.spawn([process.execPath, join(directory, 'program.ts')], {
        env: { ...process.env, REDBUN_FAULTS: `rdb-write:1:${action}` },
      })
      await child.exited
      expect([child.signalCode as string, readFileSync(path, 'latin1')]).toEqual(['SIGKILL', left])
    }
  })
})
