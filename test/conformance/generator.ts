/**
 * Random commands, made from the usage trees of the command table: few keys, values at the borders of
 * what they may be, wrong types, odd numbers, and now and then a call that is plainly wrong.
 *
 * What two servers may rightly answer differently is not made here: deadlines are far away or long
 * over (and before the year 287396, where ours end), nothing is left to the server's own chance, and no argument asks for hundreds of megabytes.
 *
 * Thread: any.
 * Owns: the pools of keys and values.
 * Never: makes a command that ends, blocks or reconfigures a server.
 */
import type { CommandEntry } from '../../src/core/command/table.ts'
import type { Argument } from '../../src/core/command/usage.ts'
import type { Dice } from './dice.ts'
import { STREAM_TUNED } from './streams.ts'
import { TUNED } from './tuned.ts'

export type Argv = readonly string[]

/** Commands that are left out, and why. */
const LEFT_OUT: ReadonlySet<string> = new Set(
  [
    // End, block, wait, or talk to other servers.
    'shutdown quit debug wait waitaof migrate',
    'replicaof slaveof failover sync psync replconf monitor restore-asking asking',
    // Change how the connection or the server behaves.
    'client config hello auth reset acl module save bgsave bgrewriteaof readonly readwrite cluster',
    'subscribe psubscribe ssubscribe unsubscribe punsubscribe sunsubscribe pubsub publish spublish',
    'script eval evalsha eval_ro evalsha_ro fcall fcall_ro function watch unwatch multi exec discard',
    // Answer by chance, by time, or about the server itself.
    'info memory latency slowlog lolwut role lastsave time command pfselftest swapdb',
  ]
    .join(' ')
    .split(' '),
)

/** Of these, made as the usage line says, the reply would often be chance's, or never come. */
const ONLY_TUNED: ReadonlySet<string> = new Set([
  ...['sort', 'sort_ro', 'spop', 'restore'],
  ...['blpop', 'brpop', 'blmove', 'blmpop', 'brpoplpush', 'bzpopmin', 'bzpopmax', 'bzmpop'],
])

const BEYOND = /^(7\.[1-9]|[89]\.)/

/** Names that begin with the group's letter hold its type as a rule. */
const KEY_LETTERS: Readonly<Record<string, string>> = {
  string: 's',
  bitmap: 's',
  hyperloglog: 'p',
  list: 'l',
  hash: 'h',
  set: 'e',
  'sorted-set': 'z',
  geo: 'g',
  stream: 'x',
}
const LETTERS = Object.values(KEY_LETTERS)

const STRINGS = [
  '',
  'a',
  'b',
  'abc',
  '0',
  '1',
  '-1',
  '10',
  '3.5',
  '-0',
  '00012',
  ' 1',
  '1 ',
  '1e3',
  'nan',
  'inf',
  '9223372036854775807',
  '-9223372036854775808',
  '9223372036854775808',
  '\x00\xff\x80',
  'x'.repeat(44),
  'x'.repeat(45),
  'y'.repeat(64),
  'y'.repeat(65),
  'z'.repeat(300),
  '*',
  'NX',
  'é',
]

const INTEGERS = [
  ...['0', '1', '2', '3', '5', '7', '8', '10', '16', '63', '64', '100', '-1', '-2', '-3', '-8'],
  ...['-100', '1000', '2147483647', '2147483648', '-2147483648', '4294967296', '9007199254740993'],
  ...['9223372036854775807', '-9223372036854775808', '9223372036854775808', '-9223372036854775809'],
  ...['18446744073709551615', '', 'a', '1.5', ' 1', '1 ', '+1', '01', '-0', '0x10', '1e2'],
]
/** For arguments that size something. */
const SIZES = [
  '0',
  '1',
  '2',
  '3',
  '5',
  '7',
  '8',
  '15',
  '100',
  '1000',
  '-1',
  '4294967296',
  'a',
  '1.5',
]
const DOUBLES = [
  ...['0', '1', '-1', '0.5', '-0.5', '3.0', '1e3', '1e-3', '1.7976931348623157e308', '-inf', 'inf'],
  ...[
    '+inf',
    '-0',
    '0.1',
    '0.2',
    '0.30000000000000004',
    '1e300',
    '-1e300',
    '5e-324',
    '123456789.5',
  ],
  ...['nan', '', 'a', '1 ', ' 1', '0x10', '1e400', '9007199254740993', '3.14159265358979'],
]
const PATTERNS = ['*', 's*', '*1', '?1', '[sl]0', '[^s]*', 's\\*', '', '**', '[a-z]?', 's[', '\\']

export class Generator {
  readonly #dice: Dice
  readonly #entries: readonly CommandEntry[]

  /** `withNewer`: commands as well that Redis 7.0 does not know. */
  constructor(dice: Dice, entries: readonly CommandEntry[], withNewer = false) {
    this.#dice = dice
    this.#entries = entries.filter((entry) => isWanted(entry, withNewer))
  }

