/**
 * Where threads may run: one client that waits for each answer has the core stay on a processor and io
 * keep off it; many that ask one thing each have io, and the disk thread while it only appends, join the
 * core there; as soon as many ask much, or nobody has for a while, all may run anywhere.
 *
 * Thread: any.
 * Owns: the server it starts.
 * Never: looks at a machine with a processor to spare: nobody settles there.
 */
import { expect, test } from 'bun:test'
import { readdirSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { affinity } from '../../src/bridge/affinity.ts'
import type { Client } from '../support/client.ts'
import { notation } from '../support/reply.ts'
import { type RunningServer, startRedbun } from '../support/server.ts'

const MANY = 10
const WITHIN_MS = 5000
const AT_ONCE = 200
const PIPELINE = 100
const PINGS = Buffer.from('PING\r\n'.repeat(PIPELINE))

interface Allowed {
  readonly io: string
  readonly core: string
  /** Undefined as long as there is none. */
  readonly disk: string | undefined
}

/** The processors that threads may run on, as the kernel writes them; io is the main thread. */
function allowed(processId: number): Allowed {
  const tasks = `/proc/${processId}/task`
  const of = (thread: string | number) => {
    const status = readFileSync(`${tasks}/${thread}/status`, 'latin1')
    return /^Cpus_allowed_list:\s+(\S+)$/m.exec(status)?.[1] ?? ''
  }
  const [core, disk] = readdirSync(tasks)
    .sort((a, b) => Number(a) - Number(b))
    .filter((thread) => readFileSync(`${tasks}/${thread}/comm`, 'latin1') === 'Worker\n')
  return { io: of(processId), core: of(core), disk: disk === undefined ? disk : of(disk) }
}

/** A server, and how to ask it until its threads may run as expected. */
class Scene {
  readonly server: RunningServer
  readonly free: Allowed
  readonly clients: readonly Client[]

  constructor(server: RunningServer, clients: readonly Client[]) {
    this.server = server
    this.clients = clients
    this.free = this.now()
  }

  static async open(...args: string[]): Promise<Scene> {
    const server = await startRedbun({ args })
    const clients: Client[] = []
    for (let i = 0; i < MANY; i++) clients.push(await server.connect())
    return new Scene(server, clients)
  }

  now(): Allowed {
    return allowed(this.server.pid)
  }

  get isFree(): boolean {
    return Bun.deepEquals(this.now(), this.free)
  }

  get hasSettled(): boolean {
    const { io, core } = this.now()
    return core !== this.free.core && !io.split(/[-,]/).includes(core)
  }

  get hasGathered(): boolean {
    const { io, core } = this.now()
    return core !== this.free.core && io === core
  }

  /** Asks by one client after the other's answer, or without waiting for it, until it is so. */
  async askUntil(
    isSo: () => boolean,
    by: readonly Client[],
    ask: (client: Client) => Promise<void> = (client) => this.ask(client, 'PING', 'PONG'),
  ): Promise<boolean> {
    const deadlineMs = performance.now() + WITHIN_MS
    while (!isSo() && performance.now() < deadlineMs) await Promise.all(by.map(ask))
    return isSo()
  }

  async ask(client: Client, command: string, answer: string): Promise<void> {
    for (let i = 0; i < AT_ONCE; i++) expect(await client.text(command)).toBe(answer)
  }

  async askMuch(client: Client): Promise<void> {
    for (let i = 0; i < 10; i++) {
      client.write(PINGS)
      for (let k = 0; k < PIPELINE; k++) expect(notation(await client.next())).toBe('+PONG')
    }
  }

  async waitUntil(isSo: () => boolean): Promise<boolean> {
    const deadlineMs = performance.now() + WITHIN_MS
    while (!isSo() && performance.now() < deadlineMs) await Bun.sleep(20)
    return isSo()
  }
}

// With one processor nothing shows; with more than three there is one to spare.
test.if(affinity !== undefined && [2, 3].includes(availableParallelism()))(
  'the core settles for one client, and for nobody else',
  async () => {
    const scene = await Scene.open()
    const { clients, free, server } = scene
    expect(free.io).toBe(free.core)
    const one = clients.slice(0, 1)
    expect(await scene.askUntil(() => scene.hasSettled, one)).toBe(true)
    // See the next test for where they gather.
    const hasParted = () => scene.isFree || (availableParallelism() === 2 && scene.hasGathered)
    expect(await scene.askUntil(hasParted, clients)).toBe(true)

    expect(await scene.askUntil(() => scene.hasSettled, one)).toBe(true)
    expect(await scene.waitUntil(() => scene.now().core === free.core)).toBe(true)
    expect(await clients[0].text('PING')).toBe('PONG')
    expect(scene.isFree).toBe(true)
    expect(await server.stop()).toBe(0)
  },
  30_000,
)

// With one processor nothing shows; with a third there is one for core and io each.
test.if(affinity !== undefined && availableParallelism() === 2)(
  'the core gathers the others for many that ask one thing each, and for nobody else',
  async () => {
    const scene = await Scene.open('--appendonly', 'yes', '--save', '')
    const { clients, free, server } = scene
    const set = (client: Client) => scene.ask(client, 'SET k v', 'OK')
    const hasAllGathered = () => scene.hasGathered && scene.now().disk === scene.now().core
    expect(await scene.askUntil(hasAllGathered, clients, set)).toBe(true)
    const much = (client: Client) => scene.askMuch(client)
    expect(await scene.askUntil(() => scene.now().core === free.core, clients, much)).toBe(true)

    expect(await scene.askUntil(() => scene.hasGathered, clients)).toBe(true)
    expect(await scene.waitUntil(() => scene.now().core === free.core)).toBe(true)
    expect(await clients[0].text('PING')).toBe('PONG')
    expect(scene.now().io).toBe(free.io)
    expect(await server.stop()).toBe(0)
  },
  30_000,
)
