/**
 * The registers of a HyperLogLog, sparse: runs of equal registers, in their order.
 *
 *     00rrrrrr             r + 1 registers are 0
 *     01rrrrrr rrrrrrrr    r + 1 registers are 0
 *     1vvvvvrr             r + 1 registers are v + 1
 *
 * How runs are split and joined is as in Redis, so that the same elements make the same bytes.
 *
 * Whoever changes registers finds one first (`sparseFind`), makes sure of 3 bytes of room behind the
 * runs, and then sets it (`sparseSet`).
 *
 * Thread: core. Hot path.
 * Owns: the place found, and the run read last.
 * Never: takes on trust what a client may have written: reads within the given bytes.
 */
import { REGISTER_COUNT, setRegister } from './registers.ts'

/** The highest value that a run can have. */
export const SPARSE_VALUE_MAX = 32
/** Bytes that setting one register may add. */
export const SPARSE_ROOM = 3
/** For `sparseFind`: what is there are no registers. */
export const CORRUPT = -1

const VALUE_RUN_MAX = 4
const ZERO_RUN_MAX = 64
const LONG_ZERO_RUN_MAX = 16384
const VALUE_FLAG = 0x80
const LONG_ZERO_FLAG = 0x40
/** Runs that are looked at for two that can be one, after a change. */
const JOINED_RUNS = 5

/** The run that `readRun` read. */
let runValue = 0
let runLength = 0

/** The place that `sparseFind` found: the run, the one before (-1: none), and what is in it. */
let foundAt = 0
let foundNext = 0
let foundBefore = 0
let foundFirst = 0
let foundLength = 0
let foundValue = 0

/** Reads the run at `at`; gives where the next begins. */
function readRun(bytes: Uint8Array, at: number, end: number): number {
  const byte = bytes[at]
  if (byte >= VALUE_FLAG) {
    runValue = ((byte >> 2) & 31) + 1
    runLength = (byte & 3) + 1
    return at + 1
  }
  runValue = 0
  if (byte < LONG_ZERO_FLAG) {
    runLength = byte + 1
    return at + 1
  }
  // QUIRK: a byte that is missing at the end counts as 0.
  runLength = (((byte & 63) << 8) | (at + 1 < end ? bytes[at + 1] : 0)) + 1
  return at + 2
}

/**
 * Finds a register among the runs from `start` to `end`: its value, or CORRUPT.
 * MEASURED: bench/micro/hyperloglog.bench.ts: only lengths are looked at on the way.
 */
export function sparseFind(bytes: Uint8Array, start: number, end: number, index: number): number {
  let at = start
  let before = -1
  let left = index
  while (at < end) {
    const byte = bytes[at]
    let next = at + 1
    let length = (byte & (byte >= VALUE_FLAG ? 3 : 63)) + 1
    if (byte < VALUE_FLAG && byte >= LONG_ZERO_FLAG) {
      // A byte that is missing at the end counts as 0.
      length = (((byte & 63) << 8) | (next < end ? bytes[next] : 0)) + 1
      next++
    }
    if (left < length) {
      if (next > end) return CORRUPT
      foundAt = at
      foundNext = next
      foundBefore = before
      foundFirst = index - left
      foundLength = length
      foundValue = byte >= VALUE_FLAG ? ((byte >> 2) & 31) + 1 : 0
      return foundValue
    }
    before = at
    at = next
    left -= length
  }
  return CORRUPT
}

/**
 * Raises the register that was found last to `value`, which is more than it had and at most
 * SPARSE_VALUE_MAX. Behind `end` are SPARSE_ROOM bytes that may be written. Gives the new end, or 0,
 * with nothing changed, when it would be beyond `limit` by growing.
 */
export function sparseSet(
  bytes: Uint8Array,
  start: number,
  end: number,
  index: number,
  value: number,
  limit: number,
): number {
  let newEnd = end
  if (foundLength === 1 && foundNext === foundAt + 1) {
    bytes[foundAt] = valueRun(value, 1)
  } else {
    const before = index - foundFirst
    const after = foundLength - before - 1
    const growth = runSize(before) + 1 + runSize(after) - (foundNext - foundAt)
    newEnd = end + growth
    if (growth > 0 && newEnd > limit) return 0
    if (growth !== 0) bytes.copyWithin(foundNext + growth, foundNext, end)
    let at = writeRun(bytes, foundAt, before)
    bytes[at++] = valueRun(value, 1)
    writeRun(bytes, at, after)
  }
  return joinRuns(bytes, foundBefore < 0 ? start : foundBefore, newEnd)
}

