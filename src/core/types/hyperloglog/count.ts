/**
 * PFCOUNT: how many different elements one HyperLogLog has seen, or several together.
 *
 * Thread: core. Hot path.
 * Owns: the registers of several together, while a call lasts.
 * Never: estimates what was estimated before.
 */
import { highWord } from '../../../lib/bytes/integer.ts'
import { command } from '../../command/command.ts'
import type { Call } from '../../engine/call.ts'
import { estimate } from './estimate.ts'
import { CORRUPT_HYPERLOGLOG, HyperLogLog, openForReading } from './hyperloglog.ts'
import { countBytes, REGISTER_COUNT, VALUE_COUNT } from './registers.ts'

const hll = new HyperLogLog()
const together = new Uint8Array(REGISTER_COUNT)
const histogram = new Int32Array(VALUE_COUNT)

export const pfcount = command({
  name: 'PFCOUNT',
  usage: 'key [key ...]',
  summary: 'Estimates how many different elements HyperLogLogs have seen together.',
  since: '2.8.9',
  complexity: 'O(1) for one key whose estimate is kept, O(N) for N keys',
  flags: ['readonly', 'may_replicate'],
  keys: [
    {
      flags: 'rw access',
      begin: { index: 1 },
      find: { lastKey: -1, step: 1, limit: 0 },
      notes: 'It keeps what it has estimated in the key, which replicas have to do as well.',
    },
  ],
  reply: 'integer',

  run(call) {
    if (call.args.count > 2) answer(call, countTogether(call))
    else countOne(call)
  },
})

/** An estimate of forged registers may be beyond what a double tells exactly. */
function answer(call: Call, count: number): void {
  call.reply.integer64(highWord(count), count | 0)
}

function countTogether(call: Call): number {
  together.fill(0)
  for (let i = 1; i < call.args.count; i++) {
    openForReading(call, i, hll)
    if (hll.ref !== 0 && !hll.mergeInto(together)) throw CORRUPT_HYPERLOGLOG
  }
  histogram.fill(0)
  countBytes(together, histogram)
  return estimate(histogram)
}

function countOne(call: Call): void {
  openForReading(call, 1, hll)
  if (hll.ref === 0) return call.reply.integer(0)
  hll.makeReal()
  if (hll.countIsStale) keepEstimate(call)
  call.reply.integer64(hll.countHigh, hll.countLow)
}

/** Keeps a new estimate in the key, which changes it: nobody is notified, everybody else is told. */
function keepEstimate(call: Call): void {
  const { args, db, keyspace } = call
  const counted = hll.count()
  if (counted === undefined) throw CORRUPT_HYPERLOGLOG
  const count = estimate(counted)
  db.changing(hll.ref)
  hll.keepCount(highWord(count), count | 0)
  keyspace.dirty++
  keyspace.events.modified('pfadd', db.index, args.bytes, args.offsets[1], args.lengths[1])
  if (call.propagation.active) call.propagateAs('PFCOUNT', args.copy(1)) // alloc: for the AOF
}