  /** Names of the commands that may come. */
  get names(): string[] {
    return this.#entries.map(({ name }) => name)
  }

  next(): Argv {
    const dice = this.#dice
    if (dice.chance(0.2)) return [dice.word('FLUSHALL FLUSHDB')]
    const entry = dice.pick(this.#entries)
    const tuned = TUNED[entry.name]
    const isStream = entry.name in STREAM_TUNED
    const onlyTuned = isStream || ONLY_TUNED.has(entry.name)
    const letter = KEY_LETTERS[entry.group] ?? dice.pick(LETTERS)
    const key = () => this.#key(letter)
    const name = entry.upperName.split('|')
    const argv =
      tuned !== undefined && (dice.chance(70) || onlyTuned)
        ? [...name, ...tuned(dice, key)]
        : [...name, ...this.#sequence(entry.arguments, letter)]
    if (!dice.chance(4) || ONLY_TUNED.has(entry.name)) return argv
    const spoilt = this.#spoilt(argv)
    // An id that is the clock's.
    return isStream && spoilt.includes('*') ? argv : spoilt
  }

  #sequence(parts: readonly Argument[], letter: string): string[] {
    const made: string[] = []
    for (const part of parts) {
      if (part.since !== undefined && BEYOND.test(part.since)) continue
      if (part.optional && !this.#dice.chance(40)) continue
      const times = part.multiple ? 1 + this.#dice.below(3) : 1
      for (let i = 0; i < times; i++) {
        if (part.token !== undefined && part.type !== 'pure-token') {
          if (i === 0 || part.multipleToken) made.push(part.token)
        }
        made.push(...this.#value(part, letter))
      }
    }
    return made
  }

  #value(part: Argument, letter: string): string[] {
    const dice = this.#dice
    switch (part.type) {
      case 'pure-token':
        return [dice.chance(20) ? (part.token ?? '').toLowerCase() : (part.token ?? '')]
      case 'oneof':
        return this.#sequence([{ ...dice.pick(part.parts), optional: false }], letter)
      case 'block':
        return this.#sequence(part.parts, letter)
      case 'key':
        return [this.#key(letter)]
      case 'unix-time':
        return [this.#moment(part.name)]
      case 'double':
        return [dice.pick(DOUBLES)]
      case 'pattern':
        return [dice.pick(PATTERNS)]
      case 'integer':
        return [this.#integer(part.name)]
      default:
        return [dice.chance(10) ? dice.pick(INTEGERS) : dice.pick(STRINGS)]
    }
  }

  #key(letter: string): string {
    const dice = this.#dice
    const first = dice.chance(88) ? letter : dice.pick(LETTERS)
    return `${first}${dice.below(4)}`
  }

  /** Far away, long over, or no time at all: nothing that passes while the streams run. */
  #moment(name: string): string {
    const dice = this.#dice
    if (dice.chance(25)) return dice.word('0 -1 1 1000 a -9223372036854775808')
    const seconds = 4_102_444_800 + dice.below(1000)
    return String(/milli|ms/.test(name) ? seconds * 1000 + dice.below(1000) : seconds)
  }

  #integer(name: string): string {
    const dice = this.#dice
    if (/^(seconds|milliseconds|ms|ttl)$/.test(name)) {
      if (dice.chance(70)) return String(100_000 + dice.below(900_000))
      return dice.word('0 -1 -1000 a 9223372036854775807 -9223372036854775808 1.5')
    }
    if (/^(offset|bit|len|count|numkeys|limit)$/.test(name)) return dice.pick(SIZES)
    if (name === 'cursor') return '0'
    if (/^(index|db|destination-db)$/.test(name)) return dice.word('0 0 0 0 16 -1 a')
    return dice.pick(INTEGERS)
  }

  /** A word too many, too few, at the wrong place, or of the wrong kind. */
  #spoilt(argv: readonly string[]): string[] {
    const dice = this.#dice
    const spoilt = [...argv]
    const at = 1 + dice.below(spoilt.length)
    switch (dice.below(4)) {
      case 0:
        spoilt.splice(at, 1)
        break
      case 1:
        spoilt.splice(at, 0, dice.pick(STRINGS))
        break
      case 2:
        if (at < spoilt.length && !isDangerous(spoilt[0], at)) spoilt[at] = dice.pick(STRINGS)
        break
      default:
        spoilt[0] = spoilt[0].toLowerCase()
    }
    return spoilt
  }
}

/** Whether another value there could ask for hundreds of megabytes. */
function isDangerous(command: string, at: number): boolean {
  return at === 2 && /^(SETBIT|SETRANGE)$/i.test(command)
}

function isWanted(entry: CommandEntry, withNewer: boolean): boolean {
  if (entry.subcommands !== undefined) return false
  const top = entry.parent ?? entry
  if (LEFT_OUT.has(top.name) || LEFT_OUT.has(entry.name)) return false
  const { since } = entry.definition
  return (
    (withNewer || !BEYOND.test(since)) && !(entry.parent !== undefined && /help/.test(entry.name))
  )
}