/** Bytes of a run of `length` registers that are what was found. */
function runSize(length: number): number {
  if (length === 0) return 0
  return foundValue === 0 && length > ZERO_RUN_MAX ? 2 : 1
}

/** Writes such a run, if it is one; gives where it ends. */
function writeRun(bytes: Uint8Array, at: number, length: number): number {
  if (length === 0) return at
  if (foundValue !== 0) {
    bytes[at] = valueRun(foundValue, length)
    return at + 1
  }
  return writeZeros(bytes, at, length)
}

function valueRun(value: number, length: number): number {
  return VALUE_FLAG | ((value - 1) << 2) | (length - 1)
}

function writeZeros(bytes: Uint8Array, at: number, length: number): number {
  const rest = length - 1
  if (length <= ZERO_RUN_MAX) {
    bytes[at] = rest
    return at + 1
  }
  bytes[at] = LONG_ZERO_FLAG | (rest >> 8)
  bytes[at + 1] = rest & 255
  return at + 2
}

/** Joins neighbours of the same value among the next few runs. Gives the new end. */
function joinRuns(bytes: Uint8Array, from: number, end: number): number {
  let at = from
  let newEnd = end
  for (let i = 0; i < JOINED_RUNS && at < newEnd; i++) {
    const byte = bytes[at]
    if (byte < VALUE_FLAG) {
      at += byte < LONG_ZERO_FLAG ? 1 : 2
      continue
    }
    const next = at + 1 < newEnd ? bytes[at + 1] : 0
    const length = (byte & 3) + (next & 3) + 2
    // Flag and value are the same.
    if (((byte ^ next) & ~3) === 0 && length <= VALUE_RUN_MAX) {
      bytes[at + 1] = (byte & ~3) | (length - 1)
      bytes.copyWithin(at, at + 1, newEnd)
      newEnd--
    } else {
      at++
    }
  }
  return newEnd
}

/** Writes runs for registers that are all 0. Gives where they end. */
export function sparseEmpty(bytes: Uint8Array, start: number): number {
  return writeZeros(bytes, start, LONG_ZERO_RUN_MAX)
}

/**
 * Counts how many registers have which value. False when the runs do not cover all registers and no
 * more.
 */
export function countSparse(
  bytes: Uint8Array,
  start: number,
  end: number,
  histogram: Int32Array,
): boolean {
  let covered = 0
  for (let at = start; at < end && covered <= REGISTER_COUNT; ) {
    at = readRun(bytes, at, end)
    histogram[runValue] += runLength
    covered += runLength
  }
  return covered === REGISTER_COUNT
}

/** Raises registers of a byte each to what the runs say. False as with `countSparse`. */
export function mergeSparse(
  bytes: Uint8Array,
  start: number,
  end: number,
  into: Uint8Array,
): boolean {
  let covered = 0
  for (let at = start; at < end && covered <= REGISTER_COUNT; ) {
    at = readRun(bytes, at, end)
    const to = covered + runLength
    if (runValue !== 0 && to <= REGISTER_COUNT) {
      for (let i = covered; i < to; i++) if (into[i] < runValue) into[i] = runValue
    }
    covered = to
  }
  return covered === REGISTER_COUNT
}

/** Writes what the runs say over dense registers that are all 0. False as with `countSparse`. */
export function sparseToDense(
  bytes: Uint8Array,
  start: number,
  end: number,
  into: Uint8Array,
  intoOffset: number,
): boolean {
  let covered = 0
  for (let at = start; at < end && covered <= REGISTER_COUNT; ) {
    at = readRun(bytes, at, end)
    const to = covered + runLength
    if (runValue !== 0 && to <= REGISTER_COUNT) {
      for (let i = covered; i < to; i++) setRegister(into, intoOffset, i, runValue)
    }
    covered = to
  }
  return covered === REGISTER_COUNT
}

/** The runs as PFDEBUG DECODE tells them. */
// alloc: PFDEBUG only
export function describeSparse(bytes: Uint8Array, start: number, end: number): string {
  const runs: string[] = []
  for (let at = start; at < end; ) {
    const next = readRun(bytes, at, end)
    if (runValue !== 0) runs.push(`v:${runValue},${runLength}`)
    else runs.push(`${next === at + 1 ? 'z' : 'Z'}:${runLength}`)
    at = next
  }
  return runs.join(' ')
}
