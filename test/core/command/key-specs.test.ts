/**
 * The keys of actual arguments, as COMMAND GETKEYSANDFLAGS answers; the same rows are asked of a
 * real server.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: runs a command.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { type CommandDefinition, collect, command } from '../../../src/core/command/command.ts'
import { CommandTable } from '../../../src/core/command/table.ts'
import { Args } from '../../../src/core/engine/args.ts'
import { CommandError } from '../../../src/core/engine/errors.ts'
import { keysOfArguments } from '../../../src/core/services/server/command.ts'
import { bitfield } from '../../../src/core/types/bitmap/bitfield.ts'
import { set } from '../../../src/core/types/string/set.ts'
import { hasRedis, type RealServer } from '../../config/real-server.ts'
import { factGroups } from './facts.ts'
import { ask, startReal } from './shapes.ts'

const INVALID = 'ERR Invalid arguments specified for command'
const NO_KEYS = 'ERR The command has no key arguments'
const WRONG_COUNT = 'ERR Invalid number of arguments specified for command'
const NO_COMMAND = 'ERR Invalid command specified'

/** Words of the call (`''` for an empty one) and its keys with their flags, or the error. */
const ROWS: readonly (readonly [call: string, answer: string])[] = [
  ['GET a', 'a:RO access'],
  ['GET a b', WRONG_COUNT],
  ["GET ''", ':RO access'],
  ['DEL a b', 'a:RM delete, b:RM delete'],
  ['RENAME a b', 'a:RW access delete, b:OW update'],
  ['COPY a b', 'a:RO access, b:OW update'],
  ['MSET a 1 b 2', 'a:OW update, b:OW update'],
  ['MSET a 1 b', 'a:OW update, b:OW update'],
  ['BLPOP a b 0', 'a:RW access delete, b:RW access delete'],
  ['LCS a b', 'a:RO access, b:RO access'],
  ['PFCOUNT a b', 'a:RW access, b:RW access'],
  ['BITOP AND d a b', 'd:OW update, a:RO access, b:RO access'],
  ['SET a b', 'a:OW update'],
  ['SET a b GET', 'a:RW access update'],
  ['SET a b nx get', 'a:RW access update'],
  ['BITFIELD a', 'a:RO access'],
  ['BITFIELD a GET u8 0', 'a:RO access'],
  ['BITFIELD a OVERFLOW WRAP GET u8 0', 'a:RO access'],
  ['BITFIELD a GET SET 0', 'a:RO access'],
  ['BITFIELD a OVERFLOW', 'a:RW access update'],
  ['BITFIELD a SET u8 0', 'a:RW access update'],
  ['BITFIELD a nonsense', 'a:RW access update'],
  ['BITFIELD a GET u8 0 SET u8 0 1', 'a:RW access update'],
  ['SORT k BY x GET y STORE a STORE b', 'k:RO access, b:OW update'],
  ['SORT k LIMIT STORE 1 STORE z', 'k:RO access, z:OW update'],
  ['SORT k STORE', 'k:RO access'],
  ['SORT_RO k BY x', 'k:RO access'],
  ['EVAL s 0', ''],
  ['EVAL s 1 k', 'k:RW access update'],
  ['EVAL s 3 k', ''],
  ['EVAL s abc k', ''],
  ['EVAL s -1 k', ''],
  ['FCALL_RO f 1 k', 'k:RO access'],
  ['ZUNIONSTORE d 2 a b', 'd:OW update, a:RO access, b:RO access'],
  ['ZUNIONSTORE d 0 a', INVALID],
  ['ZUNIONSTORE d 2 a', INVALID],
  ['ZUNION x a', INVALID],
  ['SINTERCARD 2 a b', 'a:RO access, b:RO access'],
  ['LMPOP 1 k LEFT', 'k:RW access delete'],
  ['LMPOP 01 k LEFT', 'k:'],
  ['LMPOP 1.5 k LEFT', 'k:'],
  ['LMPOP 0 k LEFT', INVALID],
  ['LMPOP 5 k LEFT', INVALID],
  ['BLMPOP 0 1 k LEFT', 'k:RW access delete'],
  ['XREAD STREAMS a 0', 'a:RO access'],
  ['XREAD COUNT 1 STREAMS a b 1 2', 'a:RO access, b:RO access'],
  ['XREAD STREAMS a b 0', 'a:RO access'],
  ['XREAD COUNT 1 a b', INVALID],
  ['XREAD BLOCK 0 STREAMS a', INVALID],
  ['XREAD STREAMS', WRONG_COUNT],
  ['XREADGROUP GROUP STREAMS c STREAMS a 1', 'a:RO access'],
  ['MIGRATE h 1 k 0 10', 'k:RW access delete'],
  ["MIGRATE h 1 '' 0 10 KEYS a b", 'a:RW access delete, b:RW access delete'],
  ["MIGRATE h 1 '' 0 10 AUTH KEYS KEYS a", 'a:RW access delete'],
  ['MIGRATE h 1 k 0 10 KEYS a b', INVALID],
  ['MIGRATE h 1 k 0 10 KEYS', 'k:RW access delete'],
  ["MIGRATE h 1 '' 0 10 KEYS", ':RW access delete'],
  ['MIGRATE h KEYS k 0 10 KEYS', INVALID],
  ['GEORADIUS k 1 2 3 m STOREDIST b STORE a', 'k:RO access, a:OW update, b:OW update'],
  ['GEORADIUS k 1 2 3 m store a', 'k:RO access, a:OW update'],
  ['GEORADIUS k 1 2 3 m STORE', 'k:RO access'],
  ['OBJECT ENCODING k', 'k:RO'],
  ['XGROUP CREATE a b c', 'a:RW insert'],
  ['MEMORY DOCTOR', NO_KEYS],
  ['PING x', NO_KEYS],
  ['CONFIG GET', NO_KEYS],
  ['SSUBSCRIBE c', NO_KEYS],
  ['NOSUCH a', NO_COMMAND],
  ['CONFIG NOSUCH', NO_COMMAND],
  ['OBJECT|FREQ k', NO_COMMAND],
]

