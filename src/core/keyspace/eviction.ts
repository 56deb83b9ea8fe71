/**
 * Keeps the memory below `maxmemory` by evicting keys.
 *
 * The best key to evict is looked for as Redis does: a few keys are drawn, and the best of all that
 * were drawn so far wait in a small pool, so that a pool of 16 fed with 5 keys at a time comes close
 * to an exact order. Unlike there a candidate is its entry, not its name: before a key goes, its age
 * is read again, and one that was used since it was drawn is let off. `volatile-ttl` draws nothing:
 * the deadlines are in order.
 *
 * An arena may be full while there is memory elsewhere; then a key of that arena goes.
 *
 * Thread: core.
 * Owns: the limit, the policy, the pool, what is counted about evictions.
 * Never: evicts while a call runs: the gates ask before one, the clock between them.
 */
import { hashWords } from '../../lib/hash.ts'
import { Random } from '../../lib/random.ts'
import type { Arena, Ref } from '../../memory/arena.ts'
import { byteMapHas } from '../../memory/byte-map.ts'
import { entryKeyLength, entryKeyOffset } from '../../memory/entry.ts'
import type { Server } from '../server.ts'
import { COUNT_MAX, idleSeconds } from './age.ts'
import { entryAge, entryHasDeadline } from './entry.ts'
import { EvictionPool } from './eviction-pool.ts'
import type { Keyspace } from './keyspace.ts'

/** What `evict` has come to: below the limit, not yet but going on, or nothing can go. */
export const EVICT_DONE = 0
export const EVICT_RUNNING = 1
export const EVICT_FAILED = 2

/** How the next key is chosen. */
const BY_NOTHING = 0
const BY_TIME = 1
const BY_USE = 2
const BY_CHANCE = 3
const BY_DEADLINE = 4

const CHOICES: Readonly<Record<string, number>> = {
  lru: BY_TIME,
  lfu: BY_USE,
  random: BY_CHANCE,
  ttl: BY_DEADLINE,
}

const ANY_ARENA = -1
const TIE_RANGE = 2 ** 32
/** How often the bytes that clients need are summed up. */
const CLIENTS_PERIOD_MS = 50
/** What the server knows of a client beside its buffers, about. */
const SESSION_SIZE = 512
/** Keys evicted between two looks at the clock. */
const CLOCK_PERIOD = 16
/** The part of an arena that is kept free, and the most of it. */
const RESERVE_PART = 16
const RESERVE_SIZE_MAX = 1024 * 1024
/** An arena with less than this in use is not full but fragmented: evicting would not help. */
const FULL_PART = 0.75

export class Eviction {
  readonly #server: Server
  readonly #keyspace: Keyspace
  readonly #random: Random
  readonly #pool = new EvictionPool()
  readonly #sample: Ref[] = []
  readonly #setPeriod: (periodMs: number) => void
  /** `maxmemory`; 0: none. */
  limitBytes = 0
  #policy = ''
  #choice = BY_NOTHING
  #volatileOnly = false
  #sampleCount = 5
  /** Longest time that keys are evicted before one call, microseconds. */
  #timeLimitUs = 500
  /** The database that the last key by chance came from. */
  #turn = 0
  /** What clients need beside the keys, as of the last look. */
  #clientBytes = 0
  #clientsDueMs = 0
  evictedCount = 0
  /** Memory was over the limit, with nothing left to evict, when the present call began. */
  isOver = false
  /** Time over the limit until it last ended, and when the present one began: microseconds. */
  #exceededUs = 0
  #exceededSinceUs = 0
  /** Where the key that was chosen lives. */
  #chosenDb = 0
  #chosenArena = 0

  constructor(server: Server) {
    this.#server = server
    this.#keyspace = server.keyspace
    this.#random = new Random(server.start.randomSeed + 1)
    this.#setPeriod = server.timers.every(Number.POSITIVE_INFINITY, () => this.#goOn())
  }

