/**
 * LZF, in which RDB files and DUMP payloads keep long strings.
 *
 *   000lllll                     l + 1 bytes follow as they are
 *   lllooooo oooooooo            copy l + 2 bytes from o + 1 bytes back; l is 1 to 6
 *   111ooooo llllllll oooooooo   copy l + 9 bytes from o + 1 bytes back
 *
 * A copy may overlap what it writes: that is how runs are made.
 *
 * Thread: any.
 * Owns: the places, of which each thread has its own.
 * Never: reads or writes outside the ranges it was given, whatever the bytes say.
 */

const LITERAL_MAX = 32
const DISTANCE_MAX = 8192
const MATCH_MIN = 3
const MATCH_MAX = 264
const LONG_LENGTH = 7
const HASH_BITS_MIN = 6
const HASH_BITS_MAX = 14
const HASH_FACTOR = 0x9e3779b1 | 0
/**
 * Where three bytes were seen last. Places of later texts are higher than all of earlier ones, so that
 * nothing has to be cleared between them.
 */
const PLACES = new Int32Array(1 << HASH_BITS_MAX)
const PLACE_MAX = 0x7fffffff
let nextPlace = 1

/**
 * Packs `length` bytes of `source` at `offset` into `into` at `at`, where `room` bytes are free.
 * Gives the packed size, or 0 when it does not fit.
 */
export function lzfCompress(
  source: Uint8Array,
  offset: number,
  length: number,
  into: Uint8Array,
  at: number,
  room: number,
): number {
  const end = offset + length
  const limit = at + room
  // As many places as bytes: those of a short text stay in the cache.
  const bits = Math.min(Math.max(32 - Math.clz32(length), HASH_BITS_MIN), HASH_BITS_MAX)
  const shift = 32 - bits
  const base = takePlaces(length)
  // Of `from`, as it is kept in `PLACES`: older ones are those of other texts.
  const shifted = base - offset
  let from = offset
  let literals = offset
  let to = at
  let three = length < MATCH_MIN ? 0 : (source[from] << 8) | (source[from + 1] << 16)
  while (from + MATCH_MIN <= end) {
    three = (three >>> 8) | (source[from + 2] << 16)
    const slot = Math.imul(three, HASH_FACTOR) >>> shift
    const candidate = PLACES[slot] - shifted
    PLACES[slot] = from + shifted
    const distance = from - candidate
    if (
      candidate < offset ||
      distance > DISTANCE_MAX ||
      source[candidate] !== source[from] ||
      source[candidate + 1] !== source[from + 1] ||
      source[candidate + 2] !== source[from + 2]
    ) {
      from++
      continue
    }
    const stop = Math.min(end - from, MATCH_MAX)
    let size = MATCH_MIN
    while (size < stop && source[candidate + size] === source[from + size]) size++
    to = writeLiterals(source, literals, from, into, to, limit)
    const back = distance - 1
    const count = size - 2
    if (to < 0 || to + (count < LONG_LENGTH ? 2 : 3) > limit) return 0
    if (count < LONG_LENGTH) into[to++] = (count << 5) | (back >> 8)
    else {
      into[to++] = (LONG_LENGTH << 5) | (back >> 8)
      into[to++] = count - LONG_LENGTH
    }
    into[to++] = back & 255
    from += size
    literals = from
    if (from + MATCH_MIN <= end) three = (source[from] << 8) | (source[from + 1] << 16)
  }
  to = writeLiterals(source, literals, end, into, to, limit)
  return to < 0 ? 0 : to - at
}

/** Makes all places mean none, for a text of `length` bytes. Gives what its first byte is kept as. */
function takePlaces(length: number): number {
  if (nextPlace + length > PLACE_MAX) {
    PLACES.fill(0)
    nextPlace = 1
  }
  const base = nextPlace
  nextPlace += length
  return base
}

/** Writes bytes as they are. Gives the offset after them, or -1 when there is no room. */
function writeLiterals(
  source: Uint8Array,
  start: number,
  end: number,
  into: Uint8Array,
  at: number,
  limit: number,
): number {
  let to = at
  for (let from = start; from < end; ) {
    const size = Math.min(end - from, LITERAL_MAX)
    if (to + 1 + size > limit) return -1
    into[to++] = size - 1
    for (const stop = from + size; from < stop; from++) into[to++] = source[from]
  }
  return to
}

/**
 * Unpacks `length` bytes of `source` at `offset` into `into` at `at`, where `room` bytes are free.
 * Gives the unpacked size, or -1 when the bytes are damaged or need more room.
 */
export function lzfDecompress(
  source: Uint8Array,
  offset: number,
  length: number,
  into: Uint8Array,
  at: number,
  room: number,
): number {
  const end = offset + length
  const limit = at + room
  let from = offset
  let to = at
  while (from < end) {
    const control = source[from++]
    if (control < LITERAL_MAX) {
      const stop = from + control + 1
      if (stop > end || to + control + 1 > limit) return -1
      while (from < stop) into[to++] = source[from++]
      continue
    }
    let size = control >> 5
    if (size === LONG_LENGTH) {
      if (from >= end) return -1
      size += source[from++]
    }
    if (from >= end) return -1
    const distance = (((control & 31) << 8) | source[from++]) + 1
    const stop = to + size + 2
    if (stop > limit || to - distance < at) return -1
    for (; to < stop; to++) into[to] = into[to - distance]
  }
  return to - at
}
