/**
 * A HyperLogLog: a string of its own form, which clients may as well read and write as a string.
 *
 *     "HYLL" | encoding | 3 bytes | count: 8 bytes, the last bit set when it is out of date | registers
 *
 * Few registers that are not 0 are kept as runs (sparse.ts), many as 6 bits each (registers.ts).
 *
 * Thread: core. Hot path.
 * Owns: that form; the value that is open.
 * Never: believes that a string is a HyperLogLog because it begins like one.
 */

import type { Ref } from '../../../memory/arena.ts'
import { blobBytesOffset, blobCreateUnfilled, blobFree, blobResize } from '../../../memory/blob.ts'
import type { Args } from '../../engine/args.ts'
import type { Call } from '../../engine/call.ts'
import { CommandError } from '../../engine/errors.ts'
import type { Db } from '../../keyspace/db.ts'
import { entryEncoding, entryValueWord, TYPE_STRING } from '../../keyspace/entry.ts'
import { KEEP_DEADLINE, stringGrow, stringSetBlob } from '../string/string.ts'
import { STRING_RAW, StringView } from '../string/view.ts'
import {
  countDense,
  mergeDense,
  packDense,
  REGISTERS_SIZE,
  raiseRegister,
  VALUE_COUNT,
} from './registers.ts'
import {
  CORRUPT,
  countSparse,
  mergeSparse,
  SPARSE_ROOM,
  SPARSE_VALUE_MAX,
  sparseEmpty,
  sparseFind,
  sparseSet,
  sparseToDense,
} from './sparse.ts'

export const NOT_A_HYPERLOGLOG = new CommandError(
  'WRONGTYPE Key is not a valid HyperLogLog string value.',
)
export const CORRUPT_HYPERLOGLOG = new CommandError('INVALIDOBJ Corrupted HLL object detected')

export const DENSE = 0
export const SPARSE = 1

export const HEADER_SIZE = 16
export const DENSE_SIZE = HEADER_SIZE + REGISTERS_SIZE
/** The runs of a HyperLogLog that has seen nothing. */
const EMPTY_RUNS_SIZE = 2
const MAGIC = [72, 89, 76, 76]
const ENCODING_AT = 4
const COUNT_AT = 8
const COUNT_END = 15
const STALE = 0x80

const view = new StringView()
const histogram = new Int32Array(VALUE_COUNT)

/** The value of a key, to be read and changed. */
export class HyperLogLog {
  /** The memory that it is in; the same in words. */
  bytes = view.bytes
  words = view.words
  /** Where it begins, a multiple of 4. */
  offset = 0
  length = 0
  ref: Ref = 0
  #call: Call | undefined = undefined
  #index = 0
  /** The longest that a sparse one may grow. */
  #sparseMax = 0

  /**
   * Looks at the value at `ref` of the key in argument `index`, which was looked up last; 0: none.
   * Throws: CommandError NOT_A_HYPERLOGLOG.
   */
  open(call: Call, index: number, ref: Ref): void {
    this.#call = call
    this.#index = index
    this.ref = ref
    this.#sparseMax = call.server.settings.int('hll-sparse-max-bytes')
    if (ref === 0) return
    this.#look(call.db)
    const { bytes, offset, length } = this
    if (length < HEADER_SIZE) throw NOT_A_HYPERLOGLOG
    for (let i = 0; i < MAGIC.length; i++) {
      if (bytes[offset + i] !== MAGIC[i]) throw NOT_A_HYPERLOGLOG
    }
    const encoding = bytes[offset + ENCODING_AT]
    if (encoding > SPARSE) throw NOT_A_HYPERLOGLOG
    if (encoding === DENSE && length !== DENSE_SIZE) throw NOT_A_HYPERLOGLOG
  }

  get isDense(): boolean {
    return this.bytes[this.offset + ENCODING_AT] === DENSE
  }

  /** Where the registers begin, and end. */
  get registers(): number {
    return this.offset + HEADER_SIZE
  }

  get end(): number {
    return this.offset + this.length
  }

