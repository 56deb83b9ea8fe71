/**
 * All data as it is at one moment, given away little by little while the data goes on changing.
 *
 * The walk goes through the tables in slices. An entry carries the mark of the snapshot that has
 * passed it (`epoch`): the walk gives an entry without the mark to the sink and marks it; whoever is
 * about to change or remove one without the mark has it given first; what is made meanwhile is born
 * with the mark. So each entry of the first moment is given exactly once, as it was then, and nothing
 * is kept twice. The position in hash order (`KeyTable.scan`) alone would not do: what was changed
 * ahead of the walk has to be told from what was not.
 *
 * The tables are those of the first moment too: SWAPDB gives a table to another database, but what is
 * in it still belongs to the one that it was in; FLUSHDB gives the database an empty one, and what was
 * in the other is freed after the snapshot (`lazy-free.ts`).
 *
 * Thread: core.
 * Owns: how far the walk has come.
 * Never: knows what becomes of an entry.
 */
import type { Arena, Ref } from '../../memory/arena.ts'
import type { Db } from './db.ts'
import { entryEpoch, entryType, setEntryEpoch } from './entry.ts'
import type { Keyspace } from './keyspace.ts'
import type { KeyTable } from './table.ts'
import { valueType } from './value.ts'

/** Who a snapshot is for: a file, a replica. */
export interface SnapshotSink {
  /** One entry, as it was when the snapshot began; databases come in any order. */
  entry(dbIndex: number, arena: Arena, ref: Ref): void
  /** False: the walk waits, since what it gave is still on its way. */
  hasRoom(): boolean
  /** Everything was given. */
  ended(): void
}

/** A database as the snapshot sees it. */
export interface SnapshotTable {
  readonly dbIndex: number
  readonly table: KeyTable
  /** Keys, and those with a deadline, when the snapshot began. */
  readonly keyCount: number
  readonly timedCount: number
}

/** Keys looked up together. */
const STRIDE = 32
/** Of a line of the processor's cache. A small entry spans two; what is behind the arena reads as nothing. */
const LINE_WORDS = 16

export class Snapshot {
  readonly epoch: number
  readonly tables: readonly SnapshotTable[]
  /** Keys that there were, and how many of them were given so far. */
  readonly keyCount: number
  givenCount = 0
  /** Of those: because they were about to change; and how large those were in memory. */
  earlyCount = 0
  earlyBytes = 0
  /** What was read ahead, which means nothing; it is kept so that the reading is not left out. */
  seen = 0
  /** The walk stopped since the sink had no room. */
  isStalled = false
  readonly #keyspace: Keyspace
  readonly #sink: SnapshotSink
  readonly #dbOf = new Map<KeyTable, number>()
  readonly #found: Ref[] = []
  /** Where the walk is: a table, and a cursor in it. */
  #tableIndex = 0
  #cursor = 0
  #isOver = false

  constructor(keyspace: Keyspace, epoch: number, sink: SnapshotSink) {
    this.#keyspace = keyspace
    this.epoch = epoch
    this.#sink = sink
    this.tables = snapshotTables(keyspace.dbs)
    for (const { table, dbIndex } of this.tables) this.#dbOf.set(table, dbIndex)
    this.keyCount = this.tables.reduce((sum, { keyCount }) => sum + keyCount, 0)
  }

