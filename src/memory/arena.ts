/**
 * One fixed shared buffer and its allocator: size classes, exact account, refs.
 *
 * The buffer is cut into 8 KiB pages. Pages are handed out in runs: a run is either a span of equal
 * blocks of one size class, one large block, or free. What the allocator knows about a run lies
 * in a page map at the start of the same buffer, so blocks carry no header and an arena is one
 * piece of memory:
 *
 *   page map word   span of small blocks     large block      free run
 *   0 kind          class number             LARGE            FREE
 *   1               first free block         pages            pages
 *   2               first never used block   -                -
 *   4               live blocks              -                -
 *   5, 6            neighbours in the list of spans with room, or of free runs of like size
 *   7 start         first page of the run (span: on all its pages; others: on the first and last)
 *
 * A span whose last block is freed gives its pages back, unless it is the only one of its class
 * with room; those kept spans are given back too before an arena calls itself full. Free runs
 * coalesce with their neighbours.
 *
 * Thread: core. Hot path.
 * Owns: which bytes of the arena are in use.
 * Never: clears or moves a live block, hands out ref 0, counts a byte twice.
 */

/** A byte offset divided by 8. 0 is no block. */
export type Ref = number

/** Thrown, always as `ARENA_FULL`, when an arena has no room; nothing was changed. */
export class ArenaFullError {
  readonly message = 'arena full'
}

export const ARENA_FULL = new ArenaFullError()

export const PAGE_SIZE_BYTES = 8192
const PAGE_SHIFT = 13
/** Refs in a page, as a shift. */
export const PAGE_REF_SHIFT = 10

/** Just under 2 GiB: an index at or past 2^31 is many times slower. */
export const ARENA_SIZE_BYTES = 2 ** 31 - 16 * PAGE_SIZE_BYTES

/** The largest block that shares its span with others. */
export const SMALL_BLOCK_SIZE_MAX = 32768

/** Words of the page map that each page has, as a shift. */
export const PAGE_MAP_SHIFT = 3
export const RUN_KIND = 0
export const RUN_FREE_HEAD = 1
export const RUN_PAGE_COUNT = 1
export const RUN_UNUSED = 2
export const RUN_LIVE_COUNT = 4
export const RUN_PREVIOUS = 5
export const RUN_NEXT = 6
export const RUN_START = 7

/** Block sizes: steps of 8 up to 128, then eight steps per doubling. */
export const CLASS_SIZES = makeClassSizes()
export const CLASS_COUNT = CLASS_SIZES.length
export const KIND_LARGE = CLASS_COUNT
export const KIND_FREE = CLASS_COUNT + 1
export const KIND_RESERVED = CLASS_COUNT + 2
export const CLASS_PAGES = Int32Array.from(CLASS_SIZES, spanPages)
/** Blocks in a span of each class. */
export const CLASS_CAPACITIES = Int32Array.from(CLASS_SIZES, (size, index) =>
  Math.floor((CLASS_PAGES[index] * PAGE_SIZE_BYTES) / size),
)
const CLASS_OF_UNITS = makeClassOfUnits()

/** Free runs are listed by size: one bin a page count below 64, then eight bins per doubling. */
const FREE_BIN_COUNT = 64 + 13 * 8
const FREE_BIN_PROBES = 32

export class Arena {
  bytes: Buffer
  words: Int32Array
  /** What all byte maps of this arena hash their keys with; whoever makes the arena sets it. */
  hashSeed = 0
  /** The size of the whole buffer. */
  readonly capacityBytes: number
  /** The exact sum of `blockSizeBytes` of all live blocks. */
  usedBytes: number
  /** Pages that belong to spans and large blocks. */
  usedPageCount: number
  /** The first page never handed out, or given back since. */
  topPage: number
  /** The highest `topPage` so far: pages below it may have been touched. */
  topPageMax: number
  readonly pageCount: number
  readonly firstPage: number
  /** By class: the first span with room, 0 if none. */
  readonly spansWithRoom: Int32Array
  /** By bin: the first free run, 0 if none. */
  readonly freeRuns: Int32Array
  private readonly freeRunBits: Int32Array

