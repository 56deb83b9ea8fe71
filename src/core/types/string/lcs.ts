/**
 * LCS: the longest common subsequence of two strings, by the classic table of prefix lengths, and
 * the way back through it.
 *
 *     length[i][j] = length[i-1][j-1] + 1                     where a[i-1] = b[j-1]
 *                    max(length[i-1][j], length[i][j-1])      elsewhere
 *
 * Thread: core.
 * Owns: nothing beyond the call.
 * Never: makes a larger table than a client could send bytes.
 *
 * @see https://en.wikipedia.org/wiki/Longest_common_subsequence
 */
import { command } from '../../command/command.ts'
import type { Call } from '../../engine/call.ts'
import { CommandError, SYNTAX } from '../../engine/errors.ts'
import { entryType, TYPE_STRING } from '../../keyspace/entry.ts'
import { position } from './position.ts'
import { StringView } from './view.ts'

const NOT_STRINGS = new CommandError('ERR The specified keys must contain string values')
const LENGTH_AND_INDEXES = new CommandError(
  'ERR If you want both the length and indexes, please just use IDX.',
)
const TOO_LARGE = new CommandError(
  'ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len',
)

interface LcsOptions {
  readonly lengthOnly: boolean
  readonly indexes: boolean
  readonly withLengths: boolean
  readonly lengthMin: number
}

/** Equal runs of both strings: first byte in each, and how many. */
interface Match {
  a: number
  b: number
  length: number
}

export const lcs = command({
  name: 'LCS',
  usage: 'key1 key2#0 [LEN] [IDX] [MINMATCHLEN len] [WITHMATCHLEN]',
  summary: 'Finds the longest common subsequence of two string values.',
  since: '7.0.0',
  complexity: 'O(N*M) where N and M are the lengths of the two',
  flags: ['readonly'],
  access: 'ro access',
  reply: 'bulk | integer | map',

  run(call) {
    const a = readString(call, 1)
    const b = readString(call, 2)
    const options = readOptions(call)
    const columns = b.length + 1
    const cellCount = (a.length + 1) * columns
    if (cellCount * 4 > call.server.settings.int('proto-max-bulk-len')) throw TOO_LARGE
    const lengths = prefixLengths(a, b)
    const common = lengths[cellCount - 1]
    if (options.lengthOnly) call.reply.integer(common)
    else if (options.indexes) replyMatches(call, matchesOf(a, b, lengths), common, options)
    else call.reply.bulkBytes(subsequence(a, matchesOf(a, b, lengths), common))
  },
})

/** A copy of the string in a key, empty when there is none. */
function readString(call: Call, index: number): Uint8Array {
  const { db } = call
  const ref = db.read(call.args, index)
  if (ref === 0) return new Uint8Array(0)
  if (entryType(db.arena, ref) !== TYPE_STRING) throw NOT_STRINGS
  const view = new StringView()
  view.open(db.arena, ref)
  return Uint8Array.from(view.bytes.subarray(view.offset, view.offset + view.length))
}

function readOptions(call: Call): LcsOptions {
  const { args } = call
  let lengthOnly = false
  let indexes = false
  let withLengths = false
  let lengthMin = 0
  for (let i = 3; i < args.count; i++) {
    if (args.is(i, 'IDX')) indexes = true
    else if (args.is(i, 'LEN')) lengthOnly = true
    else if (args.is(i, 'WITHMATCHLEN')) withLengths = true
    else if (args.is(i, 'MINMATCHLEN') && i + 1 < args.count) {
      lengthMin = position(call, ++i)
    } else throw SYNTAX
  }
  if (indexes && lengthOnly) throw LENGTH_AND_INDEXES
  return { lengthOnly, indexes, withLengths, lengthMin }
}

/** The table, row by row: (a.length + 1) rows of (b.length + 1). */
function prefixLengths(a: Uint8Array, b: Uint8Array): Uint32Array {
  const columns = b.length + 1
  const lengths = new Uint32Array((a.length + 1) * columns)
  for (let i = 1; i <= a.length; i++) {
    const byte = a[i - 1]
    const row = i * columns
    let left = 0
    let diagonal = 0
    for (let j = 1; j < columns; j++) {
      const above = lengths[row - columns + j]
      if (b[j - 1] === byte) left = diagonal + 1
      else if (above > left) left = above
      diagonal = above
      lengths[row + j] = left
    }
  }
  return lengths
}

/** The runs of one longest common subsequence, from the end to the start. */
function matchesOf(a: Uint8Array, b: Uint8Array, lengths: Uint32Array): Match[] {
  const columns = b.length + 1
  const matches: Match[] = []
  let run: Match | undefined
  let i = a.length
  let j = b.length
  while (i > 0 && j > 0) {
    if (a[i - 1] === b[j - 1]) {
      i--
      j--
      if (run === undefined) {
        run = { a: i, b: j, length: 0 }
        matches.push(run)
      }
      run.a = i
      run.b = j
      run.length++
    } else {
      run = undefined
      if (lengths[(i - 1) * columns + j] > lengths[i * columns + j - 1]) i--
      else j--
    }
  }
  return matches
}

function subsequence(a: Uint8Array, matches: readonly Match[], length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  let end = length
  for (const match of matches) {
    end -= match.length
    bytes.set(a.subarray(match.a, match.a + match.length), end)
  }
  return bytes
}

function replyMatches(
  call: Call,
  matches: readonly Match[],
  length: number,
  options: LcsOptions,
): void {
  const { reply } = call
  const shown = matches.filter((match) => match.length >= options.lengthMin)
  reply.map(2)
  reply.bulkText('matches')
  reply.array(shown.length)
  for (const match of shown) {
    reply.array(options.withLengths ? 3 : 2)
    for (const first of [match.a, match.b]) {
      reply.array(2)
      reply.integer(first)
      reply.integer(first + match.length - 1)
    }
    if (options.withLengths) reply.integer(match.length)
  }
  reply.bulkText('len')
  reply.integer(length)
}
