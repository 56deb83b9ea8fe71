/**
 * A snapshot that goes to replicas by way of the file that BGSAVE writes: for those that have to know
 * its size before, and where `repl-diskless-sync` is off.
 *
 *     $<size>\r\n<bytes>
 *
 * Thread: core.
 * Owns: the save, then one reading of its file for each replica.
 * Never: reads on while a replica has more than a little to read.
 */
import type { FromDisk } from '../../../bridge/disk-control.ts'
import { SYNC_PENDING_SIZE_MAX } from '../../../config/limits.ts'
import type { JobOwner } from '../../engine/disk-link.ts'
import type { Server } from '../../server.ts'
import { removeSyncFile } from './copy-by-file.ts'
import type { RunningSync } from './full-sync.ts'
import type { Replica } from './replica.ts'
import type { Replicas } from './replicas.ts'

export class FileSync implements RunningSync {
  readonly #server: Server
  readonly #replicas: Replicas
  readonly #readings = new Map<Replica, Reading | undefined>()
  readonly #onEnd: () => void
  isPreparing = true
  lastSentMs: number
  #isOver = false
  #path = ''

  constructor(server: Server, replicas: Replicas, to: readonly Replica[], onEnd: () => void) {
    this.#server = server
    this.#replicas = replicas
    this.#onEnd = onEnd
    this.lastSentMs = server.clock.nowMs
    for (const replica of to) this.#readings.set(replica, undefined)
    server.saves.begin((isGood) => this.#saved(isGood))
  }

  has(replica: Replica): boolean {
    return this.#readings.has(replica)
  }

  forget(replica: Replica): void {
    if (!this.#readings.has(replica)) return
    this.#readings.get(replica)?.abandon()
    this.#readings.delete(replica)
    const { saves } = this.#server
    // A file that nobody waits for any more is of use only where the settings want some.
    if (this.isPreparing && this.#readings.size === 0 && saves.points().length === 0)
      saves.abandon()
    this.#endIfDone()
  }

  /** A replica's file has left. */
  sent(replica: Replica, isGood: boolean): void {
    if (!this.#readings.delete(replica)) return
    if (isGood) this.#replicas.snapshotSent(replica, false)
    else this.#server.clients.kill(replica.session)
    this.#endIfDone()
  }

  #saved(isGood: boolean): void {
    const { log, clients, settings } = this.#server
    this.isPreparing = false
    this.lastSentMs = this.#server.clock.nowMs
    if (!isGood) {
      log.warning('SYNC failed. BGSAVE child returned an error')
      for (const replica of [...this.#readings.keys()]) clients.kill(replica.session)
      return this.#endIfDone()
    }
    this.#path = `${settings.raw('dir')}/${settings.raw('dbfilename')}`
    for (const replica of this.#readings.keys()) {
      this.#readings.set(replica, new Reading(this.#server, this, replica, this.#path))
    }
    this.#endIfDone()
  }

  /** Reads on where a replica has room. */
  look(): void {
    for (const [replica, reading] of this.#readings) {
      if (reading === undefined) continue
      const { session } = replica
      const waiting = session.link.outputBytes(session)
      if (waiting < SYNC_PENDING_SIZE_MAX) this.lastSentMs = this.#server.clock.nowMs
      reading.goOn(SYNC_PENDING_SIZE_MAX - waiting)
    }
  }

  #endIfDone(): void {
    if (this.#isOver || this.#readings.size > 0 || this.isPreparing) return
    this.#isOver = true
    removeSyncFile(this.#server, this.#path)
    this.#onEnd()
  }
}

/** The file on its way to one replica. */
class Reading implements JobOwner {
  readonly #server: Server
  readonly #sync: FileSync
  readonly #replica: Replica
  readonly #job: number
  /** Asked for, and not come yet. */
  #askedSize = 0
  #isWanted = true

  constructor(server: Server, sync: FileSync, replica: Replica, path: string) {
    this.#server = server
    this.#sync = sync
    this.#replica = replica
    this.#job = server.disk.begin({ type: 'send', path }, this)
  }

  /** There is room for so many bytes. */
  goOn(size: number): void {
    const more = size - this.#askedSize
    if (more < SYNC_PENDING_SIZE_MAX / 2 || !this.#server.disk.isOpen(this.#job)) return
    this.#askedSize += more
    this.#server.disk.tell(this.#job, { type: 'more', size: more })
  }

  abandon(): void {
    this.#isWanted = false
    if (this.#server.disk.isOpen(this.#job)) this.#server.disk.tell(this.#job, { type: 'abort' })
  }

  told(message: FromDisk): void {
    if (!this.#isWanted) return
    if (message.type === 'opened') {
      this.#transmit(Buffer.from(`$${message.size}\r\n`), 0)
    } else if (message.type === 'done') {
      this.#sync.sent(this.#replica, true)
    } else {
      this.#server.log.warning('Opening or reading the RDB file for a replica failed')
      this.#sync.sent(this.#replica, false)
    }
  }

  bytes(bytes: Buffer, _words: Int32Array, offset: number, size: number): void {
    this.#askedSize -= size
    if (this.#isWanted) this.#transmit(bytes, offset, size)
  }

  #transmit(bytes: Buffer, offset: number, size: number = bytes.length): void {
    this.#server.outbox.transmit(this.#replica.session, bytes, offset, size)
  }
}
