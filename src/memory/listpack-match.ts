/**
 * Compares the elements of listpacks with the same bytes again and again.
 *
 * Thread: core. Hot path.
 * Owns: what is looked for, until the next `listpackWant`.
 * Never: makes text of an integer element to compare it.
 */
import { INTEGER_OK, integerHigh, integerLow, parseInteger } from '../lib/bytes/integer.ts'
import type { Arena } from './arena.ts'
import { equalBytes } from './copy.ts'
import { DIGITS_MAX, ListpackElement, readInteger, stringLength } from './listpack.ts'

const integer = new ListpackElement()
let wantedBytes: Buffer = integer.digits
let wantedOffset = 0
let wantedLength = 0
let wantsInteger = false
let wantedHigh = 0
let wantedLow = 0

/** Prepares for these bytes, which have to stay where they are meanwhile. */
export function listpackWant(bytes: Buffer, offset: number, length: number): void {
  wantedBytes = bytes
  wantedOffset = offset
  wantedLength = length
  wantsInteger = length < DIGITS_MAX && parseInteger(bytes, offset, offset + length) === INTEGER_OK
  wantedHigh = wantsInteger ? integerHigh() : 0
  wantedLow = wantsInteger ? integerLow() : 0
}

/** True when the element is the wanted bytes, however it is encoded. */
export function listpackMatches(arena: Arena, at: number): boolean {
  const bytes = arena.bytes
  const first = bytes[at]
  if ((first & 0xc0) === 0x80) {
    return (first & 63) === wantedLength && wantedAre(bytes, at + 1, first & 63)
  }
  if ((first & 0xf0) === 0xe0 || first === 0xf0) {
    return wantedAre(bytes, at + (first === 0xf0 ? 5 : 2), stringLength(bytes, at))
  }
  if (!wantsInteger) return false
  readInteger(bytes, at, integer)
  return integer.low === wantedLow && integer.high === wantedHigh
}

/** True when the wanted bytes are these. */
export function wantedAre(bytes: Buffer, offset: number, length: number): boolean {
  return length === wantedLength && equalBytes(bytes, offset, wantedBytes, wantedOffset, length)
}
