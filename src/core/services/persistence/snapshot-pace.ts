/**
 * How fast a snapshot is taken: in slices between the batches of the loop. A slice is a part of the
 * time that the batch before it took, so that clients notice little; an idle core gives all its time,
 * slice by slice.
 *
 * Thread: core.
 * Owns: when the walk goes on, how long its slices were, and how far it may be ahead of the disk.
 * Never: lets a slice go on beyond its time, except within one value.
 */
import {
  SNAPSHOT_SLICE_SHARE,
  SNAPSHOT_SLICE_US_MAX,
  SNAPSHOT_SLICE_US_MIN,
} from '../../../config/limits.ts'
import type { Snapshot } from '../../keyspace/snapshot.ts'
import type { Server } from '../../server.ts'

/** Entries between two looks at the clock. */
const CLOCK_PERIOD = 8
/** How long the system sleeps at least when it is asked for a microsecond. */
const SHORTEST_SLEEP_US = 60
/** How often an idle core looks whether the disk thread has made room, should nobody wake it. */
const ROOM_WAIT_MS = 5
/** A file goes on while less than this share of the ring to the disk thread is on its way. */
const RING_SHARE_MAX = 0.5
/** The same where clients wait for the append-only file: what they wait for is behind it in the ring. */
const RING_SHARE_MAX_AWAITED = 1 / 16

export class SnapshotPace {
  readonly #server: Server
  /** Of all slices since the start, microseconds; a single huge value can make one long. */
  longestSliceUs = 0
  #snapshot: Snapshot | undefined = undefined
  #startedUs = 0
  #endedUs = 0
  #untilUs = 0
  #count = 0
  /** The directive rdb-key-save-delay when the snapshot began; 0: none. */
  #delayUs = 0
  readonly #mayGoOn = () => this.#hasTime()

  constructor(server: Server) {
    this.#server = server
  }

  /** A turn of the loop is over, in which so many requests were executed. */
  turn(requests: number): void {
    const { keyspace, clock } = this.#server
    const snapshot = keyspace.snapshot
    if (snapshot === undefined) return
    const nowUs = clock.microseconds()
    if (snapshot !== this.#snapshot) this.#begin(snapshot, nowUs)
    const busyUs = (nowUs - this.#endedUs) * SNAPSHOT_SLICE_SHARE
    const shareUs = Math.min(Math.max(busyUs, SNAPSHOT_SLICE_US_MIN), SNAPSHOT_SLICE_US_MAX)
    this.#untilUs = nowUs + (requests === 0 ? SNAPSHOT_SLICE_US_MAX : shareUs)
    this.#count = 0
    snapshot.walk(this.#mayGoOn)
    this.#endedUs = clock.microseconds()
    this.longestSliceUs = Math.max(this.longestSliceUs, Math.round(this.#endedUs - nowUs))
    if (keyspace.snapshot !== snapshot) this.#snapshot = undefined
  }

  /** How long an idle core may sleep: 0 when the walk goes on, Infinity when there is none. */
  get waitMs(): number {
    const { snapshot } = this.#server.keyspace
    if (snapshot === undefined) return Number.POSITIVE_INFINITY
    return snapshot.isStalled || this.#delayUs !== 0 ? ROOM_WAIT_MS : 0
  }

  /** Whether a file that a snapshot becomes may send more to the disk thread. */
  hasRoomOnDisk(): boolean {
    const { disk, outbox } = this.#server
    return disk.hasRoom(outbox.withheld.isOn ? RING_SHARE_MAX_AWAITED : RING_SHARE_MAX)
  }

  #begin(snapshot: Snapshot, nowUs: number): void {
    this.#snapshot = snapshot
    this.#startedUs = nowUs
    this.#endedUs = nowUs
    this.#delayUs = this.#server.settings.int('rdb-key-save-delay')
  }

  #hasTime(): boolean {
    if (this.#delayUs !== 0 && !this.#isDue()) return false
    if (this.#count++ % CLOCK_PERIOD !== 0) return true
    return this.#count === 1 || this.#server.clock.microseconds() < this.#untilUs
  }

  /** A delay of -n is Redis's for a microsecond's sleep every n keys. */
  #isDue(): boolean {
    const delayUs = this.#delayUs > 0 ? this.#delayUs : SHORTEST_SLEEP_US / -this.#delayUs
    const elapsedUs = this.#server.clock.microseconds() - this.#startedUs
    const given = this.#snapshot?.givenCount ?? 0
    return elapsedUs >= given * delayUs
  }
}
