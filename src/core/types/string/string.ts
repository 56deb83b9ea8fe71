/**
 * The string value, in the three encodings that OBJECT ENCODING tells of. The entry holds
 *
 *   int      low word, high word of a signed 64-bit integer
 *   embstr   length word, then the bytes padded to words; at most 44 of them
 *   raw      the ref of a blob
 *
 * As in Redis the encoding says how a value came to be, not only how long it is: what was set is int
 * or embstr when it can be, what was changed in part is raw until it is set again.
 *
 * Functions that may move the entry answer its ref. Those that take `args` and `keyIndex` expect the
 * key of that argument to be the last that was looked up in `db`, with `ref` as the answer.
 *
 * Thread: core. Hot path.
 * Owns: the value's words in the entry, and the blob.
 * Never: changes anything when it throws ARENA_FULL; touches a deadline unless told to.
 */

import { INTEGER_OK, integerHigh, integerLow, parseInteger } from '../../../lib/bytes/integer.ts'
import { type Arena, type Ref, roundedSizeBytes } from '../../../memory/arena.ts'
import {
  BLOB_HEADER_SIZE,
  blobAppend,
  blobBytesOffset,
  blobCreate,
  blobCreateUnfilled,
  blobFree,
  blobLength,
  blobResize,
} from '../../../memory/blob.ts'
import { copyBytes } from '../../../memory/copy.ts'
import { entryKeyLength, entrySize } from '../../../memory/entry.ts'
import type { Args } from '../../engine/args.ts'
import { type Db, NO_DEADLINE } from '../../keyspace/db.ts'
import {
  DEADLINE_SIZE,
  EXPIRE_FLAG,
  entryDeadline,
  entryEncoding,
  entryValueWord,
  setEntryEncoding,
  TYPE_MASK,
  TYPE_STRING,
} from '../../keyspace/entry.ts'
import type { CopyTarget, ValueType } from '../../keyspace/value.ts'
import { STRING_EMBSTR, STRING_INT, STRING_RAW, StringView } from './view.ts'

/** The longest string that begins as embstr. */
export const EMBSTR_SIZE_MAX = 44
/** Longer text is never stored as an integer: the most digits and a sign. */
const INTEGER_SIZE_MAX = 20
const INTEGER_VALUE_SIZE = 8
const RAW_VALUE_SIZE = 4
const LENGTH_SIZE = 4
/** Blocks up to this size are not left for a smaller one. */
const KEPT_BLOCK_SIZE = 64

/** Redis shares the integers below this, and counts their references no more. */
const SHARED_INTEGER_COUNT = 10_000
const SHARED = 2 ** 31 - 1

/** In place of a deadline: the one that the key has, if any, stays. */
export const KEEP_DEADLINE = -2

const ENCODING_NAMES = ['int', 'embstr', 'raw']

const view = new StringView()

export const stringValue: ValueType = {
  name: 'string',

  referenceCount(arena, ref) {
    // Redis keeps one object for each of the smallest integers and calls it shared for ever.
    // DIFFERS: there COPY makes an object of its own, and the copy counts 1.
    if (entryEncoding(arena, ref) !== STRING_INT) return 1
    const word = entryValueWord(arena, ref)
    const low = arena.words[word]
    return arena.words[word + 1] === 0 && low >= 0 && low < SHARED_INTEGER_COUNT ? SHARED : 1
  },

  valueSize(arena, ref) {
    return stringValueSize(arena, ref)
  },

  encodingName(arena, ref) {
    return ENCODING_NAMES[entryEncoding(arena, ref)]
  },

  free(arena, ref) {
    if (entryEncoding(arena, ref) === STRING_RAW) blobFree(arena, stringBlob(arena, ref))
  },

  memoryBytes(arena, ref) {
    if (entryEncoding(arena, ref) !== STRING_RAW) return 0
    return arena.blockSizeBytes(stringBlob(arena, ref))
  },

  visit(arena, ref, visit) {
    if (entryEncoding(arena, ref) === STRING_RAW) visit(stringBlob(arena, ref))
  },

  copyTo(arena, from, toArena, target) {
    copyValue(arena, from, toArena, target)
  },

  digest(arena, ref, sink) {
    view.open(arena, ref)
    sink.ordered(view.bytes.subarray(view.offset, view.offset + view.length)) // alloc: DEBUG only
  },
}

