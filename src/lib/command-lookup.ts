/**
 * Command names to numbers: an open-addressed table over the names' bytes, whatever their case.
 *
 * Names are few and known at the start, so the hash takes the length and five of the bytes, wherever
 * the name is long, and the name found is compared in full.
 * MEASURED: text and a Map cost four times as much (`bench/micro/command-lookup.bench.ts`).
 *
 * Thread: any. Hot path.
 * Owns: the table, made once from the list that the command table gives.
 * Never: allocates in `lookup`.
 */

/** One command as the io threads know it. */
export interface LookupItem {
  /** Lower case, one byte a character, not empty. */
  readonly name: string
  /** What `lookup` answers; 0 or more. */
  readonly index: number
  /** Number of the argument that is the first key; 0: none, or not at a fixed place. */
  readonly firstKeyIndex: number
}

/** ASCII capitals to small letters, every other byte to itself. */
const FOLD = new Uint8Array(256).map((_, byte) => (byte >= 65 && byte <= 90 ? byte + 32 : byte))
/** Joins a capital and its small letter; other bytes that it joins are told apart by `FOLD`. */
const CASE_BIT = 32

/** Slots per name at least. */
const ROOM = 4
/** Words of an item: where its name begins, how long it is, the answer, nothing. */
const ITEM_WORDS = 4

export class CommandLookup {
  /** Number of the item + 1; 0: free. */
  readonly #slots: Int32Array
  readonly #mask: number
  readonly #items: Int32Array
  readonly #names: Uint8Array
  readonly #firstKeys: Int32Array

  constructor(items: readonly LookupItem[]) {
    let size = 8
    while (size < items.length * ROOM) size *= 2
    this.#mask = size - 1
    this.#slots = new Int32Array(size)
    this.#items = new Int32Array(items.length * ITEM_WORDS)
    this.#names = new Uint8Array(items.reduce((sum, { name }) => sum + name.length, 0))
    this.#firstKeys = new Int32Array(items.reduce((max, { index }) => Math.max(max, index), 0) + 1)
    let end = 0
    for (let i = 0; i < items.length; i++) end = this.#add(i, items[i], end)
  }

  /** The index of the command named by bytes `start` to `end`; -1: there is none. */
  lookup(bytes: Uint8Array, start: number, end: number): number {
    const length = end - start
    if (length <= 0) return -1
    const slots = this.#slots
    const items = this.#items
    const names = this.#names
    const mask = this.#mask
    for (let slot = hashName(bytes, start, end) & mask; ; slot = (slot + 1) & mask) {
      if (slots[slot] === 0) return -1
      const item = (slots[slot] - 1) * ITEM_WORDS
      if (items[item + 1] !== length) continue
      let i = start
      let at = items[item]
      while (i < end && FOLD[bytes[i]] === names[at]) {
        i++
        at++
      }
      if (i === end) return items[item + 2]
    }
  }

  /** `index`: an answer of `lookup`, not -1. */
  firstKeyIndex(index: number): number {
    return this.#firstKeys[index]
  }

  /** Gives where the next name begins. */
  #add(item: number, { name, index, firstKeyIndex }: LookupItem, begin: number): number {
    const names = this.#names
    const end = begin + name.length
    for (let i = 0; i < name.length; i++) names[begin + i] = FOLD[name.charCodeAt(i) & 255]
    this.#items[item * ITEM_WORDS] = begin
    this.#items[item * ITEM_WORDS + 1] = name.length
    this.#items[item * ITEM_WORDS + 2] = index
    this.#firstKeys[index] = firstKeyIndex
    let slot = hashName(names, begin, end) & this.#mask
    while (this.#slots[slot] !== 0) slot = (slot + 1) & this.#mask
    this.#slots[slot] = item + 1
    return end
  }
}

/** Of at least one byte. */
function hashName(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start
  const first = bytes[start] | CASE_BIT
  const last = bytes[end - 1] | CASE_BIT
  const middle = bytes[start + (length >> 1)] | CASE_BIT
  const early = bytes[start + (length >> 2)] | CASE_BIT
  const late = bytes[end - 1 - (length >> 3)] | CASE_BIT
  const ends = first | (last << 8) | (middle << 16) | (early << 24)
  const hash =
    Math.imul(ends, 0x9e3779b1) + Math.imul(length, 0x85ebca6b) + Math.imul(late, 0x27d4eb2f)
  return hash ^ (hash >>> 15)
}
