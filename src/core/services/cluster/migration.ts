/**
 * Keys on their way to another server.
 *
 * Redis stops everything until the other side has answered. Here only writes wait, so that no key
 * changes between being sent and being deleted; whoever reads goes on.
 *
 * Thread: core.
 * Owns: migrations in progress, one at a time since MIGRATE is a write; links kept for the next.
 * Never: deletes a key that the other side has not confirmed.
 */

import { encodeArgv } from '../../../lib/resp/command-writer.ts'
import { type Reply, ReplyParser } from '../../../lib/resp/reply-parser.ts'
import { Args } from '../../engine/args.ts'
import type { Answer } from '../../engine/call.ts'
import type { Peer, PeerOwner } from '../../engine/peers.ts'
import type { Server } from '../../server.ts'

export interface MigrationOrder {
  readonly host: string
  readonly port: number
  /** As it was given: the other side says whether there is such a database. */
  readonly dbIndex: string
  readonly timeoutMs: number
  readonly copy: boolean
  readonly replace: boolean
  /** The words after AUTH. */
  readonly login: readonly Buffer[]
}

export interface MigratedKey {
  readonly name: Buffer
  /** 0: it lives until it is deleted. */
  readonly ttlMs: number
  readonly payload: Buffer
}

interface Migration {
  readonly order: MigrationOrder
  readonly keys: readonly MigratedKey[]
  readonly fromDb: number
  readonly answer: Answer
  readonly deadlineMs: number
  /** Replies that come before those for the keys, by what was asked. */
  readonly preamble: ('AUTH' | 'SELECT')[]
  /** Keys whose reply has come. */
  answered: number
  readonly moved: Buffer[]
  /** AUTH or SELECT failed: whatever follows went nowhere, or to another database. */
  strayed: boolean
  /** The first error of the other side. */
  refusal: string
  /** A kept link may have died unnoticed: one more attempt with a new one. */
  mayRetry: boolean
}

/** Links to the same address are kept this long after their last use. */
const LINK_IDLE_MS = 10_000
const PERIOD_MS = 10

export class Migrations {
  readonly #server: Server
  readonly #links = new Map<string, Link>()
  readonly #args: Args
  readonly #setPeriod: (periodMs: number) => void

  constructor(server: Server) {
    this.#server = server
    this.#args = new Args(Buffer.alloc(0), new Int32Array(0), server.start.hashSeed)
    this.#setPeriod = server.timers.every(Number.POSITIVE_INFINITY, () => this.#tick())
  }

  /** Links to other servers that are kept. */
  get linkCount(): number {
    return this.#links.size
  }

  begin(order: MigrationOrder, keys: readonly MigratedKey[], fromDb: number, answer: Answer): void {
    const server = this.#server
    server.pause.hold()
    this.#setPeriod(PERIOD_MS)
    this.#start({
      order,
      keys,
      fromDb,
      answer,
      deadlineMs: server.clock.nowMs + order.timeoutMs,
      preamble: [],
      answered: 0,
      moved: [],
      strayed: false,
      refusal: '',
      mayRetry: true,
    })
  }

  #start(migration: Migration): void {
    const { host, port } = migration.order
    const address = `${host}:${port}`
    let link = this.#links.get(address)
    if (link === undefined) {
      migration.mayRetry = false
      link = new Link(this, address)
      this.#links.set(address, link)
      link.migration = migration
      const tls = this.#server.settings.bool('tls-cluster')
      link.peer = this.#server.peers.dial({ host, port, tls, source: '' }, link)
    } else {
      link.migration = migration
      link.send()
    }
  }

  /** The link is of no use any more. `failure`: what the client is told. */
  lost(link: Link, failure: string): void {
    link.peer?.hangUp()
    if (this.#links.get(link.address) === link) this.#links.delete(link.address)
    const { migration } = link
    link.migration = undefined
    if (migration === undefined) return
    if (migration.mayRetry && migration.answered === 0) {
      migration.preamble.length = 0
      return this.#start(migration)
    }
    this.#finish(migration, `IOERR error or timeout ${failure}`)
  }

  /** Every key has been answered. */
  done(link: Link): void {
    const { migration } = link
    link.migration = undefined
    link.lastUseMs = this.#server.clock.nowMs
    if (migration === undefined) return
    const { refusal } = migration
    this.#finish(
      migration,
      refusal === '' ? '' : `ERR Target instance replied with error: ${refusal}`,
    )
  }

  /** `error`: empty for success. */
  #finish(migration: Migration, error: string): void {
    const server = this.#server
    if (!migration.order.copy && migration.moved.length > 0) this.#remove(migration)
    server.pause.release()
    migration.answer((reply) => {
      if (error === '') reply.ok()
      else reply.error(error)
    })
  }

  /** What has arrived at the other side is deleted here, and from replicas and the AOF. */
  #remove({ moved, fromDb }: Migration): void {
    const { keyspace, propagation } = this.#server
    const db = keyspace.dbs[fromDb]
    const argv = [DEL, ...moved]
    this.#args.set(argv)
    for (let i = 1; i < argv.length; i++) {
      const ref = db.find(this.#args, i)
      if (ref === 0) continue
      db.remove(ref)
      db.changed(this.#args, i, 'del')
    }
    if (propagation.active) propagation.emit(fromDb, argv)
  }

  #tick(): void {
    const { nowMs } = this.#server.clock
    for (const link of this.#links.values()) {
      if (link.migration !== undefined) {
        if (nowMs < link.migration.deadlineMs) continue
        link.migration.mayRetry = false
        this.lost(link, link.isConnected ? 'reading to target instance' : CONNECTING)
      } else if (nowMs - link.lastUseMs > LINK_IDLE_MS) {
        this.lost(link, '')
      }
    }
    if (this.#links.size === 0) this.#setPeriod(Number.POSITIVE_INFINITY)
  }
}

