/**
 * Manifests: the text both ways, what is refused in Redis's words, and how files follow each other.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: writes a file.
 */
import { describe, expect, test } from 'bun:test'
import {
  formatManifest,
  loadedFiles,
  type Manifest,
  NO_FILES,
  parseManifest,
  withIncrementsRewritten,
  withNewBase,
  withNewIncrement,
  withOldBase,
  withoutHistory,
} from '../../src/disk/manifest.ts'

function parsed(text: string): Manifest {
  const outcome = parseManifest(text)
  if ('problem' in outcome) throw new Error(outcome.problem)
  return outcome
}

const TEXT = [
  'file appendonly.aof.2.base.rdb seq 2 type b',
  'file appendonly.aof.1.incr.aof seq 1 type h',
  'file appendonly.aof.2.incr.aof seq 2 type h',
  'file appendonly.aof.4.incr.aof seq 4 type i',
  'file appendonly.aof.5.incr.aof seq 5 type i',
  '',
].join('\n')

describe('the text', () => {
  test('comes back as it was', () => {
    const manifest = parsed(TEXT)
    expect(formatManifest(manifest)).toBe(TEXT)
    expect(loadedFiles(manifest).map(({ name }) => name)).toEqual([
      'appendonly.aof.2.base.rdb',
      'appendonly.aof.4.incr.aof',
      'appendonly.aof.5.incr.aof',
    ])
    expect([manifest.baseSequence, manifest.incrementSequence]).toEqual([2, 5])
  })

  test('knows comments, words in any order and case, and words of later versions', () => {
    const text =
      '# a comment\nSEQ 1 type bx File a.1.base.rdb\r\n  file "b c\\x01" seq +7 type i later 1 \n'
    const manifest = parsed(text)
    expect(manifest.base).toEqual({ name: 'a.1.base.rdb', sequence: 1, type: 'b' })
    expect(manifest.increments).toEqual([{ name: 'b c\x01', sequence: 7, type: 'i' }])
    expect(formatManifest(manifest)).toBe(
      'file a.1.base.rdb seq 1 type b\nfile "b c\\x01" seq 7 type i\n',
    )
  })

  test('keeps every name', () => {
    for (const name of ['plain.aof', '" file seq \n\n.aof "', "it's", 'a b', '\xff\x00\x7f', '#']) {
      const manifest = withNewIncrement(withNewBase(NO_FILES, name, false), name)
      expect(parseManifest(formatManifest(manifest))).toEqual(manifest)
    }
  })
})

const FORMAT = 'Invalid AOF manifest file format'
const LONG = 'The AOF manifest file contains too long line'

test.each<[text: string, problem: string, line: number]>([
  ['', 'Found an empty AOF manifest', 0],
  ['\n', FORMAT, 1],
  ['file a seq 1 type b\n\n', FORMAT, 2],
  ['file a seq 1 type b', LONG, 0],
  ['file a seq 1 type b\0\n', LONG, 0],
  [`file ${'a'.repeat(1100)} seq 1 type b\n`, LONG, 0],
  ['file a seq 1 type\n', FORMAT, 1],
  ['file a seq 1\n', FORMAT, 1],
  ['file "a seq 1 type b\n', FORMAT, 1],
  ['file a seq 0 type b\n', FORMAT, 1],
  ['file a seq x type b\n', FORMAT, 1],
  ['name a seq 1 type b\n', FORMAT, 1],
  ['file a seq 1 type ""\n', FORMAT, 1],
  ['file a/b seq 1 type b\n', "File can't be a path, just a filename", 1],
  ['file a\\\\b seq 1 type b\n', "File can't be a path, just a filename", 1],
  ['file a seq 1 type x\n', 'Unknown AOF file type', 1],
  ['file a seq 1 type b\nfile b seq 2 type b\n', 'Found duplicate base file information', 2],
  ['file a seq 2 type i\nfile b seq 1 type i\n', 'Found a non-monotonic sequence number', 2],
  ['file a seq 2 type i\nfile b seq 2 type i\n', 'Found a non-monotonic sequence number', 2],
  ['file a seq -2 type i\n', 'Found a non-monotonic sequence number', 1],
])('%j is refused', (text, problem, line) => {
  const outcome = parseManifest(text)
  expect('problem' in outcome && [outcome.problem, outcome.at?.line ?? 0]).toEqual([problem, line])
})

describe('files', () => {
  test('follow each other through a rewrite', () => {
    let manifest = withNewIncrement(withNewBase(NO_FILES, 'f', true), 'f')
    expect(formatManifest(manifest)).toBe(
      'file f.1.base.rdb seq 1 type b\nfile f.1.incr.aof seq 1 type i\n',
    )
    manifest = withNewIncrement(manifest, 'f')
    manifest = withIncrementsRewritten(withNewBase(manifest, 'f', false), true)
    expect(formatManifest(manifest)).toBe(
      [
        'file f.2.base.aof seq 2 type b',
        'file f.1.incr.aof seq 1 type h',
        'file f.1.base.rdb seq 1 type h',
        'file f.2.incr.aof seq 2 type i',
        '',
      ].join('\n'),
    )
    expect(formatManifest(withoutHistory(manifest))).toBe(
      'file f.2.base.aof seq 2 type b\nfile f.2.incr.aof seq 2 type i\n',
    )
    const all = withIncrementsRewritten(withoutHistory(manifest), false)
    expect([all.increments.length, all.history.length]).toEqual([0, 1])
  })

  test('of an old kind become the base', () => {
    expect(formatManifest(withOldBase(NO_FILES, 'appendonly.aof'))).toBe(
      'file appendonly.aof seq 1 type b\n',
    )
  })
})
