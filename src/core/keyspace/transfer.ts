/**
 * Moves and copies values between keys, databases and arenas.
 *
 * A key's hash chooses its arena. Within one arena RENAME gives the value's words to a new entry and
 * copies nothing else; MOVE takes the very entry over, for the same key always lives in the same
 * arena; across arenas the type makes a copy.
 *
 * Thread: core.
 * Owns: the order of the steps: what can fail comes first.
 * Never: leaves a value with two owners or none.
 */
import type { Settings } from '../../config/settings.ts'
import type { Ref } from '../../memory/arena.ts'
import { entryCreateAligned } from '../../memory/entry.ts'
import type { Args } from '../engine/args.ts'
import { type Db, NO_DEADLINE } from './db.ts'
import {
  DEADLINE_SIZE,
  entryAge,
  entryDeadline,
  entryEncoding,
  entryHeader,
  entryType,
  entryValueWord,
  setEntryAge,
  setEntryDeadline,
} from './entry.ts'
import { type CopyTarget, valueType } from './value.ts'

/** Makes entries for the key of one argument, not yet known to the database. */
export class Draft implements CopyTarget {
  readonly db: Db
  readonly args: Args
  readonly index: number
  readonly deadlineMs: number
  /** 0 until made. */
  ref: Ref = 0

  constructor(db: Db, args: Args, index: number, deadlineMs: number) {
    this.db = db
    this.args = args
    this.index = index
    this.deadlineMs = deadlineMs
  }

  get settings(): Settings | undefined {
    return this.db.settings
  }

  create(type: number, encoding: number, valueSize: number): Ref {
    const { db, args, index, deadlineMs } = this
    const arena = db.arenaOf(args, index)
    const timed = deadlineMs !== NO_DEADLINE
    const size = timed ? valueSize + DEADLINE_SIZE : valueSize
    const { offsets, lengths } = args
    this.ref = entryCreateAligned(arena, args.words, offsets[index], lengths[index], size)
    arena.words[this.ref << 1] = entryHeader(type, encoding, timed, db.newAge())
    db.made(this.ref)
    if (timed) setEntryDeadline(arena, this.ref, deadlineMs)
    return this.ref
  }

  /**
   * Puts the entry into the database in place of `replaced` (0: of none). Throws: ARENA_FULL, having
   * freed the entry and its value.
   */
  adopt(replaced: Ref): void {
    const { db, args, index } = this
    let done = false
    try {
      db.adopt(args, index, this.ref, replaced)
      done = true
    } finally {
      if (!done) this.discard()
    }
  }

  /** Frees the entry and its value. */
  discard(): void {
    this.db.arenaOf(this.args, this.index)
    this.db.discard(this.ref)
  }

  /** Frees the entry's own block, if there is one, when its value could not be made. */
  abandon(): void {
    if (this.ref !== 0) this.db.arenaOf(this.args, this.index).free(this.ref)
  }
}

/**
 * Copies the value of argument `fromIndex`, at `from`, to the key of argument `toIndex`, where
 * `replaced` (0: nothing) is. Throws: ARENA_FULL, with nothing changed.
 */
export function copyKey(
  source: Db,
  target: Db,
  args: Args,
  fromIndex: number,
  from: Ref,
  toIndex: number,
  replaced: Ref,
): void {
  const arena = source.arenaOf(args, fromIndex)
  const draft = new Draft(target, args, toIndex, entryDeadline(arena, from))
  let done = false
  try {
    const toArena = target.arenaOf(args, toIndex)
    valueType(entryType(arena, from)).copyTo(arena, from, toArena, draft)
    done = true
  } finally {
    if (!done) draft.abandon()
  }
  draft.adopt(replaced)
}

/** Gives the key of argument `fromIndex` the name in argument `toIndex`; otherwise as `copyKey`. */
export function renameKey(
  db: Db,
  args: Args,
  fromIndex: number,
  from: Ref,
  toIndex: number,
  replaced: Ref,
): void {
  const arena = db.arenaOf(args, fromIndex)
  const age = entryAge(arena, from)
  if (arena !== db.arenaOf(args, toIndex)) {
    copyKey(db, db, args, fromIndex, from, toIndex, replaced)
    setEntryAge(db.arena, db.find(args, toIndex), age)
    db.find(args, fromIndex)
    db.remove(from)
    return
  }
  // The same value words in an entry of another name.
  const type = entryType(arena, from)
  const size = valueType(type).valueSize(arena, from)
  const draft = new Draft(db, args, toIndex, entryDeadline(arena, from))
  const to = draft.create(type, entryEncoding(arena, from), size)
  setEntryAge(arena, to, age)
  const word = entryValueWord(arena, from)
  arena.words.copyWithin(entryValueWord(arena, to), word, word + ((size + 3) >> 2))
  let done = false
  try {
    db.adopt(args, toIndex, to, replaced)
    done = true
  } finally {
    if (!done) arena.free(to)
  }
  db.detach(args, fromIndex, from)
  arena.free(from)
}

/** Moves the key of argument `index`, at `ref`, to a database that does not have it. */
export function moveKey(source: Db, target: Db, args: Args, index: number, ref: Ref): void {
  target.adopt(args, index, ref, 0)
  source.detach(args, index, ref)
}