  /** Takes over the directives. A lower limit is seen to between calls, not before the next one. */
  settingsChanged(): void {
    const { settings } = this.#server
    const keyspace = this.#keyspace
    this.#follow(settings.text('maxmemory-policy'))
    this.#sampleCount = settings.int('maxmemory-samples')
    this.#timeLimitUs = timeLimitUs(settings.int('maxmemory-eviction-tenacity'))
    keyspace.lazyFree.follow(settings)
    keyspace.frequencies.configure(settings.int('lfu-log-factor'), settings.int('lfu-decay-time'))
    keyspace.countsUses = this.#choice === BY_USE
    keyspace.setTouching(true)
    const limitBytes = settings.int('maxmemory')
    if (limitBytes === this.limitBytes) return
    this.limitBytes = limitBytes
    this.#clientsDueMs = 0
    this.#setPeriod(limitBytes === 0 ? Number.POSITIVE_INFINITY : 0)
    if (limitBytes === 0) this.isOver = false
    if (limitBytes === 0) this.#endExceeded(this.#server.clock.microseconds())
    if (limitBytes === 0 || this.usedBytes() <= limitBytes) return
    const used = `${limitBytes} bytes of maxmemory are less than the ${this.usedBytes()} in use`
    this.#server.log.warning(`${used}: keys are evicted or writes refused, as the policy says.`)
  }

  #follow(policy: string): void {
    if (policy === this.#policy) return
    this.#policy = policy
    this.#choice = CHOICES[policy.slice(policy.indexOf('-') + 1)] ?? BY_NOTHING
    this.#volatileOnly = policy.startsWith('volatile')
    this.#pool.clear()
  }

  /** True when the next key is chosen by its age. */
  get wantsAges(): boolean {
    return this.#choice === BY_TIME || this.#choice === BY_USE
  }

  /**
   * Bytes that the limit is held against: keys, clients with what waits for them or comes from them,
   * and scripts. Not what waits for replicas: evicting would make more of it.
   */
  usedBytes(): number {
    const { clients, clock, scripting, transactions } = this.#server
    if (clock.nowMs >= this.#clientsDueMs) {
      this.#clientsDueMs = clock.nowMs + CLIENTS_PERIOD_MS
      this.#clientBytes = clients.bufferedBytes() + clients.count * SESSION_SIZE
    }
    const otherBytes = this.#clientBytes + transactions.queuedBytes + scripting.cachedBytes
    return this.#keyspace.usedBytes() + this.#keyspace.fixedBytes + otherBytes
  }

