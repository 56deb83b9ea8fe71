/**
 * Replication as a whole: the name and length of this server's history, and the part it plays.
 *
 * A history is named by an id; an offset says how many bytes of its stream there have been. A primary
 * writes the stream, a replica passes it on as it comes, so that both have the same bytes at the same
 * offset, and a replica of either can go on at the other. A replica that is promoted begins a new
 * history and remembers up to where the old one is also its own.
 *
 * Thread: core.
 * Owns: ids, offsets, backlog and stream.
 * Never: speaks to anybody: `replicas.ts` and `primary-link.ts` do.
 * @see https://redis.io/docs/latest/operate/oss_and_stack/management/replication/
 */
import { REPLICATION_PERIOD_MS } from '../../../config/limits.ts'
import type { Call } from '../../engine/call.ts'
import { CommandError } from '../../engine/errors.ts'
import { AUDIENCE_REPLICAS } from '../../engine/propagation.ts'
import type { Session } from '../../engine/session.ts'
import type { Server } from '../../server.ts'
import type { ReplicationPosition } from '../persistence/rdb-body.ts'
import { Backlog } from './backlog.ts'
import { waitAtShutdown } from './farewell.ts'
import { OwnKeys } from './own-keys.ts'
import { PrimaryLink } from './primary-link.ts'
import { Replicas } from './replicas.ts'
import { ReplicationStream } from './stream.ts'

const NO_REPLICAS = new CommandError('NOREPLICAS Not enough good replicas to write.')
const READ_ONLY = new CommandError("READONLY You can't write against a read only replica.")
const DEL = Buffer.from('DEL')
export const NO_ID = '0'.repeat(40)

export interface PrimaryAddress {
  readonly host: string
  readonly port: number
}

export class Replication {
  readonly #server: Server
  readonly stream: ReplicationStream
  readonly replicas: Replicas
  readonly ownKeys: OwnKeys
  /** Undefined while nobody reads the stream. */
  backlog: Backlog | undefined = undefined
  id: string
  /** The history before the last promotion, and up to where it is also this one's; -1: none. */
  previousId = NO_ID
  previousEndOffset = -1
  /** Undefined on a primary. */
  link: PrimaryLink | undefined = undefined
  /** False when the history is known to nobody: there is nothing to go on with. */
  hasHistory = false
  /** The database that the stream is in, where it was written or applied last. */
  dbIndex = 0
  #offset = 0
  #began = false
  #writes = false
  /** Since when no replica has been there. */
  #aloneSinceMs = 0

