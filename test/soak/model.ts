/**
 * What the keys of one connection hold, and the next thing to ask about or do to them, with the
 * answer that has to come.
 *
 * Thread: any.
 * Owns: the truth about the keys with its prefix, as of the last step given out.
 * Never: sends anything.
 */
import type { Dice } from '../conformance/dice.ts'

/** When a command was sent, and when its reply came. */
export interface Times {
  readonly sentMs: number
  readonly gotMs: number
}

export interface Step {
  readonly command: readonly string[]
  /** Says what was expected instead, or nothing when the reply is right. */
  readonly judge: (reply: string, times: Times) => string | undefined
}

interface Expiring {
  readonly value: string
  readonly durationMs: number
  written: Times | undefined
  /** It may be gone for want of memory. */
  mayBeEvicted: boolean
}

const KEYS = 6
const MEMBERS = 60
const LENGTH_MAX = 150
const LARGE_SIZE = 60_000
const DURATIONS_MS = [5, 40, 300, 2000, 600_000]
const NIL = '(nil)'

export class Model {
  readonly #prefix: string
  readonly #dice: Dice
  /** Whether the server evicts keys that have a deadline. */
  #evicts = false
  readonly #strings = new Map<string, string>()
  readonly #numbers = new Map<string, number>()
  readonly #hashes = new Map<string, Map<string, string>>()
  readonly #lists = new Map<string, string[]>()
  readonly #sets = new Map<string, Set<string>>()
  readonly #scores = new Map<string, Map<string, number>>()
  readonly #streams = new Map<string, number[]>()
  readonly #bits = new Map<string, Set<number>>()
  readonly #expiring = new Map<string, Expiring>()
  #streamId = 0

  constructor(prefix: string, dice: Dice) {
    this.#prefix = prefix
    this.#dice = dice
  }

