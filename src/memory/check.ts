/**
 * The checker: proves that an arena is sound and that its owners account for every block once.
 *
 * Thread: core.
 * Owns: nothing.
 * Never: changes a byte.
 */

import {
  type Arena,
  CLASS_CAPACITIES,
  CLASS_COUNT,
  CLASS_PAGES,
  CLASS_SIZES,
  freeBin,
  KIND_FREE,
  KIND_LARGE,
  PAGE_MAP_SHIFT,
  PAGE_REF_SHIFT,
  PAGE_SIZE_BYTES,
  type Ref,
  RUN_FREE_HEAD,
  RUN_KIND,
  RUN_LIVE_COUNT,
  RUN_NEXT,
  RUN_PAGE_COUNT,
  RUN_PREVIOUS,
  RUN_START,
  RUN_UNUSED,
} from './arena.ts'

/** Is told the ref of a block that is in use. */
export type VisitBlock = (ref: Ref) => void

const FAULTS_MAX = 100

/**
 * All faults of an arena, none if it is sound. `enumerateBlocks` calls its visitor for every block
 * that is in use, as the owners know them.
 */
export function checkArena(
  arena: Arena,
  enumerateBlocks: (visitBlock: VisitBlock) => void,
): string[] {
  const faults = new Faults()
  const live = new LiveBlocks(arena, faults)
  let reachedCount = 0
  enumerateBlocks((ref) => {
    reachedCount++
    live.reach(ref)
  })
  if (faults.list.length === 0 && reachedCount !== live.count) live.reportUnreached()
  return faults.list
}

class Faults {
  readonly list: string[] = []

  expect(condition: boolean, text: string): void {
    if (!condition && this.list.length < FAULTS_MAX) this.list.push(text)
  }
}

/** The allocator's own live set: a bit for each ref that starts a live block. */
class LiveBlocks {
  count = 0
  private readonly arena: Arena
  private readonly faults: Faults
  private readonly bits: Uint32Array
  private readonly reachedBits: Uint32Array
  private readonly freeRunCounts: Int32Array
  private readonly spanCounts: Int32Array

  constructor(arena: Arena, faults: Faults) {
    this.arena = arena
    this.faults = faults
    const bitCount = arena.topPage << PAGE_REF_SHIFT
    this.bits = new Uint32Array((bitCount >>> 5) + 1)
    this.reachedBits = new Uint32Array((bitCount >>> 5) + 1)
    this.freeRunCounts = new Int32Array(arena.freeRuns.length)
    this.spanCounts = new Int32Array(CLASS_COUNT)
    this.walkRuns()
    this.walkLists()
  }

  reach(ref: Ref): void {
    const inRange = ref > 0 && ref < this.arena.topPage << PAGE_REF_SHIFT
    if (!inRange || !hasBit(this.bits, ref)) {
      this.faults.expect(false, `ref ${ref} is in use but not a live block`)
      return
    }
    this.faults.expect(!hasBit(this.reachedBits, ref), `ref ${ref} is in use twice`)
    setBit(this.reachedBits, ref)
  }

  reportUnreached(): void {
    for (let ref = 0; ref < this.arena.topPage << PAGE_REF_SHIFT; ref++) {
      if (!hasBit(this.bits, ref) || hasBit(this.reachedBits, ref)) continue
      const size = this.arena.blockSizeBytes(ref)
      this.faults.expect(false, `block ${ref} of ${size} bytes is live but nobody's`)
    }
  }

  /** Page runs from the first to the top: they must touch, and their sums must be the arena's. */
  private walkRuns(): void {
    const { arena, faults } = this
    let usedBytes = 0
    let usedPages = 0
    let wasFree = false
    let page = arena.firstPage
    while (page < arena.topPage) {
      const kind = pageMap(arena, page, RUN_KIND)
      faults.expect(
        pageMap(arena, page, RUN_START) === page,
        `run at page ${page} starts elsewhere`,
      )
      let pages = 0
      if (kind < CLASS_COUNT) {
        pages = CLASS_PAGES[kind]
        usedBytes += this.walkSpan(page, kind)
        usedPages += pages
      } else {
        pages = pageMap(arena, page, RUN_PAGE_COUNT)
        const last = page + pages - 1
        faults.expect(pageMap(arena, last, RUN_START) === page, `run at page ${page} has no end`)
        if (kind === KIND_LARGE) {
          usedBytes += pages * PAGE_SIZE_BYTES
          usedPages += pages
          setBit(this.bits, page << PAGE_REF_SHIFT)
          this.count++
        } else {
          faults.expect(kind === KIND_FREE, `run at page ${page} is of kind ${kind}`)
          faults.expect(!wasFree, `free run at page ${page} is not joined to the one before`)
          this.freeRunCounts[freeBin(pages)]++
        }
      }
      if (pages <= 0) {
        faults.expect(false, `run at page ${page} has ${pages} pages`)
        return
      }
      wasFree = kind === KIND_FREE
      page += pages
    }
    faults.expect(page === arena.topPage, `the last run ends at page ${page}, not ${arena.topPage}`)
    faults.expect(!wasFree, 'the last run is free: the top should be lower')
    faults.expect(usedBytes === arena.usedBytes, `used ${usedBytes}, counted ${arena.usedBytes}`)
    faults.expect(usedPages === arena.usedPageCount, `used pages ${usedPages} are not the count`)
  }

