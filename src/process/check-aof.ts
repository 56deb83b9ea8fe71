/**
 * `--check-aof`: whether an append-only file is in order, of many parts or of one, and on demand its
 * end cut off; what is said is what redis-check-aof says.
 *
 * Thread: main.
 * Owns: the words, and when a file may be cut.
 * Never: cuts any file but the last.
 */
import {
  closeSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  readSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { fromBytes, toUnicode } from '../config/byte-text.ts'
import { loadedFiles, parseManifest } from '../disk/manifest.ts'
import { ByteSource } from '../lib/bytes/byte-source.ts'
import { systemErrorText } from '../lib/system-error.ts'
import { checkRdb, type Say } from './check-rdb.ts'

/** How a file was found. */
type Verdict = 'valid' | 'empty' | 'cut' | 'cut to timestamp'

interface Options {
  readonly fix: boolean
  /** Unix seconds; 0: no such wish. */
  readonly timestamp: number
}

/** Thrown to end with status 1; everything was said. */
class Failed {}

const LINE_SIZE_MAX = 127
const ANNOTATION_SIZE_MAX = 1023
const MANIFEST_LINE_SIZE_MAX = 1024
/** Longer arguments are not looked at. */
const NAME_SIZE_MAX = 64
const STRING_SIZE_MAX = 2n ** 63n - 3n
const STANDARD_INPUT = 0
const RDB_MARK = 'REDIS'

/** The whole of it. Gives the exit status. `ask` prints without a line's end. */
export function checkAofMain(words: readonly string[], say: Say, ask: Say): number {
  try {
    new Check(optionsOf(words, say), say, ask).file(words[words.length - 1])
    return 0
  } catch (error) {
    if (error instanceof Failed) return 1
    throw error
  }
}

function optionsOf(words: readonly string[], say: Say): Options {
  if (words.length === 1) return { fix: false, timestamp: 0 }
  if (words.length === 2 && words[0] === '--fix') return { fix: true, timestamp: 0 }
  if (words.length === 3 && words[0] === '--truncate-to-timestamp') {
    if (/^\s*[+-]?\d+$/.test(words[1])) return { fix: false, timestamp: Number(words[1]) }
    say('Invalid timestamp, aborting...')
    throw new Failed()
  }
  say('Usage: --check-aof [--fix|--truncate-to-timestamp $timestamp] <file.manifest|file.aof>')
  throw new Failed()
}

class Check {
  readonly #options: Options
  readonly #say: Say
  readonly #ask: Say
  #line = 1

  constructor(options: Options, say: Say, ask: Say) {
    this.#options = options
    this.#say = say
    this.#ask = ask
  }

  file(path: string): void {
    if (this.#isManifest(path)) return this.#parts(path)
    const hasPreamble = this.#isRdb(path)
    this.#say('Start checking Old-Style AOF')
    this.#tell('AOF', path, this.#one(path, path, true, hasPreamble))
  }

  #parts(path: string): void {
    this.#say('Start checking Multi Part AOF')
    const manifest = parseManifest(fromBytes(readFileSync(path)))
    if ('problem' in manifest) {
      this.#say('*** FATAL AOF MANIFEST FILE ERROR ***')
      if (manifest.at !== undefined) {
        this.#say(`Reading the manifest file, at line ${manifest.at.line}`)
        this.#say(`>>> '${manifest.at.text}'`)
      }
      return this.#fail(manifest.problem)
    }
    const files = loadedFiles(manifest)
    let increments = 0
    for (const { name: byteName, type } of files) {
      const name = toUnicode(byteName)
      const place = join(dirname(path), name)
      const isLast = byteName === files[files.length - 1].name
      if (type === 'b') {
        const hasPreamble = this.#isRdb(place)
        this.#say(`Start to check BASE AOF (${hasPreamble ? 'RDB' : 'RESP'} format).`)
        this.#tell('BASE AOF', name, this.#one(name, place, isLast, hasPreamble))
      } else {
        if (increments++ === 0) this.#say('Start to check INCR files.')
        this.#tell('INCR AOF', name, this.#one(name, place, isLast, false))
      }
    }
    this.#say('All AOF files and manifest are valid')
  }

  #tell(kind: string, name: string, verdict: Verdict): void {
    const { timestamp } = this.#options
    if (verdict === 'valid') this.#say(`${kind} ${name} is valid`)
    else if (verdict === 'empty') this.#say(`${kind} ${name} is empty`)
    else if (verdict === 'cut') this.#say(`Successfully truncated AOF ${name}`)
    else this.#say(`Successfully truncated AOF ${name} to timestamp ${timestamp}`)
  }

  #one(name: string, path: string, isLast: boolean, hasPreamble: boolean): Verdict {
    const file = this.#open(path, 'r+', ', aborting...')
    try {
      const { size } = fstatSync(file)
      if (size === 0) return 'empty'
      const source = new ByteSource((into) => readSync(file, into))
      if (hasPreamble) {
        if (!checkRdb(name, source, this.#say)) {
          this.#fail('RDB preamble of AOF file is not sane, aborting.')
        }
        this.#say('RDB preamble is OK, proceeding with AOF tail...')
      }
      const commands = new Commands(source, name, path, this.#line, this.#say)
      const cutAt = commands.walk(this.#options.timestamp)
      this.#line = commands.line
      if (cutAt >= 0) return this.#cutToTimestamp(file, path, cutAt, isLast)
      return this.#judge(file, name, size, commands, isLast)
    } finally {
      closeSync(file)
    }
  }

  #judge(file: number, name: string, size: number, commands: Commands, isLast: boolean): Verdict {
    const { error, validSize, line } = commands
    if (error !== '') this.#say(error)
    const excess = size - validSize
    const { timestamp, fix } = this.#options
    if (excess === 0 && timestamp !== 0) {
      this.#say(`Truncate nothing in AOF ${name} to timestamp ${timestamp}`)
      return 'valid'
    }
    this.#say(
      `AOF analyzed: filename=${name}, size=${size}, ok_up_to=${validSize}, ok_up_to_line=${line}, diff=${excess}`,
    )
    if (excess <= 0) return 'valid'
    if (!fix) this.#fail(`AOF ${name} is not valid. Use the --fix option to try fixing it.`)
    if (!isLast) this.#fail(`Failed to truncate AOF ${name} because it is not the last file`)
    this.#say(
      `This will shrink the AOF ${name} from ${size} bytes, with ${excess} bytes, to ${validSize} bytes`,
    )
    this.#ask('Continue? [y/N]: ')
    if (!saysYes()) this.#fail('Aborting...')
    ftruncateSync(file, validSize)
    return 'cut'
  }

  #cutToTimestamp(file: number, path: string, cutAt: number, isLast: boolean): Verdict {
    const { timestamp } = this.#options
    if (cutAt === 0) {
      this.#fail(`AOF ${path} has nothing before timestamp ${timestamp}, aborting...`)
    }
    if (!isLast) {
      this.#say(
        `Failed to truncate AOF ${path} to timestamp ${timestamp} to offset ${cutAt} because it is not the last file.`,
      )
      this.#fail(
        'If you insist, please delete all files after this file according to the manifest file and delete the corresponding records in manifest file manually. Then re-run redis-check-aof.',
      )
    }
    ftruncateSync(file, cutAt)
    return 'cut to timestamp'
  }

  #isManifest(path: string): boolean {
    const file = this.#open(path, 'r', '')
    const source = new ByteSource((into) => readSync(file, into))
    let found = false
    for (;;) {
      const line = source.line(MANIFEST_LINE_SIZE_MAX)
      if (line === undefined) break
      if (line.toString('latin1', 0, 4) === 'file') found = true
    }
    closeSync(file)
    return found
  }

  #isRdb(path: string): boolean {
    const file = this.#open(path, 'r', '')
    const head = Buffer.alloc(RDB_MARK.length)
    const isLongEnough = fstatSync(file).size >= 8
    readSync(file, head)
    closeSync(file)
    return isLongEnough && head.toString('latin1') === RDB_MARK
  }

  #open(path: string, how: 'r' | 'r+', rest: string): number {
    try {
      return openSync(path, how)
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      if (code === undefined) throw error
      return this.#fail(`Cannot open file ${path}: ${systemErrorText(code, message)}${rest}`)
    }
  }

  #fail(text: string): never {
    this.#say(text)
    throw new Failed()
  }
}

