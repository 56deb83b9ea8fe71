/**
 * What the core is made of, built in order. No logic.
 *
 * Thread: core.
 * Owns: one of everything.
 * Never: decides anything.
 */
import { encode } from '@msgpack/msgpack'
import type { BridgeMemory } from '../bridge/memory.ts'
import { ARENA_COUNT_MAX, CLIENT_CRON_PERIOD_MS } from '../config/limits.ts'
import type { ConfiguredRename, ConfiguredUser } from '../config/parse.ts'
import { Settings } from '../config/settings.ts'
import { Random } from '../lib/random.ts'
import { CommandTable } from './command/table.ts'
import { commandGroups } from './commands.ts'
import { Args } from './engine/args.ts'
import { Blocking } from './engine/blocking.ts'
import { Call } from './engine/call.ts'
import { Clock } from './engine/clock.ts'
import { DiskLink } from './engine/disk-link.ts'
import { Inbox } from './engine/inbox.ts'
import { CoreLink } from './engine/link.ts'
import { Outbox } from './engine/outbox.ts'
import { Peers } from './engine/peers.ts'
import { Propagation } from './engine/propagation.ts'
import { Session } from './engine/session.ts'
import { Timers } from './engine/timers.ts'
import { execute, executeWithinScript } from './execute.ts'
import { Eviction } from './keyspace/eviction.ts'
import { Keyspace } from './keyspace/keyspace.ts'
import { Secrets } from './services/acl/secrets.ts'
import { type AclFileContent, loadConfiguredUsers } from './services/acl/startup.ts'
import { Users } from './services/acl/users.ts'
import { Cluster } from './services/cluster/cluster.ts'
import { Migrations } from './services/cluster/migration.ts'
import { ClientMemory } from './services/connection/client-memory.ts'
import { Clients } from './services/connection/clients.ts'
import { Pause } from './services/connection/pause.ts'
import { Aof } from './services/persistence/aof.ts'
import { beginWithAof } from './services/persistence/aof-start.ts'
import { Loading } from './services/persistence/loading.ts'
import { Saves } from './services/persistence/saves.ts'
import { SnapshotPace } from './services/persistence/snapshot-pace.ts'
import { loadAtStart } from './services/persistence/startup.ts'
import { Notifications } from './services/pubsub/notifications.ts'
import { PubSub } from './services/pubsub/pubsub.ts'
import { Failover } from './services/replication/failover.ts'
import { Replication } from './services/replication/replication.ts'
import { Waits } from './services/replication/waits.ts'
import { Scripting } from './services/scripting/scripting.ts'
import { Control } from './services/server/control.ts'
import { freeLazily } from './services/server/databases.ts'
import { Latency } from './services/server/latency.ts'
import { Log } from './services/server/log.ts'
import { Monitors } from './services/server/monitors.ts'
import { Reclaim } from './services/server/reclaim.ts'
import { Shutdown } from './services/server/shutdown.ts'
import { Stats } from './services/server/stats.ts'
import { Tracking } from './services/tracking/tracking.ts'
import { Transactions } from './services/transactions/transactions.ts'
import { registerValueTypes } from './types/values.ts'

/** What the process hands to the core when it starts it. */
export interface CoreStart {
  readonly memory: BridgeMemory
  /** `Settings.toPlain()`. */
  readonly settings: unknown
  /** The `rename-command` and `user` directives. */
  readonly renames: readonly ConfiguredRename[]
  readonly users: readonly ConfiguredUser[]
  /** What the ACL file holds; undefined: none is configured. */
  readonly aclFile?: AclFileContent
  /** Random bytes for texts that nobody can guess. */
  readonly secret: Uint8Array
  readonly hashSeed: number
  readonly randomSeed: number
  readonly processId: number
  readonly runId: string
  readonly startedMs: number
  readonly executable: string
  /** The file that `cluster-config-file` names, or why it cannot be read; absent: there is none. */
  readonly clusterFile?: { readonly text: string } | { readonly problem: string }
  /** Processors that this process may use. */
  readonly processorCount: number
  readonly configFile: string
  /** The disk thread is there already, since there is something to load. */
  readonly diskRuns?: boolean
  /** Bytes of one arena; undefined: the largest. */
  readonly arenaSize?: number
  readonly arenaCount?: number
}

