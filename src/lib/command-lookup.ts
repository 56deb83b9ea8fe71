/**
 * Command names to numbers: an open-addressed table over the names' bytes, whatever their case.
 *
 * Thread: any. Hot path.
 * Owns: the table, made once from the list that the command table gives.
 * Never: allocates in `lookup`.
 */

/** One command as the io threads know it. */
export interface LookupItem {
  /** Lower case, one byte a character. */
  readonly name: string
  /** What `lookup` answers; 0 or more. */
  readonly index: number
  /** Number of the argument that is the first key; 0: none, or not at a fixed place. */
  readonly firstKeyIndex: number
}

/** ASCII capitals to small letters, every other byte to itself. */
const FOLD = new Uint8Array(256).map((_, byte) => (byte >= 65 && byte <= 90 ? byte + 32 : byte))

const HASH_START = 0x811c9dc5 | 0
const HASH_FACTOR = 0x01000193
/** Slots per name at least. */
const ROOM = 4

export class CommandLookup {
  /** Pairs: hash of the name, number of the item + 1 (0: free). */
  readonly #slots: Int32Array
  readonly #mask: number
  /** Triples: where the name begins in `#names`, where it ends, the answer. */
  readonly #items: Int32Array
  readonly #names: Uint8Array
  readonly #firstKeys: Int32Array

  constructor(items: readonly LookupItem[]) {
    let size = 8
    while (size < items.length * ROOM) size *= 2
    this.#mask = size - 1
    this.#slots = new Int32Array(size * 2)
    this.#items = new Int32Array(items.length * 3)
    this.#names = new Uint8Array(items.reduce((sum, { name }) => sum + name.length, 0))
    this.#firstKeys = new Int32Array(items.reduce((max, { index }) => Math.max(max, index), 0) + 1)
    let end = 0
    for (let i = 0; i < items.length; i++) end = this.#add(i, items[i], end)
  }

  /** The index of the command named by bytes `start` to `end`; -1: there is none. */
  lookup(bytes: Uint8Array, start: number, end: number): number {
    let hash = HASH_START
    for (let i = start; i < end; i++) hash = Math.imul(hash ^ FOLD[bytes[i]], HASH_FACTOR)
    hash ^= hash >>> 15
    const slots = this.#slots
    const mask = this.#mask
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const item = slots[slot * 2 + 1]
      if (item === 0) return -1
      if (slots[slot * 2] === hash && this.#isNamed(item - 1, bytes, start, end)) {
        return this.#items[item * 3 - 1]
      }
    }
  }

  /** `index`: an answer of `lookup`, not -1. */
  firstKeyIndex(index: number): number {
    return this.#firstKeys[index]
  }

  #isNamed(item: number, bytes: Uint8Array, start: number, end: number): boolean {
    const names = this.#names
    const at = this.#items[item * 3]
    if (this.#items[item * 3 + 1] - at !== end - start) return false
    for (let i = start, j = at; i < end; i++, j++) {
      if (FOLD[bytes[i]] !== names[j]) return false
    }
    return true
  }

  /** Gives where the next name begins. */
  #add(item: number, { name, index, firstKeyIndex }: LookupItem, begin: number): number {
    let hash = HASH_START
    for (let i = 0; i < name.length; i++) {
      const byte = FOLD[name.charCodeAt(i) & 255]
      this.#names[begin + i] = byte
      hash = Math.imul(hash ^ byte, HASH_FACTOR)
    }
    hash ^= hash >>> 15
    this.#items[item * 3] = begin
    this.#items[item * 3 + 1] = begin + name.length
    this.#items[item * 3 + 2] = index
    this.#firstKeys[index] = firstKeyIndex
    let slot = hash & this.#mask
    while (this.#slots[slot * 2 + 1] !== 0) slot = (slot + 1) & this.#mask
    this.#slots[slot * 2] = hash
    this.#slots[slot * 2 + 1] = item + 1
    return begin + name.length
  }
}