/** The blob of a raw string. */
export function stringBlob(arena: Arena, ref: Ref): Ref {
  return arena.words[entryValueWord(arena, ref)]
}

/** Byte offset in `arena.bytes` of the bytes of a raw string. */
export function rawBytesOffset(arena: Arena, ref: Ref): number {
  return blobBytesOffset(stringBlob(arena, ref))
}

/** Bytes of the string: STRLEN. */
export function stringLength(arena: Arena, ref: Ref): number {
  const encoding = entryEncoding(arena, ref)
  if (encoding === STRING_RAW) return blobLength(arena, stringBlob(arena, ref))
  if (encoding === STRING_EMBSTR) return arena.words[entryValueWord(arena, ref)]
  view.open(arena, ref)
  return view.length
}

/**
 * Gives the key a string as SET does: int if it is written as one, else embstr or raw. `ref`: the
 * key's entry of whatever type, 0 if there is none. `deadlineMs`: Unix milliseconds, NO_DEADLINE or
 * KEEP_DEADLINE. The source is not the value that goes. Throws: ARENA_FULL, with nothing changed.
 */
export function stringSet(
  db: Db,
  args: Args,
  keyIndex: number,
  ref: Ref,
  src: Buffer,
  srcWords: Int32Array,
  srcOffset: number,
  length: number,
  deadlineMs: number,
): Ref {
  if (
    length <= INTEGER_SIZE_MAX &&
    parseInteger(src, srcOffset, srcOffset + length) === INTEGER_OK
  ) {
    return stringSetInteger(db, args, keyIndex, ref, integerHigh(), integerLow(), deadlineMs)
  }
  return stringSetText(db, args, keyIndex, ref, src, srcWords, srcOffset, length, deadlineMs)
}

/** `stringSet` from an argument. */
export function stringSetArgument(
  db: Db,
  args: Args,
  keyIndex: number,
  ref: Ref,
  index: number,
  deadlineMs: number,
): Ref {
  const { bytes, words } = args
  const at = args.offsets[index]
  return stringSet(db, args, keyIndex, ref, bytes, words, at, args.lengths[index], deadlineMs)
}

/** As `stringSet`, but never int. */
export function stringSetText(
  db: Db,
  args: Args,
  keyIndex: number,
  ref: Ref,
  src: Buffer,
  srcWords: Int32Array,
  srcOffset: number,
  length: number,
  deadlineMs: number,
): Ref {
  if (length > EMBSTR_SIZE_MAX) {
    return setRaw(db, args, keyIndex, ref, src, srcWords, srcOffset, length, deadlineMs)
  }
  const size = LENGTH_SIZE + ((length + 3) & ~3)
  const to = takeEntry(db, args, keyIndex, ref, STRING_EMBSTR, size, deadlineMs)
  const arena = db.arena
  const word = entryValueWord(arena, to)
  arena.words[word] = length
  copyBytes(arena.bytes, arena.words, (word + 1) << 2, src, srcWords, srcOffset, length)
  return to
}

/** As `stringSet`, from a signed 64-bit integer. */
export function stringSetInteger(
  db: Db,
  args: Args,
  keyIndex: number,
  ref: Ref,
  high: number,
  low: number,
  deadlineMs: number,
): Ref {
  const to = takeEntry(db, args, keyIndex, ref, STRING_INT, INTEGER_VALUE_SIZE, deadlineMs)
  const words = db.arena.words
  const word = entryValueWord(db.arena, to)
  words[word] = low
  words[word + 1] = high
  return to
}

/**
 * As `stringSet`, from a blob in the key's arena that nobody else has: the value is raw, whatever
 * its length. When this throws, the blob is freed.
 */
