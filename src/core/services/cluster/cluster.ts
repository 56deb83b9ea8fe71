/**
 * This server as the only node of a cluster: which hash slots it serves, and the gate that keeps a
 * call to one slot. There is no bus, so there are no other nodes.
 *
 * DIFFERS: a new node of Redis serves no slot until somebody gives it some, since others may. This
 * one serves all from the start, since there is nobody else. Somebody may give it each once for all that.
 *
 * Thread: core.
 * Owns: the node's id, its epochs and its slots.
 * Never: knows what a command does: key specifications say where its keys are.
 * @see https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/
 */
import { joined, keySlot, NO_SLOT, SEVERAL_SLOTS, SLOT_COUNT } from '../../../lib/crc16.ts'
import { findKeys } from '../../command/key-specs.ts'
import { type CommandEntry, FLAG_READONLY, FLAG_WRITE } from '../../command/table.ts'
import type { Args } from '../../engine/args.ts'
import type { Call } from '../../engine/call.ts'
import { CommandError } from '../../engine/errors.ts'
import type { Server } from '../../server.ts'
import { nodesFileText, parseNodesFile } from './nodes-file.ts'

const NOT_OWNED = 0
const OWNED = 1
/** Served without anybody having said so. */
const ASSUMED = 2
const BUS_PORT_DISTANCE = 10000
const CROSS_SLOT = new CommandError("CROSSSLOT Keys in request don't hash to the same slot")
const NOT_SERVED = new CommandError('CLUSTERDOWN Hash slot not served')
const DOWN = new CommandError('CLUSTERDOWN The cluster is down')
const DOWN_READ_ONLY = new CommandError(
  'CLUSTERDOWN The cluster is down and only accepts read commands',
)

const SCRIPT_CROSS_SLOT = 'Script attempted to access keys that do not hash to the same slot'
const SCRIPT_NOT_LOCAL = 'Script attempted to access a non local key in a cluster node'
const SCRIPT_DOWN = 'Script attempted to execute a command while the cluster is down'
const OWN_ERRORS = new Set([CROSS_SLOT, NOT_SERVED, DOWN, DOWN_READ_ONLY])

/** A row of slots, both ends included. */
export interface SlotRange {
  readonly first: number
  readonly last: number
}

/** What a script that runs says of the keys it has used. */
export interface ScriptSlot {
  slot: number
  readonly allowCrossSlot: boolean
}

/** What there is of an earlier run. */
export type NodesFile = { readonly text: string } | { readonly problem: string }

/** What outlives the process. */
export interface ClusterState {
  readonly id: string
  readonly slots: readonly SlotRange[]
  readonly configEpoch: number
  readonly currentEpoch: number
}

export class Cluster {
  readonly enabled: boolean
  readonly #server: Server
  readonly #owned = new Uint8Array(SLOT_COUNT)
  #ownedCount = 0
  id: string
  configEpoch = 0
  currentEpoch = 0

  /** Why this node cannot be what it was before; empty: it can. */
  readonly problem: string
  readonly #isNew: boolean

  /** `file`: what an earlier run has left; undefined: there was none. */
  constructor(server: Server, file: NodesFile | undefined) {
    this.#server = server
    this.enabled = server.settings.bool('cluster-enabled')
    let saved: ClusterState | undefined
    let problem = ''
    if (file !== undefined) {
      const outcome = 'problem' in file ? file.problem : parseNodesFile(file.text)
      if (typeof outcome === 'string') problem = outcome
      else saved = outcome
    }
    this.problem = problem
    this.#isNew = saved === undefined
    this.id = saved?.id ?? server.randomId()
    this.configEpoch = saved?.configEpoch ?? 0
    this.currentEpoch = saved?.currentEpoch ?? 0
    for (const { first, last } of saved?.slots ?? []) {
      for (let slot = first; slot <= last; slot++) this.take(slot)
    }
    if (saved === undefined) {
      this.#owned.fill(ASSUMED)
      this.#ownedCount = SLOT_COUNT
    }
  }

