/**
 * What an RDB file consists of around its values: head, auxiliary fields, functions, databases, what
 * is known of each key beside its value. Whoever wants such bytes, for a file or for a replica, brings
 * the writer.
 *
 * Thread: core.
 * Owns: the order of things in a file, and the version that its values need.
 * Never: decides when one is written.
 *
 * @see https://rdb.fnordig.de/file_format.html
 */
import { REDIS_VERSION } from '../../../config/version.ts'
import {
  OPCODE_AUX,
  OPCODE_EXPIRE_MS,
  OPCODE_FREQ,
  OPCODE_FUNCTION,
  OPCODE_IDLE,
  OPCODE_RESIZE_DB,
  OPCODE_SELECT_DB,
  RDB_VERSION,
} from '../../../lib/rdb/format.ts'
import type { RdbWriter } from '../../../lib/rdb/writer.ts'
import type { Arena, Ref } from '../../../memory/arena.ts'
import { idleSeconds } from '../../keyspace/age.ts'
import { entryAge, entryDeadline } from '../../keyspace/entry.ts'
import { saveEntry } from '../../keyspace/persist.ts'
import type { SnapshotTable } from '../../keyspace/snapshot.ts'
import type { Server } from '../../server.ts'

/** Where the data stands in the stream of a replica, or in that of the replicas. */
export interface ReplicationPosition {
  readonly dbIndex: number
  readonly id: string
  readonly offset: number
}

export interface RdbBodyOptions {
  /** What a replica that loads this can go on from; absent where there is no stream. */
  readonly replication?: ReplicationPosition | undefined
  /** What the head says, where it cannot be put right once the version is known. */
  readonly version?: number
  /** Libraries are left out. */
  readonly withoutFunctions?: boolean
  /** The file begins an AOF. */
  readonly isAofBase: boolean
}

const VERSION_DIGITS = 4

export class RdbBody {
  readonly #server: Server
  readonly #writer: RdbWriter
  /** The version that a reader has to know. */
  version = RDB_VERSION
  #dbIndex = -1
  #ages: 'none' | 'idle' | 'frequency' = 'none'
  /** Databases whose sizes are not said yet. */
  readonly #unsaid = new Map<number, SnapshotTable>()

  constructor(server: Server, writer: RdbWriter) {
    this.#server = server
    this.#writer = writer
  }

  /** Begins: everything that stands before the first database. */
  begin(tables: readonly SnapshotTable[], options: RdbBodyOptions): void {
    const { settings, keyspace, clock } = this.#server
    this.version = RDB_VERSION
    this.#dbIndex = -1
    this.#unsaid.clear()
    for (const table of tables) this.#unsaid.set(table.dbIndex, table)
    const policy = settings.text('maxmemory-policy')
    this.#ages = policy.includes('lru') ? 'idle' : policy.includes('lfu') ? 'frequency' : 'none'
    const version = options.version ?? RDB_VERSION
    this.#text(`REDIS${String(version).padStart(VERSION_DIGITS, '0')}`)
    this.#aux('redis-ver', REDIS_VERSION)
    this.#aux('redis-bits', '64')
    this.#aux('ctime', String(Math.floor(clock.nowMs / 1000)))
    this.#aux('used-mem', String(keyspace.usedBytes()))
    const { replication } = options
    if (replication !== undefined) {
      this.#aux('repl-stream-db', String(replication.dbIndex))
      this.#aux('repl-id', replication.id)
      this.#aux('repl-offset', String(replication.offset))
    }
    this.#aux('aof-base', options.isAofBase ? '1' : '0')
    if (options.withoutFunctions === true) return
    for (const { code } of this.#server.scripting.functions.libraries()) {
      this.#writer.byte(OPCODE_FUNCTION)
      this.#writer.string(code, 0, code.length)
    }
  }

  /** One key. */
  entry(dbIndex: number, arena: Arena, ref: Ref): void {
    const writer = this.#writer
    if (dbIndex !== this.#dbIndex) this.#select(dbIndex)
    const deadlineMs = entryDeadline(arena, ref)
    if (deadlineMs >= 0) {
      writer.byte(OPCODE_EXPIRE_MS)
      writer.milliseconds(deadlineMs)
    }
    if (this.#ages !== 'none') this.#age(entryAge(arena, ref))
    this.version = Math.max(this.version, saveEntry(arena, ref, writer))
  }

  #select(dbIndex: number): void {
    const writer = this.#writer
    this.#dbIndex = dbIndex
    writer.byte(OPCODE_SELECT_DB)
    writer.size(dbIndex)
    const table = this.#unsaid.get(dbIndex)
    if (table === undefined) return
    this.#unsaid.delete(dbIndex)
    writer.byte(OPCODE_RESIZE_DB)
    writer.size(table.keyCount)
    writer.size(table.timedCount)
  }

  #age(age: number): void {
    const { keyspace } = this.#server
    const writer = this.#writer
    if (this.#ages === 'idle') {
      writer.byte(OPCODE_IDLE)
      writer.size(idleSeconds(keyspace.lruClock, age))
    } else {
      writer.byte(OPCODE_FREQ)
      writer.byte(keyspace.frequencies.countOf(age))
    }
  }

  #aux(name: string, value: string): void {
    this.#writer.byte(OPCODE_AUX)
    this.#string(name)
    this.#string(value)
  }

  #string(text: string): void {
    const bytes = Buffer.from(text, 'latin1')
    this.#writer.string(bytes, 0, bytes.length)
  }

  #text(text: string): void {
    const bytes = Buffer.from(text, 'latin1')
    this.#writer.raw(bytes, 0, bytes.length)
  }
}
