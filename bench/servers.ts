/**
 * The servers compared: fresh processes of ours and of redis-server, or any that runs elsewhere.
 *
 * Thread: main.
 * Owns: the processes it started, and their directories.
 * Never: leaves one running; touches data of a server that it did not start and that is not empty.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { CompiledForms } from '../src/process/compiled-forms.ts'
import { Client } from '../test/support/client.ts'
import { freePort } from '../test/support/server.ts'
import { hold, leashed } from './leash.ts'
import type { Options, OtherServer } from './options.ts'
import type { Target } from './redis-benchmark.ts'

const ROOT = resolve(import.meta.dir, '..')
/** What `bun run server` starts. */
const MAIN = join(ROOT, 'src/compiled.ts')
const STARTED_WITHIN_MS = 15_000
const STOPPED_WITHIN_MS = 10_000
const TICKS_PER_SECOND = 100

/** Something that can be measured. */
export class Server implements Target {
  readonly name: string
  readonly host: string
  readonly port: number
  /** Undefined: it was not started here. */
  readonly process: Bun.Subprocess | undefined
  readonly #directory: string

  constructor(target: OtherServer, child?: Bun.Subprocess, directory = '') {
    this.name = target.name
    this.host = target.host
    this.port = target.port
    this.process = child
    this.#directory = directory
  }

  /** Runs `use` with a connection of its own. */
  async with<T>(use: (client: Client) => Promise<T>): Promise<T> {
    const client = await Client.connect(this)
    try {
      return await use(client)
    } finally {
      client.terminate()
    }
  }

  /** The fields of INFO. */
  async info(): Promise<Map<string, string>> {
    const text = await this.with((client) => client.text('INFO everything'))
    return new Map(
      text.split('\r\n').map((line) => {
        const colon = line.indexOf(':')
        return [line.slice(0, colon), line.slice(colon + 1)]
      }),
    )
  }

  async infoNumber(name: string): Promise<number> {
    const value = Number((await this.info()).get(name) ?? Number.NaN)
    if (Number.isNaN(value)) throw new Error(`INFO of ${this.name} has no number ${name}`)
    return value
  }

  async flush(): Promise<void> {
    await this.with((client) => client.text('FLUSHALL'))
  }

  /** Bytes of memory that the process occupies; undefined where /proc does not say. */
  rssBytes(): number | undefined {
    const status = this.#proc('status')
    const match = /^VmRSS:\s+(\d+) kB$/m.exec(status)
    return match === null ? undefined : Number(match[1]) * 1024
  }

  /** Seconds of processor time so far; undefined where /proc does not say. */
  processorSeconds(): number | undefined {
    const stat = this.#proc('stat')
    if (stat === '') return undefined
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
  }

  async stop(): Promise<void> {
    const child = this.process
    if (child === undefined) return
    child.kill('SIGTERM')
    const giveUp = setTimeout(() => child.kill('SIGKILL'), STOPPED_WITHIN_MS)
    await child.exited
    clearTimeout(giveUp)
    rmSync(this.#directory, { recursive: true, force: true })
  }

  #proc(file: string): string {
    const path = `/proc/${this.process?.pid}/${file}`
    return existsSync(path) ? readFileSync(path, 'latin1') : ''
  }
}

export type Start = () => Promise<Server>

/**
 * Ways to start fresh servers: ours first, the reference second. Throws: an Error when ours cannot be
 * compiled.
 */
export async function starters(
  options: Options,
): Promise<{ readonly redbun: Start; readonly redis: Start }> {
  await compile()
  const ours = [process.execPath, MAIN, '--io-threads', String(options.ioThreads)]
  const io = String(options.redisIoThreads)
  const theirs = ['redis-server', '--appendonly', 'no', '--io-threads', io]
  if (options.redisIoThreads > 1) theirs.push('--io-threads-do-reads', 'yes')
  return { redbun: () => start('Redbun', ours), redis: () => start('Redis', theirs) }
}

/** Has ours compiled, as an earlier start would have: the first one measured is not to compile. */
async function compile(): Promise<void> {
  const forms = new CompiledForms(ROOT)
  if (forms.find() !== undefined) return
  await forms.compile()?.exited
  if (forms.find() === undefined) throw new Error('Redbun could not be compiled')
}

/** Throws: an Error when a server holds keys already. */
export async function joinServer(other: OtherServer): Promise<Server> {
  const server = new Server(other)
  const size = (await server.with((client) => client.call('DBSIZE'))).bytes?.toString() ?? '?'
  if (size !== '0') throw new Error(`${other.name} is not empty (${size} keys): not touched`)
  return server
}

/** Resolves at the first PONG. Throws: an Error with what the server said when there is none. */
async function start(name: string, command: readonly string[]): Promise<Server> {
  const directory = mkdtempSync(join(tmpdir(), 'redbun-bench-'))
  const log = join(directory, 'log')
  const port = freePort()
  const child = hold(
    Bun.spawn(leashed([...command, '--port', String(port), '--dir', directory, '--save', '']), {
      cwd: directory,
      stdin: 'ignore',
      stdout: Bun.file(log),
      stderr: Bun.file(log),
    }),
  )
  const server = new Server({ name, host: '127.0.0.1', port }, child, directory)
  const deadlineMs = performance.now() + STARTED_WITHIN_MS
  while (child.exitCode === null && performance.now() < deadlineMs) {
    if (await answers(server)) return server
    await Bun.sleep(1)
  }
  const said = existsSync(log) ? readFileSync(log, 'latin1') : ''
  await server.stop()
  throw new Error(`${command.join(' ')} did not start:\n${said}`)
}

async function answers(server: Server): Promise<boolean> {
  try {
    return (await server.with((client) => client.text('PING'))) === 'PONG'
  } catch {
    // Not yet.
    return false
  }
}
