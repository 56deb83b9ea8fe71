/**
 * How many nodes Redis's radix tree would need for the nodes of a stream: XINFO tells it.
 *
 * Such a tree keeps a prefix that keys share once. It has a node for each key's end, one for each
 * place where keys part, and one for each run of bytes from such a place to the next.
 *
 * Thread: core.
 * Owns: nothing.
 * Never: builds the tree; what neighbouring keys share says enough.
 */
import type { Arena, Ref } from '../../../memory/arena.ts'
import { byteTreeFirst, byteTreeNext, TreePosition } from '../../../memory/byte-tree.ts'
import { ID_BYTES, loadKey, StreamId, writeRawId } from './id.ts'

const NONE = -1

/** `nodes`: the byte tree of a stream's nodes. */
export function radixNodeCount(arena: Arena, nodes: Ref): number {
  const position = new TreePosition()
  const id = new StreamId()
  const key = Buffer.alloc(ID_BYTES)
  const before = Buffer.alloc(ID_BYTES)
  // Where keys so far part on the way to the key at hand, as bytes from the root.
  const forks: number[] = []
  let count = 0
  let sharedBefore = NONE
  let more = byteTreeFirst(arena, nodes, position)
  if (!more) return 1
  loadKey(arena, nodes, position, id)
  writeRawId(before, 0, id)
  while (more) {
    more = byteTreeNext(arena, position)
    let shared = NONE
    if (more) {
      loadKey(arena, nodes, position, id)
      writeRawId(key, 0, id)
      shared = sharedLength(before, key)
      key.copy(before)
    }
    count += countTo(ID_BYTES, Math.max(sharedBefore, shared))
    for (let fork = forks.at(-1) ?? NONE; fork > shared; fork = forks.at(-1) ?? NONE) {
      forks.pop()
      count += countTo(fork, Math.max(forks.at(-1) ?? NONE, shared))
    }
    if (more && forks.at(-1) !== shared) forks.push(shared)
    sharedBefore = shared
  }
  return count
}

/** The nodes of an end or fork at `depth`, with the run that leads to it from the fork above. */
function countTo(depth: number, above: number): number {
  return depth > above + 1 ? 2 : 1
}

function sharedLength(a: Buffer, b: Buffer): number {
  let length = 0
  while (a[length] === b[length]) length++
  return length
}