  constructor(sizeBytes: number = ARENA_SIZE_BYTES) {
    this.pageCount = Math.min(sizeBytes, ARENA_SIZE_BYTES) >>> PAGE_SHIFT
    this.capacityBytes = this.pageCount << PAGE_SHIFT
    const pageMapSize = this.pageCount << (PAGE_MAP_SHIFT + 2)
    this.firstPage = (pageMapSize + PAGE_SIZE_BYTES - 1) >>> PAGE_SHIFT
    this.spansWithRoom = new Int32Array(CLASS_COUNT)
    this.freeRuns = new Int32Array(FREE_BIN_COUNT)
    this.freeRunBits = new Int32Array((FREE_BIN_COUNT + 31) >>> 5)
    const memory = new SharedArrayBuffer(this.capacityBytes)
    this.bytes = Buffer.from(memory)
    this.words = new Int32Array(memory)
    this.usedBytes = 0
    this.usedPageCount = 0
    this.topPage = this.firstPage
    this.topPageMax = this.firstPage
    this.markReserved()
  }

  /** Bytes of pages that no span and no large block holds. */
  get freeBytes(): number {
    return (this.pageCount - this.firstPage - this.usedPageCount) << PAGE_SHIFT
  }

  /** Bytes of the page map that have been needed so far. */
  get metadataBytes(): number {
    return this.topPageMax << (PAGE_MAP_SHIFT + 2)
  }

  /** Bytes that an arena without a single block needs: its tables, and its part of the page map. */
  get fixedBytes(): number {
    const { spansWithRoom, freeRuns, freeRunBits } = this
    const mapBytes = this.firstPage << (PAGE_MAP_SHIFT + 2)
    return mapBytes + spansWithRoom.byteLength + freeRuns.byteLength + freeRunBits.byteLength
  }

  /** Bytes that the system may have had to back with memory. */
  get touchedBytes(): number {
    return (this.topPageMax - this.firstPage + 1) * PAGE_SIZE_BYTES
  }

  /** A block of at least `sizeBytes`, contents undefined. Throws `ARENA_FULL`. */
  allocate(sizeBytes: number): Ref {
    const ref = this.tryAllocate(sizeBytes)
    if (ref === 0) throw ARENA_FULL
    return ref
  }

  /** As `allocate`, but answers 0 when there is no room. */
  tryAllocate(sizeBytes: number): Ref {
    if (sizeBytes > SMALL_BLOCK_SIZE_MAX) return this.allocateLarge(sizeBytes)
    const sizeClass = CLASS_OF_UNITS[(sizeBytes + 7) >>> 3]
    let span = this.spansWithRoom[sizeClass]
    if (span === 0) {
      span = this.openSpan(sizeClass)
      if (span === 0) return 0
    }
    const words = this.words
    const size = CLASS_SIZES[sizeClass]
    const run = span << PAGE_MAP_SHIFT
    let ref = words[run + RUN_FREE_HEAD]
    if (ref !== 0) {
      words[run + RUN_FREE_HEAD] = words[ref << 1]
    } else {
      ref = words[run + RUN_UNUSED]
      words[run + RUN_UNUSED] = ref + (size >>> 3)
    }
    const liveCount = words[run + RUN_LIVE_COUNT] + 1
    words[run + RUN_LIVE_COUNT] = liveCount
    if (liveCount === CLASS_CAPACITIES[sizeClass]) this.unlinkSpan(span, sizeClass)
    this.usedBytes += size
    return ref
  }

  /** As `allocate`, but the block is all zero. */
  allocateZeroed(sizeBytes: number): Ref {
    const ref = this.allocate(sizeBytes)
    const words = this.words
    const end = (ref << 1) + ((sizeBytes + 3) >>> 2)
    if (sizeBytes > 256) words.fill(0, ref << 1, end)
    else for (let index = ref << 1; index < end; index++) words[index] = 0
    return ref
  }