function words(call: string): string[] {
  return call.split(' ').map((word) => (word === "''" ? '' : word))
}

/** What the definitions of SET and BITFIELD say beyond the facts. */
const VARIABLE = { SET: set.variableAccess, BITFIELD: bitfield.variableAccess }

function withVariableAccess(definition: CommandDefinition): CommandDefinition {
  const variableAccess = VARIABLE[definition.name as keyof typeof VARIABLE]
  return command(variableAccess === undefined ? definition : { ...definition, variableAccess })
}

const table = new CommandTable(
  factGroups().map(({ name, definitions }) =>
    collect(name, { ...definitions.map(withVariableAccess) }),
  ),
)

function answer(call: string): string {
  const args = new Args(Buffer.alloc(0), new Int32Array(0), 0)
  args.set(['COMMAND', 'GETKEYSANDFLAGS', ...words(call)].map((word) => Buffer.from(word)))
  try {
    const keys = keysOfArguments(table, args)
    return keys.map(({ index, flags }) => `${args.text(index + 2)}:${flags.join(' ')}`).join(', ')
  } catch (error) {
    if (error instanceof CommandError) return error.text
    throw error
  }
}

describe('keys of arguments', () => {
  test.each(ROWS)('%s', (call, expected) => {
    expect(answer(call)).toBe(expected)
  })
})

describe.if(hasRedis)('beside redis-server (left out when it is not installed)', () => {
  let real: RealServer
  beforeAll(async () => {
    real = await startReal()
  })
  afterAll(() => real.stop())

  test('answers the same rows alike', async () => {
    for (const [call, expected] of ROWS) {
      const reply = await ask(real, 2, 'COMMAND', 'GETKEYSANDFLAGS', ...words(call))
      const shown = Array.isArray(reply)
        ? reply.map((pair) => (Array.isArray(pair) ? shownKey(pair[0], pair[1]) : '?')).join(', ')
        : String(reply).slice(1)
      expect([call, shown]).toEqual([call, expected])
    }
  })
})

function shownKey(key: unknown, flags: unknown): string {
  return `${key}:${Array.isArray(flags) ? flags.map((flag) => String(flag).slice(1)).join(' ') : ''}`
}
