/**
 * Glob patterns against setting names: `*`, `?`, `[a-z]`, `[^a]` and backslash.
 *
 * Names are a few dozen ASCII letters and this runs in CONFIG GET only, so it is written plainly
 * over text; keys and channels have a matcher of their own, over bytes.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: backtracks over a star more often than it must.
 */

/** Whether the whole `name` fits `pattern`; both in lower case. */
export function matchesName(pattern: string, name: string): boolean {
  let at = 0
  let index = 0
  let starAt = -1
  let starIndex = 0
  while (index < name.length) {
    const next = at < pattern.length ? matchOne(pattern, at, name[index]!) : -1
    if (pattern[at] === '*') {
      starAt = at++
      starIndex = index
    } else if (next > 0) {
      at = next
      index++
    } else if (starAt >= 0) {
      at = starAt + 1
      index = ++starIndex
    } else {
      return false
    }
  }
  while (pattern[at] === '*') at++
  return at === pattern.length
}

/** The place after the pattern's element at `at` if that element takes `letter`, else -1. */
function matchOne(pattern: string, at: number, letter: string): number {
  const element = pattern[at]!
  if (element === '?') return at + 1
  if (element === '[') return matchSet(pattern, at + 1, letter)
  if (element === '\\' && at + 1 < pattern.length) return pattern[at + 1] === letter ? at + 2 : -1
  return element === letter ? at + 1 : -1
}

/** `at`: just inside the bracket. A set without an end reaches to the end of the pattern. */
function matchSet(pattern: string, at: number, letter: string): number {
  const negated = pattern[at] === '^'
  let place = negated ? at + 1 : at
  let found = false
  while (place < pattern.length && pattern[place] !== ']') {
    if (pattern[place] === '\\' && place + 1 < pattern.length) {
      found ||= pattern[place + 1] === letter
      place += 2
    } else if (pattern[place + 1] === '-' && place + 2 < pattern.length) {
      const ends = [pattern[place]!, pattern[place + 2]!].sort()
      found ||= ends[0]! <= letter && letter <= ends[1]!
      place += 3
    } else {
      found ||= pattern[place] === letter
      place++
    }
  }
  return found === negated ? -1 : Math.min(place + 1, pattern.length)
}