/** The commands of one file, more strictly than a server reads them. */
class Commands {
  readonly #source: ByteSource
  readonly #name: string
  readonly #path: string
  readonly #say: Say
  #isInMulti = false
  /** Where the last piece began that was read. */
  #at = 0
  /** Up to where everything is in order; inside a transaction: up to its MULTI. */
  validSize = 0
  /** Lines read, those of the files before included. */
  line: number
  /** What is wrong, with its place; empty for nothing. */
  error = ''

  constructor(source: ByteSource, name: string, path: string, line: number, say: Say) {
    this.#source = source
    this.line = line
    this.#name = name
    this.#path = path
    this.#say = say
  }

  /** Gives where to cut for `timestamp`; -1: nowhere. */
  walk(timestamp: number): number {
    const cutAt = this.#walk(timestamp)
    if (this.#isInMulti && this.error === '' && this.#source.isAtEnd) {
      this.#fault('Reached EOF before reading EXEC for MULTI')
    }
    return cutAt
  }

  #walk(timestamp: number): number {
    const source = this.#source
    for (;;) {
      if (!this.#isInMulti) this.validSize = source.position
      const mark = source.peek()
      if (mark < 0) return -1
      if (mark === 35) {
        this.#at = source.position
        const line = source.line(ANNOTATION_SIZE_MAX)?.toString('latin1') ?? ''
        if (timestamp === 0 || !line.startsWith('#TS:')) continue
        const found = /^#TS:\s*([+-]?\d+)\r/.exec(line)
        if (found === null) {
          this.#say('Invalid timestamp annotation')
          throw new Failed()
        }
        if (Number(found[1]) > timestamp) return this.#at
      } else if (mark !== 42) {
        this.#say(`AOF ${this.#name} format error`)
        return -1
      } else if (!this.#command()) {
        return -1
      }
    }
  }

