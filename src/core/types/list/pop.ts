/**
 * LPOP, RPOP, LMPOP, LMOVE, RPOPLPUSH and the forms that wait for an element.
 *
 * Thread: core. Hot path.
 * Owns: nothing: who waits, engine/blocking.ts knows.
 * Never: leaves a key without elements; loses an element that it cannot put elsewhere.
 */
import { AlignedBytes } from '../../../memory/aligned.ts'
import type { Ref } from '../../../memory/arena.ts'
import {
  byteListCount,
  byteListOpenRange,
  byteListPush,
  byteListRemoveEnd,
  byteListRemoveRange,
  byteListRotate,
} from '../../../memory/byte-list.ts'
import {
  byteListLeave,
  byteListNext,
  byteListPrevious,
  byteListRead,
  byteListSeek,
  ListPosition,
} from '../../../memory/byte-list-position.ts'
import { ListpackElement } from '../../../memory/listpack.ts'
import { type CommandDefinition, command } from '../../command/command.ts'
import { parseTimeout } from '../../engine/blocking.ts'
import type { Call } from '../../engine/call.ts'
import { CommandError, OUT_OF_RANGE_POSITIVE, SYNTAX, wrongArity } from '../../engine/errors.ts'
import type { Reply } from '../../engine/reply.ts'
import { TYPE_LIST } from '../../keyspace/entry.ts'
import { listCount, listStructure, makeList } from './list.ts'
import { elementsRemoved } from './removed.ts'

const NUMKEYS_POSITIVE = new CommandError('ERR numkeys should be greater than 0')
const COUNT_POSITIVE = new CommandError('ERR count should be greater than 0')

const position = new ListPosition()
const element = new ListpackElement()
const moved = new AlignedBytes()

export const lpop = popping('LPOP', false)
export const rpop = popping('RPOP', true)
export const blpop = blockingPop('BLPOP', false)
export const brpop = blockingPop('BRPOP', true)

// alloc: once at start
function popping(name: string, atEnd: boolean): CommandDefinition {
  return command({
    name,
    usage: 'key [count]@6.2.0',
    summary: `Takes elements from the ${atEnd ? 'end' : 'beginning'} of a list, and gives them.`,
    since: '1.0.0',
    complexity: 'O(N) where N is the number of elements',
    flags: ['write', 'fast'],
    access: 'rw access delete',
    history: [['6.2.0', 'A count came.']],
    reply: 'any',

    run(call) {
      const { args, db, reply } = call
      if (args.count > 3) throw wrongArity(call.entry.name)
      const several = args.count === 3
      const wanted = several ? natural(call, 2, OUT_OF_RANGE_POSITIVE) : 1
      const ref = db.writeTyped(args, 1, TYPE_LIST)
      if (ref === 0) return several ? reply.nilArray() : reply.nil()
      if (wanted === 0) return reply.array(0)
      const count = Math.min(wanted, listCount(db.arena, ref))
      popElements(call, 1, ref, atEnd, count, several ? AS_ARRAY : AS_ELEMENT)
    },
  })
}

// alloc: once at start
function blockingPop(name: string, atEnd: boolean): CommandDefinition {
  return command({
    name,
    usage: 'key [key ...] timeout',
    summary: `Takes an element from the ${atEnd ? 'end' : 'beginning'} of the first list that has one, and waits for it.`,
    since: '2.0.0',
    complexity: 'O(N) where N is the number of keys',
    flags: ['write', 'noscript', 'blocking'],
    access: 'rw access delete',
    history: [['6.0.0', 'The timeout may have a fraction.']],
    reply: 'array | nil',

    run(call) {
      const { args, db } = call
      const timeoutMs = parseTimeout(args, args.count - 1)
      const from = call.servedKey === 0 ? 1 : call.servedKey
      const to = call.servedKey === 0 ? args.count - 2 : call.servedKey
      for (let i = from; i <= to; i++) {
        const ref = db.writeTyped(args, i, TYPE_LIST)
        if (ref === 0) continue
        popElements(call, i, ref, atEnd, 1, WITH_KEY)
        if (call.propagation.active) call.propagateAs(atEnd ? 'RPOP' : 'LPOP', args.copy(i))
        return
      }
      wait(call, 1, args.count - 2, timeoutMs)
    },
  })
}

export const lmpop = command({
  name: 'LMPOP',
  usage: 'numkeys key [key ...] <where: LEFT | RIGHT> [COUNT count]',
  summary: 'Takes elements from the first list that has some.',
  since: '7.0.0',
  complexity: 'O(N+M) where N is the number of keys and M the number of elements',
  flags: ['write'],
  access: 'rw access delete',
  reply: 'array | nil',

  run(call) {
    parseSeveral(call, 1)
    if (!popFirst(call, 2, several.keyCount)) call.reply.nilArray()
  },
})

