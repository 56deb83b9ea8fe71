/**
 * Whether two servers have answered a command alike.
 *
 * Thread: any.
 * Owns: what may differ: the order of unordered collections, the moment a time was asked for, what
 * chance has picked, the bytes of a dump whose order is free.
 * Never: lets an error pass for another.
 */
import { notation, type Reply } from '../support/reply.ts'
import type { Argv } from './generator.ts'
import { TELL_TIMES } from './streams.ts'

const UNORDERED = new Set(
  'KEYS SMEMBERS SPOP SINTER SUNION SDIFF HGETALL HKEYS HVALS SCAN SSCAN HSCAN ZSCAN'.split(' '),
)
const PAIRED = new Set(['HGETALL', 'HSCAN', 'ZSCAN'])
const BY_CHANCE = new Set(['RANDOMKEY', 'SRANDMEMBER', 'HRANDFIELD', 'ZRANDMEMBER'])
const TOLERANCES: Readonly<Record<string, number>> = {
  TTL: 2,
  PTTL: 2000,
  EXPIRETIME: 2,
  PEXPIRETIME: 2000,
  'OBJECT IDLETIME': 10,
}

/** Integers beyond this are moments. */
const UNIX_MS_MIN = 1_000_000_000_000

/** True when the replies say the same. */
export function agree(argv: Argv, ours: Reply, theirs: Reply): boolean {
  const text = notation(ours)
  const other = notation(theirs)
  if (text === other) return true
  const name = argv[0].toUpperCase()
  // Redis looks at an errno there that an earlier command has set: ZADD of 1e400.
  if (/^SORT/.test(name) && /^-ERR One or more scores/.test(other)) return ours.kind !== '-'
  if (ours.kind === '-' || theirs.kind === '-') return false
  // Texts that are the same up to a NUL are equals for the C library.
  if (/^SORT/.test(name) && /\\x00/.test(text + other)) return shape(ours) === shape(theirs)
  const full = name === 'OBJECT' ? `${name} ${argv[1]?.toUpperCase()}` : name
  if (/SCAN$/.test(name) && !isWhole(argv)) {
    // How far one step of an iteration comes is each server's own affair.
    return ours.items?.length === 2 && theirs.items?.length === 2
  }
  if (UNORDERED.has(name))
    return inOrder(ours, PAIRED.has(name)) === inOrder(theirs, PAIRED.has(name))
  if (BY_CHANCE.has(name)) return shape(ours) === shape(theirs)
  // Whether small numbers are shared is told of some ways to make them and not of others.
  if (full === 'OBJECT REFCOUNT') return ours.kind === theirs.kind
  if (TELL_TIMES.has(name)) return timeless(ours) === timeless(theirs)
  if (name === 'DUMP') return ours.bytes !== undefined && theirs.bytes !== undefined
  const tolerance = TOLERANCES[full]
  if (tolerance === undefined || ours.kind !== ':' || theirs.kind !== ':') return false
  const [a, b] = [Number(text.slice(1)), Number(other.slice(1))]
  return a >= 0 && b >= 0 && Math.abs(a - b) <= tolerance
}

/** The reply of a command that tells times of streams: Unix times, idle times and who was seen. */
function timeless(reply: Reply): string {
  if (reply.kind === ':' && Number(reply.bytes ?? 0) > UNIX_MS_MIN) return 'time'
  const { items } = reply
  if (items === undefined) return notation(reply)
  const texts = items.map(timeless)
  // A pending entry: id, consumer, idle time, count.
  if (items.map(({ kind }) => kind).join('') === '$$::') texts[2] = 'time'
  // Redis keeps a node whose entries are all deleted, we do not.
  for (let i = 1; i < items.length; i++) {
    if (/^\$(idle|radix-tree-(keys|nodes))$/.test(texts[i - 1])) texts[i] = 'any'
  }
  return `${reply.kind}${texts.length} ${texts.join(' ')}`
}

/** Whether an iteration begins at the beginning and comes to the end in one step. */
function isWhole(argv: Argv): boolean {
  return argv[argv[0].length === 4 ? 1 : 2] === '0' && argv.includes('100000')
}

/** Elements sorted, at every depth; by pairs where they come in pairs. */
function inOrder(reply: Reply, paired: boolean): string {
  if (reply.items === undefined) return notation(reply)
  const texts = reply.items.map((item) => inOrder(item, paired))
  // SCAN and its kin: cursor first, then the elements.
  if (reply.items.length === 2 && reply.items[1].items !== undefined) return texts.join(' ')
  const step = paired && reply.kind !== '%' ? 2 : 1
  const groups: string[] = []
  for (let i = 0; i < texts.length; i += step) groups.push(texts.slice(i, i + step).join(' '))
  return `${reply.kind}${texts.length} ${groups.sort().join(' ')}`
}

function shape(reply: Reply): string {
  if (reply.items !== undefined) return `${reply.kind}${reply.items.map(shape).join('')}.`
  return reply.bytes === undefined ? 'nil' : reply.kind
}
