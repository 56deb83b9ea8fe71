/**
 * A snapshot that goes to a file first, and from there into memory.
 *
 * Thread: core.
 * Owns: how much of it is written.
 * Never: touches the data in memory before the file is whole.
 */
import type { FromDisk } from '../../../bridge/disk-control.ts'
import type { JobOwner } from '../../engine/disk-link.ts'
import type { Server } from '../../server.ts'
import { FileSource } from '../persistence/file-source.ts'
import { RdbLoader } from '../persistence/rdb-load.ts'
import { emptyForOthers } from '../server/databases.ts'
import { type Copy, type CopyOwner, type Framing, MARK_SIZE } from './copy.ts'

export class CopyByFile implements Copy, JobOwner {
  readonly #server: Server
  readonly #owner: CopyOwner
  readonly #framing: Framing
  readonly #job: number
  readonly #path: string
  readSize = 0
  isLoading = false
  /** The last bytes that came: they may be the mark, or its beginning. */
  #tail = Buffer.alloc(0)
  /** What came behind the snapshot. */
  readonly #rest: Buffer[] = []
  #isOver = false

  constructor(server: Server, owner: CopyOwner, framing: Framing) {
    const { settings, clock, start, disk } = server
    this.#server = server
    this.#owner = owner
    this.#framing = framing
    const directory = settings.raw('dir')
    const name = settings.raw('dbfilename')
    this.#path = `${directory}/${name}`
    const seconds = Math.floor(clock.nowMs / 1000)
    const temporaryName = `temp-${seconds}.${start.processId}.rdb`
    this.#job = disk.begin(
      {
        type: 'plain-save',
        points: 'sync',
        directory,
        name,
        temporaryName,
        syncsAsItGoes: true,
      },
      this,
    )
  }

  take(bytes: Buffer, at: number, end: number): void {
    if (this.#isOver) return
    if (this.isLoading) this.#rest.push(Buffer.from(bytes.subarray(at, end)))
    else if (this.#framing.mark === '') this.#sized(bytes, at, end)
    else this.#marked(bytes, at, end)
  }

  abort(): void {
    this.#isOver = true
    const { disk } = this.#server
    if (!this.isLoading && disk.isOpen(this.#job)) disk.tell(this.#job, { type: 'abort' })
  }

  told(message: FromDisk): void {
    if (this.#isOver) return
    if (message.type === 'failed') {
      this.#server.log.warning(
        `Write error or short write writing to the DB dump file needed for MASTER <-> REPLICA synchronization: ${message.problem.text}`,
      )
      return this.#fail()
    }
    if (message.type === 'done') this.#load()
  }

  #sized(bytes: Buffer, at: number, end: number): void {
    const size = Math.min(end - at, this.#framing.size - this.readSize)
    this.#write(bytes, at, size)
    if (this.readSize < this.#framing.size) return
    this.#received()
    if (at + size < end) this.take(bytes, at + size, end)
  }

  /** Holds back as many bytes as the mark has: the last of all are not the file's. */
  #marked(bytes: Buffer, at: number, end: number): void {
    const size = end - at
    if (size >= MARK_SIZE) {
      this.#write(this.#tail, 0, this.#tail.length)
      this.#write(bytes, at, size - MARK_SIZE)
      this.#tail = Buffer.from(bytes.subarray(end - MARK_SIZE, end))
    } else {
      const joined = Buffer.concat([this.#tail, bytes.subarray(at, end)])
      const kept = Math.min(joined.length, MARK_SIZE)
      this.#write(joined, 0, joined.length - kept)
      this.#tail = joined.subarray(joined.length - kept)
    }
    if (this.#tail.latin1Slice(0, this.#tail.length) === this.#framing.mark) this.#received()
  }

  #write(bytes: Buffer, at: number, size: number): void {
    if (size === 0) return
    this.readSize += size
    this.#server.disk.send(this.#job, bytes, at, size)
  }

  #received(): void {
    this.isLoading = true
    this.#owner.received()
    this.#server.disk.tell(this.#job, { type: 'plain-end' })
  }

  #load(): void {
    const server = this.#server
    server.log.notice('MASTER <-> REPLICA sync: Flushing old data')
    server.log.notice('MASTER <-> REPLICA sync: Loading DB in memory')
    this.#owner.emptied()
    emptyForOthers(server)
    const source = new FileSource(server.disk, this.#path)
    const options = { replaces: false, keepsExpired: true }
    const loader = new RdbLoader(server, source, options, (outcome) => {
      source.close()
      if (outcome.state === 'loaded') return this.#loaded(loader)
      for (const line of outcome.lines) server.log.warning(line)
      server.log.warning('Failed trying to load the MASTER synchronization DB from disk')
      emptyForOthers(server)
      removeSyncFile(server, this.#path)
      this.#fail()
    })
    server.loading.begin(loader)
  }

  #loaded({ aux }: RdbLoader): void {
    if (this.#isOver) return
    this.#isOver = true
    removeSyncFile(this.#server, this.#path)
    this.#owner.loaded(Number(aux.get('repl-stream-db') ?? 0), Buffer.concat(this.#rest))
  }

  #fail(): void {
    if (this.#isOver) return
    this.abort()
    this.#owner.failed()
  }
}

/** As `rdb-del-sync-files` says: a server that keeps nothing on the disk leaves nothing there. */
export function removeSyncFile(server: Server, path: string): void {
  const { settings, saves, disk } = server
  const keepsFiles = saves.points().length > 0 || settings.bool('appendonly')
  if (!settings.bool('rdb-del-sync-files') || keepsFiles) return
  server.log.notice('Removing the RDB file used for replication in a persistence-less instance')
  disk.begin({ type: 'remove', path }, { told: () => {} })
}
