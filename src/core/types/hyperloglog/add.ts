/**
 * PFADD: letting a HyperLogLog see elements.
 *
 * Thread: core. Hot path.
 * Owns: nothing.
 * Never: looks at a count.
 */
import { command } from '../../command/command.ts'
import type { Call } from '../../engine/call.ts'
import { CORRUPT_HYPERLOGLOG, HyperLogLog, openForWriting } from './hyperloglog.ts'
import { INDEX_BITS, INDEX_MASK, observe } from './registers.ts'
import { CORRUPT } from './sparse.ts'

const hll = new HyperLogLog()

export const pfadd = command({
  name: 'PFADD',
  usage: 'key [element [element ...]]',
  summary: 'Lets a HyperLogLog see elements, and makes it if need be.',
  since: '2.8.9',
  complexity: 'O(1) for each element',
  flags: ['write', 'denyoom', 'fast'],
  access: 'rw insert',
  reply: 'integer',

  run(call) {
    const { args } = call
    openForWriting(call, 1, hll)
    let changes = hll.ref === 0 ? 1 : 0
    hll.makeReal()
    let i = 2
    try {
      for (; i < args.count; i++) {
        const seen = observe(args.bytes, args.words, args.offsets[i], args.lengths[i])
        const change = hll.raise(seen & INDEX_MASK, seen >> INDEX_BITS)
        if (change === CORRUPT) throw CORRUPT_HYPERLOGLOG
        changes += change
      }
    } catch (error) {
      if (changes > 0) keepSeen(call, i, changes)
      throw error
    }
    if (changes > 0) countChanges(call, changes)
    call.reply.integer(changes > 0 ? 1 : 0)
  },
})

function countChanges(call: Call, changes: number): void {
  hll.expireCount()
  call.db.changed(call.args, 1, 'pfadd')
  call.keyspace.dirty += changes - 1
}

/**
 * Memory ran out, or the registers are corrupt, at argument `end`.
 * DIFFERS: what the elements before it changed is told to everybody; Redis leaves it untold when the
 * registers are corrupt, and would have been killed for memory.
 */
// alloc: only when something ended on the way
function keepSeen(call: Call, end: number, changes: number): void {
  countChanges(call, changes)
  if (!call.propagation.active) return
  const argv = Array.from({ length: end - 1 }, (_, at) => call.args.copy(at + 1))
  call.propagateAs('PFADD', ...argv)
}
