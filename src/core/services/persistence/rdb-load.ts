/**
 * Loads an RDB file, or the RDB part of another one.
 *
 * Thread: core.
 * Owns: the key in progress, and what the file says about itself.
 * Never: takes a value on trust, leaves one half loaded, decides what a failure means.
 *
 * @see https://rdb.fnordig.de/file_format.html
 */
import type { DiskProblem } from '../../../bridge/disk-control.ts'
import { stopThread } from '../../../bridge/wake.ts'
import { toUnicode } from '../../../config/byte-text.ts'
import type { Crc64 } from '../../../lib/crc64.ts'
import {
  OPCODE_AUX,
  OPCODE_END,
  OPCODE_EXPIRE_MS,
  OPCODE_EXPIRE_SECONDS,
  OPCODE_FREQ,
  OPCODE_FUNCTION,
  OPCODE_FUNCTION_OLD,
  OPCODE_IDLE,
  OPCODE_MODULE_AUX,
  OPCODE_RESIZE_DB,
  OPCODE_SELECT_DB,
  OPCODE_SLOT_INFO,
  RDB_MODULE,
  RDB_MODULE_OLD,
  RDB_VERSION_MAX,
} from '../../../lib/rdb/format.ts'
import {
  RDB_EARLY,
  RDB_EMPTY,
  RDB_SHORT,
  RdbCorruptError,
  type RdbReader,
} from '../../../lib/rdb/reader.ts'
import { ArenaFullError } from '../../../memory/arena.ts'
import { Args } from '../../engine/args.ts'
import { CommandError } from '../../engine/errors.ts'
import { idleAge } from '../../keyspace/age.ts'
import { type Db, NO_DEADLINE } from '../../keyspace/db.ts'
import { setEntryAge } from '../../keyspace/entry.ts'
import type { Keyspace } from '../../keyspace/keyspace.ts'
import { persistenceOf } from '../../keyspace/persist.ts'
import { Draft } from '../../keyspace/transfer.ts'
import type { Server } from '../../server.ts'
import type { Loader } from './loading.ts'

/** 'REDIS' and four digits. */
const HEADER_SIZE = 9
const FIRST_CHECKED_VERSION = 5
const SUM_SIZE = 8
const KEY_SIZE_MIN = 256
/** Up to here a loop is faster than a call. */
const SHORT_KEY_SIZE = 32
const MODULE_NAME_SIZE = 9
const MODULE_NAME_LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const NOT_GIVEN = -1

/** Where the bytes come from. */
export interface RdbInput {
  readonly reader: RdbReader
  /** Of everything, as far as it is known. */
  readonly size: number
  /** Bytes that were read. */
  readonly position: number
  /** Why there are no more. */
  readonly problem: DiskProblem | undefined
  /** Of everything that was read. */
  checksum(): Crc64
  /** What is read from here on may have to be read again: after RDB_EARLY. */
  mark(): void
}

export interface RdbLoadOptions {
  /** A key, or a library, that is there already gives way; otherwise the file is refused. */
  readonly replaces: boolean
  /** Keys whose time is over are loaded as well: the AOF that follows deletes them. */
  readonly keepsExpired: boolean
  /** Otherwise: is told of each of them. */
  readonly expired?: (dbIndex: number, key: Buffer, aux: ReadonlyMap<string, string>) => void
  /** Where the keys go, if not where everybody sees them; then libraries are only gathered. */
  readonly aside?: Keyspace
}

/** How it ended. */
export type RdbLoadOutcome =
  | { readonly state: 'loaded' }
  | ({ readonly state: 'failed' } & RdbFailure)

/** `lines`: for the log. */
interface RdbFailure {
  readonly lines: readonly string[]
  /** The file is an RDB file, and its content is at fault. */
  readonly isFormat: boolean
  /** Every value that was read is whole: DEBUG RELOAD goes on with them. */
  readonly isWholeSoFar: boolean
}

/** Thrown inside. */
class LoadError implements RdbFailure {
  readonly lines: readonly string[]
  readonly isFormat: boolean
  readonly isWholeSoFar: boolean

  constructor(lines: readonly string[], isFormat: boolean, isWholeSoFar = false) {
    this.lines = lines
    this.isFormat = isFormat
    this.isWholeSoFar = isWholeSoFar
  }
}