export class Server {
  readonly start: CoreStart
  readonly settings: Settings
  readonly clock: Clock
  readonly timers: Timers
  readonly random: Random
  readonly commands: CommandTable
  readonly links: CoreLink[]
  readonly outbox: Outbox
  readonly peers: Peers
  readonly disk: DiskLink
  readonly propagation: Propagation
  readonly keyspace: Keyspace
  readonly eviction: Eviction
  readonly saves: Saves
  readonly loading: Loading
  readonly shutdown: Shutdown
  readonly snapshotPace: SnapshotPace
  readonly aof: Aof
  readonly transactions: Transactions
  readonly scripting: Scripting
  readonly users: Users
  readonly secrets: Secrets
  readonly log: Log
  readonly stats: Stats
  readonly reclaim: Reclaim
  readonly latency: Latency
  readonly monitors: Monitors
  readonly pubsub: PubSub
  readonly notifications: Notifications
  readonly pause: Pause
  readonly clients: Clients
  readonly cluster: Cluster
  readonly replication: Replication
  readonly waits: Waits
  readonly failover: Failover
  readonly migrations: Migrations
  readonly clientMemory: ClientMemory
  readonly tracking: Tracking
  readonly control: Control
  readonly inbox: Inbox
  /** For what comes in the middle of a slow script. */
  readonly innerInbox: Inbox
  readonly blocking: Blocking
  /** True when some gate may be shut, so that every call has to be looked at. */
  guarded = false
  /** True when somebody looks at every call that has run: MONITOR, or clients that track keys. */
  watched = false
  /** True when everything is done, and the process was told. */
  ended = false

  constructor(start: CoreStart) {
    registerValueTypes()
    this.start = start
    this.settings = Settings.fromPlain(start.settings)
    this.clock = new Clock()
    this.timers = new Timers(this.clock)
    this.random = new Random(start.randomSeed)
    this.commands = new CommandTable(commandGroups)
    this.links = start.memory.links.map((memory, index) => new CoreLink(index, memory))
    this.outbox = new Outbox(this.links)
    this.peers = new Peers(this.outbox, this.links[0])
    this.disk = new DiskLink(start.memory, start.diskRuns === true, () => {
      this.control.send({ type: 'disk' })
      this.outbox.publish()
    })
    this.propagation = new Propagation()
    this.keyspace = new Keyspace(
      {
        databaseCount: this.settings.int('databases'),
        arenaCount: start.arenaCount ?? arenaCount(this.settings.int('maxmemory')),
        hashSeed: start.hashSeed,
        hasSlots: this.settings.bool('cluster-enabled'),
        ...(start.arenaSize === undefined ? {} : { arenaSize: start.arenaSize }),
      },
      this.clock,
      this.propagation,
    )
    this.keyspace.settings = this.settings
    this.eviction = new Eviction(this)
    this.saves = new Saves(this)
    this.loading = new Loading(this)
    this.shutdown = new Shutdown(this)
    this.snapshotPace = new SnapshotPace(this)
    this.aof = new Aof(this)
    this.transactions = new Transactions(this)
    this.scripting = new Scripting(this)
    this.users = new Users(this)
    this.secrets = new Secrets(start.secret)
    this.log = new Log(this)
    this.stats = new Stats(this)
    this.reclaim = new Reclaim(this.timers)
    this.latency = new Latency(this)
    this.monitors = new Monitors(this)
    this.pubsub = new PubSub(this.outbox)
    this.notifications = new Notifications(this.keyspace.events, this.pubsub)
    this.pause = new Pause(this)
    this.clients = new Clients(this)
    this.cluster = new Cluster(this, start.clusterFile)
    this.replication = new Replication(this)
    this.waits = new Waits(this)
    this.failover = new Failover(this)
    this.migrations = new Migrations(this)
    this.clientMemory = new ClientMemory(this)
    this.tracking = new Tracking(this)
    this.control = new Control(this)
    this.inbox = new Inbox(this, this.makeCall(), execute, false)
    this.innerInbox = new Inbox(this, this.makeCall(), executeWithinScript, true)
    this.blocking = new Blocking(this, this.makeCall())
    this.shutdown.duties.push(({ force }) => this.aof.beforeShutdown(force))
    this.control.settingsChanged()
    const { lazyFree } = this.keyspace
    const setPeriod = this.timers.every(Number.POSITIVE_INFINITY, () => {
      if (!freeLazily(this)) setPeriod(Number.POSITIVE_INFINITY)
    })
    lazyFree.begin = () => setPeriod(0)
  }

