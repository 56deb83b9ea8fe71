/**
 * What every type offers to those who hold a key without knowing what it holds.
 *
 * Thread: core.
 * Owns: the list of types.
 * Never: imports a type: `core/server.ts` fills the list.
 */
import type { Settings } from '../../config/settings.ts'
import type { Arena, Ref } from '../../memory/arena.ts'
import type { VisitBlock } from '../../memory/check.ts'
import type { EventName } from './events.ts'

/** Receives the pieces that DEBUG DIGEST hashes. */
export interface DigestSink {
  /** Bytes hashed one after the other: order counts. */
  ordered(bytes: Uint8Array): void
  /** Elements hashed as a set: order does not count. */
  unordered(...parts: Uint8Array[]): void
  /** As `unordered`, of an element that is marked apart from its parts. */
  marked(mark: Uint8Array, ...parts: Uint8Array[]): void
}

/** Is shown the bytes of an element; they are valid during the call only. */
export type SeeElement = (bytes: Buffer, offset: number, length: number) => void

/**
 * What a type offers whose elements may have ends of their own: `element-expiry.ts` is who asks, about
 * values whose encoding has the bit TIMED_ENCODING.
 */
export interface TimedElements {
  /** The command that takes an element out of a key, and the event of one whose time is over. */
  readonly removal: Buffer
  readonly expiredEvent: EventName
  /** Elements that end before this moment are not to be seen from now on. */
  hideBefore(nowMs: number): void
  /** The end of the element that goes first, Infinity when none has one. */
  firstEnd(arena: Arena, ref: Ref): number
  /** Where the key stands in its database's order, -1: nowhere. Kept with the value. */
  listed(arena: Arena, ref: Ref): number
  setListed(arena: Arena, ref: Ref, ms: number): void
  /** Elements, those included whose time is over. */
  count(arena: Arena, ref: Ref): number
  /** Takes out up to `limit` elements that end before `nowMs`; `see` is shown each before. */
  expire(arena: Arena, ref: Ref, nowMs: number, limit: number, see: SeeElement | undefined): number
  /** The value may take an encoding without the bit, if it is in no order. */
  settle(arena: Arena, ref: Ref): void
}

export interface ValueType {
  /** As TYPE answers: 'string', 'zset'. */
  readonly name: string
  /** As OBJECT ENCODING answers. */
  encodingName(arena: Arena, ref: Ref): string
  /** As OBJECT REFCOUNT answers; absent: always 1. */
  referenceCount?(arena: Arena, ref: Ref): number
  /** Frees what the value holds outside the entry's own block. */
  free(arena: Arena, ref: Ref): void
  /** How many blocks `free` gives back, about; absent: few. */
  freeEffort?(arena: Arena, ref: Ref): number
  /** The map whose entries are most of these, and can be freed before all else; 0: there is none. */
  elementMap?(arena: Arena, ref: Ref): Ref
  /** As `free`, after the entries of that map were freed. */
  freeWithoutElements?(arena: Arena, ref: Ref): void
  /** Bytes of the value that lie in the entry's own block. */
  valueSize(arena: Arena, ref: Ref): number
  /** Bytes of blocks that the value holds outside the entry's own block. */
  memoryBytes(arena: Arena, ref: Ref): number
  /** Visits every such block. */
  visit(arena: Arena, ref: Ref, visit: VisitBlock): void
  /**
   * Puts a copy of the value of `from` into an entry of `toArena`, which may be `arena` itself.
   * Throws: ARENA_FULL, having freed all but the entry's own block.
   */
  copyTo(arena: Arena, from: Ref, toArena: Arena, toArgs: CopyTarget): void
  /** What DEBUG OBJECT tells beyond what it tells of every value. */
  details?(arena: Arena, ref: Ref): string
  /** Absent: elements have no ends. */
  readonly elements?: TimedElements
  /** Feeds DEBUG DIGEST. */
  digest(arena: Arena, ref: Ref, sink: DigestSink): void
}

/** Makes the entry that a copy, or a loaded value, goes into. */
export interface CopyTarget {
  /** Where the limits of small encodings are; absent: those that Redis begins with. */
  readonly settings?: Settings | undefined
  /** Called once; gives the entry's ref, its value undefined. Throws: ARENA_FULL. */
  create(type: number, encoding: number, valueSize: number): Ref
}

const types: (ValueType | undefined)[] = []

export function registerValueType(type: number, value: ValueType): void {
  types[type] = value
}

export function valueType(type: number): ValueType {
  const value = types[type]
  if (value === undefined) throw new Error(`no value type ${type}`)
  return value
}
