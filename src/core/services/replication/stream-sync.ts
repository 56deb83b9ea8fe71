/**
 * A snapshot that goes straight to replicas: its bytes are made as they are sent, and its end is
 * marked, since its size is not known before.
 *
 *     $EOF:<40 bytes>\r\n<bytes><40 bytes>
 *
 * Thread: core.
 * Owns: the piece that is being filled; who gets it.
 * Never: goes on while a replica has more than a little to read.
 */
import { SYNC_PENDING_SIZE_MAX } from '../../../config/limits.ts'
import { Crc64 } from '../../../lib/crc64.ts'
import { OPCODE_END, RDB_VERSION, RDB_VERSION_MAX } from '../../../lib/rdb/format.ts'
import { RdbWriter } from '../../../lib/rdb/writer.ts'
import type { Arena, Ref } from '../../../memory/arena.ts'
import type { SnapshotSink } from '../../keyspace/snapshot.ts'
import type { Server } from '../../server.ts'
import { RdbBody } from '../persistence/rdb-body.ts'
import type { RunningSync } from './full-sync.ts'
import type { Replica } from './replica.ts'
import type { Replicas } from './replicas.ts'

const PIECE_SIZE = 64 * 1024

export class StreamSync implements SnapshotSink, RunningSync {
  readonly #server: Server
  readonly #replicas: Replicas
  readonly #to: Set<Replica>
  readonly #onEnd: () => void
  readonly #writer = new RdbWriter(PIECE_SIZE * 2)
  readonly #body: RdbBody
  readonly #sum = new Crc64()
  readonly #mark: Buffer
  readonly isPreparing = false
  /** Whoever wants functions only gets no keys. */
  readonly #withoutData: boolean
  lastSentMs: number

  constructor(server: Server, replicas: Replicas, to: readonly Replica[], onEnd: () => void) {
    this.#server = server
    this.#replicas = replicas
    this.#to = new Set(to)
    this.#onEnd = onEnd
    // All that get the same snapshot want the same of it.
    const [{ withoutData, withoutFunctions }] = to
    this.#withoutData = withoutData
    const mark = server.randomId()
    this.#mark = Buffer.from(mark)
    this.lastSentMs = server.clock.nowMs
    this.#body = new RdbBody(server, this.#writer)
    // What compressing would save on the way, the core would pay for it.
    this.#writer.compress = false
    this.#writer.spill(PIECE_SIZE, () => this.#flush())
    this.#send(Buffer.from(`$EOF:${mark}\r\n`))
    const snapshot = server.keyspace.takeSnapshot(this)
    this.#body.begin(snapshot.tables, {
      isAofBase: false,
      withoutFunctions,
      replication: server.replication.position,
      // The head leaves before any value is seen.
      version: server.keyspace.hasElementEnds() ? RDB_VERSION_MAX : RDB_VERSION,
    })
  }

  look(): void {}

  has(replica: Replica): boolean {
    return this.#to.has(replica)
  }

  forget(replica: Replica): void {
    if (!this.#to.delete(replica) || this.#to.size > 0) return
    this.#server.log.notice('Diskless rdb transfer, last replica dropped, killing fork child.')
    this.#server.keyspace.snapshot?.abandon()
    this.#onEnd()
  }

  entry(dbIndex: number, arena: Arena, ref: Ref): void {
    if (!this.#withoutData) this.#body.entry(dbIndex, arena, ref)
  }

  hasRoom(): boolean {
    for (const { session } of this.#to) {
      const { link } = session
      const waiting = link.outputBytes(session) + link.replies.pendingBytes()
      if (waiting > SYNC_PENDING_SIZE_MAX) return false
    }
    return true
  }

  ended(): void {
    this.#writer.byte(OPCODE_END)
    this.#flush()
    const sum = Buffer.alloc(8)
    if (this.#server.settings.bool('rdbchecksum')) {
      sum.writeInt32LE(this.#sum.low | 0, 0)
      sum.writeInt32LE(this.#sum.high | 0, 4)
    }
    this.#send(sum)
    this.#send(this.#mark)
    this.#server.log.notice(
      `Diskless rdb transfer, done reading from pipe, ${this.#to.size} replicas still up.`,
    )
    for (const replica of this.#to) this.#replicas.snapshotSent(replica, true)
    this.#to.clear()
    this.#onEnd()
  }

  #flush(): void {
    const writer = this.#writer
    this.#sum.update(writer.bytes, 0, writer.length)
    this.#send(writer.bytes, writer.length)
    writer.reset()
  }

  #send(bytes: Buffer, size: number = bytes.length): void {
    const { outbox, clock } = this.#server
    this.lastSentMs = clock.nowMs
    for (const { session } of this.#to) outbox.transmit(session, bytes, 0, size)
  }
}
