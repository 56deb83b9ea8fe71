/**
 * PFSELFTEST: whether registers keep what is written to them, both forms agree, and estimates are as
 * good as they should be.
 *
 * Thread: core.
 * Owns: the two HyperLogLogs it fills.
 * Never: touches a key.
 */
import type { Random } from '../../../lib/random.ts'
import { command } from '../../command/command.ts'
import type { Call } from '../../engine/call.ts'
import { CommandError } from '../../engine/errors.ts'
import { estimate } from './estimate.ts'
import { DENSE_SIZE, HEADER_SIZE, writeEmpty } from './hyperloglog.ts'
import {
  countDense,
  INDEX_BITS,
  INDEX_MASK,
  observe,
  REGISTER_COUNT,
  raiseRegister,
  registerValue,
  setRegister,
  VALUE_COUNT,
} from './registers.ts'
import {
  countSparse,
  SPARSE_ROOM,
  SPARSE_VALUE_MAX,
  sparseFind,
  sparseSet,
  sparseToDense,
} from './sparse.ts'

const REGISTER_ROUNDS = 1000
const ELEMENT_COUNT = 10_000_000
/** Standard errors that an estimate may be wrong by. */
const ERRORS_MAX = 6
const SPARSE_SIZE_MAX = HEADER_SIZE + 2 * REGISTER_COUNT

export const pfselftest = command({
  name: 'PFSELFTEST',
  usage: '',
  summary: 'Tests the registers and estimates of HyperLogLogs.',
  since: '2.8.9',
  complexity: 'O(1), but takes seconds',
  flags: ['admin'],
  internal: true,
  reply: 'simple',

  run(call) {
    testRegisters(call.server.random)
    testEstimates(call)
    call.reply.ok()
  },
})

function testRegisters(random: Random): void {
  const registers = Buffer.alloc(DENSE_SIZE)
  const wanted = new Uint8Array(REGISTER_COUNT)
  for (let round = 0; round < REGISTER_ROUNDS; round++) {
    for (let i = 0; i < REGISTER_COUNT; i++) {
      wanted[i] = random.below(VALUE_COUNT)
      setRegister(registers, HEADER_SIZE, i, wanted[i])
    }
    for (let i = 0; i < REGISTER_COUNT; i++) {
      const value = registerValue(registers, HEADER_SIZE, i)
      if (value === wanted[i]) continue
      throw failed(`Register ${i} should be ${wanted[i]} but is ${value}`)
    }
  }
}

/** A HyperLogLog that is no key's: dense, or sparse as long as it can be. */
class Sketch {
  readonly bytes: Buffer
  readonly words: Int32Array
  readonly #histogram = new Int32Array(VALUE_COUNT)
  /** Where a sparse one ends; 0: it is dense. */
  #end = 0

  constructor(sparse: boolean) {
    const memory = new ArrayBuffer(Math.max(DENSE_SIZE, SPARSE_SIZE_MAX + SPARSE_ROOM) & ~3)
    this.bytes = Buffer.from(memory)
    this.words = new Int32Array(memory)
    if (sparse) this.#end = writeEmpty(this.bytes, 0)
  }

  get isSparse(): boolean {
    return this.#end > 0
  }

  raise(register: number, value: number, sparseMax: number): void {
    const { bytes } = this
    if (this.isSparse) {
      if (value <= SPARSE_VALUE_MAX) {
        if (sparseFind(bytes, HEADER_SIZE, this.#end, register) >= value) return
        const end = sparseSet(bytes, HEADER_SIZE, this.#end, register, value, sparseMax)
        if (end !== 0) {
          this.#end = end
          return
        }
      }
      const runs = Buffer.from(bytes.subarray(0, this.#end))
      bytes.fill(0)
      sparseToDense(runs, HEADER_SIZE, runs.length, bytes, HEADER_SIZE)
      this.#end = 0
    }
    raiseRegister(bytes, HEADER_SIZE, register, value)
  }

  count(): number {
    const histogram = this.#histogram.fill(0)
    if (this.isSparse) countSparse(this.bytes, HEADER_SIZE, this.#end, histogram)
    else countDense(this.words, HEADER_SIZE, histogram)
    return estimate(histogram)
  }
}

function testEstimates(call: Call): void {
  const sparseMax = Math.min(call.server.settings.int('hll-sparse-max-bytes'), SPARSE_SIZE_MAX)
  const relativeError = 1.04 / Math.sqrt(REGISTER_COUNT)
  const dense = new Sketch(false)
  const other = new Sketch(true)
  const words = new Int32Array(2)
  const bytes = Buffer.from(words.buffer)
  const seed = call.server.random.below(2 ** 31)
  words[1] = call.server.random.below(2 ** 31)
  let checkpoint = 1
  for (let count = 1; count <= ELEMENT_COUNT; count++) {
    words[0] = count ^ seed
    const seen = observe(bytes, words, 0, bytes.length)
    raiseRegister(dense.bytes, HEADER_SIZE, seen & INDEX_MASK, seen >> INDEX_BITS)
    other.raise(seen & INDEX_MASK, seen >> INDEX_BITS, sparseMax)
    if (count !== checkpoint) continue
    if (count < sparseMax / 2 && !other.isSparse) throw failed('sparse encoding not used')
    const estimated = dense.count()
    if (estimated !== other.count()) throw failed('dense/sparse disagree')
    const errorMax = count === 10 ? 1 : Math.ceil(relativeError * ERRORS_MAX * count)
    const error = Math.abs(count - estimated)
    if (error > errorMax) throw failed(`Too big error. card:${count} abserr:${error}`)
    checkpoint *= 10
  }
}

function failed(text: string): CommandError {
  return new CommandError(`ERR TESTFAILED ${text}`)
}