  /** Gives a block back; `ref` came from this arena and is not used again. */
  free(ref: Ref): void {
    const words = this.words
    const page = ref >>> PAGE_REF_SHIFT
    const span = words[(page << PAGE_MAP_SHIFT) + RUN_START]
    const run = span << PAGE_MAP_SHIFT
    const sizeClass = words[run + RUN_KIND]
    if (sizeClass >= KIND_LARGE) {
      this.freeLarge(page)
      return
    }
    words[ref << 1] = words[run + RUN_FREE_HEAD]
    words[run + RUN_FREE_HEAD] = ref
    const liveCount = words[run + RUN_LIVE_COUNT] - 1
    words[run + RUN_LIVE_COUNT] = liveCount
    this.usedBytes -= CLASS_SIZES[sizeClass]
    if (liveCount + 1 === CLASS_CAPACITIES[sizeClass]) this.linkSpan(span, sizeClass)
    if (liveCount === 0) this.spanEmptied(span, sizeClass)
  }

  /** The usable size of a live block, at least what was asked for. */
  blockSizeBytes(ref: Ref): number {
    const words = this.words
    const page = ref >>> PAGE_REF_SHIFT
    const run = words[(page << PAGE_MAP_SHIFT) + RUN_START] << PAGE_MAP_SHIFT
    const kind = words[run + RUN_KIND]
    return kind < KIND_LARGE ? CLASS_SIZES[kind] : words[run + RUN_PAGE_COUNT] << PAGE_SHIFT
  }

  /**
   * A block of at least `sizeBytes` that starts with the first `keepBytes` of the old one, which is
   * gone if the answer differs from `ref`. Throws `ARENA_FULL` only when growing.
   */
  reallocate(ref: Ref, sizeBytes: number, keepBytes: number): Ref {
    const oldSize = this.blockSizeBytes(ref)
    const newSize = roundedSizeBytes(sizeBytes)
    if (newSize === oldSize) return ref
    if (oldSize > SMALL_BLOCK_SIZE_MAX && newSize > SMALL_BLOCK_SIZE_MAX) {
      if (this.resizeLarge(ref >>> PAGE_REF_SHIFT, newSize >>> PAGE_SHIFT)) return ref
    }
    const moved = this.tryAllocate(sizeBytes)
    if (moved === 0) {
      if (newSize < oldSize) return ref
      throw ARENA_FULL
    }
    const start = ref << 3
    this.bytes.copyWithin(moved << 3, start, start + Math.min(keepBytes, sizeBytes, oldSize))
    this.free(ref)
    return moved
  }

  /** Forgets everything and takes a fresh buffer, so that the memory goes back to the system. */
  // alloc: a fresh arena
  reset(): void {
    const memory = new SharedArrayBuffer(this.capacityBytes)
    this.bytes = Buffer.from(memory)
    this.words = new Int32Array(memory)
    this.usedBytes = 0
    this.usedPageCount = 0
    this.topPage = this.firstPage
    this.topPageMax = this.firstPage
    this.spansWithRoom.fill(0)
    this.freeRuns.fill(0)
    this.freeRunBits.fill(0)
    this.markReserved()
  }

  /** Takes over the memory of another arena of the same size, which is of no use then. */
  takeOver(other: Arena): void {
    this.bytes = other.bytes
    this.words = other.words
    this.usedBytes = other.usedBytes
    this.usedPageCount = other.usedPageCount
    this.topPage = other.topPage
    this.topPageMax = other.topPageMax
    this.spansWithRoom.set(other.spansWithRoom)
    this.freeRuns.set(other.freeRuns)
    this.freeRunBits.set(other.freeRunBits)
  }

  /** The last page of the page map stands as a border that no free run can merge with. */
  private markReserved(): void {
    const page = this.firstPage - 1
    this.words[(page << PAGE_MAP_SHIFT) + RUN_START] = page
    this.words[(page << PAGE_MAP_SHIFT) + RUN_KIND] = KIND_RESERVED
  }

