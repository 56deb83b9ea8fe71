/**
 * CRC-16/XMODEM (polynomial 1021, start 0), which spreads keys over the 16384 slots of a cluster.
 *
 * Thread: any. Hot path.
 * Owns: the table.
 * Never: allocates.
 */

const POLYNOMIAL = 0x1021
const TABLE = new Uint16Array(256)
for (let byte = 0; byte < 256; byte++) {
  let sum = byte << 8
  for (let bit = 0; bit < 8; bit++)
    sum = ((sum << 1) ^ ((sum & 0x8000) === 0 ? 0 : POLYNOMIAL)) & 0xffff
  TABLE[byte] = sum
}

const OPEN_BRACE = 123
const CLOSE_BRACE = 125
const SLOT_MASK = 16383
/** Slots of a cluster. */
export const SLOT_COUNT = 16384

export function crc16(bytes: Uint8Array, start: number, end: number): number {
  let sum = 0
  for (let at = start; at < end; at++) {
    sum = ((sum << 8) & 0xffff) ^ TABLE[(sum >>> 8) ^ bytes[at]]
  }
  return sum
}

/** The slot of a key: of what stands between its first `{` and the next `}`, unless that is empty. */
export function keySlot(bytes: Uint8Array, start: number, end: number): number {
  let open = start
  while (open < end && bytes[open] !== OPEN_BRACE) open++
  if (open < end) {
    let close = open + 1
    while (close < end && bytes[close] !== CLOSE_BRACE) close++
    if (close < end && close > open + 1) return crc16(bytes, open + 1, close) & SLOT_MASK
  }
  return crc16(bytes, start, end) & SLOT_MASK
}

/** Nothing that belongs to a slot. */
export const NO_SLOT = -1
export const SEVERAL_SLOTS = -2

/** The slot of two things together. */
export function joined(slot: number, other: number): number {
  if (slot === NO_SLOT || slot === other) return other
  return SEVERAL_SLOTS
}
