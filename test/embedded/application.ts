/**
 * Applications with a server inside: `bun test/embedded/application.ts WHAT`.
 *
 *     hundred       starts and closes a server a hundred times; says what the process has then
 *     blocked       says where its server is, then computes for a second
 *     leaves        closes its server and has nothing more to do
 *     core-ends     the core of its server ends without a word
 *     worker-ends   the Worker that holds its server does
 *
 * Thread: main.
 * Owns: its servers.
 * Never: ends itself, but where it has nothing more to do.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { createServer } from 'redbun'
import { Client } from '../support/client.ts'

const [what = ''] = process.argv.slice(2)
const ROUNDS = 100
const WARM_ROUNDS = 10
const BLOCKED_MS = 1000

if (what === 'hundred') await hundred()
else if (what === 'blocked') await blocked()
else if (what === 'leaves') await leaves()
else await breaks()

async function hundred(): Promise<void> {
  for (let round = 0; round < WARM_ROUNDS; round++) await once(round)
  const before = possessions()
  for (let round = 0; round < ROUNDS; round++) await once(round)
  say({ before, after: possessions() })
}

async function once(round: number): Promise<void> {
  await using server = await createServer({ settings: { maxmemory: '64mb' } })
  const client = await Client.connect({ port: server.port })
  for (let i = 0; i < 20; i++) await client.ask(['SET', `key-${i}`, 'x'.repeat(10_000 + round)])
  if ((await client.ask('DBSIZE')) !== ':20') throw new Error('a server does not begin empty')
  client.terminate()
}

function possessions() {
  Bun.gc(true)
  const status = readFileSync('/proc/self/status', 'utf8')
  const files = readdirSync('/proc/self/fd').map((name) => {
    try {
      return readlinkSync(`/proc/self/fd/${name}`)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      return ''
    }
  })
  return {
    rssMiB: process.memoryUsage.rss() / 2 ** 20,
    threads: Number(/^Threads:\s+(\d+)/m.exec(status)?.[1]),
    sockets: files.filter((name) => name.startsWith('socket:')).length,
    files: files.length,
  }
}

async function blocked(): Promise<void> {
  await using server = await createServer()
  say({ port: server.port })
  // Whoever listens to the output connects meanwhile.
  await Bun.stdin.text()
  const endMs = performance.now() + BLOCKED_MS
  let sum = 0
  while (performance.now() < endMs) sum++
  say({ sum })
}

async function leaves(): Promise<void> {
  const server = await createServer()
  await server.close()
  say({ closed: true })
}

async function breaks(): Promise<void> {
  const holders: Worker[] = []
  globalThis.Worker = new Proxy(globalThis.Worker, {
    construct(target) {
      const worker = new target(new URL('./fragile-worker.ts', import.meta.url).href)
      holders.push(worker)
      return worker
    },
  })
  const server = await createServer()
  const orders = new BroadcastChannel('fragile')
  orders.unref()
  if (what === 'core-ends') orders.postMessage('')
  else holders[0].terminate()
  const error = await server.closed.then(
    () => 'closed',
    (reason: Error) => reason.message,
  )
  const again = await server.close().catch((reason: Error) => reason.message)
  await using next = await createServer()
  const client = await Client.connect({ port: next.port })
  say({ error, again, next: await client.ask('PING') })
  client.terminate()
}

function say(value: unknown): void {
  console.log(JSON.stringify(value))
}