  private openSpan(sizeClass: number): number {
    const pages = CLASS_PAGES[sizeClass]
    const span = this.takeRun(pages)
    if (span === 0) return 0
    const words = this.words
    const run = span << PAGE_MAP_SHIFT
    words[run + RUN_KIND] = sizeClass
    words[run + RUN_FREE_HEAD] = 0
    words[run + RUN_UNUSED] = span << PAGE_REF_SHIFT
    words[run + RUN_LIVE_COUNT] = 0
    for (let page = span; page < span + pages; page++) {
      words[(page << PAGE_MAP_SHIFT) + RUN_START] = span
    }
    this.linkSpan(span, sizeClass)
    return span
  }

  private linkSpan(span: number, sizeClass: number): void {
    const words = this.words
    const head = this.spansWithRoom[sizeClass]
    words[(span << PAGE_MAP_SHIFT) + RUN_PREVIOUS] = 0
    words[(span << PAGE_MAP_SHIFT) + RUN_NEXT] = head
    if (head !== 0) words[(head << PAGE_MAP_SHIFT) + RUN_PREVIOUS] = span
    this.spansWithRoom[sizeClass] = span
  }

  private unlinkSpan(span: number, sizeClass: number): void {
    const words = this.words
    const previous = words[(span << PAGE_MAP_SHIFT) + RUN_PREVIOUS]
    const next = words[(span << PAGE_MAP_SHIFT) + RUN_NEXT]
    if (previous !== 0) words[(previous << PAGE_MAP_SHIFT) + RUN_NEXT] = next
    else this.spansWithRoom[sizeClass] = next
    if (next !== 0) words[(next << PAGE_MAP_SHIFT) + RUN_PREVIOUS] = previous
  }

  /** Gives an empty span back unless it is the last with room: one block may come and go. */
  private spanEmptied(span: number, sizeClass: number): void {
    const words = this.words
    const run = span << PAGE_MAP_SHIFT
    if (words[run + RUN_NEXT] === 0 && words[run + RUN_PREVIOUS] === 0) {
      words[run + RUN_FREE_HEAD] = 0
      words[run + RUN_UNUSED] = span << PAGE_REF_SHIFT
      return
    }
    this.unlinkSpan(span, sizeClass)
    this.giveRun(span, CLASS_PAGES[sizeClass])
  }

  /** Gives back the empty spans kept by `spanEmptied`; answers whether there were any. */
  private releaseEmptySpans(): boolean {
    let released = false
    for (let sizeClass = 0; sizeClass < CLASS_COUNT; sizeClass++) {
      let span = this.spansWithRoom[sizeClass]
      while (span !== 0) {
        const run = span << PAGE_MAP_SHIFT
        const next = this.words[run + RUN_NEXT]
        if (this.words[run + RUN_LIVE_COUNT] === 0) {
          this.unlinkSpan(span, sizeClass)
          this.giveRun(span, CLASS_PAGES[sizeClass])
          released = true
          // At most one span of a class is empty.
          break
        }
        span = next
      }
    }
    return released
  }

  private allocateLarge(sizeBytes: number): Ref {
    if (sizeBytes > this.capacityBytes) return 0
    const pages = (sizeBytes + PAGE_SIZE_BYTES - 1) >>> PAGE_SHIFT
    const page = this.takeRun(pages)
    if (page === 0) return 0
    this.markRun(page, pages, KIND_LARGE)
    this.usedBytes += pages << PAGE_SHIFT
    return page << PAGE_REF_SHIFT
  }

  private freeLarge(page: number): void {
    const pages = this.words[(page << PAGE_MAP_SHIFT) + RUN_PAGE_COUNT]
    this.usedBytes -= pages << PAGE_SHIFT
    this.giveRun(page, pages)
  }