export class RdbLoader implements Loader {
  readonly #server: Server
  readonly #source: RdbInput
  readonly #options: RdbLoadOptions
  readonly #onOutcome: (outcome: RdbLoadOutcome) => void
  readonly #args: Args
  readonly #keyspace: Keyspace
  /** Of libraries, where they are only gathered. */
  readonly libraryCodes: Buffer[] = []
  savedMemoryBytes = 0
  loadedKeys = 0
  expiredKeys = 0
  emptyKeys = 0
  /** What the file says about itself, beside what is of use only here. */
  readonly aux = new Map<string, string>()
  #version = 0
  #db: Db
  #deadlineMs = NO_DEADLINE
  #idleSeconds = NOT_GIVEN
  #frequency = NOT_GIVEN
  /** The type of the key in progress, for whoever has to be told; -1: none. */
  #rdbType = -1
  /** The directive key-load-delay. */
  #delayUs = 0

  constructor(
    server: Server,
    source: RdbInput,
    options: RdbLoadOptions,
    onOutcome: (outcome: RdbLoadOutcome) => void,
  ) {
    this.#server = server
    this.#source = source
    this.#options = options
    this.#onOutcome = onOutcome
    this.#keyspace = options.aside ?? server.keyspace
    this.#db = this.#keyspace.dbs[0]
    const memory = new ArrayBuffer(KEY_SIZE_MIN)
    this.#args = new Args(Buffer.from(memory), new Int32Array(memory), server.start.hashSeed)
    this.#args.count = 1
  }

  get totalBytes(): number {
    return this.#source.size
  }

  get loadedBytes(): number {
    return this.#source.position
  }

  load(mayGoOn: () => boolean): boolean {
    const { events } = this.#keyspace
    const { wanted } = events
    // Nobody is told of keys that were there before the server was.
    events.wanted = 0
    let outcome: RdbLoadOutcome | undefined
    try {
      outcome = this.#loadItems(mayGoOn)
    } catch (error) {
      if (error !== RDB_EARLY) outcome = { state: 'failed', ...this.#failure(error) }
    } finally {
      events.wanted = wanted
    }
    if (outcome === undefined) return true
    this.#onOutcome(outcome)
    return false
  }

  /** undefined when there is more. */
  #loadItems(mayGoOn: () => boolean): RdbLoadOutcome | undefined {
    this.#delayUs = this.#server.settings.int('key-load-delay')
    if (this.#version === 0) {
      this.#source.mark()
      this.#readHeader()
    }
    do {
      this.#source.mark()
      if (this.#item()) continue
      this.#end()
      return { state: 'loaded' }
    } while (mayGoOn())
    return undefined
  }

  #readHeader(): void {
    const { reader } = this.#source
    const at = reader.raw(HEADER_SIZE)
    const header = reader.bytes.latin1Slice(at, at + HEADER_SIZE)
    const version = Number.parseInt(header.slice(5), 10) || 0
    if (!header.startsWith('REDIS')) {
      throw new LoadError(['Wrong signature trying to load DB from file'], false)
    }
    if (version < 1 || version > RDB_VERSION_MAX) {
      throw new LoadError([`Can't handle RDB format version ${version}`], false)
    }
    this.#version = version
  }

  /** Reads one opcode or key. False after the last. */
  #item(): boolean {
    const { reader } = this.#source
    const code = reader.byte()
    switch (code) {
      case OPCODE_END:
        return false
      case OPCODE_EXPIRE_MS:
        this.#deadlineMs = reader.milliseconds()
        return true
      case OPCODE_EXPIRE_SECONDS:
        this.#deadlineMs = (reader.uint32() | 0) * 1000
        return true
      case OPCODE_IDLE:
        this.#idleSeconds = reader.size()
        return true
      case OPCODE_FREQ:
        this.#frequency = reader.byte()
        return true
      case OPCODE_SELECT_DB:
        this.#select(reader.size())
        return true
      case OPCODE_RESIZE_DB:
        reader.size()
        reader.size()
        return true
      case OPCODE_SLOT_INFO:
        for (let i = 0; i < 3; i++) reader.size()
        return true
      case OPCODE_AUX:
        this.#aux(this.#text(), this.#text())
        return true
      case OPCODE_FUNCTION:
        this.#library()
        return true
      case OPCODE_FUNCTION_OLD:
        throw new LoadError(['Pre-release function format not supported.'], true)
      case OPCODE_MODULE_AUX:
        throw new LoadError([this.#unknownModule('AUX module data', 'module')], false)
      default:
        this.#key(code)
        return true
    }
  }

  #select(index: number): void {
    const { dbs } = this.#keyspace
    if (index >= dbs.length) {
      const text = `FATAL: Data file was created with a Redis server configured to handle more than ${dbs.length} databases. Exiting`
      throw new LoadError([text], false)
    }
    this.#db = dbs[index]
  }