export const blmpop = command({
  name: 'BLMPOP',
  usage: 'timeout numkeys key [key ...] <where: LEFT | RIGHT> [COUNT count]',
  summary: 'Takes elements from the first list that has some, and waits for it.',
  since: '7.0.0',
  complexity: 'O(N+M) where N is the number of keys and M the number of elements',
  flags: ['write', 'blocking'],
  access: 'rw access delete',
  reply: 'array | nil',

  run(call) {
    parseSeveral(call, 2)
    const timeoutMs = parseTimeout(call.args, 1)
    const { keyCount } = several
    const served = call.servedKey !== 0
    if (popFirst(call, served ? call.servedKey : 3, served ? 1 : keyCount)) return
    wait(call, 3, keyCount, timeoutMs)
  },
})

export const lmove = command({
  name: 'LMOVE',
  usage: 'source destination <wherefrom: LEFT | RIGHT> <whereto: LEFT | RIGHT>',
  summary: 'Moves an element from one list to another.',
  since: '6.2.0',
  complexity: 'O(1)',
  flags: ['write', 'denyoom'],
  access: ['rw access delete', 'rw insert'],
  reply: 'bulk | nil',

  run(call) {
    const fromEnd = isRight(call, 3)
    const toEnd = isRight(call, 4)
    if (!move(call, fromEnd, toEnd)) call.reply.nil()
  },
})

export const rpoplpush = command({
  name: 'RPOPLPUSH',
  usage: 'source destination',
  summary: 'Moves the last element of a list to the beginning of another.',
  since: '1.2.0',
  complexity: 'O(1)',
  flags: ['write', 'denyoom'],
  access: ['rw access delete', 'rw insert'],
  deprecated: { since: '6.2.0', replacedBy: '`LMOVE` with the `RIGHT` and `LEFT` arguments' },
  reply: 'bulk | nil',

  run(call) {
    if (!move(call, true, false)) call.reply.nil()
  },
})

export const blmove = command({
  name: 'BLMOVE',
  usage: 'source destination <wherefrom: LEFT | RIGHT> <whereto: LEFT | RIGHT> timeout',
  summary: 'Moves an element from one list to another, and waits for it.',
  since: '6.2.0',
  complexity: 'O(1)',
  flags: ['write', 'denyoom', 'noscript', 'blocking'],
  access: ['rw access delete', 'rw insert'],
  reply: 'bulk | nil',

  run(call) {
    const { args } = call
    const fromEnd = isRight(call, 3)
    const toEnd = isRight(call, 4)
    const timeoutMs = parseTimeout(args, 5)
    if (!move(call, fromEnd, toEnd)) return waitToMove(call, timeoutMs)
    if (!call.propagation.active) return
    call.propagateAs('LMOVE', args.copy(1), args.copy(2), args.copy(3), args.copy(4))
  },
})

export const brpoplpush = command({
  name: 'BRPOPLPUSH',
  usage: 'source destination timeout',
  summary: 'Moves the last element of a list to the beginning of another, and waits for it.',
  since: '2.2.0',
  complexity: 'O(1)',
  flags: ['write', 'denyoom', 'noscript', 'blocking'],
  access: ['rw access delete', 'rw insert'],
  history: [['6.0.0', 'The timeout may have a fraction.']],
  deprecated: { since: '6.2.0', replacedBy: '`BLMOVE` with the `RIGHT` and `LEFT` arguments' },
  reply: 'bulk | nil',

  run(call) {
    const { args } = call
    const timeoutMs = parseTimeout(args, 3)
    if (!move(call, true, false)) return waitToMove(call, timeoutMs)
    if (call.propagation.active) call.propagateAs('RPOPLPUSH', args.copy(1), args.copy(2))
  },
})

const noElement = (reply: Reply) => reply.nilArray()

// alloc: a call that waits
function wait(call: Call, firstKey: number, keyCount: number, timeoutMs: number): void {
  call.block({ type: TYPE_LIST, firstKey, keyCount, timeoutMs, onTimeout: noElement })
}

function waitToMove(call: Call, timeoutMs: number): void {
  if (call.mayBlock) wait(call, 1, 1, timeoutMs)
  else call.reply.nil()
}

/** What LMPOP and BLMPOP say. */
const several = { keyCount: 0, atEnd: false, count: 1 }

/** Reads `numkeys` at `index`, the keys, the end and the count. Throws: CommandError. */
function parseSeveral(call: Call, index: number): void {
  const { args } = call
  several.keyCount = natural(call, index, NUMKEYS_POSITIVE)
  if (several.keyCount === 0) throw NUMKEYS_POSITIVE
  const where = index + several.keyCount + 1
  if (where >= args.count) throw SYNTAX
  several.atEnd = isRight(call, where)
  several.count = 1
  let counted = false
  for (let i = where + 1; i < args.count; i += 2) {
    if (counted || !args.is(i, 'COUNT') || i + 1 === args.count) throw SYNTAX
    several.count = natural(call, i + 1, COUNT_POSITIVE)
    if (several.count === 0) throw COUNT_POSITIVE
    counted = true
  }
}

