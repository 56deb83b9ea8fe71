/**
 * Servers that follow each other, somebody who writes to one of them, and the question whether all
 * hold the same.
 *
 * Thread: any.
 * Owns: the servers that it started.
 * Never: knows how replication works.
 */
import { cpSync } from 'node:fs'
import { CommandTable } from '../../src/core/command/table.ts'
import { commandGroups } from '../../src/core/commands.ts'
import { Dice } from '../conformance/dice.ts'
import { Generator } from '../conformance/generator.ts'
import { encodeRequest } from '../support/argv.ts'
import { Client } from '../support/client.ts'
import {
  makeDirectory,
  type RunningServer,
  redisServerPath,
  type ServerOptions,
  startRedbun,
  startRedis,
} from '../support/server.ts'

export type Kind = 'redbun' | 'redis'

/** All pairings with one of ours in them. */
export const PAIRS: readonly (readonly [primary: Kind, replica: Kind])[] =
  redisServerPath === ''
    ? [['redbun', 'redbun']]
    : [
        ['redbun', 'redbun'],
        ['redis', 'redbun'],
        ['redbun', 'redis'],
      ]

const SETTLED_WITHIN_MS = 20_000
const LOG_LINES = 20
const BATCH_COUNT = 40
const DATABASE_COUNT = 3

/** So that tests need not wait for what production wants. */
const QUICK = ['--repl-diskless-sync-delay', '0', '--repl-ping-replica-period', '1']

interface PairOptions {
  readonly primaryArgs?: readonly string[]
  readonly replicaArgs?: readonly string[]
}

export class Stage {
  readonly #servers: RunningServer[] = []

  async start(kind: Kind, args: readonly string[] = [], port?: number): Promise<RunningServer> {
    const options: ServerOptions = {
      args: [...QUICK, ...args],
      ...(port === undefined ? {} : { port }),
    }
    const server = await (kind === 'redis' ? startRedis(options) : startRedbun(options))
    this.#servers.push(server)
    return server
  }

  /** Starts a server that follows another. */
  async follow(
    kind: Kind,
    primary: RunningServer,
    args: readonly string[] = [],
  ): Promise<RunningServer> {
    const server = await this.start(kind, args)
    const client = await server.connect()
    await client.call(`REPLICAOF 127.0.0.1 ${primary.port}`)
    return server
  }

  /** A primary, and a replica that has its data. */
  async pair(
    kind: Kind,
    { primaryArgs = [], replicaArgs = [] }: PairOptions = {},
  ): Promise<[primary: RunningServer, replica: RunningServer]> {
    const primary = await this.start(kind, primaryArgs)
    const replica = await this.follow(kind, primary, replicaArgs)
    await linked(replica)
    return [primary, replica]
  }

  /** Kills a server and starts it anew with the files that it has left. */
  async again(kind: Kind, server: RunningServer): Promise<RunningServer> {
    const directory = makeDirectory()
    cpSync(server.directory, directory, { recursive: true })
    await server.stop('SIGKILL')
    return await this.start(kind, ['--dir', directory], server.port)
  }

  /** The end of what each server has logged. */
  logs(): string {
    return this.#servers
      .map(({ port, log }) => `${port}:\n${log.split('\n').slice(-LOG_LINES).join('\n')}`)
      .join('\n')
  }

  async end(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.stop('SIGKILL')))
  }
}

/** Tests run side by side: most of their time they wait. Their own time begins when they are let in. */
const STAGE_COUNT = 4
/** For `setDefaultTimeout`: waiting to be let in counts, too. */
export const PATIENCE_MS = 180_000
let stagesInUse = 0
const queue: (() => void)[] = []

export async function onStage(use: (stage: Stage) => Promise<void>): Promise<void> {
  if (stagesInUse < STAGE_COUNT) stagesInUse++
  else await new Promise<void>((resolve) => queue.push(resolve))
  const stage = new Stage()
  try {
    await use(stage)
  } catch (error) {
    throw new Error(`${(error as Error).message}\n${stage.logs()}`)
  } finally {
    await stage.end()
    const next = queue.shift()
    if (next === undefined) stagesInUse--
    else next()
  }
}