  /** A new node writes down who it is. */
  begin(): void {
    if (!this.enabled) return
    const { log, control, settings } = this.#server
    if (this.problem !== '') {
      const name = settings.raw('cluster-config-file')
      const text = `Unrecoverable error: corrupted cluster config file "${name}": ${this.problem}`
      return control.send({ type: 'fatal', text })
    }
    if (!this.#isNew) return log.notice(`Node configuration loaded, I'm ${this.id}`)
    log.notice(`No cluster configuration found, I'm ${this.id}`)
    this.save((problem) => {
      if (problem !== '') log.warning(`Could not write cluster-config-file: ${problem}`)
    })
  }

  get ownedCount(): number {
    return this.#ownedCount
  }

  /** False while a slot is served by nobody, unless the settings do not mind. */
  get isUp(): boolean {
    const needsAll = this.#server.settings.bool('cluster-require-full-coverage')
    return !needsAll || this.#ownedCount === SLOT_COUNT
  }

  owns(slot: number): boolean {
    return this.#owned[slot] !== NOT_OWNED
  }

  /** Somebody may give the slot to this node. */
  isFree(slot: number): boolean {
    return this.#owned[slot] !== OWNED
  }

  take(slot: number): void {
    if (this.#owned[slot] === NOT_OWNED) this.#ownedCount++
    this.#owned[slot] = OWNED
  }

  give(slot: number): void {
    if (this.#owned[slot] === NOT_OWNED) return
    this.#owned[slot] = NOT_OWNED
    this.#ownedCount--
  }

  giveAll(): void {
    this.#owned.fill(NOT_OWNED)
    this.#ownedCount = 0
  }

  /** The rows of slots that are served. */
  ranges(): SlotRange[] {
    const ranges: SlotRange[] = []
    for (let slot = 0; slot < SLOT_COUNT; slot++) {
      if (!this.owns(slot)) continue
      const first = slot
      while (slot + 1 < SLOT_COUNT && this.owns(slot + 1)) slot++
      ranges.push({ first, last: slot })
    }
    return ranges
  }

  /** Begins to be another node, with nothing. */
  becomeNew(): void {
    this.id = this.#server.randomId()
    this.configEpoch = 0
    this.currentEpoch = 0
  }

  /** Writes down what outlives the process. `saved` is told what went wrong, if anything. */
  save(saved: (problem: string) => void = () => {}): void {
    const { settings, control } = this.#server
    const port = settings.int('port')
    const busPort = settings.int('cluster-port') || port + BUS_PORT_DISTANCE
    const address = `${settings.text('cluster-announce-ip')}:${port}@${busPort}`
    const text = nodesFileText(
      {
        id: this.id,
        slots: this.ranges(),
        configEpoch: this.configEpoch,
        currentEpoch: this.currentEpoch,
      },
      address,
    )
    const path = settings.raw('cluster-config-file')
    control.ask((number) => ({ type: 'text-write', number, path, text }), saved)
  }

  /** Why a call may not be made; undefined: it may. `flags`: what it, or its queue, does. */
  refusal(call: Call, entry: CommandEntry, flags: number): CommandError | undefined {
    const { queue } = call.session
    let slot: number
    if (queue !== undefined && entry.definition.inTransaction === 'executes') slot = queue.slot
    else slot = this.slotOf(entry, call.args)
    if (slot === NO_SLOT) return undefined
    if (slot === SEVERAL_SLOTS) return CROSS_SLOT
    if (!this.owns(slot)) return NOT_SERVED
    if (queue !== undefined) queue.joinSlot(slot)
    return this.isUp ? undefined : this.#whileDown(entry, flags)
  }

  /** Why a script may not make a call; '' when it may. `run`: remembers the slot of its keys. */
  scriptRefusal(entry: CommandEntry, args: Args, run: ScriptSlot): string {
    const slot = this.slotOf(entry, args)
    if (slot === NO_SLOT) return ''
    if (slot === SEVERAL_SLOTS || !this.owns(slot)) return SCRIPT_NOT_LOCAL
    if (!this.isUp && this.#whileDown(entry, entry.flagBits) !== undefined) return SCRIPT_DOWN
    if (run.slot === NO_SLOT) run.slot = slot
    return run.slot === slot || run.allowCrossSlot ? '' : SCRIPT_CROSS_SLOT
  }

  /** These are told as they are, also where they end a transaction. */
  isOwnError(error: CommandError): boolean {
    return OWN_ERRORS.has(error)
  }

  #whileDown(entry: CommandEntry, flags: number): CommandError | undefined {
    const { settings } = this.#server
    if (isShardChannel(entry)) {
      return settings.bool('cluster-allow-pubsubshard-when-down') ? undefined : DOWN
    }
    if (!settings.bool('cluster-allow-reads-when-down')) return DOWN
    const readsOnly = (flags & FLAG_READONLY) !== 0 && (flags & FLAG_WRITE) === 0
    return readsOnly ? undefined : DOWN_READ_ONLY
  }

  /** The slot of a call's keys, or of its shard channels; NO_SLOT, SEVERAL_SLOTS. */
  slotOf(entry: CommandEntry, args: Args): number {
    if (isShardChannel(entry)) {
      const { first, last } = channelRange(entry, args)
      return slotOfRange(args, first, last)
    }
    if (entry.keySpecs.length === 0) return NO_SLOT
    const { firstKeyIndex } = entry
    const isPlain = firstKeyIndex > 0 && entry.keySpecs.length === 1 && entry.keyStep > 0
    if (isPlain && entry.lastKey === entry.firstKey) {
      return argumentSlot(args, firstKeyIndex)
    }
    const keys = findKeys(entry.definition, entry.keySpecs, args) ?? []
    let slot = NO_SLOT
    for (const { index } of keys) slot = joined(slot, argumentSlot(args, index))
    return slot
  }
}

function slotOfRange(args: Args, first: number, last: number): number {
  let slot = NO_SLOT
  for (let i = first; i <= last; i++) slot = joined(slot, argumentSlot(args, i))
  return slot
}

export function argumentSlot(args: Args, index: number): number {
  const at = args.offsets[index]
  return keySlot(args.bytes, at, at + args.lengths[index])
}

/** What stands where keys stand, but is none: the channels that belong to slots. */
function isShardChannel({ keySpecs }: CommandEntry): boolean {
  return keySpecs.length > 0 && keySpecs[0].flags.includes('not_key')
}

function channelRange({ keySpecs }: CommandEntry, args: Args): SlotRange {
  const [{ begin, find }] = keySpecs
  const first = typeof begin === 'object' && 'index' in begin ? begin.index : 1
  const last = typeof find === 'object' && 'lastKey' in find ? find.lastKey : 0
  return { first, last: last < 0 ? args.count + last : first + last }
}
