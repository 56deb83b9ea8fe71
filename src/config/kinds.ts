/**
 * What a setting's value can look like: for each kind, how words become the one canonical text.
 *
 * Every value is kept as the text CONFIG GET answers, so that nothing is lost (a 64-bit limit is
 * more than a double holds) and equal values have equal text.
 *
 * Thread: any.
 * Owns: value syntax, bounds and the reason given for a value that does not fit.
 * Never: knows which setting it reads, changes anything.
 */
import {
  BIND_ADDRESSES_MAX,
  HOST_NAME_SIZE_MAX,
  HZ_MAX,
  HZ_MIN,
  MEMORY_DIGITS_MAX,
} from './limits.ts'
import { fillTitle } from './title-template.ts'

/** A canonical value, or the reason why there is none. */
export type Reading = { readonly text: string } | { readonly problem: string }

/** What a kind may know beside the words. */
export interface ReadContext {
  /** The value the setting has now, canonical. */
  readonly current: string
  /** True when the words add to `current` (a second `save` line of a file) instead of replacing it. */
  readonly adds: boolean
  /** The path of the unix socket, empty when there is none. */
  readonly unixSocket: string
}

/** How one kind of value is written and read. */
export interface Kind {
  /** Whether a directive of this kind takes exactly one word, or any number of them. */
  readonly words: 'one' | 'many'
  /** How CONFIG REWRITE writes it: as it is, with the largest unit that divides it, or in quotes. */
  readonly form: 'plain' | 'memory' | 'quoted'
  /** What CONFIG GET and CONFIG REWRITE tell of a canonical value, where that is not all. */
  shown?(text: string): string
  read(words: readonly string[], context: ReadContext): Reading
}

const INT64_MAX = 2n ** 63n - 1n
const UINT64_MAX = 2n ** 64n - 1n

/** `yes` or `no`. */
export const yesNo: Kind = {
  words: 'one',
  form: 'plain',
  read([word]) {
    const lower = word!.toLowerCase()
    return lower === 'yes' || lower === 'no'
      ? { text: lower }
      : { problem: "argument must be 'yes' or 'no'" }
  },
}

/** A whole number in decimal, within both bounds. */
export function integer(min: bigint, max: bigint): Kind {
  return {
    words: 'one',
    form: 'plain',
    read([word]) {
      const value = decimal(word!)
      if (value === undefined) return { problem: "argument couldn't be parsed into an integer" }
      return between(value, min, max)
    },
  }
}

/** How often background work runs each second; what is out of reach is moved within it. */
export const hertz: Kind = {
  words: 'one',
  form: 'plain',
  read(words, context) {
    const reading = integer(0n, 2n ** 31n - 1n).read(words, context)
    if ('problem' in reading) return reading
    return { text: String(Math.min(Math.max(Number(reading.text), HZ_MIN), HZ_MAX)) }
  },
}

/** A number of bytes with an optional unit: b, k (1000), kb (1024), m, mb, g, gb. */
export function memory(min: bigint, max: bigint): Kind {
  return {
    words: 'one',
    form: 'memory',
    read([word]) {
      const value = memoryAmount(word!)
      if (value === undefined) return { problem: 'argument must be a memory value' }
      return between(value, min, max)
    },
  }
}

/** A number of bytes, or a share of `maxmemory` written as `5%`. */
export const memoryOrPercent: Kind = {
  words: 'one',
  form: 'memory',
  read([word]) {
    const percent = word!.endsWith('%') ? decimal(word!.slice(0, -1)) : undefined
    if (percent !== undefined && percent >= 0n) {
      if (percent > 100n) return { problem: 'percentage argument must be less or equal to 100' }
      return { text: percent === 0n ? '0' : `${percent}%` }
    }
    const value = memoryAmount(word!)
    if (value === undefined) return { problem: 'argument must be a memory or percent value' }
    return { text: value.toString() }
  },
}

