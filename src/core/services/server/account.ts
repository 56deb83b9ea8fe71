/**
 * Where the memory is: exact figures of the arenas, and what the databases need beside the keys.
 *
 * Thread: core.
 * Owns: how numbers of bytes are written for people.
 * Never: estimates.
 */
import { PAGE_SIZE_BYTES } from '../../../memory/arena.ts'
import { byteMapMemoryBytes } from '../../../memory/byte-map.ts'
import type { Db } from '../../keyspace/db.ts'
import type { Keyspace } from '../../keyspace/keyspace.ts'
import type { Server } from '../../server.ts'

export interface ArenaAccount {
  /** Bytes of blocks handed out, and what is needed without any. */
  readonly usedBytes: number
  /** Bytes of the pages that these blocks lie in, and what is needed without any. */
  readonly activeBytes: number
  /** Bytes that the system may have had to back with memory, the page maps included. */
  readonly touchedBytes: number
  /** Bytes that could be used in all. */
  readonly capacityBytes: number
}

export function arenaAccount(keyspace: Keyspace): ArenaAccount {
  const { fixedBytes } = keyspace
  const account = {
    usedBytes: fixedBytes,
    activeBytes: fixedBytes,
    touchedBytes: 0,
    capacityBytes: 0,
  }
  for (const arena of keyspace.arenas) {
    account.usedBytes += arena.usedBytes
    account.activeBytes += arena.usedPageCount * PAGE_SIZE_BYTES
    account.touchedBytes += arena.touchedBytes + arena.metadataBytes
    account.capacityBytes += arena.capacityBytes
  }
  return account
}

/** Bytes that wait for replicas and for the disk: they are used, but no eviction would free them. */
export function uncountedBytes({ aof, clients, replication }: Server): number {
  const replicaBytes = replication.replicas.count === 0 ? 0 : clients.bufferedBytes(true)
  return replicaBytes + aof.bufferedSize
}

/** Bytes of a database's tables of keys. */
export function tableBytes(keyspace: Keyspace, db: Db): number {
  let sum = 0
  db.keys.maps.forEach((table, i) => {
    if (table !== 0) sum += byteMapMemoryBytes(keyspace.arenas[i], table)
  })
  return sum
}

/** Bytes of a database's orders of deadlines, of keys and of elements. */
export function deadlineBytes({ deadlines, elements }: Db): number {
  return deadlines.trees.memoryBytes() + elements.order.trees.memoryBytes()
}

/** Bytes of what finds a database's keys by their slots. */
export function slotBytes({ slots }: Db): number {
  return slots?.trees.memoryBytes() ?? 0
}

/** Bytes of everything that is neither key nor value. */
export function overheadBytes(keyspace: Keyspace): number {
  let sum = keyspace.fixedBytes
  for (const db of keyspace.dbs) {
    sum += tableBytes(keyspace, db) + deadlineBytes(db) + slotBytes(db)
  }
  return sum
}

/** A number of bytes for people: '1.50M'. */
export function human(bytes: number): string {
  if (bytes < 1024) return `${bytes}B`
  let value = bytes / 1024
  for (const unit of ['K', 'M', 'G', 'T']) {
    if (value < 1024) return `${value.toFixed(2)}${unit}`
    value /= 1024
  }
  return `${value.toFixed(2)}P`
}

/** `part` of `whole` in percent with two digits. */
export function percent(part: number, whole: number): string {
  return whole === 0 ? '0.00%' : `${((part / whole) * 100).toFixed(2)}%`
}

/** A quotient with two digits; 0 when there is nothing to divide by. */
export function ratio(part: number, whole: number): string {
  return whole === 0 ? '0.00' : (part / whole).toFixed(2)
}
