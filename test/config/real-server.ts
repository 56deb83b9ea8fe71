/**
 * A real redis-server to compare with, on a unix socket in a directory of its own.
 *
 * Thread: any.
 * Owns: the process it started and its directory.
 * Never: touches a server it did not start.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const hasRedis = Bun.which('redis-server') !== null

/** What must not outlive the tests, however they end. */
const running = new Set<Bun.Subprocess>()
process.on('exit', () => {
  for (const child of running) child.kill(9)
})

export type RealReply = string | null | RealReply[]

/** A fresh directory; the caller removes it. */
export function makeDirectory(): string {
  return mkdtempSync(join(tmpdir(), 'config-test-'))
}

/** What a start that cannot succeed leaves behind. */
export async function failToStart(
  directory: string,
  args: readonly string[],
  standardInput = '',
): Promise<{ status: number; stdout: string; stderr: string }> {
  const child = Bun.spawn(['redis-server', ...args], {
    cwd: directory,
    stdin: Buffer.from(standardInput, 'latin1'),
    stdout: 'pipe',
    stderr: 'pipe',
  })
  running.add(child)
  const giveUp = setTimeout(() => child.kill(9), 5000)
  const [status, stdout, stderr] = await Promise.all([
    child.exited,
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ])
  clearTimeout(giveUp)
  running.delete(child)
  return { status, stdout, stderr }
}

export class RealServer {
  readonly directory: string
  readonly #child: Bun.Subprocess
  readonly #socket: Bun.Socket
  readonly #waiting: ((reply: RealReply) => void)[]

  private constructor(
    directory: string,
    child: Bun.Subprocess,
    socket: Bun.Socket,
    waiting: ((reply: RealReply) => void)[],
  ) {
    this.directory = directory
    this.#child = child
    this.#socket = socket
    this.#waiting = waiting
  }

  /** Starts with `args`, or with a file of `config` named test.conf; listens on `s` in its directory. */
  static async start(args: readonly string[], config?: string, standardInput = '') {
    const directory = makeDirectory()
    const file = join(directory, 'test.conf')
    if (config !== undefined) writeFileSync(file, config, 'latin1')
    const child = Bun.spawn(['redis-server', ...(config === undefined ? [] : [file]), ...args], {
      cwd: directory,
      stdin: Buffer.from(standardInput),
      stdout: 'ignore',
      stderr: 'ignore',
    })
    running.add(child)
    const waiting: ((reply: RealReply) => void)[] = []
    let rest = ''
    for (let attempt = 0; attempt < 400; attempt++) {
      try {
        const socket = await Bun.connect({
          unix: join(directory, 's'),
          socket: {
            data(_, chunk) {
              rest += chunk.toString('latin1')
              for (;;) {
                const parsed = parseReply(rest, 0)
                if (parsed === undefined) break
                rest = rest.slice(parsed.next)
                waiting.shift()!(parsed.reply)
              }
            },
          },
        })
        return new RealServer(directory, child, socket, waiting)
      } catch {
        if (child.exitCode !== null) break
        await Bun.sleep(10)
      }
    }
    child.kill(9)
    throw new Error(`redis-server did not start with ${JSON.stringify(args)}`)
  }

  /** Arguments are byte strings; so is the reply, an error with its leading hyphen. */
  command(...words: readonly string[]): Promise<RealReply> {
    const { promise, resolve } = Promise.withResolvers<RealReply>()
    this.#waiting.push(resolve)
    const parts = words.map((word) => `$${word.length}\r\n${word}\r\n`)
    this.#socket.write(Buffer.from(`*${words.length}\r\n${parts.join('')}`, 'latin1'))
    this.#socket.flush()
    return promise
  }

  /** One value by CONFIG GET; nothing if there is no such name. */
  async value(name: string): Promise<string | undefined> {
    const reply = await this.command('CONFIG', 'GET', name)
    return Array.isArray(reply) ? (reply[1] as string | undefined) : undefined
  }

  async stop(): Promise<void> {
    this.#socket.end()
    this.#child.kill(9)
    await this.#child.exited
    running.delete(this.#child)
    rmSync(this.directory, { recursive: true })
  }
}

function parseReply(text: string, at: number): { reply: RealReply; next: number } | undefined {
  const end = text.indexOf('\r\n', at)
  if (end < 0) return undefined
  const line = text.slice(at + 1, end)
  const next = end + 2
  switch (text[at]) {
    case '$': {
      const size = Number(line)
      if (size < 0) return { reply: null, next }
      if (text.length < next + size + 2) return undefined
      return { reply: text.slice(next, next + size), next: next + size + 2 }
    }
    case '*': {
      const items: RealReply[] = []
      let place = next
      for (let count = Number(line); count > 0; count--) {
        const item = parseReply(text, place)
        if (item === undefined) return undefined
        items.push(item.reply)
        place = item.next
      }
      return { reply: items, next: place }
    }
    default:
      return { reply: text[at] === '-' ? `-${line}` : line, next }
  }
}