  #command(): boolean {
    const count = this.#number('*')
    if (count === undefined) return false
    for (let i = 0n; i < count; i++) {
      if (!this.#argument(i === 0n)) return false
    }
    return true
  }

  #argument(isName: boolean): boolean {
    const length = this.#number('$')
    if (length === undefined) return false
    if (length < 0n || length > STRING_SIZE_MAX) {
      const text = `Expected to read string of ${length} bytes, which is not in the suitable range`
      return this.#fault(text)
    }
    const source = this.#source
    this.#at = source.position
    const size = Number(length)
    const short = size <= NAME_SIZE_MAX ? source.take(size + 2) : undefined
    if (short !== undefined) {
      if (!this.#lineEnd(short, size)) return false
      return !isName || this.#transaction(short.toString('latin1', 0, size).toLowerCase())
    }
    const got = source.skip(size)
    const end = got === size ? source.take(2) : undefined
    if (end !== undefined) return this.#lineEnd(end, 0)
    const all = got + source.skip(2)
    return this.#fault(`Expected to read ${length + 2n} bytes, got ${all} bytes`)
  }

  #transaction(name: string): boolean {
    if (name === 'multi') {
      if (this.#isInMulti) return this.#fault(`Unexpected MULTI in AOF ${this.#path}`)
      this.#isInMulti = true
    } else if (name === 'exec') {
      if (!this.#isInMulti) return this.#fault(`Unexpected EXEC in AOF ${this.#path}`)
      this.#isInMulti = false
    }
    return true
  }

  /** The number in a line that begins with `prefix`; undefined, and what is wrong is noted. */
  #number(prefix: string): bigint | undefined {
    this.#at = this.#source.position
    const line = this.#source.line(LINE_SIZE_MAX)
    if (line === undefined) return undefined
    if (line[0] !== prefix.charCodeAt(0)) {
      const got = String.fromCharCode(line[0])
      this.#fault(`Expected prefix '${prefix}', got: '${got}'`)
      return undefined
    }
    const text = line.toString('latin1', 1)
    const digits = /^\s*[+-]?\d+/.exec(text)?.[0] ?? ''
    return this.#lineEnd(line, 1 + digits.length) ? BigInt(digits || 0) : undefined
  }

  #lineEnd(bytes: Buffer, offset: number): boolean {
    const [first, second] = [bytes[offset] ?? 0, bytes[offset + 1] ?? 0]
    if (first !== 13 || second !== 10) {
      return this.#fault(`Expected \\r\\n, got: ${hex(first)}${hex(second)}`)
    }
    this.line++
    return true
  }

  #fault(text: string): false {
    this.error = `0x${this.#at.toString(16).padStart(16)}: ${text}`
    return false
  }
}

/** QUIRK: bytes are signed for the tool, and the upper half is shown so. */
function hex(byte: number): string {
  return (byte < 128 ? byte : (byte | ~0xff) >>> 0).toString(16).padStart(2, '0')
}

function saysYes(): boolean {
  const answer = Buffer.alloc(1)
  const count = readSync(STANDARD_INPUT, answer)
  return count === 1 && /y/i.test(answer.toString('latin1'))
}

/** Prints as the tool does. */
export function print(text: string): void {
  writeSync(1, text)
}
