/**
 * The subcommands of DEBUG that are about the data.
 *
 * Thread: core.
 * Owns: nothing.
 * Never: makes a key count as used.
 */
import { memoryAmount } from '../../../config/kinds.ts'
import { RdbWriter } from '../../../lib/rdb/writer.ts'
import { setPlainSize } from '../../../memory/byte-list-node.ts'
import { byteMapCount, byteMapMemoryBytes } from '../../../memory/byte-map.ts'
import { Args } from '../../engine/args.ts'
import type { Call } from '../../engine/call.ts'
import {
  CommandError,
  NO_SUCH_KEY,
  NOT_AN_INTEGER,
  OUT_OF_RANGE_POSITIVE,
} from '../../engine/errors.ts'
import { idleSeconds } from '../../keyspace/age.ts'
import { NO_DEADLINE } from '../../keyspace/db.ts'
import { entryAge, entryType } from '../../keyspace/entry.ts'
import { referenceCount } from '../../keyspace/object.ts'
import { saveValue } from '../../keyspace/persist.ts'
import { valueType } from '../../keyspace/value.ts'
import { stringSetText } from '../../types/string/string.ts'
import { deadlineBytes } from './account.ts'
import { checkKeyspace } from './arena-check.ts'
import { DIGEST_SIZE, keyspaceDigest, valueDigest } from './digest.ts'

const NO_SUCH_DATABASE = new CommandError('ERR Out of range database')
const NO_HASH_TABLE = new CommandError(
  'ERR The value stored at the specified key is not represented using an hash table',
)
const BAD_THRESHOLD = new CommandError(
  'ERR argument must be a memory value bigger than 1 and smaller than 4gb',
)
const TABLE_ENCODINGS = new Set(['hashtable', 'skiplist'])
const SHOWN_FAULTS = 10
const NO_STATS = 'No stats available for empty dictionaries\n'
/** Bytes of a slot of a byte map: hash and ref. */
const SLOT_SIZE = 8

export function arenaCheck({ keyspace, reply }: Call): void {
  const faults = checkKeyspace(keyspace)
  if (faults.length === 0) return reply.ok()
  throw new CommandError(`ERR ${faults.slice(0, SHOWN_FAULTS).join('; ')}`)
}

export function digest({ keyspace, reply }: Call): void {
  reply.simple(keyspaceDigest(keyspace).toString('hex'))
}

export function digestValue({ db, args, reply }: Call): void {
  reply.array(args.count - 2)
  for (let i = 2; i < args.count; i++) {
    const ref = db.peek(args, i)
    const bytes = ref === 0 ? Buffer.alloc(DIGEST_SIZE) : valueDigest(db, ref)
    reply.simple(bytes.toString('hex'))
  }
}

export function object(call: Call): void {
  const { db, args, keyspace, reply, server } = call
  const ref = db.find(args, 2)
  if (ref === 0) throw NO_SUCH_KEY
  const { arena } = db
  const type = valueType(entryType(arena, ref))
  const writer = new RdbWriter()
  writer.compress = server.settings.bool('rdbcompression')
  saveValue(arena, ref, writer)
  const age = entryAge(arena, ref)
  const details = type.details?.(arena, ref)
  reply.simple(
    `Value at:0x${(ref * 8).toString(16)} refcount:${referenceCount(call, ref)} ` +
      `encoding:${type.encodingName(arena, ref)} serializedlength:${writer.length - 1} ` +
      `lru:${age} lru_seconds_idle:${idleSeconds(keyspace.lruClock, age)}` +
      (details === undefined ? '' : ` ${details}`),
  )
}

/** From how many bytes on an element of a list is a node of its own. */
export function quicklistPackedThreshold({ args, reply }: Call): void {
  const size = memoryAmount(args.text(2))
  if (size === undefined || !setPlainSize(Number(size))) throw BAD_THRESHOLD
  reply.ok()
}

export function htstats({ args, keyspace, reply }: Call): void {
  if (!args.integer64(2)) throw NOT_AN_INTEGER
  const db = args.high === 0 ? keyspace.dbs[args.low] : undefined
  if (db === undefined) throw NO_SUCH_DATABASE
  let text = '[Dictionary HT]\n'
  if (db.size() === 0) text += NO_STATS
  db.keys.maps.forEach((table, i) => {
    if (table === 0) return
    const arena = keyspace.arenas[i]
    const size = byteMapMemoryBytes(arena, table)
    text += `Table in arena ${i} stats:\n`
    text += ` table size: ${Math.floor(size / SLOT_SIZE)}\n`
    text += ` number of elements: ${byteMapCount(arena, table)}\n`
    text += ` bytes: ${size}\n`
  })
  text += '[Expires HT]\n'
  if (db.deadlines.count() === 0) text += NO_STATS
  else {
    text += `Order of deadlines stats:\n number of elements: ${db.deadlines.count()}\n`
    text += ` bytes: ${deadlineBytes(db)}\n`
  }
  reply.verbatim(text, 'txt')
}

export function htstatsKey({ db, args, reply }: Call): void {
  const ref = db.find(args, 2)
  if (ref === 0) throw NO_SUCH_KEY
  const { arena } = db
  const type = valueType(entryType(arena, ref))
  if (!TABLE_ENCODINGS.has(type.encodingName(arena, ref))) throw NO_HASH_TABLE
  reply.verbatim(`[Value HT]\n bytes: ${type.memoryBytes(arena, ref)}\n`, 'txt')
}

/** Keys `<prefix>:<number>` with the value `value:<number>`, cut or filled up to the size. */
export function populate(call: Call): void {
  const { args, db, reply, server } = call
  const count = positiveInteger(args, 2)
  const prefix = args.count > 3 ? args.copy(3) : Buffer.from('key')
  const size = args.count > 4 ? positiveInteger(args, 4) : 0

  const digits = String(count).length
  const keyRoom = (prefix.length + 1 + digits + 3) & ~3
  const valueRoom = (Math.max(size, 'value:'.length + digits) + 3) & ~3
  const memory = new ArrayBuffer(keyRoom + valueRoom)
  const bytes = Buffer.from(memory)
  const made = new Args(bytes, new Int32Array(memory), server.start.hashSeed)
  made.count = 1
  bytes.set(prefix, 0)
  for (let i = 0; i < count; i++) {
    made.lengths[0] = prefix.length + bytes.latin1Write(`:${i}`, prefix.length)
    if (db.write(made, 0) !== 0) continue
    const written = bytes.latin1Write(`value:${i}`, keyRoom)
    const length = size === 0 ? written : size
    if (size > written) bytes.fill(0, keyRoom + written, keyRoom + size)
    stringSetText(db, made, 0, 0, bytes, made.words, keyRoom, length, NO_DEADLINE)
  }
  reply.ok()
}

function positiveInteger(args: Args, index: number): number {
  if (!args.integer64(index) || args.high < 0) throw OUT_OF_RANGE_POSITIVE
  return args.high * 0x100000000 + (args.low >>> 0)
}