export function stringSetBlob(
  db: Db,
  args: Args,
  keyIndex: number,
  ref: Ref,
  blob: Ref,
  deadlineMs: number,
): Ref {
  const arena = db.arena
  let to = 0
  try {
    to = takeEntry(db, args, keyIndex, ref, STRING_RAW, RAW_VALUE_SIZE, deadlineMs)
  } finally {
    if (to === 0) blobFree(arena, blob)
  }
  arena.words[entryValueWord(arena, to)] = blob
  return to
}

/**
 * Makes the value raw and at least `length` bytes long, with zeros at the end; a key that is not
 * there (`ref` 0) is made of zeros alone. `ref` is a string's. The deadline stays.
 */
export function stringGrow(db: Db, args: Args, keyIndex: number, ref: Ref, length: number): Ref {
  const arena = db.arena
  if (ref === 0) {
    const blob = blobCreateUnfilled(arena, length)
    const at = blobBytesOffset(blob)
    arena.bytes.fill(0, at, at + length)
    return stringSetBlob(db, args, keyIndex, 0, blob, NO_DEADLINE)
  }
  if (entryEncoding(arena, ref) === STRING_RAW) {
    const blob = stringBlob(arena, ref)
    if (length > blobLength(arena, blob)) {
      arena.words[entryValueWord(arena, ref)] = blobResize(arena, blob, length)
    }
    return ref
  }
  view.open(arena, ref)
  const kept = view.length
  const blob = blobCreateUnfilled(arena, Math.max(kept, length))
  const at = blobBytesOffset(blob)
  copyBytes(arena.bytes, arena.words, at, view.bytes, view.words, view.offset, kept)
  if (length > kept) arena.bytes.fill(0, at + kept, at + length)
  return stringSetBlob(db, args, keyIndex, ref, blob, KEEP_DEADLINE)
}

/** Adds bytes at the end of a string that is there, and makes it raw. The deadline stays. */
export function stringAppend(
  db: Db,
  args: Args,
  keyIndex: number,
  ref: Ref,
  src: Buffer,
  srcWords: Int32Array,
  srcOffset: number,
  length: number,
): Ref {
  const arena = db.arena
  if (entryEncoding(arena, ref) === STRING_RAW) {
    const grown = blobAppend(arena, stringBlob(arena, ref), src, srcWords, srcOffset, length)
    arena.words[entryValueWord(arena, ref)] = grown
    return ref
  }
  view.open(arena, ref)
  const kept = view.length
  const blob = blobCreateUnfilled(arena, kept + length)
  const at = blobBytesOffset(blob)
  copyBytes(arena.bytes, arena.words, at, view.bytes, view.words, view.offset, kept)
  copyBytes(arena.bytes, arena.words, at + kept, src, srcWords, srcOffset, length)
  return stringSetBlob(db, args, keyIndex, ref, blob, KEEP_DEADLINE)
}

/** Bytes of the value in the key's own block: what `db.setDeadline` wants to know. */
export function stringValueSize(arena: Arena, ref: Ref): number {
  const encoding = entryEncoding(arena, ref)
  if (encoding === STRING_RAW) return RAW_VALUE_SIZE
  if (encoding === STRING_INT) return INTEGER_VALUE_SIZE
  return LENGTH_SIZE + ((arena.words[entryValueWord(arena, ref)] + 3) & ~3)
}

/** A raw string of these bytes, in the blob that there is when its block fits. */
function setRaw(
  db: Db,
  args: Args,
  keyIndex: number,
  ref: Ref,
  src: Buffer,
  srcWords: Int32Array,
  srcOffset: number,
  length: number,
  deadlineMs: number,
): Ref {
  const arena = db.arena
  if (ref !== 0 && canKeepBlob(arena, ref, length, deadlineMs)) {
    const blob = stringBlob(arena, ref)
    applyDeadline(db, ref, deadlineMs)
    arena.words[blob << 1] = length
    const at = blobBytesOffset(blob)
    copyBytes(arena.bytes, arena.words, at, src, srcWords, srcOffset, length)
    return ref
  }
  const blob = blobCreate(arena, src, srcWords, srcOffset, length)
  return stringSetBlob(db, args, keyIndex, ref, blob, deadlineMs)
}

