/**
 * A snapshot on its way from the primary: to a file first, and from there into memory.
 *
 *     $<size>\r\n<bytes>                      where the primary knows the size
 *     $EOF:<40 bytes>\r\n<bytes><40 bytes>    where it does not: the mark comes again at the end
 *
 * Thread: core.
 * Owns: how much of it has come.
 * Never: touches the data in memory before the file is whole.
 */
import type { FromDisk } from '../../../bridge/disk-control.ts'
import { HANDSHAKE_LINE_SIZE_MAX } from '../../../config/limits.ts'
import type { JobOwner } from '../../engine/disk-link.ts'
import type { Server } from '../../server.ts'
import { FileSource } from '../persistence/file-source.ts'
import { RdbLoader } from '../persistence/rdb-load.ts'
import { emptyForOthers } from '../server/databases.ts'

export interface TransferOwner {
  failed(): void
  /** The data that were here are gone, and with them their history. */
  emptied(): void
  /** The data are those of the primary, whose stream goes on in database `dbIndex`. */
  loaded(dbIndex: number): void
}

const LF = 10
const MARK_SIZE = 40
const MARK_PREFIX = '$EOF:'

export class Transfer implements JobOwner {
  readonly #server: Server
  readonly #owner: TransferOwner
  readonly #job: number
  readonly #path: string
  /** -1 where it is not known. */
  totalSize = 0
  readSize = 0
  isLoading = false
  #line = ''
  /** Empty where the size is known. */
  #mark = ''
  /** The last bytes that came: they may be the mark, or its beginning. */
  #tail = Buffer.alloc(0)
  #hasHead = false
  #isOver = false
  #lastIoMs: number

  constructor(server: Server, owner: TransferOwner) {
    const { settings, clock, start, disk } = server
    this.#server = server
    this.#owner = owner
    this.#lastIoMs = clock.nowMs
    const directory = settings.raw('dir')
    const name = settings.raw('dbfilename')
    this.#path = `${directory}/${name}`
    const seconds = Math.floor(clock.nowMs / 1000)
    const temporaryName = `temp-${seconds}.${start.processId}.rdb`
    this.#job = disk.begin({ type: 'receive', directory, name, temporaryName }, this)
  }

  get lastIoSeconds(): number {
    return Math.floor((this.#server.clock.nowMs - this.#lastIoMs) / 1000)
  }

  take(bytes: Buffer, offset: number, size: number): void {
    this.#lastIoMs = this.#server.clock.nowMs
    let at = offset
    const end = offset + size
    while (!this.#hasHead && at < end && !this.#isOver) at = this.#head(bytes, at, end)
    if (this.#isOver || at === end || this.isLoading) return
    if (this.#mark === '') this.#sized(bytes, at, end)
    else this.#marked(bytes, at, end)
  }

  /** The link is gone: what has come is of no use. */
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

  /** Reads the line before the bytes. Gives the position after what was read. */
  #head(bytes: Buffer, at: number, end: number): number {
    const found = bytes.indexOf(LF, at)
    const lineEnd = found < 0 || found >= end ? end : found
    this.#line += bytes.latin1Slice(at, lineEnd)
    if (lineEnd === end) {
      if (this.#line.length > HANDSHAKE_LINE_SIZE_MAX) this.#fail()
      return end
    }
    const line = this.#line.trimEnd()
    this.#line = ''
    if (line !== '') this.#begin(line)
    return lineEnd + 1
  }

  #begin(line: string): void {
    const { log } = this.#server
    if (line.startsWith('-')) {
      log.warning(`MASTER aborted replication with an error: ${line.slice(1)}`)
      return this.#fail()
    }
    if (line.startsWith(MARK_PREFIX) && line.length === MARK_PREFIX.length + MARK_SIZE) {
      this.#mark = line.slice(MARK_PREFIX.length)
      log.notice('MASTER <-> REPLICA sync: receiving streamed RDB from master with EOF to disk')
    } else if (/^\$\d+$/.test(line)) {
      this.totalSize = Number(line.slice(1))
      log.notice(`MASTER <-> REPLICA sync: receiving ${this.totalSize} bytes from master to disk`)
    } else {
      log.warning(
        `Bad protocol from MASTER, the first byte is not '$' (we received '${line}'), are you sure the host and port are right?`,
      )
      return this.#fail()
    }
    this.#hasHead = true
  }

  #sized(bytes: Buffer, at: number, end: number): void {
    const size = Math.min(end - at, this.totalSize - this.readSize)
    this.#write(bytes, at, size)
    if (this.readSize === this.totalSize) this.#received()
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
    if (this.#tail.latin1Slice(0, this.#tail.length) === this.#mark) this.#received()
  }

  #write(bytes: Buffer, at: number, size: number): void {
    if (size === 0) return
    this.readSize += size
    this.#server.disk.send(this.#job, bytes, at, size)
  }

  #received(): void {
    this.isLoading = true
    this.#server.disk.tell(this.#job, { type: 'received' })
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
      this.#fail()
    })
    server.loading.begin(loader)
  }

  #loaded({ aux }: RdbLoader): void {
    if (this.#isOver) return
    this.#isOver = true
    removeSyncFile(this.#server, this.#path)
    this.#owner.loaded(Number(aux.get('repl-stream-db') ?? 0))
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
