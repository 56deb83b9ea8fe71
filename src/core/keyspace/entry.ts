/**
 * A key and its value as one block of an arena:
 *
 *     word 0   type (3 bits) | encoding (4, its top bit: elements may end) | has a deadline (1) | LRU clock or LFU counter (24)
 *     word 1   key length (30 bits) | snapshot epoch (2)
 *     ...      key, padded to words
 *     2 words  deadline, Unix milliseconds, low word first; only if the flag says so
 *     ...      the value: a small string itself, or the ref of a structure
 *
 * Thread: core. Hot path.
 * Owns: the meaning of the header bits and of the payload's first words.
 * Never: knows what a value looks like inside.
 */
import type { Arena, Ref } from '../../memory/arena.ts'
import { ENTRY_KEY_LENGTH_MASK, ENTRY_KEY_OFFSET, ENTRY_OWNER_SHIFT } from '../../memory/entry.ts'

export const TYPE_STRING = 0
export const TYPE_LIST = 1
export const TYPE_SET = 2
export const TYPE_SORTED_SET = 3
export const TYPE_HASH = 4
export const TYPE_STREAM = 5

export const TYPE_MASK = 7
const ENCODING_SHIFT = 3
const ENCODING_MASK = 15
/** The bit of an encoding that says: elements of this value may have ends of their own. */
export const TIMED_ENCODING = 8
/** The same bit in the header. */
export const ELEMENTS_FLAG = 64
export const EXPIRE_FLAG = 128
export const AGE_SHIFT = 8
export const AGE_MASK = 0xffffff
export const DEADLINE_SIZE = 8

export function entryType(arena: Arena, ref: Ref): number {
  return arena.words[ref << 1] & TYPE_MASK
}

export function entryEncoding(arena: Arena, ref: Ref): number {
  return (arena.words[ref << 1] >> ENCODING_SHIFT) & ENCODING_MASK
}

export function setEntryEncoding(arena: Arena, ref: Ref, encoding: number): void {
  const word = ref << 1
  arena.words[word] =
    (arena.words[word] & ~(ENCODING_MASK << ENCODING_SHIFT)) | (encoding << ENCODING_SHIFT)
}

/** The header word of a new entry. */
export function entryHeader(
  type: number,
  encoding: number,
  hasDeadline: boolean,
  age: number,
): number {
  return type | (encoding << ENCODING_SHIFT) | (hasDeadline ? EXPIRE_FLAG : 0) | (age << AGE_SHIFT)
}

export function entryHasDeadline(arena: Arena, ref: Ref): boolean {
  return (arena.words[ref << 1] & EXPIRE_FLAG) !== 0
}

/** True for a value whose elements may have ends of their own. */
export function entryHasElements(arena: Arena, ref: Ref): boolean {
  return (arena.words[ref << 1] & ELEMENTS_FLAG) !== 0
}

/** The 24 bits of age: an LRU clock or an LFU counter. */
export function entryAge(arena: Arena, ref: Ref): number {
  return arena.words[ref << 1] >>> AGE_SHIFT
}

export function setEntryAge(arena: Arena, ref: Ref, age: number): void {
  const word = ref << 1
  arena.words[word] = (arena.words[word] & 0xff) | (age << AGE_SHIFT)
}

/** The mark of the last snapshot that has passed this entry: 1 to 3, 0 for none. */
export function entryEpoch(arena: Arena, ref: Ref): number {
  return arena.words[(ref << 1) + 1] >>> ENTRY_OWNER_SHIFT
}

export function setEntryEpoch(arena: Arena, ref: Ref, epoch: number): void {
  const word = (ref << 1) + 1
  arena.words[word] = (arena.words[word] & ENTRY_KEY_LENGTH_MASK) | (epoch << ENTRY_OWNER_SHIFT)
}

/** Word index of what follows the key: the deadline if there is one, else the value. */
function payloadWord(arena: Arena, ref: Ref): number {
  const keyLength = arena.words[(ref << 1) + 1] & ENTRY_KEY_LENGTH_MASK
  return (ref << 1) + ((ENTRY_KEY_OFFSET + keyLength + 3) >> 2)
}

/** Word index of the value. */
export function entryValueWord(arena: Arena, ref: Ref): number {
  const word = payloadWord(arena, ref)
  return (arena.words[ref << 1] & EXPIRE_FLAG) === 0 ? word : word + 2
}

/** Unix milliseconds, or -1 when the key never expires. */
export function entryDeadline(arena: Arena, ref: Ref): number {
  if ((arena.words[ref << 1] & EXPIRE_FLAG) === 0) return -1
  const word = payloadWord(arena, ref)
  return arena.words[word + 1] * 0x100000000 + (arena.words[word] >>> 0)
}

/** Overwrites the deadline of an entry that has one. */
export function setEntryDeadline(arena: Arena, ref: Ref, deadlineMs: number): void {
  const word = payloadWord(arena, ref)
  arena.words[word] = deadlineMs | 0
  arena.words[word + 1] = Math.floor(deadlineMs / 0x100000000)
}
