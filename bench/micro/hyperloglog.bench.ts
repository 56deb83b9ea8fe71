/**
 * Adding to and counting HyperLogLogs, alone on one thread.
 *
 *   bytes ──▶ hash ──▶ register          registers ──▶ histogram ──▶ estimate
 *
 * Goals: time of hashing an element, of finding a register in a sparse one, count of a dense one.
 * Non-goals: finding the key.
 *
 * `bun bench/micro/hyperloglog.bench.ts`; BENCH_SMOKE=1 runs each a few times, silently.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: prints a number whose result was not verified.
 */
import { estimate } from '../../src/core/types/hyperloglog/estimate.ts'
import { writeEmpty } from '../../src/core/types/hyperloglog/hyperloglog.ts'
import {
  countDense,
  INDEX_BITS,
  INDEX_MASK,
  observe,
  REGISTERS_SIZE,
  raiseRegister,
  VALUE_COUNT,
} from '../../src/core/types/hyperloglog/registers.ts'
import { sparseFind, sparseSet } from '../../src/core/types/hyperloglog/sparse.ts'
import { finish, measure } from './measure.ts'

const ELEMENT_COUNT = 1000
const HEADER_SIZE = 16
const memory = new SharedArrayBuffer(HEADER_SIZE + REGISTERS_SIZE)
const dense = Buffer.from(memory)
const denseWords = new Int32Array(memory)
const sparse = Buffer.alloc(REGISTERS_SIZE)
let end = writeEmpty(sparse, 0)

const element = new Int32Array(4)
const elementBytes = Buffer.from(element.buffer)
const seen = Array.from({ length: ELEMENT_COUNT }, (_, i) => {
  element[0] = i
  return observe(elementBytes, element, 0, elementBytes.length)
})
for (const one of seen) {
  const register = one & INDEX_MASK
  const value = one >> INDEX_BITS
  raiseRegister(dense, HEADER_SIZE, register, value)
  if (sparseFind(sparse, HEADER_SIZE, end, register) < value) {
    end = sparseSet(sparse, HEADER_SIZE, end, register, value, sparse.length)
  }
}

const histogram = new Int32Array(VALUE_COUNT)

measure('hash of an element of 16 bytes', seen[0], () => {
  element[0] = 0
  return observe(elementBytes, element, 0, elementBytes.length)
})
const last = Math.max(...seen.map((one) => one & INDEX_MASK))
const lastValue = sparseFind(sparse, HEADER_SIZE, end, last)
measure(`the last register of a sparse one of ${end} bytes`, lastValue, () =>
  sparseFind(sparse, HEADER_SIZE, end, last),
)
countDense(denseWords, HEADER_SIZE, histogram)
const expected = estimate(histogram)
measure('count of a dense one', expected, () => {
  histogram.fill(0)
  countDense(denseWords, HEADER_SIZE, histogram)
  return estimate(histogram)
})
await finish()
