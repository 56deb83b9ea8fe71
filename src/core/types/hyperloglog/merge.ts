/**
 * PFMERGE: a HyperLogLog that has seen what others have.
 *
 * Thread: core.
 * Owns: the registers of all together, and the bytes of a sparse result, while a call lasts.
 * Never: changes the target before all sources are merged.
 */
import { command } from '../../command/command.ts'
import type { Call } from '../../engine/call.ts'
import {
  CORRUPT_HYPERLOGLOG,
  HEADER_SIZE,
  HyperLogLog,
  openForReading,
  openForWriting,
  writeEmpty,
} from './hyperloglog.ts'
import { REGISTER_COUNT } from './registers.ts'
import { SPARSE_ROOM, SPARSE_VALUE_MAX, sparseFind, sparseSet } from './sparse.ts'

/** A run of the longest kind for every register. */
const SPARSE_SIZE_MAX = HEADER_SIZE + 2 * REGISTER_COUNT

const hll = new HyperLogLog()
const together = new Uint8Array(REGISTER_COUNT)
const sparse = Buffer.alloc(SPARSE_SIZE_MAX + SPARSE_ROOM)

export const pfmerge = command({
  name: 'PFMERGE',
  usage: 'destkey sourcekey [sourcekey ...]',
  arity: -2,
  summary: 'Lets a HyperLogLog have seen all that others have.',
  since: '2.8.9',
  complexity: 'O(N) for N keys',
  flags: ['write', 'denyoom'],
  access: ['rw access insert', 'ro access'],
  reply: 'simple',

  run(call) {
    const { args } = call
    const dense = mergeAll(call)
    openForWriting(call, 1, hll)
    const length = dense ? 0 : mergeSparsely(call)
    if (length === 0) hll.becomeDense(together)
    else hll.becomeBytes(sparse, length)
    hll.expireCount()
    call.db.changed(args, 1, 'pfadd')
    call.reply.ok()
  },
})

/** Merges all keys, the target's too. True when one of them is dense. Throws: CommandError. */
function mergeAll(call: Call): boolean {
  together.fill(0)
  let dense = false
  for (let i = 1; i < call.args.count; i++) {
    openForReading(call, i, hll)
    if (hll.ref === 0) continue
    if (hll.isDense) dense = true
    if (!hll.mergeInto(together)) throw CORRUPT_HYPERLOGLOG
  }
  return dense
}

/** Writes the result as runs, if it can be. Gives its length, 0 when it can not. */
function mergeSparsely(call: Call): number {
  const { bytes, offset, length, ref } = hll
  let end = ref === 0 ? writeEmpty(sparse, 0) : bytes.copy(sparse, 0, offset, offset + length)
  const limit = Math.min(call.server.settings.int('hll-sparse-max-bytes'), SPARSE_SIZE_MAX)
  for (let i = 0; i < REGISTER_COUNT; i++) {
    const value = together[i]
    if (value === 0 || sparseFind(sparse, HEADER_SIZE, end, i) >= value) continue
    if (value > SPARSE_VALUE_MAX) return 0
    end = sparseSet(sparse, HEADER_SIZE, end, i, value, limit)
    if (end === 0) return 0
  }
  return end
}