/** Pops from the first key that has elements. False when none has. */
function popFirst(call: Call, firstKey: number, keyCount: number): boolean {
  const { args, db } = call
  const { atEnd, count: most } = several
  for (let i = firstKey; i < firstKey + keyCount; i++) {
    const ref = db.writeTyped(args, i, TYPE_LIST)
    if (ref === 0) continue
    const count = Math.min(most, listCount(db.arena, ref))
    popElements(call, i, ref, atEnd, count, WITH_KEY | AS_ARRAY)
    if (call.propagation.active) {
      call.propagateAs(atEnd ? 'RPOP' : 'LPOP', args.copy(i), String(count))
    }
    return true
  }
  return false
}

/** How popped elements are answered: bits. */
const AS_ELEMENT = 0
const AS_ARRAY = 1
const WITH_KEY = 2

/** Takes elements out, answers them, and says so. There are as many. Throws: ARENA_FULL. */
function popElements(
  call: Call,
  index: number,
  ref: Ref,
  atEnd: boolean,
  count: number,
  shape: number,
): void {
  const { args, db, reply } = call
  const { arena } = db
  const list = listStructure(arena, ref)
  const total = byteListCount(arena, list)
  const start = atEnd ? total - count : 0
  if (count < total) byteListOpenRange(arena, list, start, count)

  if ((shape & WITH_KEY) !== 0) {
    reply.array(2)
    reply.bulk(args.bytes, args.offsets[index], args.lengths[index])
  }
  if ((shape & AS_ARRAY) !== 0) reply.array(count)
  byteListSeek(arena, list, atEnd ? -1 : 0, position)
  for (let left = count - 1; left >= 0; left--) {
    byteListRead(position, element)
    reply.bulk(element.bytes, element.offset, element.length)
    if (left === 0) break
    if (atEnd) byteListPrevious(arena, position)
    else byteListNext(arena, position)
  }
  byteListLeave(arena, position)

  if (count < total) {
    if (count === 1) byteListRemoveEnd(arena, list, atEnd)
    else byteListRemoveRange(arena, list, start, count)
  }
  elementsRemoved(call, index, ref, atEnd ? 'rpop' : 'lpop', count, count === total)
}

/** Moves an element from the key in argument 1 to that in argument 2. False: there is none. */
function move(call: Call, fromEnd: boolean, toEnd: boolean): boolean {
  const { args, db, reply } = call
  const from = db.writeTyped(args, 1, TYPE_LIST)
  if (from === 0) return false
  const { arena } = db
  const there = db.writeTyped(args, 2, TYPE_LIST)
  const source = listStructure(arena, from)
  byteListSeek(arena, source, fromEnd ? -1 : 0, position)
  byteListRead(position, element)
  moved.set(element.bytes, element.offset, element.length)
  byteListLeave(arena, position)

  const { bytes, length } = moved
  if (from === there && arena === db.arena) {
    byteListRotate(arena, source, fromEnd, toEnd, bytes, 0, length)
    db.alsoChanged(args, 2, toEnd ? 'rpush' : 'lpush')
    elementsRemoved(call, 1, from, fromEnd ? 'rpop' : 'lpop', 1, false)
  } else {
    const last = byteListCount(arena, source) - 1
    byteListOpenRange(arena, source, fromEnd ? last : 0, 1)
    // Put in before it is taken out: putting in may fail.
    pushMoved(call, there, toEnd)
    if (last > 0) byteListRemoveEnd(arena, source, fromEnd)
    db.alsoChanged(args, 2, toEnd ? 'rpush' : 'lpush')
    db.find(args, 1)
    elementsRemoved(call, 1, from, fromEnd ? 'rpop' : 'lpop', 1, last === 0)
  }
  reply.bulk(bytes, 0, length)
  return true
}

/** Puts what is moved into the list of argument 2, at `there`; 0: it is made. Throws: ARENA_FULL. */
function pushMoved(call: Call, there: Ref, atEnd: boolean): void {
  const { args, db } = call
  const to = there === 0 ? makeList(db, args, 2) : there
  let done = false
  try {
    byteListPush(db.arena, listStructure(db.arena, to), atEnd, moved.bytes, 0, moved.length)
    done = true
  } finally {
    if (!done && there === 0) db.remove(to)
  }
}

/** Throws: CommandError SYNTAX for what is neither LEFT nor RIGHT. */
function isRight(call: Call, index: number): boolean {
  if (call.args.is(index, 'RIGHT')) return true
  if (!call.args.is(index, 'LEFT')) throw SYNTAX
  return false
}

/** Throws: `wrong` for less than 0, and for what is no integer. */
function natural(call: Call, index: number, wrong: CommandError): number {
  const { args } = call
  if (!args.integer64(index) || args.high < 0) throw wrong
  return args.high * 0x100000000 + (args.low >>> 0)
}