  /**
   * Gives further entries as long as the sink has room and `mayGoOn`, called before each, says so.
   * False when the snapshot is over.
   */
  walk(mayGoOn: () => boolean): boolean {
    const found = this.#found
    while (!this.#isOver && this.#mayGive(mayGoOn)) {
      const here = this.tables[this.#tableIndex]
      if (here === undefined) {
        this.#end(true)
        return false
      }
      found.length = 0
      const next = here.table.scan(this.#cursor, STRIDE, found)
      const arena = this.#keyspace.arenas[here.table.arenaIndex]
      this.#readAhead(arena)
      if (!this.#giveFound(here.dbIndex, arena, mayGoOn)) return true
      this.#cursor = next
      if (next === 0) this.#tableIndex++
    }
    return !this.#isOver
  }

  /** An entry without the mark is about to change. */
  before(db: Db, ref: Ref): void {
    const dbIndex = this.#dbOf.get(db.keys)
    // No key was in this table when the snapshot began: the entry was moved in, and is marked.
    if (dbIndex === undefined) return
    this.earlyCount++
    const { memoryBytes } = valueType(entryType(db.arena, ref))
    this.earlyBytes += db.arena.blockSizeBytes(ref) + memoryBytes(db.arena, ref)
    this.#give(dbIndex, db.arena, ref)
  }

  /** Gives everything that is left, room or not. */
  finish(): void {
    for (const { table, dbIndex } of this.tables) {
      table.forEach((ref) => {
        const arena = this.#keyspace.arenas[table.arenaIndex]
        if (!this.#isOver && entryEpoch(arena, ref) !== this.epoch) this.#give(dbIndex, arena, ref)
      })
    }
    this.#end(true)
  }

  /** Stops, and tells the sink nothing. */
  abandon(): void {
    this.#end(false)
  }

  #give(dbIndex: number, arena: Arena, ref: Ref): void {
    setEntryEpoch(arena, ref, this.epoch)
    this.givenCount++
    this.#sink.entry(dbIndex, arena, ref)
  }

  /** Has all that was found fetched from memory at once, instead of one after the other. */
  #readAhead(arena: Arena): void {
    const found = this.#found
    const { words } = arena
    let seen = 0
    for (let i = 0; i < found.length; i++) {
      const word = found[i] << 1
      seen ^= words[word] ^ words[word + LINE_WORDS]
    }
    this.seen = seen
  }

  /**
   * False when it had to stop before the last one. Then they are looked up again: refs do not live
   * longer than a call. What was given has the mark.
   */
  #giveFound(dbIndex: number, arena: Arena, mayGoOn: () => boolean): boolean {
    const found = this.#found
    for (let i = 0; i < found.length; i++) {
      // The sink may have given up.
      if (this.#isOver) return false
      if (entryEpoch(arena, found[i]) === this.epoch) continue
      this.#give(dbIndex, arena, found[i])
      if (i + 1 < found.length && !this.#mayGive(mayGoOn)) return false
    }
    return true
  }

  #mayGive(mayGoOn: () => boolean): boolean {
    this.isStalled = !this.#sink.hasRoom()
    return !this.isStalled && mayGoOn()
  }

  #end(whole: boolean): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#keyspace.snapshotEnded(whole)
    if (whole) this.#sink.ended()
  }
}

/** Gives everything that there is now at once. `each`: called before every key. */
export function giveAll(dbs: readonly Db[], sink: SnapshotSink, each?: () => void): void {
  for (const db of dbs) {
    db.forEach((ref) => {
      each?.()
      sink.entry(db.index, db.arena, ref)
    })
  }
  sink.ended()
}

/** The databases that hold keys, as they are now. */
export function snapshotTables(dbs: readonly Db[]): SnapshotTable[] {
  return dbs
    .filter((db) => db.size() > 0)
    .map(({ index, keys, deadlines }) => {
      return { dbIndex: index, table: keys, keyCount: keys.size(), timedCount: deadlines.count() }
    })
}

const EPOCH_COUNT = 3

/**
 * The marks, 1 to 3, one after the other. When a snapshot is whole every entry has its mark or none,
 * so each other mark is free. One that was given up leaves marks of the one before behind: the third
 * mark is free then, and if that one is given up too, all marks are taken off, which takes a while.
 */
export class Epochs {
  #last = 0
  #abandoned = 0

  next(keyspace: Keyspace): number {
    if (this.#abandoned >= EPOCH_COUNT - 1) {
      for (const db of keyspace.dbs) {
        db.forEach((ref) => {
          setEntryEpoch(db.arena, ref, 0)
        })
      }
      this.#abandoned = 0
    }
    this.#last = (this.#last % EPOCH_COUNT) + 1
    return this.#last
  }

  ended(whole: boolean): void {
    this.#abandoned = whole ? 0 : this.#abandoned + 1
  }
}
