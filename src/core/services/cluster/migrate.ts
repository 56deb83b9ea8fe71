/**
 * MIGRATE: keys move to another server.
 *
 * Thread: core.
 * Owns: what the arguments mean; writing the keys down.
 * Never: deletes a key: `migration.ts` does, once the other side has it.
 */
import { sealPayload } from '../../../lib/rdb/payload.ts'
import { RdbWriter } from '../../../lib/rdb/writer.ts'
import { command } from '../../command/command.ts'
import type { Call } from '../../engine/call.ts'
import { CommandError, NOT_AN_INTEGER, SYNTAX } from '../../engine/errors.ts'
import { NO_DEADLINE } from '../../keyspace/db.ts'
import { entryDeadline } from '../../keyspace/entry.ts'
import { saveValue } from '../../keyspace/persist.ts'
import type { MigratedKey, MigrationOrder } from './migration.ts'

const KEYS_AND_KEY = new CommandError(
  'ERR When using MIGRATE KEYS option, the key argument must be set to the empty string',
)
const DEFAULT_TIMEOUT_MS = 1000

const writer = new RdbWriter()

export const migrateCommand = command({
  name: 'MIGRATE',
  usage:
    'host port:integer <key_or_empty_string: key | empty_string:""> destination-db:integer ' +
    'timeout:integer [COPY]@3.0.0 [REPLACE]@3.0.0 ' +
    '[authentication: [AUTH password]@4.0.7 | [AUTH2 username password]@6.0.0] ' +
    '[KEYS key [...]]@3.0.6',
  summary: 'Moves keys to another server, so that they are on one of the two at any time.',
  since: '2.6.0',
  complexity: 'O(N) for N bytes of the keys: a DUMP and a DEL here, a RESTORE there',
  flags: ['write'],
  keys: [
    {
      flags: 'RW access delete',
      begin: { index: 3 },
      find: { lastKey: 0, step: 1, limit: 0 },
    },
    {
      flags: 'RW access delete incomplete',
      begin: { keyword: 'KEYS', startFrom: -2 },
      find: { lastKey: -1, step: 1, limit: 0 },
      search: {
        keyword: 'KEYS',
        startFrom: 6,
        skip: { AUTH: 1, AUTH2: 2 },
        instead: 3,
      },
    },
  ],
  arity: -6,
  categories: ['keyspace', 'dangerous'],
  tips: ['nondeterministic_output'],
  history: [
    ['3.0.0', 'COPY and REPLACE came.'],
    ['3.0.6', 'KEYS came.'],
    ['4.0.7', 'AUTH came.'],
    ['6.0.0', 'AUTH2 came.'],
  ],
  group: 'generic',
  answersLater: true,
  reply: 'simple',

  run(call) {
    const order = parse(call)
    const keys = keysOf(call, order.firstKey, order.lastKey)
    if (keys.length === 0) return call.reply.simple('NOKEY')
    call.server.migrations.begin(order, keys, call.db.index, call.answerLater())
  },
})

interface ParsedOrder extends MigrationOrder {
  /** Arguments that name the keys. */
  readonly firstKey: number
  readonly lastKey: number
}

function parse(call: Call): ParsedOrder {
  const { args } = call
  let copy = false
  let replace = false
  let login: readonly Buffer[] = []
  let firstKey = 3
  let lastKey = 3
  for (let i = 6; i < args.count; i++) {
    const more = args.count - 1 - i
    if (args.is(i, 'COPY')) copy = true
    else if (args.is(i, 'REPLACE')) replace = true
    else if (args.is(i, 'AUTH')) {
      if (more < 1) throw SYNTAX
      call.redact(++i)
      login = [args.copy(i)]
    } else if (args.is(i, 'AUTH2')) {
      if (more < 2) throw SYNTAX
      call.redact(i + 1)
      call.redact(i + 2)
      login = [args.copy(i + 1), args.copy(i + 2)]
      i += 2
    } else if (args.is(i, 'KEYS')) {
      if (args.lengths[3] !== 0) throw KEYS_AND_KEY
      firstKey = i + 1
      lastKey = args.count - 1
      break
    } else throw SYNTAX
  }
  if (!args.integer64(5)) throw NOT_AN_INTEGER
  const timeoutMs = args.high * 0x100000000 + (args.low >>> 0)
  if (!args.integer64(4)) throw NOT_AN_INTEGER
  return {
    host: args.utf8(1),
    port: Number.parseInt(args.text(2), 10) || 0,
    dbIndex: args.text(4),
    timeoutMs: timeoutMs <= 0 ? DEFAULT_TIMEOUT_MS : timeoutMs,
    copy,
    replace,
    login,
    firstKey,
    lastKey,
  }
}

/** The keys that exist, with their payloads. */
function keysOf(call: Call, first: number, last: number): MigratedKey[] {
  const { args, db, nowMs } = call
  const keys: MigratedKey[] = []
  for (let i = first; i <= last; i++) {
    const ref = db.read(args, i)
    if (ref === 0) continue
    const deadlineMs = entryDeadline(db.arena, ref)
    writer.reset()
    writer.compress = call.server.settings.bool('rdbcompression')
    sealPayload(writer, saveValue(db.arena, ref, writer))
    keys.push({
      name: args.copy(i),
      ttlMs: deadlineMs === NO_DEADLINE ? 0 : Math.max(deadlineMs - nowMs, 1),
      payload: Buffer.from(writer.bytes.subarray(0, writer.length)),
    })
  }
  return keys
}
