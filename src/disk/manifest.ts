/**
 * The manifest of a multi-part append-only file: which files there are, in order.
 *
 *     file appendonly.aof.2.base.rdb seq 2 type b       the base: a snapshot, at most one
 *     file appendonly.aof.1.incr.aof seq 1 type h       history: to be deleted
 *     file appendonly.aof.3.incr.aof seq 3 type i       increments: the commands since, in order
 *
 * A manifest is a value: what changes it gives another one.
 *
 * Thread: disk.
 * Owns: the text form, and how files are named.
 * Never: touches a file.
 */
import { quoteWord, splitWords } from '../config/words.ts'

export type AofFileType = 'b' | 'h' | 'i'

export interface AofFile {
  /** A byte string without a path. */
  readonly name: string
  readonly sequence: number
  readonly type: AofFileType
}

export interface Manifest {
  readonly base: AofFile | undefined
  readonly history: readonly AofFile[]
  readonly increments: readonly AofFile[]
  /** The numbers used last; 0: none. */
  readonly baseSequence: number
  readonly incrementSequence: number
}

/** Why a text is no manifest. */
export interface ManifestProblem {
  readonly problem: string
  /** The line that is to blame, if one is. */
  readonly at?: { readonly line: number; readonly text: string }
}

export const NO_FILES: Manifest = {
  base: undefined,
  history: [],
  increments: [],
  baseSequence: 0,
  incrementSequence: 0,
}

const LINE_SIZE_MAX = 1024
const BAD_FORMAT = 'Invalid AOF manifest file format'

/** Reads a manifest; `text` is a byte string. */
export function parseManifest(text: string): Manifest | ManifestProblem {
  if (text === '') return { problem: 'Found an empty AOF manifest' }
  let manifest = NO_FILES
  let number = 0
  for (const raw of cutLines(text)) {
    number++
    if (raw.startsWith('#')) continue
    // A NUL ends the line, as it ends a C string.
    const [seen] = raw.split('\0')
    if (!seen.endsWith('\n')) return { problem: 'The AOF manifest file contains too long line' }
    const line = seen.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, '')
    const file = parseLine(line)
    const next = typeof file === 'string' ? file : withFile(manifest, file)
    if (typeof next === 'string') return { problem: next, at: { line: number, text: line } }
    manifest = next
  }
  return manifest
}

/** The text of a manifest, a byte string. */
export function formatManifest({ base, history, increments }: Manifest): string {
  const files = [...(base === undefined ? [] : [base]), ...history, ...increments]
  return files
    .map(({ name, sequence, type }) => `file ${shownName(name)} seq ${sequence} type ${type}\n`)
    .join('')
}

/** Base and increments, in the order in which they are loaded. */
export function loadedFiles({ base, increments }: Manifest): AofFile[] {
  return base === undefined ? [...increments] : [base, ...increments]
}

/** A new base takes the place of the old one, which becomes history. */
export function withNewBase(manifest: Manifest, fileName: string, isRdb: boolean): Manifest {
  const { base } = manifest
  const sequence = manifest.baseSequence + 1
  const name = `${fileName}.${sequence}.base.${isRdb ? 'rdb' : 'aof'}`
  return {
    ...manifest,
    base: { name, sequence, type: 'b' },
    baseSequence: sequence,
    history: base === undefined ? manifest.history : [asHistory(base), ...manifest.history],
  }
}

/** A file that was there before there were manifests becomes the base. */
export function withOldBase(manifest: Manifest, name: string): Manifest {
  return { ...manifest, base: { name, sequence: 1, type: 'b' }, baseSequence: 1 }
}

/** A new increment comes last. */
export function withNewIncrement(manifest: Manifest, fileName: string): Manifest {
  const sequence = manifest.incrementSequence + 1
  const name = `${fileName}.${sequence}.incr.aof`
  return {
    ...manifest,
    increments: [...manifest.increments, { name, sequence, type: 'i' }],
    incrementSequence: sequence,
  }
}

/** All increments become history; `keepLast`: but the last, which is being written. */
export function withIncrementsRewritten(manifest: Manifest, keepLast: boolean): Manifest {
  const { increments } = manifest
  const end = keepLast ? increments.length - 1 : increments.length
  return {
    ...manifest,
    increments: increments.slice(end),
    history: [...increments.slice(0, end).map(asHistory), ...manifest.history],
  }
}

export function withoutHistory(manifest: Manifest): Manifest {
  return { ...manifest, history: [] }
}

/** Where a new manifest is written before it takes the old one's place. */
export function temporaryName(name: string): string {
  return `temp-${name}`
}

export function manifestName(fileName: string): string {
  return `${fileName}.manifest`
}

/** The increment that gathers commands until the first rewrite is done. */
export function temporaryIncrementName(fileName: string): string {
  return `temp-${fileName}.incr`
}

function asHistory(file: AofFile): AofFile {
  return { ...file, type: 'h' }
}

/** Lines with their ends, cut where Redis's buffer ends. */
function cutLines(text: string): string[] {
  const lines: string[] = []
  for (let at = 0; at < text.length; ) {
    const lineEnd = text.indexOf('\n', at)
    const end = Math.min(lineEnd < 0 ? text.length : lineEnd + 1, at + LINE_SIZE_MAX)
    lines.push(text.slice(at, end))
    at = end
  }
  return lines
}

/** The file that a line tells of, or what is wrong with it. Words that are not known are allowed. */
function parseLine(line: string): AofFile | string {
  const words = splitWords(line)
  if (words === undefined || words.length < 6 || words.length % 2 === 1) return BAD_FORMAT
  let name: string | undefined
  let sequence = 0
  let type = ''
  for (let i = 0; i < words.length; i += 2) {
    const value = words[i + 1]
    const word = words[i].toLowerCase()
    if (word === 'file') {
      if (/[/\\]/.test(value)) return "File can't be a path, just a filename"
      name = value
    } else if (word === 'seq') {
      sequence = Number(/^\s*([+-]?\d+)/.exec(value)?.[1] ?? 0)
    } else if (word === 'type') {
      type = value.slice(0, 1)
    }
  }
  if (name === undefined || sequence === 0 || type === '') return BAD_FORMAT
  if (type !== 'b' && type !== 'h' && type !== 'i') return 'Unknown AOF file type'
  return { name, sequence, type }
}

function withFile(manifest: Manifest, file: AofFile): Manifest | string {
  const { sequence, type } = file
  if (type === 'b') {
    if (manifest.base !== undefined) return 'Found duplicate base file information'
    return { ...manifest, base: file, baseSequence: sequence }
  }
  if (type === 'h') return { ...manifest, history: [...manifest.history, file] }
  if (sequence <= manifest.incrementSequence) return 'Found a non-monotonic sequence number'
  return {
    ...manifest,
    increments: [...manifest.increments, file],
    incrementSequence: sequence,
  }
}

/**
 * A name as it stands in the manifest: quoted when it would not be one plain word.
 * DIFFERS: one with an apostrophe is quoted. Redis writes it plainly and cannot read it again.
 */
function shownName(name: string): string {
  return /^[!#-&(-[\]-~]+$/.test(name) ? name : quoteWord(name)
}
