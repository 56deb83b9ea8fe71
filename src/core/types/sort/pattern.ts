/**
 * What a pattern of SORT finds for an element: `weight_*` a string, `object_*->field` the field of a
 * hash, `#` the element itself.
 *
 * Thread: core.
 * Owns: the names of the keys it looks for.
 * Never: changes a key, but lets it expire.
 */
import { AlignedBytes } from '../../../memory/aligned.ts'
import { ListpackElement } from '../../../memory/listpack.ts'
import { Args } from '../../engine/args.ts'
import type { Call } from '../../engine/call.ts'
import type { Db } from '../../keyspace/db.ts'
import { TYPE_HASH, TYPE_STRING } from '../../keyspace/entry.ts'
import { hashFind } from '../hash/hash.ts'
import { StringView } from '../string/view.ts'

const HASH_SIGN = 35
const STAR = 0x2a
const ARROW = Buffer.from('->')

export class Pattern {
  /** What was found, until the next change of a key. */
  bytes: Buffer
  offset = 0
  length = 0
  readonly #db: Db
  readonly #args: Args
  readonly #isElement: boolean
  /** Before and behind the star; undefined: there is none, and nothing is ever found. */
  readonly #prefix: Buffer | undefined = undefined
  readonly #suffix: Buffer = Buffer.alloc(0)
  readonly #field: AlignedBytes | undefined = undefined
  readonly #view = new StringView()
  readonly #value = new ListpackElement()

  constructor(call: Call, index: number) {
    const pattern = call.args.copy(index)
    this.#db = call.db
    this.#args = new Args(pattern, new Int32Array(0), call.server.start.hashSeed)
    this.bytes = pattern
    // QUIRK: a NUL ends a pattern for whoever looks for something in it; yet all of it is used.
    const nul = pattern.indexOf(0)
    const searched = pattern.subarray(0, nul < 0 ? pattern.length : nul)
    this.#isElement = searched.length === 1 && searched[0] === HASH_SIGN
    const star = searched.indexOf(STAR)
    if (star < 0) return
    this.#prefix = pattern.subarray(0, star)
    const arrow = searched.indexOf(ARROW, star + 1)
    const hasField = arrow >= 0 && arrow + ARROW.length < searched.length
    this.#suffix = pattern.subarray(star + 1, hasField ? arrow : pattern.length)
    if (!hasField) return
    const from = arrow + ARROW.length
    this.#field = new AlignedBytes()
    this.#field.set(pattern, from, pattern.length - from)
  }

  /** Finds what belongs to an element. False when there is nothing. */
  find(element: Buffer, offset: number, length: number): boolean {
    if (this.#isElement) {
      this.bytes = element
      this.offset = offset
      this.length = length
      return true
    }
    const prefix = this.#prefix
    if (prefix === undefined) return false
    this.#name(prefix, element, offset, length)
    const ref = this.#db.read(this.#args, 1)
    if (ref === 0) return false
    const { arena } = this.#db
    const field = this.#field
    if (field === undefined) {
      if (this.#db.typeOf(ref) !== TYPE_STRING) return false
      this.#view.open(arena, ref)
      return this.#show(this.#view)
    }
    if (this.#db.typeOf(ref) !== TYPE_HASH) return false
    if (!hashFind(arena, ref, field, 0, field.length, this.#value)) return false
    return this.#show(this.#value)
  }

  #show(found: StringView | ListpackElement): boolean {
    this.bytes = found.bytes
    this.offset = found.offset
    this.length = found.length
    return true
  }

  /** Writes the key's name into argument 1. */
  #name(prefix: Buffer, element: Buffer, offset: number, length: number): void {
    const args = this.#args
    const suffix = this.#suffix
    const size = prefix.length + length + suffix.length
    if (args.words.length * 4 < size) {
      const memory = new ArrayBuffer(((size >> 2) + 16) * 8)
      args.bytes = Buffer.from(memory)
      args.words = new Int32Array(memory)
    }
    const { bytes } = args
    let at = 0
    for (let i = 0; i < prefix.length; i++) bytes[at++] = prefix[i]
    for (let i = offset; i < offset + length; i++) bytes[at++] = element[i]
    for (let i = 0; i < suffix.length; i++) bytes[at++] = suffix[i]
    args.count = 2
    args.offsets[1] = 0
    args.lengths[1] = size
  }
}
