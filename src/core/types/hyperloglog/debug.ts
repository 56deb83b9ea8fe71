/**
 * PFDEBUG: a HyperLogLog from inside.
 *
 * Thread: core.
 * Owns: nothing.
 * Never: changes what a HyperLogLog has seen.
 */
import { command } from '../../command/command.ts'
import type { Call } from '../../engine/call.ts'
import { CommandError } from '../../engine/errors.ts'
import { CORRUPT_HYPERLOGLOG, HyperLogLog, openForWriting } from './hyperloglog.ts'
import { REGISTER_COUNT, registerValue } from './registers.ts'
import { describeSparse } from './sparse.ts'

const NO_KEY = new CommandError('ERR The specified key does not exist')
const NOT_SPARSE = new CommandError('ERR HLL encoding is not sparse')
const KEY = 2

const hll = new HyperLogLog()

export const pfdebug = command({
  name: 'PFDEBUG',
  usage: 'subcommand key',
  summary: 'Shows the registers of a HyperLogLog.',
  since: '2.8.9',
  complexity: 'O(N) where N is the number of registers',
  flags: ['write', 'denyoom', 'admin'],
  access: 'rw access',
  internal: true,
  reply: 'any',

  run(call) {
    const { args, reply } = call
    openForWriting(call, KEY, hll)
    if (hll.ref === 0) throw NO_KEY
    hll.makeReal()
    if (args.is(1, 'GETREG')) {
      becomeDense(call)
      reply.array(REGISTER_COUNT)
      for (let i = 0; i < REGISTER_COUNT; i++) {
        reply.integer(registerValue(hll.bytes, hll.registers, i))
      }
    } else if (args.is(1, 'DECODE')) {
      if (hll.isDense) throw NOT_SPARSE
      reply.bulkText(describeSparse(hll.bytes, hll.registers, hll.end))
    } else if (args.is(1, 'ENCODING')) {
      reply.simple(hll.isDense ? 'dense' : 'sparse')
    } else if (args.is(1, 'TODENSE')) {
      reply.integer(becomeDense(call) ? 1 : 0)
    } else {
      throw new CommandError(`ERR Unknown PFDEBUG subcommand '${args.shown(1)}'`)
    }
  },
})

/** True when it was sparse. */
function becomeDense(call: Call): boolean {
  if (hll.isDense) return false
  if (!hll.makeDense()) throw CORRUPT_HYPERLOGLOG
  // QUIRK: replicas are told, those who watch the key are not.
  call.keyspace.dirty++
  return true
}
