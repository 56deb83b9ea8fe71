/**
 * The prompt: line editing, history, completion, and hints in grey behind the cursor.
 *
 * Thread: the client's only one.
 * Owns: the terminal, the history file.
 * Never: keeps a line with a password.
 */
import { appendFileSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import { type CommandDocs, completions, hintFor, readDocs } from './docs.ts'
import { runLine } from './lines.ts'
import type { Options } from './options.ts'
import type { Session } from './session.ts'

const HISTORY_SIZE = 1000
const GREY = '\x1b[0;90;49m'
const PLAIN = '\x1b[0m'
const CLEAR_TO_END = '\x1b[0K'
/** Lines that may hold a password. */
const SECRET =
  /^\s*(auth|acl\s+setuser|config\s+set\s.*(masterauth|masteruser|requirepass)|migrate\s.*auth|hello\s.*auth)\b/i

export async function runInteractive(session: Session, options: Options): Promise<void> {
  const history = new History(historyPath(process.env))
  let docs: CommandDocs | undefined
  const loadDocs = async (): Promise<CommandDocs> => {
    if (docs === undefined && session.isConnected)
      docs = readDocs(await session.ask(['COMMAND', 'DOCS']))
    return docs ?? new Map()
  }
  await session.connect()
  await loadDocs()
  const terminal = createInterface({
    input: process.stdin,
    output: process.stdout,
    terminal: true,
    history: history.lines,
    historySize: HISTORY_SIZE,
    removeHistoryDuplicates: false,
    completer: (line: string): [string[], string] => [completions(line, docs ?? new Map()), line],
  })
  const hints = new Hints(terminal, () => docs ?? new Map())
  let isBusy = false
  const done = new Promise<void>((resolve) => terminal.once('close', resolve))
  terminal.on('SIGINT', () => {
    if (isBusy && session.interrupt()) return
    terminal.close()
    // A command may still be waiting for its reply: BLPOP, WAIT.
    session.close()
  })
  const queue: string[] = []
  const work = async (): Promise<void> => {
    if (isBusy) return
    isBusy = true
    hints.isActive = false
    for (let line = queue.shift(); line !== undefined; line = queue.shift()) {
      history.add(line)
      if (await runLine(Buffer.from(line), session, options, loadDocs)) continue
      terminal.close()
      return
    }
    isBusy = false
    if (!session.isConnected && session.wasInterrupted) await session.connect()
    terminal.setPrompt(session.prompt)
    hints.isActive = true
    terminal.prompt()
  }
  terminal.on('line', (line) => {
    queue.push(line)
    void work()
  })
  terminal.setPrompt(session.prompt)
  terminal.prompt()
  await done
}

/** Grey text behind the cursor, taken away before the terminal is written to by anybody else. */
class Hints {
  isActive = true
  readonly #terminal: Interface
  readonly #docs: () => CommandDocs

  constructor(terminal: Interface, docs: () => CommandDocs) {
    this.#terminal = terminal
    this.#docs = docs
    process.stdin.prependListener('keypress', () => {
      if (this.isActive) process.stdout.write(CLEAR_TO_END)
      setImmediate(() => this.#show())
    })
  }

  #show(): void {
    const { line, cursor } = this.#terminal
    if (!this.isActive || line === '' || cursor !== line.length) return
    const columns = process.stdout.columns || 80
    const used = this.#terminal.getCursorPos().cols
    const hint = hintFor(line, this.#docs()).slice(0, Math.max(columns - used - 1, 0))
    if (hint === '') return
    process.stdout.write(`${GREY}${hint}${PLAIN}\x1b[${hint.length}D`)
  }
}

class History {
  /** Newest first, as readline wants them. */
  readonly lines: string[] = []
  readonly #path: string | undefined

  constructor(path: string | undefined) {
    this.#path = path
    if (path === undefined) return
    const lines = readText(path)
      .split('\n')
      .filter((line) => line !== '')
    this.lines = lines.slice(-HISTORY_SIZE).reverse()
  }

  add(line: string): void {
    if (this.#path === undefined || !isKept(line)) return
    try {
      appendFileSync(this.#path, `${line}\n`, { mode: 0o600 })
    } catch (error) {
      // A history that cannot be written is no reason to stop.
      if (!isSystemError(error)) throw error
    }
  }
}

/** Undefined: nothing is to be kept. */
export function historyPath(
  environment: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const path = environment['REDISCLI_HISTFILE']
  if (path !== undefined && path !== '') return path === '/dev/null' ? undefined : path
  return join(environment['HOME'] ?? homedir(), '.redbuncli_history')
}

/** True when a line may be kept in the history. */
export function isKept(line: string): boolean {
  return line.trim() !== '' && !SECRET.test(line)
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (!isSystemError(error)) throw error
    return ''
  }
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'code' in error
}
