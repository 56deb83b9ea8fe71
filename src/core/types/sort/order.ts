/**
 * Sorting places by a number each, and where that is the same by a further comparison.
 *
 * All of them are merged, which keeps the order of equals, as the C library's qsort does. When only a
 * range is wanted, Redis has a quicksort that leaves out what lies outside of it; which of equals come
 * into the range is its doing, so here it is the same.
 *
 * Thread: core.
 * Owns: the order.
 * Never: knows what it sorts.
 *
 * @see J. L. Bentley and M. D. McIlroy, "Engineering a Sort Function", 1993
 */
const INSERTED_MAX = 7
const NINTHER_MIN = 40
const RUN_SIZE = 8

export class Order {
  /** The places, in order. */
  places: Int32Array
  readonly #keys: Float64Array
  readonly #tie: (a: number, b: number) => number
  readonly #sign: number
  /** The range that is wanted. */
  #first = 0
  #last = 0

  /** `tie` compares the places of equal numbers. */
  constructor(keys: Float64Array, descending: boolean, tie: (a: number, b: number) => number) {
    this.#keys = keys
    this.#tie = tie
    this.#sign = descending ? -1 : 1
    this.places = new Int32Array(keys.length)
    for (let i = 0; i < keys.length; i++) this.places[i] = i
  }

  #compare(a: number, b: number): number {
    const one = this.#keys[a]
    const other = this.#keys[b]
    if (one !== other) return one < other ? -this.#sign : this.#sign
    const tie = this.#tie(a, b)
    return this.#sign < 0 ? -tie : tie
  }

  sort(): void {
    const size = this.places.length
    for (let start = 0; start < size; start += RUN_SIZE) {
      this.#insert(start, Math.min(start + RUN_SIZE, size))
    }
    let from = this.places
    let to: Int32Array = new Int32Array(size)
    for (let width = RUN_SIZE; width < size; width *= 2) {
      for (let start = 0; start < size; start += 2 * width) {
        const middle = Math.min(start + width, size)
        this.#merge(from, to, start, middle, Math.min(middle + width, size))
      }
      const merged = to
      to = from
      from = merged
    }
    this.places = from
  }

  #merge(from: Int32Array, to: Int32Array, start: number, middle: number, end: number): void {
    let left = start
    let right = middle
    let at = start
    while (left < middle && right < end) {
      const takesLeft = this.#compare(from[left], from[right]) <= 0
      to[at++] = takesLeft ? from[left++] : from[right++]
    }
    while (left < middle) to[at++] = from[left++]
    while (right < end) to[at++] = from[right++]
  }

  #insert(start: number, end: number): void {
    const { places } = this
    for (let i = start + 1; i < end; i++) {
      const place = places[i]
      let at = i
      for (; at > start && this.#compare(places[at - 1], place) > 0; at--) {
        places[at] = places[at - 1]
      }
      places[at] = place
    }
  }

  /** Sorts so much that the places from `first` to `last` are right. */
  sortRange(first: number, last: number): void {
    this.#first = first
    this.#last = last
    this.#quicksort(0, this.places.length)
  }

  #quicksort(from: number, count: number): void {
    let start = from
    let size = count
    while (size >= INSERTED_MAX) {
      this.#swap(start, this.#pivot(start, size))
      const [lower, higher] = this.#partition(start, size)
      if (lower > 1 && this.#isWanted(start, lower)) this.#quicksort(start, lower)
      start += size - higher
      size = higher
      if (size <= 1 || !this.#isWanted(start, size)) return
    }
    this.#insert(start, start + size)
  }

  #isWanted(start: number, size: number): boolean {
    const end = start + size - 1
    const isBefore = this.#first < start && this.#last < start
    return !isBefore && !(this.#first > end && this.#last > end)
  }

  #pivot(start: number, size: number): number {
    let middle = start + (size >> 1)
    if (size === INSERTED_MAX) return middle
    let low = start
    let high = start + size - 1
    if (size > NINTHER_MIN) {
      const eighth = size >> 3
      low = this.#median(low, low + eighth, low + 2 * eighth)
      middle = this.#median(middle - eighth, middle, middle + eighth)
      high = this.#median(high - 2 * eighth, high - eighth, high)
    }
    return this.#median(low, middle, high)
  }

  #median(a: number, b: number, c: number): number {
    if (this.#at(a, b) < 0) {
      if (this.#at(b, c) < 0) return b
      return this.#at(a, c) < 0 ? c : a
    }
    if (this.#at(b, c) > 0) return b
    return this.#at(a, c) < 0 ? a : c
  }

  #at(i: number, j: number): number {
    return this.#compare(this.places[i], this.places[j])
  }

  /** Parts by what is at `start`. Gives how many are lower, at the start, and higher, at the end. */
  #partition(start: number, size: number): [lower: number, higher: number] {
    const end = start + size
    // Equals gather at both ends: [ equal | lower | ... | higher | equal ].
    let lowest = start + 1
    let low = start + 1
    let high = end - 1
    let highest = end - 1
    for (;;) {
      for (let order = 0; low <= high; low++) {
        order = this.#at(low, start)
        if (order > 0) break
        if (order === 0) this.#swap(lowest++, low)
      }
      for (let order = 0; low <= high; high--) {
        order = this.#at(high, start)
        if (order < 0) break
        if (order === 0) this.#swap(high, highest--)
      }
      if (low > high) break
      this.#swap(low++, high--)
    }
    this.#swapRanges(start, low, Math.min(lowest - start, low - lowest))
    this.#swapRanges(low, end, Math.min(highest - high, end - highest - 1))
    return [low - lowest, highest - high]
  }

  /** Exchanges `size` places from `start` on with as many before `end`. */
  #swapRanges(start: number, end: number, size: number): void {
    for (let i = 0; i < size; i++) this.#swap(start + i, end - size + i)
  }

  #swap(i: number, j: number): void {
    const { places } = this
    const place = places[i]
    places[i] = places[j]
    places[j] = place
  }
}
