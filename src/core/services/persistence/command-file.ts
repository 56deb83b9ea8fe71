/**
 * A base of the append-only file that consists of commands.
 *
 * Thread: core.
 * Owns: the way from the keys to the disk thread.
 * Never: decides when a file is made, or what a failure means.
 */
import type { FromDisk } from '../../../bridge/disk-control.ts'
import { DISK_RECORD_SIZE } from '../../../config/limits.ts'
import { argvSize, writeArgv } from '../../../lib/resp/command-writer.ts'
import type { Arena, Ref } from '../../../memory/arena.ts'
import type { JobOwner } from '../../engine/disk-link.ts'
import { rewriteEntry } from '../../keyspace/rewrite.ts'
import { giveAll, type Snapshot, type SnapshotSink } from '../../keyspace/snapshot.ts'
import type { Server } from '../../server.ts'
import type { RdbFileOptions, RdbOutcome } from './rdb-file.ts'

const SELECT = Buffer.from('SELECT')
const FUNCTION = Buffer.from('FUNCTION')
const LOAD = Buffer.from('LOAD')

export class CommandFile implements SnapshotSink, JobOwner {
  readonly #server: Server
  readonly #onOutcome: (outcome: RdbOutcome) => void
  readonly #job: number
  #bytes = Buffer.allocUnsafe(DISK_RECORD_SIZE)
  #size = 0
  #dbIndex = -1
  #snapshot: Snapshot | undefined = undefined
  #isWanted = true

  /** Begins a file. `onOutcome` is called when it is in its place, or will never be. */
  constructor(server: Server, options: RdbFileOptions, onOutcome: (outcome: RdbOutcome) => void) {
    const { directory, name, temporaryName, syncsAsItGoes = true } = options
    this.#server = server
    this.#onOutcome = onOutcome
    this.#job = server.disk.begin(
      { type: 'plain-save', points: 'rdb', directory, name, temporaryName, syncsAsItGoes },
      this,
    )
  }

  /** Begins the snapshot that becomes the file. */
  takeSnapshot(): Snapshot {
    this.#begin()
    this.#snapshot = this.#server.keyspace.takeSnapshot(this)
    return this.#snapshot
  }

  /** Takes everything that there is now and waits for the outcome. */
  takeAll(): void {
    const { keyspace, disk } = this.#server
    this.#begin()
    giveAll(keyspace.dbs, this)
    disk.waitFor(this.#job)
  }

  /** Gives the file up. `onOutcome` is not called. */
  abandon(): void {
    this.#isWanted = false
    this.#snapshot?.abandon()
    const { disk } = this.#server
    if (disk.isOpen(this.#job)) disk.tell(this.#job, { type: 'abort' })
  }

  entry(dbIndex: number, arena: Arena, ref: Ref): void {
    if (dbIndex !== this.#dbIndex) {
      this.#dbIndex = dbIndex
      this.#command([SELECT, Buffer.from(String(dbIndex))])
    }
    rewriteEntry(arena, ref, (argv) => this.#command(argv))
  }

  hasRoom(): boolean {
    return this.#server.snapshotPace.hasRoomOnDisk()
  }

  ended(): void {
    this.#flush()
    this.#server.disk.tell(this.#job, { type: 'plain-end' })
  }

  told(message: FromDisk): void {
    if (!this.#isWanted) return
    if (message.type === 'done') return this.#onOutcome({ size: message.size })
    if (message.type !== 'failed') return
    this.#snapshot?.abandon()
    this.#onOutcome({ problem: message.problem })
  }

  #begin(): void {
    const { settings, clock } = this.#server
    if (settings.bool('aof-timestamp-enabled')) {
      this.#size += this.#bytes.latin1Write(`#TS:${Math.floor(clock.nowMs / 1000)}\r\n`, 0)
    }
    for (const { code } of this.#server.scripting.functions.libraries()) {
      this.#command([FUNCTION, LOAD, code])
    }
  }

  #command(argv: readonly Uint8Array[]): void {
    const size = argvSize(argv)
    if (size > this.#bytes.length - this.#size) {
      this.#flush()
      if (size > this.#bytes.length) this.#bytes = Buffer.allocUnsafe(size)
    }
    this.#size = writeArgv(this.#bytes, this.#size, argv)
  }

  #flush(): void {
    this.#server.disk.send(this.#job, this.#bytes, 0, this.#size)
    this.#size = 0
    if (this.#bytes.length > DISK_RECORD_SIZE) this.#bytes = Buffer.allocUnsafe(DISK_RECORD_SIZE)
  }
}