  /**
   * Evicts keys until the memory is below the limit or the time for it is over. `neededBytes`: what
   * the call that is about to begin may add to an arena.
   */
  evict(neededBytes: number): number {
    if (!this.#isPressed(neededBytes)) return EVICT_DONE
    if (this.#clientBytes > 0) {
      // No key goes for what clients needed a moment ago.
      const { clients } = this.#server
      this.#clientBytes = clients.bufferedBytes() + clients.count * SESSION_SIZE
      if (!this.#isPressed(neededBytes)) return EVICT_DONE
    }
    const { isPaused, isReplica } = this.#keyspace
    if (isPaused) return EVICT_DONE
    // The primary decides what goes, unless the replica has been told to decide itself.
    if (isReplica && this.#server.settings.bool('replica-ignore-maxmemory')) return EVICT_DONE
    const { clock, latency } = this.#server
    const startUs = clock.microseconds()
    const outcome = this.#evictUntil(neededBytes, startUs + this.#timeLimitUs)
    const endUs = clock.microseconds()
    latency.record('eviction-cycle', Math.floor((endUs - startUs) / 1000))
    if (outcome === EVICT_DONE) this.#endExceeded(endUs)
    else if (this.#exceededSinceUs === 0) this.#exceededSinceUs = endUs
    if (outcome === EVICT_RUNNING) this.#setPeriod(0)
    return outcome
  }

  /** Milliseconds over the limit in all, the present time included. */
  get totalExceededMs(): number {
    return Math.floor((this.#exceededUs + this.#currentExceededUs()) / 1000)
  }

  /** Milliseconds since the memory went over the limit, 0 when it is below. */
  get currentExceededMs(): number {
    return Math.floor(this.#currentExceededUs() / 1000)
  }

  /** CONFIG RESETSTAT. */
  resetCounters(): void {
    this.evictedCount = 0
    this.#exceededUs = 0
    this.#exceededSinceUs = 0
  }

  /** Called by the clock. */
  #goOn(): void {
    if (this.limitBytes === 0) return this.#setPeriod(Number.POSITIVE_INFINITY)
    if (this.evict(0) !== EVICT_RUNNING) this.#setPeriod(Number.POSITIVE_INFINITY)
  }

  /** The cheap look before every call. */
  #isPressed(neededBytes: number): boolean {
    if (this.usedBytes() > this.limitBytes) return true
    if (this.#exceededSinceUs !== 0) this.#endExceeded(this.#server.clock.microseconds())
    return this.#choice !== BY_NOTHING && this.#fullArena(neededBytes) !== ANY_ARENA
  }

  #evictUntil(neededBytes: number, untilUs: number): number {
    const { lazyFree } = this.#keyspace
    const isEvicting = this.#choice !== BY_NOTHING
    for (let count = 1; ; count++) {
      let arenaIndex = ANY_ARENA
      const over = this.usedBytes() > this.limitBytes
      if (!over) {
        arenaIndex = this.#fullArena(neededBytes)
        if (arenaIndex === ANY_ARENA) return EVICT_DONE
      }
      // What was flushed during a snapshot is free once that is over: no key of now goes for it.
      if (over && lazyFree.hasTables && !lazyFree.canGoOn) this.#keyspace.snapshot?.finish()
      if (lazyFree.canGoOn) lazyFree.turn()
      else if (!isEvicting || !this.#evictOne(arenaIndex)) return over ? EVICT_FAILED : EVICT_DONE
      else if (count % CLOCK_PERIOD !== 0) continue
      if (this.#server.clock.microseconds() <= untilUs) continue
      return isEvicting ? EVICT_RUNNING : EVICT_FAILED
    }
  }

  /** An arena that cannot hold so many bytes more, ANY_ARENA if there is none. */
  #fullArena(neededBytes: number): number {
    const { arenas } = this.#keyspace
    for (let i = 0; i < arenas.length; i++) {
      const { capacityBytes, freeBytes, usedBytes } = arenas[i]
      const reserve = Math.min(capacityBytes / RESERVE_PART, RESERVE_SIZE_MAX) + neededBytes
      if (freeBytes < reserve && usedBytes > capacityBytes * FULL_PART) return i
    }
    return ANY_ARENA
  }

  /** Evicts the best key, of one arena if one is given. False: there is none to evict. */
  #evictOne(arenaIndex: number): boolean {
    const ref = this.#choose(arenaIndex)
    if (ref === 0) return false
    const { clock, latency } = this.#server
    const startUs = latency.recording ? clock.microseconds() : 0
    const db = this.#keyspace.dbs[this.#chosenDb]
    db.selectArena(this.#chosenArena)
    db.removeUnasked(ref, 'evicted')
    this.evictedCount++
    if (startUs > 0) {
      latency.record('eviction-del', Math.floor((clock.microseconds() - startUs) / 1000))
    }
    return true
  }

  /** The best key's entry, 0 if there is none; where it lives is then in `#chosenDb` and `-Arena`. */
  #choose(arenaIndex: number): Ref {
    if (this.#choice === BY_CHANCE) return this.#chooseByChance(arenaIndex)
    if (this.#choice === BY_DEADLINE) return this.#chooseByDeadline(arenaIndex)
    return this.#chooseByAge(arenaIndex)
  }

  #chooseByChance(arenaIndex: number): Ref {
    const { dbs } = this.#keyspace
    for (let i = 0; i < dbs.length; i++) {
      this.#turn = (this.#turn + 1) % dbs.length
      if (this.#drawFrom(this.#turn, arenaIndex, 1)) {
        this.#chosenDb = this.#turn
        return this.#sample[0]
      }
    }
    return 0
  }

  #chooseByDeadline(arenaIndex: number): Ref {
    const { dbs } = this.#keyspace
    let bestMs = Number.POSITIVE_INFINITY
    let best = 0
    for (let i = 0; i < dbs.length; i++) {
      const { deadlines } = dbs[i]
      const ref = deadlines.first(arenaIndex)
      if (ref === 0 || deadlines.foundMs >= bestMs) continue
      bestMs = deadlines.foundMs
      best = ref
      this.#chosenDb = i
      this.#chosenArena = deadlines.arenaIndex
    }
    return best
  }

  #chooseByAge(arenaIndex: number): Ref {
    const { dbs } = this.#keyspace
    const pool = this.#pool
    // Candidates of other arenas are of no use to a full one.
    if (arenaIndex !== ANY_ARENA) pool.clear()
    for (;;) {
      let found = false
      for (let i = 0; i < dbs.length; i++) {
        if (!this.#drawFrom(i, arenaIndex, this.#sampleCount)) continue
        found = true
        this.#offer(i)
      }
      if (!found) return 0
      while (pool.takeBest()) {
        const { ref, dbIndex, hash } = pool
        this.#chosenDb = dbIndex
        this.#chosenArena = pool.arenaIndex
        if (this.#isStill(ref, hash, pool.score)) return ref
      }
    }
  }

  /** True when the candidate is there as it was drawn, and was not used since. */
  #isStill(ref: Ref, hash: number, score: number): boolean {
    const map = this.#keyspace.dbs[this.#chosenDb].keys.maps[this.#chosenArena]
    const arena = this.#keyspace.arenas[this.#chosenArena]
    if (map === 0 || !byteMapHas(arena, map, hash, ref)) return false
    if (this.#volatileOnly && !entryHasDeadline(arena, ref)) return false
    return this.#score(arena, ref) >= Math.floor(score)
  }

  /** Draws keys of a database into `#sample`, all of `#chosenArena`. False: there are none. */
  #drawFrom(dbIndex: number, arenaIndex: number, count: number): boolean {
    const db = this.#keyspace.dbs[dbIndex]
    const from = this.#volatileOnly ? db.deadlines : db.keys
    this.#sample.length = 0
    const index = arenaIndex === ANY_ARENA ? from.drawArena(this.#random) : arenaIndex
    if (index < 0) return false
    from.sample(index, count, this.#random, this.#sample)
    this.#chosenArena = index
    return this.#sample.length > 0
  }

  /** Offers the sample to the pool. */
  #offer(dbIndex: number): void {
    const arenaIndex = this.#chosenArena
    const arena = this.#keyspace.arenas[arenaIndex]
    for (const ref of this.#sample) {
      // Among equals chance decides, not who was drawn first.
      const score = this.#score(arena, ref) + this.#random.next() / TIE_RANGE
      if (!this.#pool.wants(score)) continue
      const keyWord = entryKeyOffset(ref) >> 2
      const length = entryKeyLength(arena, ref)
      const hash = hashWords(arena.words, keyWord, length, this.#keyspace.hashSeed)
      this.#pool.add(score, ref, hash, dbIndex, arenaIndex)
    }
  }

  /** A whole number: the higher, the sooner it goes. */
  #score(arena: Arena, ref: Ref): number {
    const age = entryAge(arena, ref)
    const { lruClock, frequencies } = this.#keyspace
    if (this.#choice === BY_TIME) return idleSeconds(lruClock, age)
    return COUNT_MAX - frequencies.countOf(age)
  }

  #endExceeded(nowUs: number): void {
    if (this.#exceededSinceUs !== 0) this.#exceededUs += nowUs - this.#exceededSinceUs
    this.#exceededSinceUs = 0
  }

  #currentExceededUs(): number {
    const sinceUs = this.#exceededSinceUs
    return sinceUs === 0 ? 0 : this.#server.clock.microseconds() - sinceUs
  }
}

/** `maxmemory-eviction-tenacity`: half a millisecond at 10, 15 % more for each step, no end at 100. */
function timeLimitUs(tenacity: number): number {
  if (tenacity >= 100) return Number.POSITIVE_INFINITY
  return tenacity <= 10 ? 50 * tenacity : 500 * 1.15 ** (tenacity - 10)
}
