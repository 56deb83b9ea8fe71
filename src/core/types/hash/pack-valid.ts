/**
 * Proves that a listpack is that of a hash, with or without ends of fields.
 *
 * Thread: core.
 * Owns: nothing.
 * Never: changes a byte; looks at bytes that are no listpack.
 */
import type { Arena, Ref } from '../../../memory/arena.ts'
import {
  ListpackElement,
  listpackFirst,
  listpackNext,
  listpackRead,
} from '../../../memory/listpack.ts'

/** The last end that a file may say: all that Redis has bits for. */
export const FILE_END_MS_MAX = 2 ** 48 - 2

const element = new ListpackElement()

/** What a listpack is as that of a hash: no field may be in it twice. */
export type PackState = 'sound' | 'repeats' | 'unsound'

/** Sound are fields and values in turn. */
export function examinePairs(arena: Arena, pack: Ref): PackState {
  const seen = new Set<string>()
  for (let at = listpackFirst(arena, pack); at !== 0; ) {
    const value = listpackNext(arena, at)
    if (value === 0) return 'unsound'
    if (!isNew(arena, at, seen)) return 'repeats'
    at = listpackNext(arena, value)
  }
  return 'sound'
}

/** Sound are fields, values and ends in turn, the ends in order and then the zeros. */
export function examineTriples(arena: Arena, pack: Ref): PackState {
  const seen = new Set<string>()
  let endBefore = 1
  for (let at = listpackFirst(arena, pack); at !== 0; ) {
    const value = listpackNext(arena, at)
    const end = value === 0 ? 0 : listpackNext(arena, value)
    if (end === 0) return 'unsound'
    if (!isNew(arena, at, seen)) return 'repeats'
    listpackRead(arena, end, element)
    const ms = element.isInteger ? element.number : -1
    if (ms < 0 || ms > FILE_END_MS_MAX || (ms > 0 && ms < endBefore)) return 'unsound'
    endBefore = ms === 0 ? Number.POSITIVE_INFINITY : ms
    at = listpackNext(arena, end)
  }
  return 'sound'
}

function isNew(arena: Arena, at: number, seen: Set<string>): boolean {
  listpackRead(arena, at, element)
  const count = seen.size
  seen.add(element.bytes.latin1Slice(element.offset, element.offset + element.length))
  return seen.size > count
}
