/**
 * One RDB file in the making: takes entries, of a snapshot or all at once, and tells what became of it.
 *
 * Thread: core.
 * Owns: the way from the keys to the disk thread.
 * Never: decides when a file is made, or what a failure means.
 */
import type { DiskProblem, FromDisk } from '../../../bridge/disk-control.ts'
import type { Arena, Ref } from '../../../memory/arena.ts'
import type { JobOwner } from '../../engine/disk-link.ts'
import {
  giveAll,
  type Snapshot,
  type SnapshotSink,
  snapshotTables,
} from '../../keyspace/snapshot.ts'
import type { Server } from '../../server.ts'
import { RdbBody, type RdbBodyOptions } from './rdb-body.ts'
import { RdbStream } from './rdb-stream.ts'

export interface RdbFileOptions extends RdbBodyOptions {
  /** Bytes one a character, as `dir` and `dbfilename` are. */
  readonly directory: string
  readonly name: string
  readonly temporaryName: string
  /** Another directive than rdb-save-incremental-fsync decides about that. */
  readonly syncsAsItGoes?: boolean
  /** Whether clients are served meanwhile. */
  readonly isBackground: boolean
}

/** What became of a file: its size, or what went wrong. */
export type RdbOutcome = { readonly size: number } | { readonly problem: DiskProblem }

export class RdbFile implements SnapshotSink, JobOwner {
  readonly #server: Server
  readonly #options: RdbFileOptions
  readonly #stream: RdbStream
  readonly #body: RdbBody
  readonly #onOutcome: (outcome: RdbOutcome) => void
  readonly #job: number
  #snapshot: Snapshot | undefined = undefined
  #isWanted = true

  /** Begins a file. `onOutcome` is called when it is in its place, or will never be. */
  constructor(server: Server, options: RdbFileOptions, onOutcome: (outcome: RdbOutcome) => void) {
    const { settings, disk } = server
    this.#server = server
    this.#options = options
    this.#stream = new RdbStream(disk)
    this.#body = new RdbBody(server, this.#stream.writer)
    this.#onOutcome = onOutcome
    this.#job = this.#stream.begin(
      {
        type: 'rdb-save',
        directory: options.directory,
        name: options.name,
        temporaryName: options.temporaryName,
        checksum: settings.bool('rdbchecksum'),
        givesWay: options.isBackground && !server.outbox.withheld.isOn,
        syncsAsItGoes: options.syncsAsItGoes ?? settings.bool('rdb-save-incremental-fsync'),
      },
      settings.bool('rdbcompression'),
      this,
    )
  }

  /** Begins the snapshot that becomes the file. */
  takeSnapshot(): Snapshot {
    this.#snapshot = this.#server.keyspace.takeSnapshot(this)
    this.#body.begin(this.#snapshot.tables, this.#options)
    return this.#snapshot
  }

  /** Takes everything that there is now and waits for the outcome. `each`: before every key. */
  takeAll(each?: () => void): void {
    const { keyspace, disk } = this.#server
    this.#body.begin(snapshotTables(keyspace.dbs), this.#options)
    giveAll(keyspace.dbs, this, each)
    disk.waitFor(this.#job)
  }

  /** Gives the file up. `onOutcome` is not called. */
  abandon(): void {
    this.#isWanted = false
    this.#snapshot?.abandon()
    if (this.#server.disk.isOpen(this.#job)) this.#stream.abort()
  }

  entry(dbIndex: number, arena: Arena, ref: Ref): void {
    this.#body.entry(dbIndex, arena, ref)
  }

  hasRoom(): boolean {
    return this.#server.snapshotPace.hasRoomOnDisk()
  }

  ended(): void {
    this.#stream.end(this.#body.version)
  }

  told(message: FromDisk): void {
    if (!this.#isWanted) return
    if (message.type === 'done') return this.#onOutcome({ size: message.size })
    if (message.type !== 'failed') return
    this.#snapshot?.abandon()
    this.#onOutcome({ problem: message.problem })
  }
}