/** File permissions in octal, 0 to 777. */
export const permissions: Kind = {
  words: 'one',
  form: 'plain',
  read([word]) {
    const match = /^[ \t]*([+-]?)([0-7]+)$/.exec(word!)
    if (match === null && word !== '') {
      return { problem: "argument couldn't be parsed as an octal number" }
    }
    const size = match === null ? 0n : BigInt(`0o${match[2]}`)
    const value = match?.[1] === '-' ? -size : size
    if (value < 0n || value > 0o777n) {
      return { problem: 'argument must be between 0 and 777 inclusive' }
    }
    return { text: value.toString(8) }
  },
}

/** One of a few words, in any case. `same`: words that mean another of them, and are shown as it. */
export function oneOf(
  choices: readonly string[],
  same: Readonly<Record<string, string>> = {},
): Kind {
  return {
    words: 'one',
    form: 'plain',
    read([word]) {
      const lower = word!.toLowerCase()
      return choices.includes(lower) ? { text: same[lower] ?? lower } : notAChoice(choices)
    },
  }
}

/**
 * Any text that `check` has nothing to say against.
 * DIFFERS: a NUL byte does not end a text, as it does in C.
 */
export function text(check?: (value: string, context: ReadContext) => string | undefined): Kind {
  return {
    words: 'one',
    form: 'quoted',
    read([word], context) {
      const problem = check?.(word!, context)
      return problem === undefined ? { text: word! } : { problem }
    },
  }
}

/** A file name without any directory. `empty`: whether no name at all will do. */
export function fileName(name: string, noun: string, empty: boolean): Kind {
  return text((value) => {
    if (value === '' && !empty) return `${name} can't be empty`
    if (value.includes('/')) return `${name} can't be a path, just a ${noun}`
    return undefined
  })
}

/** A host name of letters, digits, hyphens and dots. */
export const hostName: Kind = text((value) => {
  if (value.length >= HOST_NAME_SIZE_MAX) {
    return `Hostnames must be less than ${HOST_NAME_SIZE_MAX} characters`
  }
  if (!/^[A-Za-z0-9.-]*$/.test(value)) {
    return 'Hostnames may only contain alphanumeric characters, hyphens or dots'
  }
  return undefined
})

/** Addresses to listen on, a leading `-` meaning "if it exists"; none at all is allowed. */
export const addresses: Kind = {
  words: 'many',
  form: 'plain',
  read(words) {
    if (words.length > BIND_ADDRESSES_MAX) return { problem: 'Too many bind addresses specified.' }
    return { text: words.join(' ') }
  },
}

/** Pairs of seconds and changes. */
export const savePoints: Kind = {
  words: 'many',
  form: 'plain',
  read(words, { current, adds }) {
    if (words.length === 0) return { text: '' }
    const points: string[] = adds && current !== '' ? [current] : []
    if (words.length % 2 !== 0) return { problem: 'Invalid save parameters' }
    for (let index = 0; index < words.length; index += 2) {
      const seconds = longWord(words[index]!)
      const changes = longWord(words[index + 1]!)
      if (seconds === undefined || changes === undefined || seconds < 1n || changes < 0n) {
        return { problem: 'Invalid save parameters' }
      }
      points.push(`${seconds} ${BigInt.asIntN(32, changes)}`)
    }
    return { text: points.join(' ') }
  },
}

const CLIENT_CLASSES = ['normal', 'slave', 'pubsub']

/** Hard limit, soft limit and seconds for each class of client; classes not named keep theirs. */
export const outputBufferLimits: Kind = {
  words: 'many',
  form: 'plain',
  read(words, { current }) {
    if (words.length % 4 !== 0) {
      return { problem: 'Wrong number of arguments in buffer limit configuration.' }
    }
    const limits = current.split(' ')
    for (let index = 0; index < words.length; index += 4) {
      const given = words[index]!.toLowerCase()
      const place = CLIENT_CLASSES.indexOf(given === 'replica' ? 'slave' : given)
      if (place < 0) {
        return { problem: 'Invalid client class specified in buffer limit configuration.' }
      }
      const hard = memoryAmount(words[index + 1]!)
      const soft = memoryAmount(words[index + 2]!)
      const seconds = longWord(words[index + 3]!)
      if (hard === undefined || soft === undefined || seconds === undefined || seconds < 0n) {
        return {
          problem: 'Error in hard, soft or soft_seconds setting in buffer limit configuration.',
        }
      }
      limits.splice(place * 4 + 1, 3, `${hard}`, `${soft}`, `${seconds}`)
    }
    return { text: limits.join(' ') }
  },
}

