/**
 * Commands as RESP: the way the append-only file and the replication stream hold them, and other
 * servers are asked.
 *
 *   *2\r\n $3\r\n GET\r\n $1\r\n k\r\n
 *
 * Two ways to say what is written: ranges of somebody's buffer, which is how a request lies in its
 * ring, and a list of byte arrays, for commands that no client wrote.
 *
 * Thread: any. Hot path.
 * Owns: nothing.
 * Never: writes beyond the size that it told before.
 */
import { integerSize, writeInteger } from '../bytes/integer.ts'

const STAR = 42
const DOLLAR = 36
const CR = 13
const LF = 10
const ZERO = 48
/** Up to here a loop is faster than a call into the runtime. */
const SHORT_SIZE_MAX = 20
/** Bytes around a number: its mark and the line's end. */
const LINE_EXTRA = 3

/** Bytes that the command of these `count` arguments takes. */
export function commandSize(lengths: Int32Array, count: number): number {
  let size = LINE_EXTRA + digits(count)
  for (let i = 0; i < count; i++) size += LINE_EXTRA + digits(lengths[i]) + lengths[i] + 2
  return size
}

/** Writes the arguments that lie in `source` to `into` from `at` on. Gives the offset behind. */
export function writeCommand(
  into: Buffer,
  at: number,
  source: Buffer,
  offsets: Int32Array,
  lengths: Int32Array,
  count: number,
): number {
  let to = writeLine(into, at, STAR, count)
  for (let i = 0; i < count; i++) {
    const length = lengths[i]
    const from = offsets[i]
    into[to++] = DOLLAR
    if (length < 10) {
      into[to++] = ZERO + length
    } else if (length < 100) {
      const tens = (length * 103) >> 10
      into[to] = ZERO + tens
      into[to + 1] = ZERO + length - tens * 10
      to += 2
    } else {
      to = writeInteger(into, to, length)
    }
    into[to] = CR
    into[to + 1] = LF
    to += 2
    if (length <= SHORT_SIZE_MAX) {
      for (let k = 0; k < length; k++) into[to + k] = source[from + k]
    } else {
      source.copy(into, to, from, from + length)
    }
    to += length
    into[to] = CR
    into[to + 1] = LF
    to += 2
  }
  return to
}

/** Bytes that the command `argv` takes. */
export function argvSize(argv: readonly Uint8Array[]): number {
  let size = LINE_EXTRA + digits(argv.length)
  for (let i = 0; i < argv.length; i++) {
    size += LINE_EXTRA + digits(argv[i].length) + argv[i].length + 2
  }
  return size
}

/** Writes the command `argv` to `into` from `at` on. Gives the offset behind. */
export function writeArgv(into: Buffer, at: number, argv: readonly Uint8Array[]): number {
  let to = writeLine(into, at, STAR, argv.length)
  for (let i = 0; i < argv.length; i++) {
    const part = argv[i]
    to = writeLine(into, to, DOLLAR, part.length)
    into.set(part, to)
    to += part.length
    into[to] = CR
    into[to + 1] = LF
    to += 2
  }
  return to
}

/** The command `argv` as bytes of its own. Texts are written as UTF-8. */
// alloc: for commands that no client wrote
export function encodeArgv(argv: readonly (string | Uint8Array)[]): Buffer {
  const parts = argv.map((part) => (typeof part === 'string' ? Buffer.from(part) : part))
  const bytes = Buffer.allocUnsafe(argvSize(parts))
  writeArgv(bytes, 0, parts)
  return bytes
}

function writeLine(into: Buffer, at: number, mark: number, value: number): number {
  into[at] = mark
  let to = at + 1
  if (value < 10) into[to++] = ZERO + value
  else to = writeInteger(into, to, value)
  into[to] = CR
  into[to + 1] = LF
  return to + 2
}

function digits(value: number): number {
  return value < 10 ? 1 : value < 100 ? 2 : integerSize(value)
}