  /** Marks the live blocks of a span and answers their bytes. */
  private walkSpan(span: number, sizeClass: number): number {
    const { arena, faults } = this
    const step = CLASS_SIZES[sizeClass] >>> 3
    const start = span << PAGE_REF_SHIFT
    const capacity = CLASS_CAPACITIES[sizeClass]
    for (let page = span; page < span + CLASS_PAGES[sizeClass]; page++) {
      faults.expect(pageMap(arena, page, RUN_START) === span, `page ${page} left span ${span}`)
    }
    const unused = pageMap(arena, span, RUN_UNUSED)
    const carvedCount = (unused - start) / step
    const sound = Number.isInteger(carvedCount) && carvedCount >= 0 && carvedCount <= capacity
    faults.expect(sound, `span ${span} has its unused part at ${unused}`)
    if (!sound) return 0
    for (let index = 0; index < carvedCount; index++) setBit(this.bits, start + index * step)
    let freeCount = 0
    for (let ref = pageMap(arena, span, RUN_FREE_HEAD); ref !== 0; ref = arena.words[ref << 1]) {
      const inside = ref >= start && ref < unused && (ref - start) % step === 0
      faults.expect(inside, `free list of span ${span} leads to ${ref}`)
      if (!inside) break
      faults.expect(hasBit(this.bits, ref), `block ${ref} is free twice`)
      if (!hasBit(this.bits, ref)) break
      clearBit(this.bits, ref)
      freeCount++
    }
    const liveCount = carvedCount - freeCount
    this.count += liveCount
    const counted = pageMap(arena, span, RUN_LIVE_COUNT)
    faults.expect(counted === liveCount, `span ${span} counts ${counted} live, has ${liveCount}`)
    if (liveCount < capacity) this.spanCounts[sizeClass]++
    return liveCount * CLASS_SIZES[sizeClass]
  }

  /** The lists of spans with room and of free runs hold exactly those that the walk met. */
  private walkLists(): void {
    const { arena, faults } = this
    for (let sizeClass = 0; sizeClass < CLASS_COUNT; sizeClass++) {
      const found = this.walkList(arena.spansWithRoom[sizeClass], (span) => {
        faults.expect(
          pageMap(arena, span, RUN_KIND) === sizeClass &&
            pageMap(arena, span, RUN_LIVE_COUNT) < CLASS_CAPACITIES[sizeClass],
          `span ${span} is wrongly listed with room`,
        )
      })
      faults.expect(found === this.spanCounts[sizeClass], `class ${sizeClass} lists ${found} spans`)
    }
    for (let bin = 0; bin < arena.freeRuns.length; bin++) {
      const found = this.walkList(arena.freeRuns[bin], (run) => {
        faults.expect(
          pageMap(arena, run, RUN_KIND) === KIND_FREE &&
            freeBin(pageMap(arena, run, RUN_PAGE_COUNT)) === bin,
          `run ${run} is wrongly listed free`,
        )
      })
      faults.expect(found === this.freeRunCounts[bin], `bin ${bin} lists ${found} free runs`)
    }
  }

  private walkList(head: number, see: (page: number) => void): number {
    let count = 0
    let previous = 0
    for (let page = head; page !== 0; page = pageMap(this.arena, page, RUN_NEXT)) {
      const linked = pageMap(this.arena, page, RUN_PREVIOUS) === previous
      this.faults.expect(linked, `page ${page} does not point back to ${previous}`)
      if (!linked || count > this.arena.pageCount) break
      see(page)
      previous = page
      count++
    }
    return count
  }
}

function pageMap(arena: Arena, page: number, word: number): number {
  return arena.words[(page << PAGE_MAP_SHIFT) + word]
}

function hasBit(bits: Uint32Array, index: number): boolean {
  return (bits[index >>> 5] & (1 << (index & 31))) !== 0
}

function setBit(bits: Uint32Array, index: number): void {
  bits[index >>> 5] |= 1 << (index & 31)
}

function clearBit(bits: Uint32Array, index: number): void {
  bits[index >>> 5] &= ~(1 << (index & 31))
}
