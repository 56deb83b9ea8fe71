/**
 * Servers as processes: ours, and a real redis-server to compare with. Each has a directory of its
 * own, a free port, and dies with the tests.
 *
 * Thread: any.
 * Owns: the processes it started and their directories.
 * Never: touches a server it did not start.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { type Address, Client } from './client.ts'

const MAIN = resolve(import.meta.dir, '../../src/main.ts')
export const ROOT = resolve(import.meta.dir, '../..')

/** Empty when there is none on this machine. */
export const redisServerPath = Bun.which('redis-server') ?? ''

/** Makes the process die with its parent, where the machine has the tool. */
const SETPRIV = Bun.which('setpriv')
const LEASH = SETPRIV === null ? [] : [SETPRIV, '--pdeathsig', 'KILL']

const STARTED_WITHIN_MS = 15_000

export interface ServerOptions {
  /** Directives as on the command line: `['--maxclients', '10']`. */
  readonly args?: readonly string[]
  /** 0: no TCP port; undefined: a free one. */
  readonly port?: number
  /** How it is reached, where that is not the TCP port. */
  readonly address?: (directory: string, port: number) => Address
  readonly environment?: Readonly<Record<string, string>>
  /** A configuration file. */
  readonly config?: string | Uint8Array
  /** What lies in its directory before it starts, by path. */
  readonly files?: Readonly<Record<string, Uint8Array>>
  /** What is started instead of the sources: an executable, and words before all others. */
  readonly program?: readonly string[]
}

export class RunningServer {
  readonly child: Bun.Subprocess
  readonly directory: string
  readonly port: number
  readonly address: Address
  readonly #clients: Client[] = []

  constructor(child: Bun.Subprocess, directory: string, port: number, address: Address) {
    this.child = child
    this.directory = directory
    this.port = port
    this.address = address
  }

  get pid(): number {
    return this.child.pid
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null
  }

  /** Everything it has logged. */
  get log(): string {
    const path = join(this.directory, 'log')
    return existsSync(path) ? readFileSync(path, 'latin1') : ''
  }

  async connect(): Promise<Client> {
    const client = await Client.connect(this.address)
    this.#clients.push(client)
    return client
  }

  /** Waits until the log says `text`. Throws: an Error after `timeoutMs`. */
  async logged(text: string | RegExp, timeoutMs = 5000): Promise<void> {
    for (const deadline = performance.now() + timeoutMs; performance.now() < deadline; ) {
      if (typeof text === 'string' ? this.log.includes(text) : text.test(this.log)) return
      await Bun.sleep(10)
    }
    throw new Error(`the log does not say ${text}:\n${this.log}`)
  }

  /** Ends it by `signal` and gives its exit status; its directory is gone then. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number> {
    for (const client of this.#clients) client.terminate()
    if (this.isRunning) this.child.kill(signal)
    const giveUp = setTimeout(() => this.child.kill('SIGKILL'), 10_000)
    const status = await this.child.exited
    clearTimeout(giveUp)
    rmSync(this.directory, { recursive: true, force: true })
    return status
  }
}

/** Starts our server. Throws: an Error with its log when it does not come up. */
export function startRedbun(options: ServerOptions = {}): Promise<RunningServer> {
  return start(options.program ?? [process.execPath, MAIN], options)
}

/** Starts our server without waiting for what comes of it. */
export function launchRedbun(options: ServerOptions = {}): Promise<RunningServer> {
  return launch([process.execPath, MAIN], options)
}

/** Starts a real redis-server; look at `redisServerPath` before. */
export function startRedis(options: ServerOptions = {}): Promise<RunningServer> {
  return start([redisServerPath], options)
}

/** What a start that ends at once leaves behind. */
export async function runToEnd(
  program: 'redbun' | 'redis',
  args: readonly string[],
  options: { readonly standardInput?: string; readonly directory?: string } = {},
): Promise<{ readonly status: number; readonly stdout: string; readonly stderr: string }> {
  const command = program === 'redbun' ? [process.execPath, MAIN] : [redisServerPath]
  const directory = options.directory ?? makeDirectory()
  const child = Bun.spawn([...LEASH, ...command, ...args], {
    cwd: directory,
    stdin: Buffer.from(options.standardInput ?? ''),
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const giveUp = setTimeout(() => child.kill('SIGKILL'), 5000)
  const [status, stdout, stderr] = await Promise.all([
    child.exited,
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ])
  clearTimeout(giveUp)
  if (options.directory === undefined) rmSync(directory, { recursive: true })
  return { status, stdout, stderr }
}

/** A fresh directory; whoever asks removes it. */
export function makeDirectory(): string {
  return mkdtempSync(join(tmpdir(), 'redbun-test-'))
}

/** A TCP port that nobody listens on just now. */
export function freePort(): number {
  const listener = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data() {} } })
  const { port } = listener
  listener.stop(true)
  return port
}

async function launch(program: readonly string[], options: ServerOptions): Promise<RunningServer> {
  const directory = makeDirectory()
  const port = options.port ?? freePort()
  const address = options.address?.(directory, port) ?? { host: '127.0.0.1', port }
  const file = join(directory, 'test.conf')
  for (const [path, bytes] of Object.entries(options.files ?? {})) {
    await Bun.write(join(directory, path), bytes)
  }
  if (options.config !== undefined) await Bun.write(file, options.config)
  const child = Bun.spawn(
    [
      ...LEASH,
      ...program,
      ...(options.config === undefined ? [] : [file]),
      ...['--port', String(port), '--dir', directory, '--save', ''],
      ...['--enable-debug-command', 'yes', '--enable-protected-configs', 'yes'],
      ...(options.args ?? []),
    ],
    {
      cwd: directory,
      env: { ...process.env, ...options.environment },
      stdin: 'ignore',
      stdout: Bun.file(join(directory, 'log')),
      stderr: Bun.file(join(directory, 'errors')),
    },
  )
  return new RunningServer(child, directory, port, address)
}

async function start(program: readonly string[], options: ServerOptions): Promise<RunningServer> {
  const server = await launch(program, options)
  const { address, directory } = server
  const deadline = performance.now() + STARTED_WITHIN_MS
  while (server.isRunning && performance.now() < deadline) {
    if (await answers(address)) return server
    await Bun.sleep(5)
  }
  const errors = join(directory, 'errors')
  const said = `${server.log}\n${existsSync(errors) ? readFileSync(errors, 'latin1') : ''}`
  await server.stop('SIGKILL')
  throw new Error(`${program.join(' ')} did not start:\n${said}`)
}

async function answers(address: Address): Promise<boolean> {
  try {
    const client = await Client.connect(address)
    const reply = await client.call('PING', 5000)
    client.terminate()
    return reply.kind === '+' || reply.kind === '-'
  } catch {
    // Not yet.
    return false
  }
}