  /** Grows or shrinks a large block where it lies; answers whether that was possible. */
  private resizeLarge(page: number, pages: number): boolean {
    const words = this.words
    const oldPages = words[(page << PAGE_MAP_SHIFT) + RUN_PAGE_COUNT]
    const end = page + oldPages
    const grownBy = pages - oldPages
    if (grownBy > 0) {
      if (end === this.topPage) {
        if (end + grownBy > this.pageCount) return false
        this.raiseTop(end + grownBy)
      } else {
        const run = end << PAGE_MAP_SHIFT
        if (words[run + RUN_KIND] !== KIND_FREE) return false
        const roomPages = words[run + RUN_PAGE_COUNT]
        if (roomPages < grownBy) return false
        this.unlistRun(end, roomPages)
        if (roomPages > grownBy) this.listRun(end + grownBy, roomPages - grownBy)
      }
      this.usedPageCount += grownBy
    }
    this.markRun(page, pages, KIND_LARGE)
    this.usedBytes += grownBy << PAGE_SHIFT
    if (grownBy < 0) this.giveRun(page + pages, -grownBy)
    return true
  }

  private markRun(page: number, pages: number, kind: number): void {
    const words = this.words
    words[(page << PAGE_MAP_SHIFT) + RUN_KIND] = kind
    words[(page << PAGE_MAP_SHIFT) + RUN_PAGE_COUNT] = pages
    words[(page << PAGE_MAP_SHIFT) + RUN_START] = page
    words[((page + pages - 1) << PAGE_MAP_SHIFT) + RUN_START] = page
  }

  /** A run of pages for the caller to mark, 0 when there is no room. */
  private takeRun(pages: number): number {
    let page = this.findRun(pages)
    if (page === 0 && this.topPage + pages > this.pageCount) {
      if (!this.releaseEmptySpans()) return 0
      page = this.findRun(pages)
      if (page === 0 && this.topPage + pages > this.pageCount) return 0
    }
    if (page !== 0) {
      const foundPages = this.words[(page << PAGE_MAP_SHIFT) + RUN_PAGE_COUNT]
      this.unlistRun(page, foundPages)
      if (foundPages > pages) this.listRun(page + pages, foundPages - pages)
    } else {
      page = this.topPage
      this.raiseTop(page + pages)
    }
    this.usedPageCount += pages
    return page
  }

  private raiseTop(topPage: number): void {
    this.topPage = topPage
    if (topPage > this.topPageMax) this.topPageMax = topPage
  }

  /** Takes a run of pages back and joins it to its free neighbours. */
  private giveRun(page: number, pages: number): void {
    const words = this.words
    this.usedPageCount -= pages
    const before = words[((page - 1) << PAGE_MAP_SHIFT) + RUN_START]
    if (words[(before << PAGE_MAP_SHIFT) + RUN_KIND] === KIND_FREE) {
      this.unlistRun(before, page - before)
      pages += page - before
      page = before
    }
    const after = page + pages
    if (after === this.topPage) {
      this.topPage = page
      return
    }
    if (words[(after << PAGE_MAP_SHIFT) + RUN_KIND] === KIND_FREE) {
      const afterPages = words[(after << PAGE_MAP_SHIFT) + RUN_PAGE_COUNT]
      this.unlistRun(after, afterPages)
      pages += afterPages
    }
    this.listRun(page, pages)
  }

  /** The first page of a free run of at least `pages`, close to the best fit; or 0. */
  private findRun(pages: number): number {
    const words = this.words
    let bin = this.firstFilledBin(freeBin(pages))
    while (bin >= 0) {
      let best = 0
      let bestPages = this.pageCount + 1
      let run = this.freeRuns[bin]
      for (let probes = 0; run !== 0 && probes < FREE_BIN_PROBES; probes++) {
        const runPages = words[(run << PAGE_MAP_SHIFT) + RUN_PAGE_COUNT]
        if (runPages >= pages && runPages < bestPages) {
          best = run
          bestPages = runPages
          if (runPages === pages) break
        }
        run = words[(run << PAGE_MAP_SHIFT) + RUN_NEXT]
      }
      if (best !== 0) return best
      bin = this.firstFilledBin(bin + 1)
    }
    return 0
  }