  constructor(server: Server) {
    this.#server = server
    this.id = this.#newId()
    this.stream = new ReplicationStream((bytes, size) => this.#add(bytes, size))
    this.replicas = new Replicas(server, this)
    this.ownKeys = new OwnKeys(server)
    server.saves.replicationPosition = () => this.position
    waitAtShutdown(server, this)
    server.timers.every(REPLICATION_PERIOD_MS, () => this.#tick())
  }

  /** Bytes of the stream up to now. */
  get offset(): number {
    return this.#offset + this.stream.size
  }

  /** What a file says of where its data stand; undefined: nobody can go on from there. */
  get position(): ReplicationPosition | undefined {
    if (this.backlog === undefined) return undefined
    const dbIndex = this.link?.session?.dbIndex ?? Math.max(this.stream.dbIndex, 0)
    return { dbIndex, id: this.id, offset: this.offset }
  }

  get isReplica(): boolean {
    return this.link !== undefined
  }

  /** True when the gates have to ask. */
  get guards(): boolean {
    return this.isReplica || this.#server.settings.int('min-replicas-to-write') > 0
  }

  /** Why clients may not write: too few replicas are near, or it is the primary's to do. */
  get writeRefusal(): CommandError | undefined {
    const { settings } = this.#server
    if (this.isReplica) return settings.bool('replica-read-only') ? READ_ONLY : undefined
    const needed = settings.int('min-replicas-to-write')
    if (needed === 0 || settings.int('min-replicas-max-lag') === 0) return undefined
    return this.replicas.goodCount < needed ? NO_REPLICAS : undefined
  }

  /** The data may be old, and this server has been told not to serve such. */
  get isStale(): boolean {
    const { link } = this
    if (link === undefined || link.isOnline) return false
    return !this.#server.settings.bool('replica-serve-stale-data')
  }

  settingsChanged(): void {
    this.backlog?.resize(this.#server.settings.int('repl-backlog-size'))
    this.replicas.settingsChanged()
    this.#noteOwnKeys()
  }

  /** The data are loaded: follows whom the settings say. */
  begin(): void {
    const [host, port] = this.#server.settings.raw('replicaof').split(' ')
    if (port !== undefined) this.#switch({ host, port: Number(port) }, false)
    this.#began = true
  }

  /** Somebody is going to read the stream. */
  open(): void {
    if (this.backlog !== undefined) return
    if (!this.isReplica) {
      // What was written while nobody read is in no backlog: nobody can go on from before.
      this.id = this.#newId()
      this.#forgetPrevious()
    }
    this.hasHistory = true
    this.#makeBacklog()
    this.#follow()
    this.#server.log.notice(
      `Replication backlog created, my new replication IDs are '${this.id}' and '${this.previousId}'`,
    )
  }

  /** Hands on what the batch has added to the stream; called when it ends. */
  flush(): void {
    if (this.replicas.asks) this.replicas.ask()
    if (this.stream.size > 0) this.stream.flush()
  }

  /** Follows another server, whoever was followed before. */
  follow(primary: PrimaryAddress): void {
    this.#server.settings.adopt({ replicaof: `${primary.host} ${primary.port}` })
    this.#switch(primary, false)
  }

  /** As `follow`, of a replica that is asked to become the primary. */
  handOver(primary: PrimaryAddress): void {
    this.#server.settings.adopt({ replicaof: `${primary.host} ${primary.port}` })
    this.#switch(primary, true)
  }

  /** Follows nobody any more: this server's data are as they are, and its history a new one. */
  promote(): void {
    if (this.link === undefined) return
    this.link.end()
    this.link = undefined
    this.#server.settings.adopt({ replicaof: '' })
    this.previousId = this.id
    this.previousEndOffset = this.offset
    this.id = this.#newId()
    this.#server.log.warning(
      `Setting secondary replication ID to ${this.previousId}, valid up to offset: ${this.previousEndOffset + 1}. New replication ID is ${this.id}`,
    )
    this.replicas.closeAll()
    this.stream.selectAgain()
    this.#roleChanged()
  }

  /** The primary has sent its whole data set, of this history at this offset. */
  adopt(id: string, offset: number): void {
    this.id = id
    this.#forgetPrevious()
    this.stream.discard()
    this.#offset = offset
    this.hasHistory = true
    this.replicas.closeAll()
    this.#makeBacklog()
    this.#aloneSinceMs = this.#server.clock.nowMs
  }

  /** The data are no longer those of the history: nothing can go on from it. */
  forgetHistory(): void {
    this.ownKeys.forget()
    if (this.hasHistory) this.#server.log.notice('Discarding previously cached master state.')
    this.hasHistory = false
  }

  /** The primary goes on with the history, under another name if it was promoted meanwhile. */
  rename(id: string): void {
    if (id === this.id) return
    this.previousId = this.id
    this.previousEndOffset = this.offset
    this.id = id
    this.#server.log.warning(`Master replication ID changed to ${id}`)
    this.replicas.closeAll()
  }

  /** What a file says of the history that its data belong to. */
  restore(id: string, offset: number, dbIndex: number): void {
    this.dbIndex = dbIndex
    if (this.#server.settings.raw('replicaof') === '') {
      this.previousId = id
      this.previousEndOffset = offset
    } else {
      this.id = id
    }
    this.#offset = offset
    this.hasHistory = true
    this.#makeBacklog()
    this.#follow()
    this.#aloneSinceMs = this.#server.clock.nowMs
  }

  /** A key's time was over before it was loaded: those who have it still are told. */
  expiredBefore(dbIndex: number, key: Buffer): void {
    if (!this.#writes) return
    this.stream.effect(dbIndex, [DEL, key])
    this.stream.flush()
  }

  /** A call that changes no data, but has to happen at replicas, too: a message to a channel. */
  share(call: Call): void {
    if (!this.#writes) return
    const { propagation } = call
    const { audience } = propagation
    propagation.audience = audience & AUDIENCE_REPLICAS
    propagation.call(call.db.index, call.args)
    propagation.audience = audience
  }

  /** Replicas get a command that nobody has called here. */
  feign(argv: readonly Uint8Array[]): void {
    if (this.#writes) this.stream.command(argv)
  }

  /** Bytes of the primary's stream, applied already: replicas of this one get them as they are. */
  passOn(bytes: Buffer, offset: number, size: number): void {
    this.stream.raw(bytes, offset, size)
  }

  /** Up to where this server can go on as a replica of `id` at `offset`; undefined: not at all. */
  canContinue(id: string, offset: number): boolean {
    const { backlog } = this
    if (backlog === undefined || !backlog.has(offset)) return false
    if (id === this.id) return true
    return id === this.previousId && id !== NO_ID && offset <= this.previousEndOffset
  }

  /** The session is gone. */
  forget(session: Session): void {
    if (session.replica === undefined) return
    this.replicas.remove(session.replica)
    if (this.replicas.count === 0) this.#aloneSinceMs = this.#server.clock.nowMs
  }

  #add(bytes: Buffer, size: number): void {
    const { backlog } = this
    if (backlog === undefined) {
      this.#offset += size
      return
    }
    // Replicas are fed from the backlog: no more is added at once than it holds.
    for (let at = 0; at < size; ) {
      const count = Math.min(size - at, backlog.capacity)
      backlog.append(bytes, at, count)
      this.#offset += count
      at += count
      this.replicas.feed()
    }
  }

  #switch(primary: PrimaryAddress, handsOver: boolean): void {
    const wasPrimary = !this.isReplica
    this.#server.blocking.expelAll()
    if (wasPrimary && this.#began) this.#takeAlong()
    this.link?.end()
    this.link = new PrimaryLink(this.#server, this, primary)
    this.link.handsOver = handsOver
    this.#roleChanged()
    if (wasPrimary) {
      this.stream.selectAgain()
      this.replicas.closeAll()
    }
    this.link.begin()
  }

  /** What a primary has, its own primary may have too: it may be that there is nothing to copy. */
  #takeAlong(): void {
    this.flush()
    this.dbIndex = Math.max(this.stream.dbIndex, 0)
    this.hasHistory = true
    this.#server.log.notice(
      'Before turning into a replica, using my own master parameters to synthesize a cached master: I may be able to synchronize with the new master with just a partial transfer.',
    )
  }

  #noteOwnKeys(): void {
    const { keyspace, settings } = this.#server
    const isWritable = this.isReplica && !settings.bool('replica-read-only')
    keyspace.ownKeys = isWritable ? this.ownKeys : undefined
    if (!this.isReplica) this.ownKeys.forget()
  }

  #makeBacklog(): void {
    const size = this.#server.settings.int('repl-backlog-size')
    this.backlog = new Backlog(size, this.#offset)
  }

  #roleChanged(): void {
    const { isReplica } = this
    this.#server.keyspace.setReplica(isReplica)
    this.#noteOwnKeys()
    this.#server.control.send({ type: 'role', isReplica })
    this.#follow()
    this.#server.updateGuard()
  }

