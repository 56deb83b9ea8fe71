/**
 * Lines of words with quotes: inline requests, and the lines of a configuration file.
 *
 *   "a\n\x41"   escapes \n \r \t \b \a \xHH; any other escaped byte stands for itself
 *   'it\'s'     only \' is an escape
 *   a"b"        a quote may open in the middle of a word; after it closes, the word must end
 *
 * Thread: any.
 * Owns: nothing.
 * Never: changes the bytes it reads.
 */

const BACKSLASH = 92
const DOUBLE_QUOTE = 34
const SINGLE_QUOTE = 39

/** Splits a line. Undefined when quotes are unbalanced or a word goes on after its quote closed. */
export function splitInline(
  bytes: Uint8Array,
  start: number,
  end: number,
): Uint8Array[] | undefined {
  const words: Uint8Array[] = []
  const scratch = new Uint8Array(end - start)
  let at = start
  for (;;) {
    while (at < end && isSpace(bytes[at])) at++
    // A NUL ends the line, as it ends a C string.
    if (at >= end || bytes[at] === 0) return words
    let size = 0
    for (; at < end && !endsWord(bytes[at]); at++) {
      const byte = bytes[at]
      if (byte !== DOUBLE_QUOTE && byte !== SINGLE_QUOTE) {
        scratch[size++] = byte
        continue
      }
      const close =
        byte === DOUBLE_QUOTE
          ? findDoubleQuote(bytes, at + 1, end)
          : findSingleQuote(bytes, at + 1, end)
      if (close < 0 || (close + 1 < end && !endsQuoted(bytes[close + 1]))) return undefined
      size =
        byte === DOUBLE_QUOTE
          ? unescapeDouble(bytes, at + 1, close, scratch, size)
          : unescapeSingle(bytes, at + 1, close, scratch, size)
      at = close + 1
      break
    }
    words.push(scratch.slice(0, size))
  }
}

/** Offset of the quote that closes, or -1. */
function findDoubleQuote(bytes: Uint8Array, at: number, end: number): number {
  for (; at < end && bytes[at] !== 0; at++) {
    if (bytes[at] === DOUBLE_QUOTE) return at
    if (bytes[at] === BACKSLASH) at++
  }
  return -1
}

function findSingleQuote(bytes: Uint8Array, at: number, end: number): number {
  for (; at < end && bytes[at] !== 0; at++) {
    if (bytes[at] === SINGLE_QUOTE) return at
    if (bytes[at] === BACKSLASH && at + 1 < end && bytes[at + 1] === SINGLE_QUOTE) at++
  }
  return -1
}

function unescapeDouble(
  bytes: Uint8Array,
  at: number,
  end: number,
  into: Uint8Array,
  size: number,
): number {
  while (at < end) {
    const byte = bytes[at++]
    if (byte !== BACKSLASH) {
      into[size++] = byte
      continue
    }
    const escaped = bytes[at++]
    if (
      escaped === 120 &&
      at + 1 < end &&
      hexValue(bytes[at]) >= 0 &&
      hexValue(bytes[at + 1]) >= 0
    ) {
      into[size++] = hexValue(bytes[at]) * 16 + hexValue(bytes[at + 1])
      at += 2
    } else into[size++] = escapedByte(escaped)
  }
  return size
}

function unescapeSingle(
  bytes: Uint8Array,
  at: number,
  end: number,
  into: Uint8Array,
  size: number,
): number {
  while (at < end) {
    if (bytes[at] === BACKSLASH && at + 1 < end && bytes[at + 1] === SINGLE_QUOTE) at++
    into[size++] = bytes[at++]
  }
  return size
}

function escapedByte(byte: number): number {
  switch (byte) {
    case 110:
      return 10
    case 114:
      return 13
    case 116:
      return 9
    case 98:
      return 8
    case 97:
      return 7
    default:
      return byte
  }
}

function hexValue(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48
  const lower = byte | 32
  return lower >= 97 && lower <= 102 ? lower - 87 : -1
}

/** Space, \t \n \v \f \r. */
function isSpace(byte: number): boolean {
  return byte === 32 || (byte >= 9 && byte <= 13)
}

/** QUIRK: \v and \f are skipped before a word but do not end one. Seen as `PING\vx` in a request. */
function endsWord(byte: number): boolean {
  return byte === 32 || byte === 10 || byte === 13 || byte === 9 || byte === 0
}

function endsQuoted(byte: number): boolean {
  return isSpace(byte) || byte === 0
}
