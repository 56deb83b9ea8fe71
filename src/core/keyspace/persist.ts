/**
 * What every type offers so that its values can leave the process and come back: DUMP and RESTORE,
 * files, replicas.
 *
 * Thread: core.
 * Owns: which type writes and reads which RDB type number.
 * Never: imports a type: whoever starts the core registers them.
 */
import { RDB_HASH_METADATA, RDB_SET_LISTPACK, RDB_VERSION } from '../../lib/rdb/format.ts'
import type { RdbReader } from '../../lib/rdb/reader.ts'
import type { RdbWriter } from '../../lib/rdb/writer.ts'
import type { Arena, Ref } from '../../memory/arena.ts'
import { entryKeyLength, entryKeyOffset } from '../../memory/entry.ts'
import { entryType } from './entry.ts'
import type { CopyTarget } from './value.ts'

export interface ValuePersistence {
  /** The RDB types that `load` understands. */
  readonly rdbTypes: readonly number[]
  /** The RDB type that `save` writes this value as: the oldest that can hold it. */
  rdbType(arena: Arena, ref: Ref): number
  /** Writes the value, without its type. */
  save(arena: Arena, ref: Ref, writer: RdbWriter): void
  /**
   * Reads a value into an entry of `arena` that it lets `target` make. Takes nothing on trust: what
   * it reads may be forged, checksum and all. Throws: RDB_CORRUPT, RDB_EMPTY for a
   * collection without elements, and ARENA_FULL, having freed all but the entry's own block.
   */
  load(rdbType: number, reader: RdbReader, arena: Arena, target: CopyTarget): void
}

const byType: (ValuePersistence | undefined)[] = []
const byRdbType: (ValuePersistence | undefined)[] = []

/** `type`: a number of `entry.ts`. */
export function registerPersistence(type: number, persistence: ValuePersistence): void {
  byType[type] = persistence
  for (const rdbType of persistence.rdbTypes) byRdbType[rdbType] = persistence
}

/** Who reads values of an RDB type; undefined when nobody does. */
export function persistenceOf(rdbType: number): ValuePersistence | undefined {
  return byRdbType[rdbType]
}

/** Writes the type and value of an entry. Gives the RDB version that a reader has to know. */
export function saveValue(arena: Arena, ref: Ref, writer: RdbWriter): number {
  return save(arena, ref, writer, false)
}

/** As `saveValue`, with the key between type and value, as in a file. */
export function saveEntry(arena: Arena, ref: Ref, writer: RdbWriter): number {
  return save(arena, ref, writer, true)
}

function save(arena: Arena, ref: Ref, writer: RdbWriter, withKey: boolean): number {
  const persistence = byType[entryType(arena, ref)]
  if (persistence === undefined) throw new Error(`no bytes for type ${entryType(arena, ref)}`)
  const rdbType = persistence.rdbType(arena, ref)
  writer.byte(rdbType)
  if (withKey) writer.string(arena.bytes, entryKeyOffset(ref), entryKeyLength(arena, ref))
  persistence.save(arena, ref, writer)
  if (rdbType >= RDB_HASH_METADATA) return 12
  return rdbType >= RDB_SET_LISTPACK ? 11 : RDB_VERSION
}