  /** Tells io what it needs, and begins to take requests. */
  begin(): void {
    for (const { from, to, place } of this.start.renames) {
      const text = this.commands.rename(from, to)
      if (text !== '') this.control.send({ type: 'fatal', text, place })
    }
    const { users, aclFile } = this.start
    const refusal = loadConfiguredUsers(this, users, aclFile)
    if (refusal !== undefined) this.control.send({ type: 'fatal', ...refusal })
    this.cluster.begin()
    this.stats.beginSampling()
    this.timers.cron(CLIENT_CRON_PERIOD_MS, () => this.clients.closeIdle())
    const payload = encode({ type: 'commands', commands: this.commands.lookupTable() })
    for (const link of this.links) this.outbox.control(link, payload)
    // The doors open, and the logo is shown, before anything is loaded that may end the process.
    this.outbox.flush()
    if (this.settings.bool('appendonly')) beginWithAof(this, () => this.#loaded())
    else if (this.start.diskRuns === true) loadAtStart(this, () => this.#loaded())
    else this.#loaded()
    this.outbox.flush()
  }

  /** The data are there: others may come, and this server may follow another. */
  #loaded(): void {
    this.replication.begin()
    this.control.send({ type: 'ready' })
  }

  /** Says again whether calls have to be looked at; whoever opens or shuts a gate calls it. */
  updateGuard(): void {
    this.guarded =
      this.cluster.enabled ||
      this.eviction.limitBytes > 0 ||
      this.clientMemory.limitBytes > 0 ||
      this.scripting.run.isSlow ||
      this.loading.active ||
      this.saves.refusal !== undefined ||
      this.tracking.isOverfull ||
      this.aof.refusal !== undefined ||
      this.replication.guards ||
      this.pause.active
  }

  /** Says again whether somebody looks at calls. */
  updateWatch(): void {
    this.watched = this.monitors.count > 0 || this.tracking.active
  }

  /** 40 hexadecimal digits that name something for ever. */
  randomId(): string {
    let id = ''
    while (id.length < 40) id += this.random.next().toString(16).padStart(8, '0')
    return id
  }

  /** A call that nobody has made yet: requests go through one, those that waited through another. */
  makeCall(): Call {
    const link = this.links[0]
    const { bytes, words } = link.requests
    const args = new Args(bytes, words, this.start.hashSeed)
    const nobody = new Session(0, link, -1, NOBODY, this.clock.nowMs)
    return new Call(this, args, this.outbox.reply, nobody, this.commands.entries[0])
  }
}

const NOBODY = { address: '', localAddress: '', fd: -1, tls: false, unix: false, loopback: true }

/** Arenas that hold `limitBytes` (0: no limit), with room for uneven spreading. */
function arenaCount(limitBytes: number): number {
  if (limitBytes === 0) return 1
  const wanted = Math.ceil(limitBytes / (1.5 * 2 ** 30))
  return Math.min(Math.max(wanted, 1), ARENA_COUNT_MAX)
}