  #aux(name: string, value: string): void {
    const { log, clock } = this.#server
    if (name.startsWith('%')) {
      log.notice(`RDB '${name}': ${value}`)
    } else if (name === 'redis-ver') {
      log.notice(`Loading RDB produced by version ${value}`)
    } else if (name === 'ctime') {
      const age = Math.max(Math.floor(clock.nowMs / 1000) - Number(value), 0)
      log.notice(`RDB age ${age} seconds`)
    } else if (name === 'used-mem') {
      this.savedMemoryBytes = Number(value)
      log.notice(`RDB memory usage when created ${(Number(value) / 1024 / 1024).toFixed(2)} Mb`)
    } else if (name === 'aof-base' && value === '1') {
      log.notice('RDB is base AOF')
    }
    this.aux.set(name, value)
  }

  #library(): void {
    const { reader } = this.#source
    reader.string()
    const { stringBytes, stringOffset, stringLength } = reader
    const code = Buffer.from(stringBytes.subarray(stringOffset, stringOffset + stringLength))
    if (this.#options.aside !== undefined) {
      this.libraryCodes.push(code)
      return
    }
    try {
      this.#server.scripting.functions.load(code, this.#options.replaces)
    } catch (error) {
      if (!(error instanceof CommandError)) throw error
      const problem = error.text.replace(/^ERR /, '')
      throw new LoadError([`Failed loading library, ${problem}`], true, true)
    }
  }

  #key(rdbType: number): void {
    const { reader } = this.#source
    const persistence = persistenceOf(rdbType)
    const args = this.#args
    if (persistence === undefined && rdbType !== RDB_MODULE && rdbType !== RDB_MODULE_OLD) {
      throw new LoadError([this.#internal(`Unknown RDB encoding type ${rdbType}`)], true)
    }
    reader.string()
    this.#takeKey(reader.stringBytes, reader.stringOffset, reader.stringLength)
    this.#rdbType = rdbType
    if (persistence === undefined) {
      throw new LoadError([this.#internal(this.#unknownModule('module data', 'module type'))], true)
    }
    const draft = new Draft(this.#db, args, 0, this.#deadlineMs)
    let done = false
    try {
      persistence.load(rdbType, reader, this.#db.arenaOf(args, 0), draft)
      done = true
    } catch (error) {
      if (error !== RDB_EMPTY) throw error
      if (this.emptyKeys++ < SHOWN_EMPTY_KEYS) {
        this.#server.log.notice(`rdbLoadObject skipping empty key: ${this.#shownKey()}`)
      }
    } finally {
      if (!done) draft.abandon()
    }
    if (done) this.#keep(draft)
    this.#deadlineMs = NO_DEADLINE
    this.#idleSeconds = NOT_GIVEN
    this.#frequency = NOT_GIVEN
    if (this.#delayUs !== 0) this.#delay(this.#delayUs)
  }

  /** The value is whole: it becomes the key's, unless its time is over. */
  #keep(draft: Draft): void {
    const { clock } = this.#server
    const isLate = this.#deadlineMs !== NO_DEADLINE && this.#deadlineMs < clock.nowMs
    if (isLate && !this.#options.keepsExpired) {
      draft.discard()
      this.expiredKeys++
      this.#options.expired?.(this.#db.index, this.#args.copy(0), this.aux)
      return
    }
    const existing = this.#db.find(this.#args, 0)
    if (existing !== 0 && !this.#options.replaces) {
      draft.discard()
      const line = `RDB has duplicated key '${this.#shownKey()}' in DB ${this.#db.index}`
      throw new LoadError([line, 'Duplicated key found in RDB file'], false)
    }
    if (existing !== 0) this.#db.changing(existing)
    draft.adopt(existing)
    this.loadedKeys++
    if (this.#idleSeconds >= 0 || this.#frequency >= 0) this.#setAge(draft)
  }

  #setAge(draft: Draft): void {
    const { keyspace } = this.#server
    const { arena } = this.#db
    if (keyspace.countsUses) {
      if (this.#frequency < 0) return
      setEntryAge(arena, draft.ref, keyspace.frequencies.withCount(this.#frequency))
    } else if (this.#idleSeconds >= 0) {
      setEntryAge(arena, draft.ref, idleAge(keyspace.lruClock, this.#idleSeconds))
    }
  }

  #takeKey(bytes: Buffer, offset: number, length: number): void {
    const args = this.#args
    if (length > args.bytes.length) {
      const memory = new ArrayBuffer((length + 7) & ~7)
      args.bytes = Buffer.from(memory)
      args.words = new Int32Array(memory)
    }
    if (length > SHORT_KEY_SIZE) bytes.copy(args.bytes, 0, offset, offset + length)
    else for (let i = 0; i < length; i++) args.bytes[i] = bytes[offset + i]
    args.offsets[0] = 0
    args.lengths[0] = length
  }

  /** Behind the last key: the checksum. */
  #end(): void {
    const { log, settings, keyspace } = this.#server
    const { reader } = this.#source
    this.#rdbType = -1
    if (this.#version >= FIRST_CHECKED_VERSION) {
      const sum = this.#source.checksum()
      const at = reader.raw(SUM_SIZE)
      const expected = reader.bytes.subarray(at, at + SUM_SIZE)
      if (!settings.bool('rdbchecksum') || !keyspace.checksPayloads) {
        // Whatever it is.
      } else if (expected.every((byte) => byte === 0)) {
        log.warning('RDB file was saved with checksum disabled: no check performed.')
      } else if (!sum.matches(expected, 0)) {
        const got = Buffer.alloc(SUM_SIZE)
        sum.write(got, 0)
        throw new LoadError(
          [
            `Wrong RDB checksum expected: (${hex(expected)}) but got (${hex(got)}). Aborting now.`,
            this.#internal('RDB CRC error'),
          ],
          true,
          true,
        )
      }
    }
    const counts = `keys loaded: ${this.loadedKeys}, keys expired: ${this.expiredKeys}`
    if (this.emptyKeys === 0) log.notice(`Done loading RDB, ${counts}.`)
    else log.warning(`Done loading RDB, ${counts}, empty keys skipped: ${this.emptyKeys}.`)
  }

  /** What went wrong, in words. Throws: what is our own fault. */
  #failure(error: unknown): RdbFailure {
    if (error instanceof LoadError) return error
    if (error instanceof ArenaFullError) {
      return new LoadError(['Out of memory loading the DB.'], false)
    }
    if (!(error instanceof RdbCorruptError)) throw error
    const { problem } = this.#source
    if (problem !== undefined) return new LoadError([problem.text], false)
    if (error === RDB_SHORT) {
      const text = 'Short read or OOM loading DB. Unrecoverable error, aborting now.'
      return new LoadError([text, this.shortRead], true, true)
    }
    return new LoadError([this.#internal(error.message)], true)
  }

  /** What is to be said when no more comes. */
  get shortRead(): string {
    return this.#internal('Unexpected EOF reading RDB file')
  }

  #internal(reason: string): string {
    const type = this.#rdbType
    const doing = type < 0 ? '' : `, key '${this.#shownKey()}', type ${type}`
    return `Internal error in RDB reading offset ${this.#source.position}${doing} -> ${reason}`
  }

  /** A module's number is its name, six bits a letter, and ten bits of its version. */
  #unknownModule(what: string, kind: string): string {
    const { reader } = this.#source
    reader.size64()
    let number = (BigInt(reader.high >>> 0) << 32n) | BigInt(reader.low >>> 0)
    let name = ''
    number >>= 10n
    for (let i = 0; i < MODULE_NAME_SIZE; i++) {
      name = MODULE_NAME_LETTERS[Number(number & 63n)] + name
      number >>= 6n
    }
    return `The RDB file contains ${what} I can't load: no matching ${kind} '${name}'`
  }

  #text(): string {
    const { reader } = this.#source
    reader.string()
    const { stringBytes, stringOffset, stringLength } = reader
    return stringBytes.latin1Slice(stringOffset, stringOffset + stringLength)
  }

  #shownKey(): string {
    const { bytes, lengths } = this.#args
    return toUnicode(bytes.latin1Slice(0, lengths[0]))
  }

  /** A delay of -n is Redis's for a microsecond's sleep every n keys. */
  #delay(delayUs: number): void {
    if (delayUs > 0) stopThread(delayUs / 1000)
    else if (this.loadedKeys % -delayUs === 0) stopThread(SHORTEST_SLEEP_MS)
  }
}

const SHOWN_EMPTY_KEYS = 10
const SHORTEST_SLEEP_MS = 0.001

/** The sum as a number, high byte first. */
function hex(bytes: Buffer): string {
  return Buffer.from(bytes)
    .reverse()
    .toString('hex')
    .replace(/^0+(?=.)/, '')
}