/** Letters of `A` (all classes of events that have one), in the order they are reported. */
const EVENT_CLASSES = 'g$lshzxetd'

/** Which keyspace events are published; letters come back in Redis's own order. */
export const eventFlags: Kind = {
  words: 'one',
  form: 'quoted',
  read([word]) {
    const given = new Set(word!)
    for (const letter of given) {
      if (!`A${EVENT_CLASSES}KEmn`.includes(letter)) {
        return { problem: "Invalid event class character. Use 'Ag$lshzxeKEtmdn'." }
      }
    }
    const all = given.has('A') || [...EVENT_CLASSES].every((letter) => given.has(letter))
    const classes = all ? 'A' : pick(EVENT_CLASSES, given)
    return { text: classes + pick('nKEm', given) }
  },
  // QUIRK: beside `A`, the letter for new keys is accepted but not reported.
  shown: (text) => (text.startsWith('A') ? text.replace('n', '') : text),
}

const PERCENTILES_PROBLEM = 'Invalid latency-tracking-info-percentiles parameters'

/** Percentiles from 0 to 100 with up to six decimals. */
export const percentiles: Kind = {
  words: 'many',
  form: 'plain',
  read(words) {
    const shown: string[] = []
    for (const word of words) {
      const value = doubleWord(word)
      if (value === undefined) return { problem: PERCENTILES_PROBLEM }
      if (value < 0 || value > 100) {
        return {
          problem: 'latency-tracking-info-percentiles parameters should sit between [0.0,100.0]',
        }
      }
      const sign = Object.is(value, -0) ? '-' : ''
      shown.push(sign + value.toFixed(6).replace(/\.?0+$/, ''))
    }
    return { text: shown.join(' ') }
  },
}

/** Three adjustments of the kernel's out-of-memory score: primary, replica, child. */
export const oomScores: Kind = {
  words: 'many',
  form: 'plain',
  read(words) {
    if (words.length !== 3) return { problem: 'wrong number of arguments' }
    const scores: string[] = []
    for (const word of words) {
      const score = longWord(word)
      if (score === undefined || score < -2000n || score > 2000n) {
        return {
          problem: 'Invalid oom-score-adj-values, elements must be between -2000 and 2000.',
        }
      }
      scores.push(score.toString())
    }
    return { text: scores.join(' ') }
  },
}

const SHUTDOWN_FLAGS = ['default', 'save', 'nosave', 'now', 'force']

/** What SHUTDOWN flags a signal stands for. */
export const shutdownFlags: Kind = {
  words: 'many',
  form: 'plain',
  read(words) {
    const given = new Set(words.map((word) => word.toLowerCase()))
    if (given.size === 0 || [...given].some((flag) => !SHUTDOWN_FLAGS.includes(flag))) {
      return notAChoice(SHUTDOWN_FLAGS)
    }
    if (given.has('save') && given.has('nosave')) {
      return { problem: "shutdown options SAVE and NOSAVE can't be used simultaneously" }
    }
    const flags = SHUTDOWN_FLAGS.slice(1).filter((flag) => given.has(flag))
    return { text: flags.length === 0 ? 'default' : flags.join(' ') }
  },
}

/** Host and port of the server to follow; `no one` is none. */
export const primaryAddress: Kind = {
  words: 'many',
  form: 'plain',
  read(words) {
    if (words.length !== 2) return { problem: 'wrong number of arguments' }
    const [host, port] = words as [string, string]
    if (host.toLowerCase() === 'no' && port.toLowerCase() === 'one') return { text: '' }
    const number = longWord(port)
    if (number === undefined || number < 0n || number > 65535n) {
      return { problem: 'Invalid master port' }
    }
    return { text: `${host} ${number}` }
  },
}

