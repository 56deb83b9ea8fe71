/**
 * CLUSTER ADDSLOTS, DELSLOTS, FLUSHSLOTS, SETSLOT and their kin, KEYSLOT, COUNTKEYSINSLOT,
 * GETKEYSINSLOT: slots and the keys in them.
 *
 * Thread: core.
 * Owns: nothing: cluster.ts knows the slots, the database which keys are in them.
 * Never: looks at the keys of other slots.
 */
import { keySlot, SLOT_COUNT } from '../../../lib/crc16.ts'
import type { CommandDefinition } from '../../command/command.ts'
import type { Call } from '../../engine/call.ts'
import { CommandError, NOT_AN_INTEGER } from '../../engine/errors.ts'
import { type ClusterCommand, clusterSubcommand, idOf, knows, NOT_HERE } from './container.ts'

const OUT_OF_RANGE = new CommandError('ERR Invalid or out of range slot')
const BAD_SLOT = new CommandError('ERR Invalid slot')
const BAD_SLOT_OR_COUNT = new CommandError('ERR Invalid slot or number of keys')
const NOT_EMPTY = new CommandError('ERR DB must be empty to perform CLUSTER FLUSHSLOTS.')
const BAD_SETSLOT = new CommandError(
  'ERR Invalid CLUSTER SETSLOT action or number of arguments. Try CLUSTER HELP',
)
const ADMIN = ['admin', 'stale', 'no_async_loading'] as const

export const clusterKeyslot: CommandDefinition = clusterSubcommand({
  name: 'KEYSLOT',
  usage: 'key:string',
  summary: 'Tells the slot of a key.',
  complexity: 'O(N) where N is the number of bytes in the key',
  flags: ['stale'],
  reply: 'integer',

  run({ args, reply }) {
    const at = args.offsets[2]
    reply.integer(keySlot(args.bytes, at, at + args.lengths[2]))
  },
})

export const clusterCountkeysinslot = clusterSubcommand({
  name: 'COUNTKEYSINSLOT',
  usage: 'slot:integer',
  summary: 'Counts the keys of a slot.',
  complexity: 'O(log N) for N keys',
  flags: ['stale'],
  reply: 'integer',

  run(call) {
    const slot = number(call, 2)
    if (slot < 0 || slot >= SLOT_COUNT) throw BAD_SLOT
    call.reply.integer(call.db.slots?.count(slot) ?? 0)
  },
})

export const clusterGetkeysinslot = clusterSubcommand({
  name: 'GETKEYSINSLOT',
  usage: 'slot:integer count:integer',
  summary: 'Names keys of a slot.',
  complexity: 'O(log N + M) for N keys, of which M are named',
  flags: ['stale'],
  tips: ['nondeterministic_output'],
  reply: 'array of bulk',

  run(call) {
    const slot = number(call, 2)
    const limit = number(call, 3)
    if (slot < 0 || slot >= SLOT_COUNT || limit < 0) throw BAD_SLOT_OR_COUNT
    const names = call.db.slots?.names(slot, limit) ?? []
    call.reply.array(names.length)
    for (const name of names) call.reply.bulkBytes(name)
  },
})

export const clusterAddslots = clusterSubcommand({
  ...changing('ADDSLOTS', 'slot:integer [...]', 'Lets this node serve slots.', '3.0.0'),
  run: (call) => change(call, singleSlots(call), true),
})

export const clusterDelslots = clusterSubcommand({
  ...changing('DELSLOTS', 'slot:integer [...]', 'Lets nobody serve slots.', '3.0.0'),
  run: (call) => change(call, singleSlots(call), false),
})

export const clusterAddslotsrange = clusterSubcommand({
  ...changing(
    'ADDSLOTSRANGE',
    '<start-slot_end-slot: start-slot:integer end-slot:integer> [...]',
    'Lets this node serve rows of slots.',
    '7.0.0',
  ),
  run: (call) => change(call, slotsOfRanges(call), true),
})

export const clusterDelslotsrange = clusterSubcommand({
  ...changing(
    'DELSLOTSRANGE',
    '<start-slot_end-slot: start-slot:integer end-slot:integer> [...]',
    'Lets nobody serve rows of slots.',
    '7.0.0',
  ),
  run: (call) => change(call, slotsOfRanges(call), false),
})

