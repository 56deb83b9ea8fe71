/**
 * Bytes that were sound, changed by chance: flipped, cut, grown, doubled, and their numbers made huge.
 *
 * Thread: any.
 * Owns: the kinds of changes.
 * Never: changes the bytes that it is given.
 */
import type { Dice } from '../conformance/dice.ts'

const CHANGES_MAX = 4
const PIECE_SIZE_MAX = 40
const PIECES_MAX = 4

/** At and beyond the borders of what lengths and counts may be. */
export const NUMBERS: readonly string[] = [
  ...['0', '-0', '-1', '1', '-2', '00', '+5', '1e9', '0x10', ' 1', ''],
  ...['127', '128', '65535', '65536', '1048576', '1048577', '536870912', '536870913'],
  ...['2147483647', '2147483648', '-2147483648', '4294967295', '4294967296'],
  ...['9007199254740993', '9223372036854775807', '9223372036854775808', '-9223372036854775808'],
  ...['18446744073709551615', '99999999999999999999999999', 'inf', '-inf', 'nan', '1e400'],
]

/** One to four changes. */
export function mutated(bytes: Buffer, dice: Dice): Buffer {
  let result: Buffer = Buffer.from(bytes)
  for (let changes = 1 + dice.below(CHANGES_MAX); changes > 0; changes--) {
    result = changed(result, dice)
  }
  return result
}

export function randomBytes(size: number, dice: Dice): Buffer {
  const bytes = Buffer.alloc(size)
  for (let i = 0; i < size; i++) bytes[i] = dice.below(256)
  return bytes
}

/** The same bytes as they may come over a socket: in up to four pieces. */
export function pieces(bytes: Buffer, dice: Dice): Buffer[] {
  const cuts = Array.from({ length: dice.below(PIECES_MAX) }, () => dice.below(bytes.length + 1))
  const ends = [...cuts.sort((a, b) => a - b), bytes.length]
  return ends.map((end, i) => bytes.subarray(i === 0 ? 0 : ends[i - 1], end))
}

function changed(bytes: Buffer, dice: Dice): Buffer {
  const at = dice.below(bytes.length + 1)
  const to = Math.min(bytes.length, at + 1 + dice.below(PIECE_SIZE_MAX))
  const [before, piece, after] = [bytes.subarray(0, at), bytes.subarray(at, to), bytes.subarray(to)]
  switch (dice.below(9)) {
    case 0:
    case 1:
      return Buffer.concat([before, flipped(piece, dice), after])
    case 2:
      return Buffer.concat([before, after])
    case 3:
      // Mostly near the end: much of what comes before it is looked at.
      return bytes.subarray(0, dice.chance(70) ? bytes.length - dice.below(20) : at)
    case 4:
      return Buffer.concat([
        before,
        randomBytes(1 + dice.below(PIECE_SIZE_MAX), dice),
        piece,
        after,
      ])
    case 5:
      return Buffer.concat([before, piece, piece, after])
    case 6:
      return Buffer.concat([
        before,
        Buffer.alloc(piece.length, dice.pick([0, 255, 127, 128])),
        after,
      ])
    default:
      return withNumber(bytes, at, dice)
  }
}

function flipped(piece: Buffer, dice: Dice): Buffer {
  const copy = Buffer.from(piece)
  if (copy.length > 0) copy[dice.below(copy.length)] ^= 1 << dice.below(8)
  return copy
}

/** Puts another number in the place of the next decimal one. */
function withNumber(bytes: Buffer, from: number, dice: Dice): Buffer {
  const isDigit = (at: number) => bytes[at] >= 0x30 && bytes[at] <= 0x39
  let at = from
  while (at < bytes.length && !isDigit(at)) at++
  let end = at
  while (end < bytes.length && isDigit(end)) end++
  const number = Buffer.from(dice.pick(NUMBERS))
  return Buffer.concat([bytes.subarray(0, at), number, bytes.subarray(end)])
}
