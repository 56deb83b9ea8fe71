/**
 * Proves that bytes are a listpack, before anybody walks through them.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: takes anything on trust, or reads beyond the bytes.
 */
import { backSize, LISTPACK_EMPTY_SIZE, longSize } from './listpack.ts'

const HEADER_SIZE = 6
const END = 0xff
/** The count says this when there are as many elements or more. */
const COUNT_UNKNOWN = 0xffff

/** True when the bytes are a pack, whole and nothing else. Takes nothing on trust. */
export function listpackValid(bytes: Buffer, offset: number, length: number): boolean {
  if (length < LISTPACK_EMPTY_SIZE || bytes.readUInt32LE(offset) !== length) return false
  const end = offset + length - 1
  if (bytes[end] !== END) return false
  let at = offset + HEADER_SIZE
  let found = 0
  while (at < end) {
    const size = boundedSize(bytes, at, end)
    if (size < 0) return false
    const back = backSize(size)
    if (at + size + back > end || !backIs(bytes, at + size, size, back)) return false
    at += size + back
    found++
  }
  const count = bytes.readUInt16LE(offset + 4)
  return at === end && (count === found || (count === COUNT_UNKNOWN && found >= COUNT_UNKNOWN))
}

/** As the size of an element without what is behind it; -1 when it is none or passes `end`. */
function boundedSize(bytes: Buffer, at: number, end: number): number {
  const first = bytes[at]
  if (first < 128) return 1
  if (first < 192) return (first & 63) + 1
  if (first > 0xf4 || (first >= 0xe0 && at + 5 > end && at + 2 > end)) return -1
  if (first === 0xf0 && at + 5 > end) return -1
  return longSize(bytes, at, first)
}

function backIs(bytes: Buffer, at: number, size: number, back: number): boolean {
  let rest = size
  for (let i = back - 1; i > 0; i--) {
    if (bytes[at + i] !== ((rest & 127) | 128)) return false
    rest >>>= 7
  }
  return bytes[at] === rest
}