export const clusterFlushslots = clusterSubcommand({
  name: 'FLUSHSLOTS',
  usage: '',
  summary: 'Lets this node serve no slot.',
  complexity: 'O(1)',
  flags: [...ADMIN],
  reply: 'ok',

  run({ server, keyspace, reply }) {
    if (keyspace.keyCount() > 0) throw NOT_EMPTY
    server.cluster.giveAll()
    server.cluster.save()
    reply.ok()
  },
})

export const clusterSetslot = clusterSubcommand({
  name: 'SETSLOT',
  usage: 'slot:integer <subcommand: IMPORTING node-id | MIGRATING node-id | NODE node-id | STABLE>',
  summary: 'Says who serves a slot, or is about to.',
  complexity: 'O(1)',
  flags: [...ADMIN],
  arity: -4,
  reply: 'ok',

  run(call) {
    const { args, server, reply } = call
    const { cluster } = server
    const slot = slotAt(call, 2)
    if (args.is(3, 'STABLE') && args.count === 4) return reply.ok()
    const [isTo, isFrom, isNode] = ['MIGRATING', 'IMPORTING', 'NODE'].map((word) =>
      args.is(3, word),
    )
    if (args.count !== 5 || !(isTo || isFrom || isNode)) throw BAD_SETSLOT
    if (isTo && !cluster.owns(slot)) {
      throw new CommandError(`ERR I'm not the owner of hash slot ${slot}`)
    }
    if (isFrom && cluster.owns(slot)) {
      throw new CommandError(`ERR I'm already the owner of hash slot ${slot}`)
    }
    if (!knows(call, 4)) {
      const id = idOf(call, 4)
      throw new CommandError(
        isNode ? `ERR Unknown node ${id}` : `ERR I don't know about node ${id}`,
      )
    }
    if (!isNode) throw NOT_HERE
    cluster.take(slot)
    cluster.save()
    reply.ok()
  },
})

function changing(name: string, usage: string, summary: string, since: string) {
  return {
    name,
    usage,
    summary,
    since,
    complexity: 'O(N) where N is the total number of hash slot arguments',
    flags: [...ADMIN],
    reply: 'ok',
  } satisfies Partial<ClusterCommand>
}

/** Takes or gives slots, all of them or none. */
function change(call: Call, slots: readonly number[], takes: boolean): void {
  const { cluster } = call.server
  const named = new Set<number>()
  for (const slot of slots) {
    if (takes ? !cluster.isFree(slot) : !cluster.owns(slot)) {
      throw new CommandError(`ERR Slot ${slot} is already ${takes ? 'busy' : 'unassigned'}`)
    }
    if (named.has(slot)) throw new CommandError(`ERR Slot ${slot} specified multiple times`)
    named.add(slot)
  }
  for (const slot of slots) {
    if (takes) cluster.take(slot)
    else cluster.give(slot)
  }
  cluster.save()
  call.reply.ok()
}

function singleSlots(call: Call): number[] {
  const slots: number[] = []
  for (let i = 2; i < call.args.count; i++) slots.push(slotAt(call, i))
  return slots
}

function slotsOfRanges(call: Call): number[] {
  const { args } = call
  if (args.count % 2 === 1) {
    const name = args.text(1).toLowerCase()
    throw new CommandError(`ERR wrong number of arguments for 'cluster|${name}' command`)
  }
  const slots: number[] = []
  for (let i = 2; i < args.count; i += 2) {
    const [first, last] = [slotAt(call, i), slotAt(call, i + 1)]
    if (first > last) {
      throw new CommandError(
        `ERR start slot number ${first} is greater than end slot number ${last}`,
      )
    }
    for (let slot = first; slot <= last; slot++) slots.push(slot)
  }
  return slots
}

/** Throws: CommandError. */
function slotAt(call: Call, index: number): number {
  const { args } = call
  if (!args.integer64(index)) throw OUT_OF_RANGE
  const slot = args.high * 0x100000000 + (args.low >>> 0)
  if (slot < 0 || slot >= SLOT_COUNT) throw OUT_OF_RANGE
  return slot
}

function number({ args }: Call, index: number): number {
  if (!args.integer64(index)) throw NOT_AN_INTEGER
  return args.high * 0x100000000 + (args.low >>> 0)
}