/** A process title: not empty once it is filled in. */
export const titleTemplate: Kind = text((value, context) => {
  const filled = fillTitle(value, {
    title: '',
    'listen-addr': 'listen-addr',
    'server-mode': '',
    port: 'port',
    'tls-port': 'tls-port',
    unixsocket: context.unixSocket,
    'config-file': 'config-file',
  })
  const problem = 'template format is invalid or contains unknown variables'
  return filled === undefined || filled === '' ? problem : undefined
})

function notAChoice(choices: readonly string[]): Reading {
  return { problem: `argument(s) must be one of the following: ${choices.join(', ')}` }
}

function between(value: bigint, min: bigint, max: bigint): Reading {
  return value < min || value > max
    ? { problem: `argument must be between ${min} and ${max} inclusive` }
    : { text: value.toString() }
}

/** A 64-bit whole number in its only spelling: no plus sign, no leading zero, no blank. */
function decimal(word: string): bigint | undefined {
  if (!/^(0|-?[1-9][0-9]{0,18})$/.test(word)) return undefined
  const value = BigInt(word)
  return value > INT64_MAX || value < -INT64_MAX - 1n ? undefined : value
}

/** A whole number as C's strtol reads a whole word: blanks before it, a sign, leading zeros. */
function longWord(word: string): bigint | undefined {
  if (word === '') return 0n
  const match = /^[ \t\n\v\f\r]*([+-]?)([0-9]+)$/.exec(word)
  if (match === null) return undefined
  const size = BigInt(match[2]!)
  const value = match[1] === '-' ? -size : size
  if (value > INT64_MAX) return INT64_MAX
  return value < -INT64_MAX - 1n ? -INT64_MAX - 1n : value
}

const UNITS: Record<string, bigint> = {
  '': 1n,
  b: 1n,
  k: 1000n,
  kb: 1024n,
  m: 1000n ** 2n,
  mb: 1024n ** 2n,
  g: 1000n ** 3n,
  gb: 1024n ** 3n,
}

/**
 * Bytes with a unit.
 * QUIRK: no digits are zero, and more than 64 bits wrap as Redis does.
 */
export function memoryAmount(word: string): bigint | undefined {
  const match = /^([0-9]*)([a-z]{0,2})$/i.exec(word)
  const unit = match === null ? undefined : UNITS[match[2]!.toLowerCase()]
  if (match === null || unit === undefined || match[1]!.length > MEMORY_DIGITS_MAX) return undefined
  const digits = BigInt(match[1] === '' ? 0 : match[1]!)
  return BigInt.asUintN(64, (digits > UINT64_MAX ? UINT64_MAX : digits) * unit)
}

/** A floating point number as C's strtod reads a whole word, except NaN and what is out of range. */
function doubleWord(word: string): number | undefined {
  if (/^\+?inf(inity)?$/i.test(word)) return Infinity
  if (/^-inf(inity)?$/i.test(word)) return -Infinity
  const hex = /^([+-]?)0x([0-9a-f]+)\.?([0-9a-f]*)(?:p([+-]?[0-9]+))?$/i.exec(word)
  if (hex !== null) {
    const digits = Number.parseInt(hex[2]! + hex[3]!, 16)
    const value = digits * 2 ** (Number(hex[4] ?? 0) - 4 * hex[3]!.length)
    return hex[1] === '-' ? -value : value
  }
  if (!/^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?$/i.test(word)) return undefined
  const value = Number(word)
  const vanished = value === 0 && /[1-9]/.test(word.replace(/e.*$/i, ''))
  return vanished || !Number.isFinite(value) ? undefined : value
}

function pick(letters: string, given: ReadonlySet<string>): string {
  return [...letters].filter((letter) => given.has(letter)).join('')
}
