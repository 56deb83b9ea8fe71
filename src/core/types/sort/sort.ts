/**
 * SORT and SORT_RO: elements in another order, or what belongs to them.
 *
 * Thread: core.
 * Owns: nothing.
 * Never: changes a key before all is sorted and found.
 */
import { parseWeight } from '../../../lib/bytes/double.ts'
import type { Arena, Ref } from '../../../memory/arena.ts'
import { type CommandDefinition, command, type KeySpec } from '../../command/command.ts'
import type { Call } from '../../engine/call.ts'
import { CommandError, WRONG_TYPE } from '../../engine/errors.ts'
import { NO_DEADLINE } from '../../keyspace/db.ts'
import {
  entryEncoding,
  entryType,
  TYPE_LIST,
  TYPE_SET,
  TYPE_SORTED_SET,
} from '../../keyspace/entry.ts'
import { Draft } from '../../keyspace/transfer.ts'
import { ListBuilder } from '../list/builder.ts'
import { SET_TABLE } from '../set/set.ts'
import { isTree, sortedSetToTree } from '../sorted-set/sorted-set.ts'
import { elementCount, gather } from './gather.ts'
import { parseSortOptions, type SortOptions } from './options.ts'
import { Order } from './order.ts'
import { Pattern } from './pattern.ts'
import { Texts } from './texts.ts'

const NOT_NUMBERS = new CommandError("ERR One or more scores can't be converted into double")
const NOTHING = Buffer.alloc(0)

const USAGE =
  'key [BY pattern#1] [LIMIT offset count] [GET pattern#1 [GET pattern#1 ...]] ' +
  '[order: ASC | DESC] [sorting:ALPHA]'
const SORTED_KEY: KeySpec = {
  flags: 'RO access',
  begin: { index: 1 },
  find: { lastKey: 0, step: 1, limit: 0 },
}
const PATTERN_KEYS: KeySpec = {
  flags: 'RO access',
  begin: 'unknown',
  find: 'unknown',
  notes: 'Of BY and GET: which keys they are, only the elements say.',
}
const STORE_KEY: KeySpec = {
  flags: 'OW update',
  begin: 'unknown',
  find: 'unknown',
  search: { keyword: 'STORE', startFrom: 2, skip: { LIMIT: 2, GET: 1, BY: 1 } },
  notes: 'Of STORE, which may stand anywhere among the options.',
}
const SHARED: Pick<CommandDefinition, 'complexity' | 'categories' | 'reply'> = {
  complexity: 'O(N+M*log(M)) where N is the number of elements and M that of those that are sorted',
  categories: ['-keyspace', 'set', 'sortedset', 'list', 'dangerous'],
  reply: 'any',
}

export const sort = command({
  ...SHARED,
  name: 'SORT',
  usage: `${USAGE} [STORE destination]`,
  summary: 'Sorts the elements of a list, a set or a sorted set, and stores them if asked to.',
  since: '1.0.0',
  flags: ['write', 'denyoom'],
  keys: [SORTED_KEY, PATTERN_KEYS, STORE_KEY],

  run(call) {
    const options = parseSortOptions(call, true)
    const sorted = new Sorted(call, options)
    if (options.store === 0) answer(call, sorted)
    else store(call, sorted, options.store)
  },
})

export const sortRo = command({
  ...SHARED,
  name: 'SORT_RO',
  usage: USAGE,
  summary: 'Sorts the elements of a list, a set or a sorted set.',
  since: '7.0.0',
  flags: ['readonly'],
  keys: [SORTED_KEY, PATTERN_KEYS],

  run(call) {
    answer(call, new Sorted(call, parseSortOptions(call, false)))
  },
})

/** The elements that are wanted, in order, and what of them is wanted. */
class Sorted {
  readonly #elements: Texts
  /** Numbers of elements; undefined: they are as they are wanted. */
  readonly #places: Int32Array | undefined
  readonly #start: number
  readonly #end: number
  readonly #gets: readonly Pattern[]

  /** Throws: CommandError. */
  constructor(call: Call, options: SortOptions) {
    const { args, db } = call
    const ref = db.read(args, 1)
    const { arena } = db
    if (ref !== 0 && !isSortable(arena, ref)) throw WRONG_TYPE
    if (ref !== 0) grow(arena, ref)
    const count = elementCount(arena, ref)
    const [start, end] = range(options, count)
    if (isSetToBeSorted(call, arena, ref, options)) {
      options.unsorted = false
      options.alpha = true
      options.by = 0
    }
    if (options.unsorted) {
      this.#elements = gather(arena, ref, start, end - start, options.descending)
      this.#places = undefined
    } else {
      this.#elements = gather(arena, ref, 0, count, false)
      const hasOrder = ref === 0 || hasOwnOrder(arena, ref)
      this.#places = sortElements(call, this.#elements, options, start, end, hasOrder)
    }
    this.#start = options.unsorted ? 0 : start
    this.#end = this.#start + end - start
    this.#gets = options.gets.map((index) => new Pattern(call, index))
  }

