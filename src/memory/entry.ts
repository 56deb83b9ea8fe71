/**
 * The shared layout of whatever a byte map holds.
 *
 *   word 0   the owner's header, free use
 *   word 1   key length in the low 30 bits, two bits of the owner above
 *   word 2…  key bytes, padded with zeros to whole words
 *   then     the owner's payload
 *
 * Thread: core. Hot path.
 * Owns: where key and payload lie.
 * Never: touches the header word, the owner's two bits or the payload after creation.
 */

import type { Arena, Ref } from './arena.ts'

export const ENTRY_KEY_LENGTH_MASK = 0x3fffffff
/** The owner's two bits of word 1 start here. */
export const ENTRY_OWNER_SHIFT = 30
export const ENTRY_KEY_OFFSET = 8

/** Bytes an entry needs. */
export function entrySize(keyLength: number, payloadSize: number): number {
  return ENTRY_KEY_OFFSET + ((keyLength + 3) & ~3) + payloadSize
}

/** A new entry with a copy of the key; header and owner bits 0, payload undefined. */
export function entryCreate(
  arena: Arena,
  keyBytes: Buffer,
  keyOffset: number,
  keyLength: number,
  payloadSize: number,
): Ref {
  const ref = arena.allocate(entrySize(keyLength, payloadSize))
  const words = arena.words
  const word = ref << 1
  words[word] = 0
  words[word + 1] = keyLength
  if (keyLength > 24) {
    words[word + 2 + ((keyLength - 1) >> 2)] = 0
    keyBytes.copy(arena.bytes, (ref << 3) + ENTRY_KEY_OFFSET, keyOffset, keyOffset + keyLength)
    return ref
  }
  let to = word + 2
  let at = keyOffset
  for (const end = keyOffset + (keyLength & ~3); at < end; at += 4) {
    words[to++] =
      keyBytes[at] | (keyBytes[at + 1] << 8) | (keyBytes[at + 2] << 16) | (keyBytes[at + 3] << 24)
  }
  const tailCount = keyLength & 3
  if (tailCount > 0) {
    let tail = keyBytes[at]
    if (tailCount > 1) tail |= keyBytes[at + 1] << 8
    if (tailCount > 2) tail |= keyBytes[at + 2] << 16
    words[to] = tail
  }
  return ref
}

/** As `entryCreate`, for a key that starts at a multiple of 4: the faster way. */
export function entryCreateAligned(
  arena: Arena,
  keyWords: Int32Array,
  keyOffset: number,
  keyLength: number,
  payloadSize: number,
): Ref {
  const ref = arena.allocate(entrySize(keyLength, payloadSize))
  const words = arena.words
  const word = ref << 1
  words[word] = 0
  words[word + 1] = keyLength
  let from = keyOffset >> 2
  let to = word + 2
  for (const end = from + (keyLength >> 2); from < end; from++) words[to++] = keyWords[from]
  const tailCount = keyLength & 3
  if (tailCount > 0) words[to] = keyWords[from] & ((1 << (tailCount << 3)) - 1)
  return ref
}

/** Byte offset of the key in `arena.bytes`, a multiple of 8. */
export function entryKeyOffset(ref: Ref): number {
  return (ref << 3) + ENTRY_KEY_OFFSET
}

export function entryKeyLength(arena: Arena, ref: Ref): number {
  return arena.words[(ref << 1) + 1] & ENTRY_KEY_LENGTH_MASK
}

/** Byte offset of the payload in `arena.bytes`, a multiple of 4. */
export function entryPayloadOffset(arena: Arena, ref: Ref): number {
  const keyLength = arena.words[(ref << 1) + 1] & ENTRY_KEY_LENGTH_MASK
  return (ref << 3) + ENTRY_KEY_OFFSET + ((keyLength + 3) & ~3)
}