const DEL = Buffer.from('DEL')
const CONNECTING = 'connecting to the client'

/** One connection to another server, and the migration that uses it. */
class Link implements PeerOwner {
  readonly address: string
  readonly #migrations: Migrations
  readonly #parser = new ReplyParser()
  peer: Peer | undefined = undefined
  migration: Migration | undefined = undefined
  lastUseMs = 0
  isConnected = false
  /** The database that the other side has selected. */
  #dbIndex = ''

  constructor(migrations: Migrations, address: string) {
    this.#migrations = migrations
    this.address = address
  }

  opened(): void {
    this.isConnected = true
    this.send()
  }

  failed(): void {
    this.#migrations.lost(this, CONNECTING)
  }

  closed(): void {
    this.#migrations.lost(this, 'reading to target instance')
  }

  /** Asks the other side to take the keys. */
  send(): void {
    const { migration, peer } = this
    if (migration === undefined || peer === undefined || !this.isConnected) return
    const { order, keys, preamble } = migration
    const requests: Buffer[] = []
    if (order.login.length > 0) {
      requests.push(encodeArgv(['AUTH', ...order.login]))
      preamble.push('AUTH')
    }
    if (order.dbIndex !== this.#dbIndex) {
      requests.push(encodeArgv(['SELECT', order.dbIndex]))
      preamble.push('SELECT')
    }
    const options = order.replace ? ['REPLACE'] : []
    for (const { name, ttlMs, payload } of keys) {
      requests.push(encodeArgv(['RESTORE', name, String(ttlMs), payload, ...options]))
    }
    peer.send(Buffer.concat(requests))
  }

  received(bytes: Buffer, offset: number, size: number): void {
    this.#parser.feed(Buffer.from(bytes.subarray(offset, offset + size)))
    for (let reply = this.#parser.next(); reply !== undefined; reply = this.#parser.next()) {
      this.#take(reply)
    }
    if (this.#parser.broken !== undefined) {
      this.#migrations.lost(this, 'reading to target instance')
    }
  }

  #take(reply: Reply): void {
    const { migration } = this
    if (migration === undefined) return
    const error = reply.type === 'error' ? reply.bytes.toString('latin1') : ''
    const asked = migration.preamble.shift()
    if (asked !== undefined) {
      migration.strayed ||= error !== ''
      migration.refusal ||= error
      if (asked === 'SELECT') this.#dbIndex = error === '' ? migration.order.dbIndex : ''
    } else {
      const { name } = migration.keys[migration.answered++]
      migration.refusal ||= error
      if (error === '' && !migration.strayed) migration.moved.push(name)
    }
    if (migration.answered === migration.keys.length) this.#migrations.done(this)
  }
}