  /** A primary with readers writes the stream; a replica's comes from its primary. */
  #follow(): void {
    const writes = !this.isReplica && this.backlog !== undefined
    if (writes === this.#writes) return
    this.#writes = writes
    const { propagation } = this.#server
    if (writes) propagation.add(this.stream)
    else propagation.remove(this.stream)
  }

  #forgetPrevious(): void {
    this.previousId = NO_ID
    this.previousEndOffset = -1
  }

  #newId(): string {
    return this.#server.randomId()
  }

  #tick(): void {
    this.link?.tick()
    this.replicas.tick()
    this.#closeUnread()
  }

  /** A primary that nobody has followed for long writes no stream any more. */
  #closeUnread(): void {
    const { clock, settings } = this.#server
    const ttlMs = settings.int('repl-backlog-ttl') * 1000
    if (this.isReplica || this.backlog === undefined || ttlMs === 0) return
    if (this.replicas.count > 0 || clock.nowMs - this.#aloneSinceMs <= ttlMs) return
    this.id = this.#newId()
    this.#forgetPrevious()
    this.backlog = undefined
    this.hasHistory = false
    this.#follow()
    this.#server.log.notice(
      `Replication backlog freed after ${ttlMs / 1000} seconds without connected replicas.`,
    )
  }
}
