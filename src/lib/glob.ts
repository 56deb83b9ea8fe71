/**
 * Glob patterns over bytes, as KEYS, SCAN, PSUBSCRIBE, CONFIG GET and ACL selectors use them.
 *
 *   *   any bytes      ?   one byte      \x   x itself
 *   [abc] [a-z] [^a]   one byte of a set; the ends of a range may stand in either order
 *
 * Unlike the usual recursion, only the last star is ever tried again: a star takes the shortest run
 * that lets the rest up to the next star match, and taking more could not help what follows. So the
 * time is at most the product of both lengths.
 *
 * QUIRK: a set that is never closed ends with the pattern; `]` can be the end of a range; a lone
 * backslash at the end stands for itself. Seen through KEYS.
 *
 * Thread: any. Hot path.
 * Owns: nothing.
 * Never: allocates, recurses.
 */

const STAR = 42
const QUESTION = 63
const OPEN = 91
const CLOSE = 93
const BACKSLASH = 92
const CARET = 94
const DASH = 45

/** True when the pattern matches the whole text. `ignoreCase`: ASCII letters match either case. */
export function matchGlob(
  pattern: Uint8Array,
  patternOffset: number,
  patternLength: number,
  text: Uint8Array,
  textOffset: number,
  textLength: number,
  ignoreCase = false,
): boolean {
  // QUIRK: no star matches an empty text. Seen as PUBLISH to the channel "" with PSUBSCRIBE *.
  if (textLength === 0) return patternLength === 0
  const patternEnd = patternOffset + patternLength
  const textEnd = textOffset + textLength
  let p = patternOffset
  let t = textOffset
  // Where the last star's rest begins, and where in the text it was last tried.
  let retryPattern = -1
  let retryText = 0
  for (;;) {
    if (p < patternEnd && pattern[p] === STAR) {
      while (p < patternEnd && pattern[p] === STAR) p++
      if (p === patternEnd) return true
      retryPattern = p
      retryText = t
      continue
    }
    if (t === textEnd) {
      // More text for the star is not there, and what is left of the pattern needs some.
      return p === patternEnd
    }
    if (p < patternEnd) {
      const byte = pattern[p]
      if (byte === OPEN) {
        const close = setEnd(pattern, p, patternEnd)
        if (inSet(pattern, p, close, text[t], ignoreCase)) {
          p = close < patternEnd ? close + 1 : patternEnd
          t++
          continue
        }
      } else if (byte === QUESTION) {
        p++
        t++
        continue
      } else {
        const literal = byte === BACKSLASH && p + 1 < patternEnd ? p + 1 : p
        if (same(pattern[literal], text[t], ignoreCase)) {
          p = literal + 1
          t++
          continue
        }
      }
    }
    if (retryPattern < 0) return false
    p = retryPattern
    t = ++retryText
  }
}

/** Offset of the bracket that closes the set at `start`, or `end` when none does. */
function setEnd(pattern: Uint8Array, start: number, end: number): number {
  let at = start + 1
  if (at < end && pattern[at] === CARET) at++
  while (at < end) {
    if (pattern[at] === BACKSLASH && at + 1 < end) at += 2
    else if (pattern[at] === CLOSE) return at
    else if (at + 2 < end && pattern[at + 1] === DASH) at += 3
    else at++
  }
  return end
}

function inSet(
  pattern: Uint8Array,
  start: number,
  end: number,
  byte: number,
  ignoreCase: boolean,
): boolean {
  let at = start + 1
  const negated = at < end && pattern[at] === CARET
  if (negated) at++
  let found = false
  while (at < end && !found) {
    if (pattern[at] === BACKSLASH && at + 1 < end) {
      // QUIRK: an escaped member matches its own case only.
      found = pattern[at + 1] === byte
      at += 2
    } else if (at + 2 < end && pattern[at + 1] === DASH) {
      found = inRange(pattern[at], pattern[at + 2], byte, ignoreCase)
      at += 3
    } else found = same(pattern[at++], byte, ignoreCase)
  }
  return found !== negated
}

function inRange(from: number, to: number, byte: number, ignoreCase: boolean): boolean {
  const low = Math.min(from, to)
  const high = Math.max(from, to)
  if (!ignoreCase) return byte >= low && byte <= high
  const lower = toLower(byte)
  return lower >= toLower(low) && lower <= toLower(high)
}

function same(a: number, b: number, ignoreCase: boolean): boolean {
  return a === b || (ignoreCase && toLower(a) === toLower(b))
}

function toLower(byte: number): number {
  return byte >= 65 && byte <= 90 ? byte + 32 : byte
}
