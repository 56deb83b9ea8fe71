/**
 * `cluster-config-file`: what a node remembers of its cluster, in Redis's own words.
 *
 *     <id> <ip>:<port>@<bus port> myself,master - 0 0 <epoch> connected 0-100 200
 *     vars currentEpoch 1 lastVoteEpoch 0
 *
 * Thread: core.
 * Owns: the format.
 * Never: reads or writes a file: the main thread does.
 */
import { SLOT_COUNT } from '../../../lib/crc16.ts'
import type { ClusterState, SlotRange } from './cluster.ts'

const ID = /^[0-9a-f]{40}$/
const FIELDS_BEFORE_SLOTS = 8
const EPOCH_FIELD = 6

/** Gives what is wrong with the text instead, in words. */
export function parseNodesFile(text: string): ClusterState | string {
  let state: ClusterState | undefined
  let currentEpoch = 0
  for (const line of text.split('\n')) {
    const words = line.trim().split(/\s+/)
    if (words[0] === '') continue
    if (words[0] === 'vars') {
      currentEpoch = Number(words[words.indexOf('currentEpoch') + 1] ?? 0)
      continue
    }
    if (!ID.test(words[0]) || words.length < FIELDS_BEFORE_SLOTS) return `'${line}' is no node`
    if (!words[2].split(',').includes('myself')) {
      return 'it names other nodes, and Redbun has no cluster bus to reach them by'
    }
    const slots = words.slice(FIELDS_BEFORE_SLOTS).map(parseRange)
    if (slots.includes(undefined)) return `'${line}' has slots that are none`
    state = {
      id: words[0],
      slots: slots as SlotRange[],
      configEpoch: Number(words[EPOCH_FIELD]) || 0,
      currentEpoch: 0,
    }
  }
  return state === undefined ? 'it does not name this node' : { ...state, currentEpoch }
}

function parseRange(word: string): SlotRange | undefined {
  const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(word) ?? []
  if (first === undefined || Number(last) >= SLOT_COUNT || Number(first) > Number(last)) {
    return undefined
  }
  return { first: Number(first), last: Number(last) }
}

/** `address`: '<ip>:<port>@<bus port>'. */
export function nodesFileText(state: ClusterState, address: string): string {
  const { id, slots, configEpoch, currentEpoch } = state
  const ranges = slots.map(({ first, last }) =>
    first === last ? ` ${first}` : ` ${first}-${last}`,
  )
  return (
    `${id} ${address} myself,master - 0 0 ${configEpoch} connected${ranges.join('')}\n` +
    `vars currentEpoch ${currentEpoch} lastVoteEpoch 0\n`
  )
}