  /** Makes sure that the value is there and a raw string. Throws: ARENA_FULL. */
  makeReal(): void {
    const { db, args } = this.#ground()
    if (this.ref !== 0) {
      if (entryEncoding(db.arena, this.ref) === STRING_RAW) return
      this.ref = stringGrow(db, args, this.#index, this.ref, 0)
      return this.#look(db)
    }
    this.ref = stringGrow(db, args, this.#index, 0, HEADER_SIZE + EMPTY_RUNS_SIZE)
    this.#look(db)
    writeEmpty(this.bytes, this.offset)
  }

  /**
   * Raises a register. Gives 1 when it was lower, 0 when not, CORRUPT when it is not there. The value
   * is raw. Throws: ARENA_FULL, with nothing changed.
   */
  raise(register: number, value: number): number {
    if (this.isDense) return raiseRegister(this.bytes, this.registers, register, value) ? 1 : 0
    if (value <= SPARSE_VALUE_MAX) {
      const before = sparseFind(this.bytes, this.registers, this.end, register)
      if (before === CORRUPT) return CORRUPT
      if (before >= value) return 0
      if (this.#raiseSparse(register, value)) return 1
    }
    if (!this.makeDense()) return CORRUPT
    raiseRegister(this.bytes, this.registers, register, value)
    return 1
  }

  /** Raises the register that was found. False when the runs would become too long. */
  #raiseSparse(register: number, value: number): boolean {
    const { db } = this.#ground()
    const { arena } = db
    const word = entryValueWord(arena, this.ref)
    const { length } = this
    const before = this.offset
    const roomy = blobResize(arena, arena.words[word], length + SPARSE_ROOM)
    arena.words[word] = roomy
    this.offset = blobBytesOffset(roomy)
    if (this.offset !== before) sparseFind(this.bytes, this.registers, this.end, register)
    const limit = this.offset + this.#sparseMax
    const end = sparseSet(this.bytes, this.registers, this.end, register, value, limit)
    if (end !== 0) this.length = end - this.offset
    arena.words[word] = blobResize(arena, roomy, this.length)
    this.offset = blobBytesOffset(arena.words[word])
    return end !== 0
  }

  /** Gives each register its 6 bits. False when they are corrupt. Throws: ARENA_FULL. */
  makeDense(): boolean {
    const { arena } = this.#ground().db
    const blob = blobCreateUnfilled(arena, DENSE_SIZE)
    const to = blobBytesOffset(blob)
    const { bytes, offset } = this
    arena.bytes.fill(0, to + HEADER_SIZE, to + DENSE_SIZE)
    if (!sparseToDense(bytes, this.registers, this.end, arena.bytes, to + HEADER_SIZE)) {
      blobFree(arena, blob)
      return false
    }
    bytes.copy(arena.bytes, to, offset, offset + HEADER_SIZE)
    arena.bytes[to + ENCODING_AT] = DENSE
    this.#take(blob)
    return true
  }

  /** Becomes dense registers of these values, whatever it is. Throws: ARENA_FULL, nothing changed. */
  becomeDense(registers: Uint8Array): void {
    const { arena } = this.#ground().db
    const blob = blobCreateUnfilled(arena, DENSE_SIZE)
    const to = blobBytesOffset(blob)
    if (this.ref === 0) writeEmpty(arena.bytes, to)
    else this.bytes.copy(arena.bytes, to, this.offset, this.offset + HEADER_SIZE)
    arena.bytes[to + ENCODING_AT] = DENSE
    packDense(registers, arena.words, to + HEADER_SIZE)
    this.#take(blob)
  }

  /** Becomes these bytes. Throws: ARENA_FULL, with nothing changed. */
  becomeBytes(bytes: Buffer, length: number): void {
    const { arena } = this.#ground().db
    const blob = blobCreateUnfilled(arena, length)
    bytes.copy(arena.bytes, blobBytesOffset(blob), 0, length)
    this.#take(blob)
  }

  /** Says that the count is out of date. */
  expireCount(): void {
    this.bytes[this.offset + COUNT_END] |= STALE
  }

  get countIsStale(): boolean {
    return (this.bytes[this.offset + COUNT_END] & STALE) !== 0
  }

  /** The low and the high word of the count that was kept. */
  get countLow(): number {
    return this.bytes.readInt32LE(this.offset + COUNT_AT)
  }

  get countHigh(): number {
    return this.bytes.readInt32LE(this.offset + COUNT_AT + 4)
  }

  keepCount(high: number, low: number): void {
    this.bytes.writeInt32LE(low, this.offset + COUNT_AT)
    this.bytes.writeInt32LE(high, this.offset + COUNT_AT + 4)
  }

  /** How many registers have which value, until the next call; undefined when they are corrupt. */
  count(): Int32Array | undefined {
    histogram.fill(0)
    if (this.isDense) countDense(this.words, this.registers, histogram)
    else if (!countSparse(this.bytes, this.registers, this.end, histogram)) return undefined
    return histogram
  }

  /** Raises registers of a byte each to those here. False when these are corrupt. */
  mergeInto(registers: Uint8Array): boolean {
    if (!this.isDense) return mergeSparse(this.bytes, this.registers, this.end, registers)
    mergeDense(this.words, this.registers, registers)
    return true
  }

  #take(blob: Ref): void {
    const { db, args } = this.#ground()
    this.ref = stringSetBlob(db, args, this.#index, this.ref, blob, KEEP_DEADLINE)
    this.#look(db)
  }

  #look(db: Db): void {
    view.open(db.arena, this.ref)
    this.bytes = view.bytes
    this.words = view.words
    this.offset = view.offset
    this.length = view.length
  }

  #ground(): { readonly db: Db; readonly args: Args } {
    if (this.#call === undefined) throw new Error('no value is open')
    return this.#call
  }
}

/** Writes a sparse one that has seen nothing. Gives where it ends. */
export function writeEmpty(bytes: Buffer, offset: number): number {
  bytes.fill(0, offset, offset + HEADER_SIZE)
  for (let i = 0; i < MAGIC.length; i++) bytes[offset + i] = MAGIC[i]
  bytes[offset + ENCODING_AT] = SPARSE
  return sparseEmpty(bytes, offset + HEADER_SIZE)
}

/** Opens a key that is to be changed. Throws: CommandError. */
export function openForWriting(call: Call, index: number, hll: HyperLogLog): void {
  hll.open(call, index, call.db.writeTyped(call.args, index, TYPE_STRING))
}

/** Opens a key that is to be read. Throws: CommandError. */
export function openForReading(call: Call, index: number, hll: HyperLogLog): void {
  hll.open(call, index, call.db.readTyped(call.args, index, TYPE_STRING))
}