  /** Keys with a deadline may be gone from now on; without, those that are written from now on stay. */
  set evicts(evicts: boolean) {
    this.#evicts = evicts
    if (evicts) for (const expiring of this.#expiring.values()) expiring.mayBeEvicted = true
  }

  /** One step, at times several that belong together. */
  next(): Step[] {
    const kind = this.#dice.below(10)
    if (kind === 0) return [this.#string()]
    if (kind === 1) return this.#number()
    if (kind === 2) return [this.#hash()]
    if (kind === 3) return [this.#list()]
    if (kind === 4) return [this.#set()]
    if (kind === 5) return [this.#sortedSet()]
    if (kind === 6) return [this.#stream()]
    if (kind === 7) return [this.#bit()]
    if (kind === 8) return [this.#deadline()]
    return [this.#remove()]
  }

  /** Every key, whole. */
  everything(): Step[] {
    return [
      ...[...this.#strings].map(([key, value]) => step(['GET', key], `$${value}`)),
      ...[...this.#numbers].map(([key, value]) => step(['GET', key], `$${value}`)),
      ...[...this.#hashes].map(([key, value]) => unordered(['HGETALL', key], pairs(value), 2)),
      ...[...this.#lists].map(([key, value]) => step(['LRANGE', key, '0', '-1'], listed(value))),
      ...[...this.#sets].map(([key, value]) => unordered(['SMEMBERS', key], [...value], 1)),
      ...[...this.#scores].map(([key, value]) => {
        return step(['ZRANGE', key, '0', '-1', 'WITHSCORES'], listed(ranked(value)))
      }),
      ...[...this.#streams].map(([key, ids]) => step(['XLEN', key], `:${ids.length}`)),
      ...[...this.#bits].map(([key, bits]) => step(['BITCOUNT', key], `:${bits.size}`)),
    ]
  }

  #key(kind: string): string {
    return `${this.#prefix}:${kind}:${this.#dice.below(KEYS)}`
  }

  #member(): string {
    const number = this.#dice.below(MEMBERS)
    return this.#dice.chance(20)
      ? `member-with-a-name-that-is-no-short-one-${number}`
      : `m${number}`
  }

  #string(): Step {
    const key = this.#key('string')
    const old = this.#strings.get(key)
    if (this.#dice.chance(40)) return step(['GET', key], old === undefined ? NIL : `$${old}`)
    const size = this.#dice.chance(3) ? LARGE_SIZE : 1 + this.#dice.below(80)
    const text = String.fromCharCode(97 + this.#dice.below(26)).repeat(size)
    if (this.#dice.chance(30) && (old?.length ?? 0) < LARGE_SIZE) {
      this.#strings.set(key, (old ?? '') + text)
      return step(['APPEND', key, text], `:${(old?.length ?? 0) + size}`)
    }
    this.#strings.set(key, text)
    return step(['SET', key, text], '+OK')
  }

  /** Plain, from a script, and in a transaction. */
  #number(): Step[] {
    const key = this.#key('number')
    const add = this.#dice.below(2001) - 1000
    const value = (this.#numbers.get(key) ?? 0) + add
    this.#numbers.set(key, value)
    const how = this.#dice.below(3)
    if (how === 0) return [step(['INCRBY', key, String(add)], `:${value}`)]
    if (how === 1) {
      const script = "return redis.call('INCRBY', KEYS[1], ARGV[1])"
      return [step(['EVAL', script, '1', key, String(add)], `:${value}`)]
    }
    return [
      step(['MULTI'], '+OK'),
      step(['INCRBY', key, String(add)], '+QUEUED'),
      step(['GET', key], '+QUEUED'),
      step(['EXEC'], `*2 :${value} $${value}`),
    ]
  }

  #hash(): Step {
    const key = this.#key('hash')
    const field = this.#member()
    const hash = this.#hashes.get(key) ?? new Map<string, string>()
    const how = this.#dice.below(5)
    if (how <= 1) {
      const value = `v${this.#dice.below(1e9)}`
      const isNew = !hash.has(field)
      this.#hashes.set(key, hash.set(field, value))
      return step(['HSET', key, field, value], isNew ? ':1' : ':0')
    }
    if (how === 2) return step(['HGET', key, field], hash.has(field) ? `$${hash.get(field)}` : NIL)
    if (how === 3) {
      const had = hash.delete(field)
      if (hash.size === 0) this.#hashes.delete(key)
      return step(['HDEL', key, field], had ? ':1' : ':0')
    }
    return unordered(['HGETALL', key], pairs(hash), 2)
  }

  #list(): Step {
    const key = this.#key('list')
    const list = this.#lists.get(key) ?? []
    const how = this.#dice.below(6)
    if (how <= 2) {
      const value = this.#member()
      const atHead = this.#dice.chance(50)
      if (atHead) list.unshift(value)
      else list.push(value)
      this.#lists.set(key, list)
      return step([atHead ? 'LPUSH' : 'RPUSH', key, value], `:${list.length}`)
    }
    if (how === 3) {
      const value = list.shift()
      if (list.length === 0) this.#lists.delete(key)
      return step(['LPOP', key], value === undefined ? NIL : `$${value}`)
    }
    if (how === 4 && list.length > 0) {
      const value = list.pop()
      if (list.length === 0) this.#lists.delete(key)
      // It need not wait.
      return step(['BRPOP', key, '0'], `*2 $${key} $${value}`)
    }
    if (list.length > LENGTH_MAX) {
      list.length = LENGTH_MAX / 2
      return step(['LTRIM', key, '0', String(LENGTH_MAX / 2 - 1)], '+OK')
    }
    return step(['LRANGE', key, '0', '-1'], listed(list))
  }

  #set(): Step {
    const key = this.#key('set')
    const member = this.#dice.chance(50) ? String(this.#dice.below(MEMBERS)) : this.#member()
    const set = this.#sets.get(key) ?? new Set<string>()
    const how = this.#dice.below(5)
    if (how <= 1) {
      const isNew = !set.has(member)
      this.#sets.set(key, set.add(member))
      return step(['SADD', key, member], isNew ? ':1' : ':0')
    }
    if (how === 2) return step(['SISMEMBER', key, member], set.has(member) ? ':1' : ':0')
    if (how === 3) {
      const had = set.delete(member)
      if (set.size === 0) this.#sets.delete(key)
      return step(['SREM', key, member], had ? ':1' : ':0')
    }
    return unordered(['SMEMBERS', key], [...set], 1)
  }

  #sortedSet(): Step {
    const key = this.#key('zset')
    const member = this.#member()
    const scores = this.#scores.get(key) ?? new Map<string, number>()
    const how = this.#dice.below(5)
    if (how <= 1) {
      const isNew = !scores.has(member)
      const score = this.#dice.below(50) - 25
      this.#scores.set(key, scores.set(member, score))
      return step(['ZADD', key, String(score), member], isNew ? ':1' : ':0')
    }
    if (how === 2) {
      const score = scores.get(member)
      return step(['ZSCORE', key, member], score === undefined ? NIL : `$${score}`)
    }
    if (how === 3) {
      const had = scores.delete(member)
      if (scores.size === 0) this.#scores.delete(key)
      return step(['ZREM', key, member], had ? ':1' : ':0')
    }
    return step(['ZRANGE', key, '0', '-1', 'WITHSCORES'], listed(ranked(scores)))
  }

  #stream(): Step {
    const key = this.#key('stream')
    const ids = this.#streams.get(key) ?? []
    const how = this.#dice.below(4)
    if (how <= 1) {
      const id = ++this.#streamId
      ids.push(id)
      this.#streams.set(key, ids)
      return step(['XADD', key, `${id}-1`, 'field', this.#member()], `$${id}-1`)
    }
    if (ids.length > LENGTH_MAX) {
      const cut = ids.splice(0, ids.length - LENGTH_MAX / 2).length
      return step(['XTRIM', key, 'MAXLEN', '=', String(LENGTH_MAX / 2)], `:${cut}`)
    }
    if (how === 2 && ids.length > 0) {
      const [id] = ids.splice(this.#dice.below(ids.length), 1)
      return step(['XDEL', key, `${id}-1`], ':1')
    }
    return step(['XLEN', key], `:${ids.length}`)
  }

  #bit(): Step {
    const key = this.#key('bitmap')
    const bits = this.#bits.get(key) ?? new Set<number>()
    const at = this.#dice.below(2000)
    const before = bits.has(at) ? ':1' : ':0'
    if (this.#dice.chance(30)) return step(['BITCOUNT', key], `:${bits.size}`)
    if (this.#dice.chance(30)) return step(['GETBIT', key, String(at)], before)
    const on = this.#dice.chance(60)
    if (on) bits.add(at)
    else bits.delete(at)
    this.#bits.set(key, bits)
    return step(['SETBIT', key, String(at), on ? '1' : '0'], before)
  }

  /** A key that ends: there until then, and not a moment longer. */
  #deadline(): Step {
    const key = this.#key('expiring')
    const old = this.#expiring.get(key)
    if (old === undefined || this.#dice.chance(30)) {
      const durationMs = this.#dice.pick(DURATIONS_MS)
      const value = `x${this.#dice.below(1e9)}`
      const expiring: Expiring = {
        value,
        durationMs,
        written: undefined,
        mayBeEvicted: this.#evicts,
      }
      this.#expiring.set(key, expiring)
      return {
        command: ['SET', key, value, 'PX', String(durationMs)],
        judge(reply, times) {
          expiring.written = times
          return reply === '+OK' ? undefined : '+OK'
        },
      }
    }
    return {
      command: ['GET', key],
      judge: (reply, times) => judgeExpiring(reply, old, times),
    }
  }

  #remove(): Step {
    const maps: ReadonlyMap<string, unknown>[] = [
      ...[this.#strings, this.#hashes, this.#lists, this.#sets, this.#scores, this.#bits],
    ]
    const map = this.#dice.pick(maps)
    const keys = [...map.keys()]
    if (keys.length === 0) return step(['PING'], '+PONG')
    const key = this.#dice.pick(keys)
    ;(map as Map<string, unknown>).delete(key)
    return step([this.#dice.chance(50) ? 'DEL' : 'UNLINK', key], ':1')
  }
}

function judgeExpiring(
  reply: string,
  { value, durationMs, written, mayBeEvicted }: Expiring,
  { sentMs, gotMs }: Times,
): string | undefined {
  if (written === undefined) return 'the reply to SET before'
  // The two processes' clocks are one, but read in whole milliseconds.
  const mayBeThere = sentMs <= written.gotMs + durationMs + 1
  const mayBeGone = mayBeEvicted || gotMs >= written.sentMs + durationMs - 1
  if (reply === `$${value}` && mayBeThere) return undefined
  if (reply === NIL && mayBeGone) return undefined
  return mayBeThere ? `$${value}` : NIL
}

function step(command: readonly string[], expected: string): Step {
  return { command, judge: (reply) => (reply === expected ? undefined : expected) }
}

/** `width`: elements that stay together. */
function unordered(command: readonly string[], words: readonly string[], width: number): Step {
  const expected = sorted(words, width)
  return {
    command,
    judge(reply) {
      const got = reply.split(' ').slice(1)
      const plain = got.map((word) => word.slice(1))
      return sorted(plain, width) === expected ? undefined : expected
    },
  }
}

function sorted(words: readonly string[], width: number): string {
  const groups: string[] = []
  for (let i = 0; i < words.length; i += width) groups.push(words.slice(i, i + width).join(' '))
  return groups.sort().join(' ')
}

function listed(words: readonly string[]): string {
  return [`*${words.length}`, ...words.map((word) => `$${word}`)].join(' ')
}

function pairs(map: ReadonlyMap<string, string>): string[] {
  return [...map].flat()
}

function ranked(scores: ReadonlyMap<string, number>): string[] {
  const byName = [...scores].sort(([a], [b]) => (a < b ? -1 : 1))
  return byName.sort(([, a], [, b]) => a - b).flatMap(([name, score]) => [name, String(score)])
}
