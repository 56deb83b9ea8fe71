/**
 * A snapshot on its way from the primary: the line that says how it ends, and then its bytes, which
 * go into memory by way of a file, or at once.
 *
 *     $<size>\r\n<bytes>                      where the primary knows the size
 *     $EOF:<40 bytes>\r\n<bytes><40 bytes>    where it does not: the mark comes again at the end
 *
 * Thread: core.
 * Owns: that line.
 * Never: looks into the snapshot.
 */
import { HANDSHAKE_LINE_SIZE_MAX } from '../../../config/limits.ts'
import type { Server } from '../../server.ts'
import { type Copy, type CopyOwner, type Framing, MARK_SIZE } from './copy.ts'
import { CopyByFile } from './copy-by-file.ts'
import { CopyToMemory } from './copy-to-memory.ts'

const LF = 10
const MARK_PREFIX = '$EOF:'

export class Transfer {
  readonly #server: Server
  readonly #owner: CopyOwner
  readonly #isSameHistory: boolean
  /** 0 where it is not known. */
  totalSize = 0
  #copy: Copy | undefined = undefined
  #line = ''
  #isOver = false
  #lastIoMs: number

  /** `isSameHistory`: what is here is an older state of what comes. */
  constructor(server: Server, owner: CopyOwner, isSameHistory: boolean) {
    this.#server = server
    this.#owner = owner
    this.#isSameHistory = isSameHistory
    this.#lastIoMs = server.clock.nowMs
  }

  get lastIoSeconds(): number {
    return Math.floor((this.#server.clock.nowMs - this.#lastIoMs) / 1000)
  }

  get readSize(): number {
    return this.#copy?.readSize ?? 0
  }

  get isLoading(): boolean {
    return this.#copy?.isLoading === true
  }

  take(bytes: Buffer, offset: number, size: number): void {
    this.#lastIoMs = this.#server.clock.nowMs
    let at = offset
    const end = offset + size
    while (this.#copy === undefined && at < end && !this.#isOver) at = this.#head(bytes, at, end)
    if (at < end && !this.#isOver) this.#copy?.take(bytes, at, end)
  }

  /** The link is gone: what has come is of no use. */
  abort(): void {
    this.#isOver = true
    this.#copy?.abort()
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
    const isDirect = this.#isDirect()
    const target = isDirect ? 'parser' : 'disk'
    let framing: Framing
    if (line.startsWith(MARK_PREFIX) && line.length === MARK_PREFIX.length + MARK_SIZE) {
      framing = { size: 0, mark: line.slice(MARK_PREFIX.length) }
      log.notice(
        `MASTER <-> REPLICA sync: receiving streamed RDB from master with EOF to ${target}`,
      )
    } else if (/^\$\d+$/.test(line)) {
      framing = { size: Number(line.slice(1)), mark: '' }
      log.notice(
        `MASTER <-> REPLICA sync: receiving ${framing.size} bytes from master to ${target}`,
      )
    } else {
      log.warning(
        `Bad protocol from MASTER, the first byte is not '$' (we received '${line}'), are you sure the host and port are right?`,
      )
      return this.#fail()
    }
    this.totalSize = framing.size
    this.#copy = isDirect
      ? new CopyToMemory(this.#server, this.#owner, framing, this.#isSameHistory)
      : new CopyByFile(this.#server, this.#owner, framing)
  }

  #isDirect(): boolean {
    const { settings, keyspace } = this.#server
    const way = settings.text('repl-diskless-load')
    return way === 'swapdb' || (way === 'on-empty-db' && keyspace.keyCount() === 0)
  }

  #fail(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#owner.failed()
  }
}