/** Writes random commands of all types, batch by batch, until it is stopped. */
export class Writer {
  readonly #generator: Generator
  readonly #client: Client
  #goesOn = true
  #done: Promise<void> = Promise.resolve()
  /** Commands answered. */
  count = 0

  private constructor(client: Client, seed: number) {
    this.#client = client
    const { entries } = new CommandTable(commandGroups)
    // What came after Redis 7.0 one of the servers may not have.
    const old = entries.filter(({ definition }) => /^([1-6]\.|7\.0)/.test(definition.since))
    this.#generator = new Generator(new Dice(seed), old)
  }

  static async begin(server: RunningServer, seed: number): Promise<Writer> {
    const writer = new Writer(await Client.connect(server.address), seed)
    writer.#done = writer.#run()
    return writer
  }

  /** Ends once the batch in progress is answered, or the connection has ended. */
  async stop(): Promise<void> {
    this.#goesOn = false
    await this.#done
    this.#client.terminate()
  }

  async #run(): Promise<void> {
    for (let batch = 0; this.#goesOn; batch++) {
      const commands = [`SELECT ${batch % DATABASE_COUNT}`.split(' ')]
      for (let i = 1; i < BATCH_COUNT; i++) commands.push([...this.#generator.next()])
      const inside = batch % 4 === 0
      const all = inside ? [['MULTI'], ...commands, ['EXEC']] : commands
      this.#client.write(
        Buffer.concat(
          all.map((argv) => encodeRequest(argv.map((word) => Buffer.from(word, 'latin1')))),
        ),
      )
      try {
        for (let i = 0; i < all.length; i++) await this.#client.next()
      } catch {
        // The server was killed: that is what some tests do.
        return
      }
      this.count += commands.length
    }
  }
}

export async function info(client: Client, field: string): Promise<string> {
  const text = await client.text('INFO everything')
  return new RegExp(`^${field}:(.*?)\\r?$`, 'm').exec(text)?.[1] ?? ''
}

/** Waits until `ask` gives `wanted`. Throws: an Error with what it gave last. */
export async function until<Value>(
  what: string,
  ask: () => Promise<Value>,
  wanted: Value | ((value: Value) => boolean),
  patienceMs = SETTLED_WITHIN_MS,
): Promise<void> {
  const fits = (value: Value) =>
    typeof wanted === 'function' ? (wanted as (value: Value) => boolean)(value) : value === wanted
  let last: Value | undefined
  for (const deadline = performance.now() + patienceMs; performance.now() < deadline; ) {
    last = await ask()
    if (fits(last)) return
    await Bun.sleep(20)
  }
  throw new Error(`${what}: still ${String(last)} after ${patienceMs} ms`)
}

/** Waits until a primary counts its first replica as one that follows. */
export async function online(client: Client): Promise<void> {
  await until(
    'the replica',
    () => info(client, 'slave0'),
    (text) => text.includes('online'),
  )
}

export async function linked(replica: RunningServer): Promise<void> {
  const client = await replica.connect()
  await until('the link', () => info(client, 'master_link_status'), 'up')
  client.terminate()
}

/** Waits until all are at the same offset, and compares what they hold. Nobody writes meanwhile. */
export async function sameData(...servers: readonly RunningServer[]): Promise<void> {
  const clients = await Promise.all(servers.map((server) => server.connect()))
  const [first, ...others] = clients
  try {
    for (const other of others) {
      await until(
        'the offset',
        async () => {
          const [here, there] = await Promise.all(
            [first, other].map((client) => info(client, 'master_repl_offset')),
          )
          return here === there && (await info(other, 'slave_repl_offset')) === here
        },
        true,
      )
    }
    await until(
      'the digest',
      async () => {
        const digests = await Promise.all(clients.map((client) => client.ask('DEBUG DIGEST')))
        return new Set(digests).size
      },
      1,
    )
  } finally {
    for (const client of clients) client.terminate()
  }
}
