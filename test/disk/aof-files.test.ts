/**
 * The files of the append-only file: whatever fails on the way, the manifest on the disk names whole
 * files that are there.
 *
 * Thread: any.
 * Owns: directories.
 * Never: leaves a fault armed.
 */
import { afterAll, afterEach, describe, expect, test } from 'bun:test'
import {
  closeSync,
  existsSync,
  ftruncateSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { AofFatalError, AofFiles } from '../../src/disk/aof-files.ts'
import { armFaults } from '../../src/disk/faults.ts'
import { loadedFiles, parseManifest } from '../../src/disk/manifest.ts'
import { makeDirectory } from '../support/server.ts'

const directories: string[] = []
afterEach(() => armFaults(''))
afterAll(() => {
  for (const directory of directories) rmSync(directory, { recursive: true })
})

const BASE = { temporaryName: 'temp-base', isRdb: true }

class Place {
  readonly root = makeDirectory()
  readonly lines: string[] = []
  readonly files: AofFiles

  constructor() {
    directories.push(this.root)
    this.files = this.open()
  }

  /** As after a restart. */
  open(migrates = true): AofFiles {
    const files = new AofFiles(
      { root: this.root, directoryName: 'aof dir', fileName: 'a.aof' },
      {
        log: (_, text) => this.lines.push(text),
        fatal: (text) => this.lines.push(text),
      },
    )
    files.load(migrates)
    return files
  }

  /** Starts a server's files: a base and an increment. */
  begin(): void {
    this.put('temp-base', 'base 1')
    closeSync(this.files.openLast(BASE).file)
  }

  put(name: string, text: string): void {
    writeFileSync(join(this.root, name), text)
  }

  get manifest(): string {
    return readFileSync(join(this.root, 'aof dir/a.aof.manifest'), 'latin1')
  }

  /** What a start would load: name and content. */
  get loaded(): string[] {
    const manifest = parseManifest(this.manifest)
    if ('problem' in manifest) throw new Error(manifest.problem)
    return loadedFiles(manifest).map(({ name }) => {
      return `${name} ${readFileSync(join(this.root, 'aof dir', name), 'latin1')}`.trim()
    })
  }

  get names(): string[] {
    return readdirSync(join(this.root, 'aof dir')).sort()
  }
}

describe('without trouble', () => {
  test('a start makes a base and an increment, and another goes on with them', () => {
    const place = new Place()
    place.begin()
    expect(place.loaded).toEqual(['a.aof.1.base.rdb base 1', 'a.aof.1.incr.aof'])
    expect(existsSync(join(place.root, 'temp-base'))).toBe(false)
    place.put('aof dir/a.aof.1.incr.aof', 'commands')
    const again = place.open()
    expect(again.found()).toEqual([
      { name: 'a.aof.1.base.rdb', type: 'b', size: 6 },
      { name: 'a.aof.1.incr.aof', type: 'i', size: 8 },
    ])
    const { file, size } = again.openLast(undefined)
    closeSync(file)
    expect(size).toBe(8)
    expect(place.lines).toContain('Creating AOF base file a.aof.1.base.rdb on server start')
    expect(place.lines.at(-1)).toBe('Opening AOF incr file a.aof.1.incr.aof on server start')
  })

  test('a rewrite leaves a new base and the increment that was begun with it', () => {
    const place = new Place()
    place.begin()
    closeSync(place.files.openNew(false)?.file ?? -1)
    expect(place.loaded.length).toBe(3)
    place.put('temp-base', 'base 2')
    expect(place.files.rewritten(BASE, false, true)).toBe(6)
    expect(place.loaded).toEqual(['a.aof.2.base.rdb base 2', 'a.aof.2.incr.aof'])
    expect(place.names.length).toBe(5)
    place.files.removeHistory()
    expect(place.names).toEqual(['a.aof.2.base.rdb', 'a.aof.2.incr.aof', 'a.aof.manifest'])
  })

  test('a temporary increment counts once its base is there', () => {
    const place = new Place()
    closeSync(place.files.openNew(true)?.file ?? -1)
    expect(place.names).toEqual(['temp-a.aof.incr'])
    place.put('temp-base', 'base 1')
    place.files.rewritten(BASE, true, true)
    expect(place.loaded).toEqual(['a.aof.1.base.rdb base 1', 'a.aof.1.incr.aof'])
  })

  test('an old file is taken over, also when that was interrupted', () => {
    for (const fault of ['', 'aof-rename:1:EIO', 'manifest-rename:1:EIO']) {
      const place = new Place()
      place.put('a.aof', 'old')
      armFaults(fault)
      if (fault === '') place.open()
      else expect(() => place.open()).toThrow(AofFatalError as never)
      armFaults('')
      expect(place.open().found()).toEqual([{ name: 'a.aof', type: 'b', size: 3 }])
      expect(place.loaded).toEqual(['a.aof old'])
    }
  })

  test('an old file beside newer ones is left alone', () => {
    const place = new Place()
    place.begin()
    place.put('a.aof', 'old')
    expect(place.open().names).toEqual(['a.aof.1.base.rdb', 'a.aof.1.incr.aof'])
  })
})

const MANIFEST_FAULTS = [
  ...['manifest-open', 'manifest-write', 'manifest-sync', 'manifest-rename'],
  'manifest-sync-directory',
]

describe('when something fails', () => {
  for (const point of [...MANIFEST_FAULTS, 'aof-open']) {
    test(`${point}: no new increment, and the old files stay in force`, () => {
      const place = new Place()
      place.begin()
      const before = place.loaded
      armFaults(`${point}:1:ENOSPC`)
      expect(place.files.openNew(false)).toBeUndefined()
      expect(place.lines.at(-1)).toContain('No space left on device')
      armFaults('')
      if (point !== 'manifest-sync-directory') expect(place.loaded).toEqual(before)
      else expect(place.loaded.slice(0, 2)).toEqual(before)
      // The next one is none the worse for it.
      closeSync(place.files.openNew(false)?.file ?? -1)
      const count = point === 'manifest-sync-directory' ? 4 : 3
      expect(place.loaded.length).toBe(count)
      expect(place.open().found().length).toBe(count)
    })
  }

  for (const point of [...MANIFEST_FAULTS, 'aof-rename']) {
    test(`${point}: no new base, and the old files stay in force`, () => {
      const place = new Place()
      place.begin()
      closeSync(place.files.openNew(false)?.file ?? -1)
      const before = place.loaded
      place.put('temp-base', 'base 2')
      armFaults(`${point}:1:EIO`)
      const size = place.files.rewritten(BASE, false, true)
      armFaults('')
      if (point === 'manifest-sync-directory') {
        // It is in force, though perhaps not for ever: what it names must stay.
        expect(place.open().found().length).toBe(place.loaded.length)
        return
      }
      expect(size).toBe(-1)
      expect(place.loaded).toEqual(before)
      expect(place.names).not.toContain('a.aof.2.base.rdb')
    })
  }

  test('a file that is missing is told', () => {
    const place = new Place()
    place.begin()
    rmSync(join(place.root, 'aof dir/a.aof.1.incr.aof'))
    const found = () => place.open().found()
    expect(found).toThrow(AofFatalError as never)
  })

  test('a manifest that is none is told, line by line', () => {
    const place = new Place()
    mkdirSync(join(place.root, 'aof dir'))
    place.put('aof dir/a.aof.manifest', 'file a seq 1 type x\n')
    expect(() => place.open()).toThrow(AofFatalError as never)
    expect(place.lines.slice(-3)).toEqual([
      '*** FATAL AOF MANIFEST FILE ERROR ***',
      'Reading the manifest file, at line 1',
      ">>> 'file a seq 1 type x'",
    ])
  })
})

test('what is cut off a new increment leaves no hole behind', () => {
  const place = new Place()
  place.begin()
  const opened = place.files.openNew(false)
  const file = opened?.file ?? -1
  writeSync(file, 'one and half')
  ftruncateSync(file, 3)
  writeSync(file, 'two')
  closeSync(file)
  expect(place.loaded.at(-1)).toBe('a.aof.2.incr.aof onetwo')
})