function canKeepBlob(arena: Arena, ref: Ref, length: number, deadlineMs: number): boolean {
  if ((arena.words[ref << 1] & TYPE_MASK) !== TYPE_STRING) return false
  if (entryEncoding(arena, ref) !== STRING_RAW || !hasPlaceFor(arena, ref, deadlineMs)) return false
  const block = arena.blockSizeBytes(stringBlob(arena, ref))
  return suits(block, length + BLOB_HEADER_SIZE)
}

/**
 * An entry of the key for a string of `encoding`, with `valueSize` bytes to be filled by the caller:
 * the one that is there if its block suits, else a new one. What the old value had beside it is
 * freed.
 */
function takeEntry(
  db: Db,
  args: Args,
  keyIndex: number,
  ref: Ref,
  encoding: number,
  valueSize: number,
  deadlineMs: number,
): Ref {
  if (ref === 0) {
    const deadline = deadlineMs === KEEP_DEADLINE ? NO_DEADLINE : deadlineMs
    return db.create(args, keyIndex, TYPE_STRING, encoding, valueSize, deadline)
  }
  const arena = db.arena
  const header = arena.words[ref << 1]
  if ((header & TYPE_MASK) === TYPE_STRING && hasPlaceFor(arena, ref, deadlineMs)) {
    const timed = (header & EXPIRE_FLAG) !== 0 && deadlineMs !== NO_DEADLINE
    const payload = timed ? valueSize + DEADLINE_SIZE : valueSize
    const size = entrySize(entryKeyLength(arena, ref), payload)
    if (suits(arena.blockSizeBytes(ref), size)) {
      applyDeadline(db, ref, deadlineMs)
      stringValue.free(arena, ref)
      setEntryEncoding(arena, ref, encoding)
      return ref
    }
  }
  const deadline = deadlineMs === KEEP_DEADLINE ? entryDeadline(arena, ref) : deadlineMs
  return db.replace(ref, TYPE_STRING, encoding, valueSize, deadline)
}

/** Whether a block is large enough, and not more than half empty. */
function suits(blockSize: number, size: number): boolean {
  if (size > blockSize) return false
  return blockSize <= KEPT_BLOCK_SIZE || roundedSizeBytes(size) * 2 >= blockSize
}

/** Whether the entry can take this deadline where it lies. */
function hasPlaceFor(arena: Arena, ref: Ref, deadlineMs: number): boolean {
  return deadlineMs < 0 || (arena.words[ref << 1] & EXPIRE_FLAG) !== 0
}

/** Sets, keeps or clears the deadline of an entry that has a place for it. */
function applyDeadline(db: Db, ref: Ref, deadlineMs: number): void {
  if (deadlineMs === NO_DEADLINE) db.clearDeadline(ref)
  else if (deadlineMs !== KEEP_DEADLINE) db.setDeadline(ref, deadlineMs, 0)
}

function copyValue(arena: Arena, from: Ref, toArena: Arena, target: CopyTarget): void {
  const encoding = entryEncoding(arena, from)
  const size = stringValueSize(arena, from)
  if (encoding === STRING_RAW) {
    view.open(arena, from)
    const blob = blobCreate(toArena, view.bytes, view.words, view.offset, view.length)
    let to = 0
    try {
      to = target.create(TYPE_STRING, encoding, size)
    } finally {
      if (to === 0) blobFree(toArena, blob)
    }
    toArena.words[entryValueWord(toArena, to)] = blob
    return
  }
  const to = entryValueWord(toArena, target.create(TYPE_STRING, encoding, size))
  const word = entryValueWord(arena, from)
  for (let i = 0; i < size >> 2; i++) toArena.words[to + i] = arena.words[word + i]
}