  private firstFilledBin(bin: number): number {
    let index = bin >>> 5
    if (index >= this.freeRunBits.length) return -1
    let bits = this.freeRunBits[index] & (-1 << (bin & 31))
    while (bits === 0) {
      if (++index === this.freeRunBits.length) return -1
      bits = this.freeRunBits[index]
    }
    return (index << 5) + 31 - Math.clz32(bits & -bits)
  }

  private listRun(page: number, pages: number): void {
    this.markRun(page, pages, KIND_FREE)
    const words = this.words
    const bin = freeBin(pages)
    const head = this.freeRuns[bin]
    words[(page << PAGE_MAP_SHIFT) + RUN_PREVIOUS] = 0
    words[(page << PAGE_MAP_SHIFT) + RUN_NEXT] = head
    if (head !== 0) words[(head << PAGE_MAP_SHIFT) + RUN_PREVIOUS] = page
    this.freeRuns[bin] = page
    this.freeRunBits[bin >>> 5] |= 1 << (bin & 31)
  }

  private unlistRun(page: number, pages: number): void {
    const words = this.words
    const previous = words[(page << PAGE_MAP_SHIFT) + RUN_PREVIOUS]
    const next = words[(page << PAGE_MAP_SHIFT) + RUN_NEXT]
    // The page may become the border of a neighbour: it must not look free.
    words[(page << PAGE_MAP_SHIFT) + RUN_KIND] = KIND_RESERVED
    if (next !== 0) words[(next << PAGE_MAP_SHIFT) + RUN_PREVIOUS] = previous
    if (previous !== 0) {
      words[(previous << PAGE_MAP_SHIFT) + RUN_NEXT] = next
      return
    }
    const bin = freeBin(pages)
    this.freeRuns[bin] = next
    if (next === 0) this.freeRunBits[bin >>> 5] &= ~(1 << (bin & 31))
  }
}

/** The size of the block that `allocate(sizeBytes)` hands out. */
export function roundedSizeBytes(sizeBytes: number): number {
  if (sizeBytes <= SMALL_BLOCK_SIZE_MAX) return CLASS_SIZES[CLASS_OF_UNITS[(sizeBytes + 7) >>> 3]]
  return ((sizeBytes + PAGE_SIZE_BYTES - 1) >>> PAGE_SHIFT) << PAGE_SHIFT
}

/** The bin of free runs of a page count. */
export function freeBin(pages: number): number {
  if (pages < 64) return pages
  const log = 31 - Math.clz32(pages)
  return 64 + ((log - 6) << 3) + ((pages >>> (log - 3)) & 7)
}

function makeClassSizes(): Int32Array {
  const sizes: number[] = []
  for (let size = 8; size <= 128; size += 8) sizes.push(size)
  for (let base = 128; base < SMALL_BLOCK_SIZE_MAX; base *= 2) {
    for (let step = 1; step <= 8; step++) sizes.push(base + (base / 8) * step)
  }
  return Int32Array.from(sizes)
}

/** The fewest pages that hold at least four blocks and waste at most a sixteenth. */
function spanPages(size: number): number {
  for (let pages = 1; ; pages++) {
    const spanSize = pages * PAGE_SIZE_BYTES
    if (spanSize >= 4 * size && (spanSize % size) * 16 <= spanSize) return pages
  }
}

// alloc: once, at start
function makeClassOfUnits(): Uint8Array {
  const classes = new Uint8Array(SMALL_BLOCK_SIZE_MAX / 8 + 1)
  let sizeClass = 0
  for (let units = 0; units < classes.length; units++) {
    if (units * 8 > CLASS_SIZES[sizeClass]) sizeClass++
    classes[units] = sizeClass
  }
  return classes
}