  /** How many values `forEach` gives. */
  get count(): number {
    return (this.#end - this.#start) * Math.max(1, this.#gets.length)
  }

  /** Gives value after value: length -1 where there is none. */
  forEach(take: (bytes: Buffer, offset: number, length: number) => void): void {
    const elements = this.#elements
    for (let i = this.#start; i < this.#end; i++) {
      const place = this.#places === undefined ? i : this.#places[i]
      const offset = elements.offsets[place]
      const length = elements.lengths[place]
      if (this.#gets.length === 0) take(elements.bytes, offset, length)
      for (const pattern of this.#gets) {
        if (!pattern.find(elements.bytes, offset, length)) take(NOTHING, 0, -1)
        else take(pattern.bytes, pattern.offset, pattern.length)
      }
    }
  }
}

function isSortable(arena: Arena, ref: Ref): boolean {
  const type = entryType(arena, ref)
  return type === TYPE_LIST || type === TYPE_SET || type === TYPE_SORTED_SET
}

/** QUIRK: a small sorted set becomes a large one by being sorted, which OBJECT ENCODING tells. */
function grow(arena: Arena, ref: Ref): void {
  if (entryType(arena, ref) === TYPE_SORTED_SET && !isTree(arena, ref)) sortedSetToTree(arena, ref)
}

/** Which elements, of so many: the first, and behind the last. */
function range(options: SortOptions, count: number): [start: number, end: number] {
  const start = Math.min(Math.max(options.start, 0), count)
  const end = options.count < 0 ? count : start + Math.min(options.count, count)
  return [start, Math.min(end, count)]
}

/**
 * A set that is stored, or read by a script, without sorting is sorted all the same, so that replicas
 * do the same.
 */
function isSetToBeSorted(call: Call, arena: Arena, ref: Ref, options: SortOptions): boolean {
  if (ref === 0 || !options.unsorted) return false
  if (options.store === 0 && !call.session.isScript) return false
  return entryType(arena, ref) === TYPE_SET
}

/** False for elements whose order is chance's: of equals the lower one comes first then. */
function hasOwnOrder(arena: Arena, ref: Ref): boolean {
  const type = entryType(arena, ref)
  return type === TYPE_LIST || (type === TYPE_SET && entryEncoding(arena, ref) !== SET_TABLE)
}

/** The numbers of the elements in order, those from `start` to `end` at least. */
function sortElements(
  call: Call,
  elements: Texts,
  options: SortOptions,
  start: number,
  end: number,
  hasOrder: boolean,
): Int32Array {
  const by = options.by === 0 ? undefined : new Pattern(call, options.by)
  const { alpha, descending } = options
  // QUIRK: texts are compared by the C library, for which a NUL ends them, unless they are stored.
  const collates = options.store === 0
  const keys = new Float64Array(elements.count)
  let tie = (a: number, b: number) => elements.compare(a, b)
  if (alpha) {
    const weights = by === undefined ? elements : textWeights(elements, by)
    for (let i = 0; i < keys.length; i++) keys[i] = weights.prefix(i, collates)
    tie = alphaTie(elements, weights, collates, hasOrder)
  } else {
    fillNumbers(elements, by, keys)
  }
  const order = new Order(keys, descending, tie)
  if (start === end) return order.places
  const isPart = start !== 0 || end !== keys.length
  if (isPart && (by !== undefined || !alpha)) order.sortRange(start, end - 1)
  else order.sort()
  return order.places
}

/** Compares elements whose weights begin alike. */
function alphaTie(elements: Texts, weights: Texts, collates: boolean, hasOrder: boolean) {
  return (a: number, b: number) => {
    const bothMissing = weights.isMissing(a)
    const order = bothMissing ? 0 : collates ? weights.collate(a, b) : weights.compare(a, b)
    return order === 0 && !hasOrder ? elements.compare(a, b) : order
  }
}

function textWeights(elements: Texts, by: Pattern): Texts {
  const weights = new Texts(elements.count)
  for (let i = 0; i < elements.count; i++) {
    const found = by.find(elements.bytes, elements.offsets[i], elements.lengths[i])
    if (found) weights.add(by.bytes, by.offset, by.length)
    else weights.addMissing()
  }
  return weights
}

/** Throws: CommandError NOT_NUMBERS. */
function fillNumbers(elements: Texts, by: Pattern | undefined, keys: Float64Array): void {
  let valid = true
  for (let i = 0; i < elements.count; i++) {
    const offset = elements.offsets[i]
    const length = elements.lengths[i]
    if (by === undefined) keys[i] = parseWeight(elements.bytes, offset, offset + length)
    else if (by.find(elements.bytes, offset, length)) {
      keys[i] = parseWeight(by.bytes, by.offset, by.offset + by.length)
    }
    if (Number.isNaN(keys[i])) valid = false
  }
  if (!valid) throw NOT_NUMBERS
}

function answer(call: Call, sorted: Sorted): void {
  const { reply } = call
  reply.array(sorted.count)
  sorted.forEach((bytes, offset, length) => {
    if (length < 0) reply.nil()
    else reply.bulk(bytes, offset, length)
  })
}

/** Throws: ARENA_FULL, with nothing changed. */
function store(call: Call, sorted: Sorted, index: number): void {
  const { args, db, keyspace, reply } = call
  const { count } = sorted
  if (count === 0) {
    const existing = db.write(args, index)
    if (existing !== 0) {
      db.remove(existing)
      db.changed(args, index, 'del')
    }
    return reply.integer(0)
  }
  // QUIRK: such a list is cut into nodes as if the settings were those that Redis begins with.
  const builder = new ListBuilder(db.arenaOf(args, index), undefined)
  const draft = new Draft(db, args, index, NO_DEADLINE)
  try {
    sorted.forEach((bytes, offset, length) => {
      builder.push(bytes, offset, Math.max(length, 0))
    })
    builder.create(draft)
  } finally {
    builder.free()
  }
  draft.adopt(db.write(args, index))
  db.changed(args, index, 'sortstore')
  keyspace.dirty += count - 1
  reply.integer(count)
}
