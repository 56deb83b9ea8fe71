/**
 * Rows: a command and its reply, run against every target of targets.ts in step.
 *
 *     suite('GT keeps the higher score', (check) => {
 *       check('ZADD k 5 a', ':1')
 *       check('ZADD k GT CH 3 a', ':0')
 *       check(['SET', 'b', Buffer.of(0, 255)], '+OK')
 *       check('GET b', '$"\\x00\\xff"')
 *       check.resp3('HGETALL h', '%1 $f $v')          a second connection that speaks RESP3
 *       const other = check.on('other')               a further connection
 *       other.sends('BLPOP l 0')                      sends, and looks at no reply yet
 *       check('RPUSH l x', ':1')
 *       other.receives('*2 $l $x')
 *       check.wait(1500)                              time passes; in-process at once
 *       check.redbun('DEBUG ...', '+OK')              ours alone, where we differ on purpose
 *     })
 *
 * Replies are written as reply.ts says. What varies is a RegExp, a function of the reply's text, or
 * one of the matchers below. Every suite begins with FLUSHALL and fresh connections.
 *
 * Thread: any.
 * Owns: the rows of one suite, and showing what went wrong.
 * Never: stops at the first wrong row.
 */
import { test } from 'bun:test'
import { relative } from 'node:path'
import { argumentsOf, type CommandText, encodeRequest, showCommand } from './argv.ts'
import { notation, parseNotation, type Reply } from './reply.ts'
import { ROOT } from './server.ts'
import { type Connected, redbunLog, type Target, targets } from './targets.ts'

/** What rows of one target have kept under a name. */
export type Saved = Record<string, string>

export interface Matcher {
  /** Shown where the reply does not match. */
  readonly says: string
  matches(text: string, saved: Saved, reply: Reply): boolean
}

export type Expected = string | RegExp | Matcher | ((text: string, saved: Saved) => boolean)
/** A command, or one made from what earlier rows have saved. */
export type RowCommand = CommandText | ((saved: Saved) => CommandText)

export interface CheckOn {
  (command: RowCommand, expected: Expected): void
  /** Sends bytes as they are; as many replies as are expected follow. */
  raw(bytes: string | Uint8Array, ...expected: readonly Expected[]): void
  sends(command: RowCommand): void
  receives(expected: Expected): void
  /** Nothing has come that was not asked for. */
  receivesNothing(): void
  /** The server closes this connection. */
  isClosed(): void
  /** The client closes it. */
  closes(): void
}

export interface Check extends CheckOn {
  /** A further connection; the same name is the same connection. */
  on(name: string, options?: { readonly resp?: 2 | 3 }): CheckOn
  readonly resp3: CheckOn
  /** Runs on our server alone. */
  redbun(command: RowCommand, expected: Expected): void
  /** Runs on a real Redis alone. */
  redis(command: RowCommand, expected: Expected): void
  wait(ms: number): void
}

export interface SuiteOptions {
  /** Settings during the suite; what was before is put back. */
  readonly config?: Readonly<Record<string, string>>
  /** The Redis version that brought what is checked: beyond 7.0, no real Redis is asked. */
  readonly since?: string
}

interface Row {
  readonly place: string
  readonly shown: string
  readonly on: string
  readonly only: 'redbun' | 'redis' | undefined
  readonly expected: readonly Expected[]
  /** Gives the replies to look at. */
  readonly act: (run: Run, connection: Connected) => Promise<Reply[]> | Reply[]
}

const MAIN = 'main'
const RESP3 = 'resp3'
const PATIENCE_MS = 5000
const SHOWN_ROWS_MAX = 8
const SUITE_TIMEOUT_MS = 120_000

/** Defines a test whose rows are what `body` checks. The name states a fact. */
export function suite(name: string, body: (check: Check) => void, options: SuiteOptions = {}) {
  const rows: Row[] = []
  const versions = new Map<string, number>([[RESP3, 3]])
  body(checkFor(rows, versions))
  test(name, () => runSuite(rows, versions, options), SUITE_TIMEOUT_MS)
}

function checkFor(rows: Row[], versions: Map<string, number>): Check {
  const on = (name: string, options: { readonly resp?: 2 | 3 } = {}) => {
    if (options.resp !== undefined) versions.set(name, options.resp)
    return checkOn(rows, name)
  }
  return Object.assign(checkOn(rows, MAIN), {
    on,
    resp3: checkOn(rows, RESP3),
    redbun: (command: RowCommand, expected: Expected) =>
      addCall(rows, MAIN, command, expected, 'redbun'),
    redis: (command: RowCommand, expected: Expected) =>
      addCall(rows, MAIN, command, expected, 'redis'),
    wait: (ms: number) =>
      add(rows, MAIN, `(${ms} ms pass)`, [], async (run) => {
        await run.target.advance(ms)
        return []
      }),
  })
}

function checkOn(rows: Row[], on: string): CheckOn {
  const call = (command: RowCommand, expected: Expected) => addCall(rows, on, command, expected)
  return Object.assign(call, {
    raw: (bytes: string | Uint8Array, ...expected: readonly Expected[]) => {
      const buffer = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes
      const shown = JSON.stringify(Buffer.from(buffer.subarray(0, 300)).toString('latin1'))
      add(rows, on, shown, expected, (_, connection) => {
        connection.write(buffer)
        return take(connection, expected.length)
      })
    },
    sends: (command: RowCommand) => {
      add(rows, on, `${show(command)} (sent)`, [], (run, connection) => {
        connection.write(encode(command, run.saved))
        return []
      })
    },
    receives: (expected: Expected) =>
      add(rows, on, '(receives)', [expected], (_, connection) => take(connection, 1)),
    receivesNothing: () => {
      add(rows, on, '(receives nothing)', [], async (_, connection) => {
        await connection.settle()
        return connection.unread === 0 ? [] : take(connection, connection.unread)
      })
    },
    isClosed: () => {
      add(rows, on, '(is closed)', [], async (run, connection) => {
        for (let tries = 0; tries < 100 && !connection.isEnded; tries++)
          await run.target.advance(10)
        if (!connection.isEnded) throw new Error('the connection is open')
        return []
      })
    },
    closes: () => {
      add(rows, on, '(closes)', [], async (run, connection) => {
        connection.close()
        run.connections.delete(on)
        await connection.settle()
        return []
      })
    },
  })
}

function addCall(
  rows: Row[],
  on: string,
  command: RowCommand,
  expected: Expected,
  only?: 'redbun' | 'redis',
): void {
  const act = (run: Run, connection: Connected) => {
    connection.write(encode(command, run.saved))
    return take(connection, 1)
  }
  add(rows, on, show(command), [expected], act, only)
}

function add(
  rows: Row[],
  on: string,
  shown: string,
  expected: readonly Expected[],
  act: Row['act'],
  only?: 'redbun' | 'redis',
): void {
  for (const one of expected) if (typeof one === 'string') parseNotation(one)
  rows.push({ place: callerPlace(), shown, on, only, expected, act })
}

/** Where in a test file the row stands. */
function callerPlace(): string {
  for (const line of (new Error().stack ?? '').split('\n').slice(1)) {
    const found = /\(?((?:file:\/\/)?\/[^()]+?):(\d+):\d+\)?$/.exec(line)
    if (found !== null && !found[1].endsWith('/test/support/check.ts')) {
      return `${relative(ROOT, found[1])}:${found[2]}`
    }
  }
  return '?'
}

const show = (command: RowCommand) =>
  typeof command === 'function' ? '(made from saved)' : showCommand(command)

const encode = (command: RowCommand, saved: Saved) =>
  encodeRequest(argumentsOf(typeof command === 'function' ? command(saved) : command))

async function take(connection: Connected, count: number): Promise<Reply[]> {
  const replies: Reply[] = []
  while (replies.length < count) replies.push(await connection.next(PATIENCE_MS))
  return replies
}

/** A suite on one target. */
class Run {
  readonly target: Target
  readonly saved: Saved = {}
  readonly connections = new Map<string, Connected>()
  readonly #versions: ReadonlyMap<string, number>

  constructor(target: Target, versions: ReadonlyMap<string, number>) {
    this.target = target
    this.#versions = versions
  }

  async connection(name: string): Promise<Connected> {
    const known = this.connections.get(name)
    if (known !== undefined) return known
    const connection = await this.target.connect()
    this.connections.set(name, connection)
    if (this.#versions.get(name) === 3) await ask(connection, ['HELLO', '3'])
    return connection
  }

  /** The reply to a row in words; '' if it is not for this target. */
  async answer(row: Row): Promise<{ readonly text: string; readonly right: boolean } | undefined> {
    if (row.only === 'redbun' && !this.target.isRedbun) return undefined
    if (row.only === 'redis' && this.target.isRedbun) return undefined
    try {
      const connection = await this.connection(row.on)
      const replies = await row.act(this, connection)
      const texts = replies.map(notation)
      const right =
        texts.length === row.expected.length &&
        row.expected.every((expected, i) => matches(expected, texts[i], this.saved, replies[i]))
      return { text: texts.length === 0 ? '(nothing)' : texts.join('\n               '), right }
    } catch (error) {
      return { text: `!! ${(error as Error).message}`, right: false }
    }
  }

  end(): void {
    for (const connection of this.connections.values()) connection.close()
  }
}

async function ask(connection: Connected, command: CommandText): Promise<Reply> {
  connection.write(encodeRequest(argumentsOf(command)))
  const reply = await connection.next(PATIENCE_MS)
  if (reply.kind === '-') throw new Error(`${showCommand(command)}: ${notation(reply)}`)
  return reply
}

function matches(expected: Expected, text: string, saved: Saved, reply: Reply): boolean {
  if (typeof expected === 'string') return notation(parseNotation(expected)) === text
  if (expected instanceof RegExp) return expected.test(text)
  if (typeof expected === 'function') return expected(text, saved)
  return expected.matches(text, saved, reply)
}

async function runSuite(
  rows: readonly Row[],
  versions: ReadonlyMap<string, number>,
  options: SuiteOptions,
): Promise<void> {
  const all = await targets()
  const fitting = isBeyond70(options.since) ? all.filter((target) => target.isRedbun) : all
  const runs = fitting.map((target) => new Run(target, versions))
  const restores = await Promise.all(runs.map((run) => begin(run, options.config ?? {})))
  const wrong: string[] = []
  try {
    for (const row of rows) {
      const answers = await Promise.all(runs.map((run) => run.answer(row)))
      if (answers.every((answer) => answer === undefined || answer.right)) continue
      wrong.push(describeFailure(row, runs, answers))
    }
  } finally {
    await Promise.all(restores.map((restore) => restore()))
    for (const run of runs) run.end()
  }
  if (wrong.length === 0) return
  const more =
    wrong.length > SHOWN_ROWS_MAX ? `\n... and ${wrong.length - SHOWN_ROWS_MAX} more` : ''
  const log = redbunLog()
  throw new WrongRows(
    `${wrong.length} of ${rows.length} rows\n${wrong.slice(0, SHOWN_ROWS_MAX).join('\n')}${more}` +
      (log === '' ? '' : `\nThe server died; its log ends:\n${log.slice(-3000)}`),
  )
}

class WrongRows extends Error {
  override readonly name = 'Wrong'
  override readonly stack = ''
}

function isBeyond70(since: string | undefined): boolean {
  const [major = 0, minor = 0] = (since ?? '').split('.').map(Number)
  return major > 7 || (major === 7 && minor > 0)
}

/** Empties the server and sets what the suite asks for. Gives a function that puts it back. */
async function begin(run: Run, config: Readonly<Record<string, string>>) {
  const connection = await run.connection(MAIN)
  await ask(connection, ['FLUSHALL'])
  const before: [string, string][] = []
  for (const [name, value] of Object.entries(config)) {
    const reply = await ask(connection, ['CONFIG', 'GET', name])
    before.push([name, reply.items?.[1]?.bytes?.toString() ?? ''])
    await ask(connection, ['CONFIG', 'SET', name, value])
  }
  return async () => {
    if (before.length === 0) return
    const fresh = await run.target.connect()
    for (const [name, value] of before) await ask(fresh, ['CONFIG', 'SET', name, value])
    fresh.close()
  }
}

function describeFailure(
  row: Row,
  runs: readonly Run[],
  answers: readonly ({ readonly text: string; readonly right: boolean } | undefined)[],
): string {
  const lines = [`  ${row.place}  ${row.on === MAIN ? '' : `[${row.on}] `}${row.shown}`]
  lines.push(`    ${'expected'.padEnd(16)}${row.expected.map(says).join('\n               ')}`)
  for (const [i, run] of runs.entries()) {
    const answer = answers[i]
    if (answer === undefined) continue
    lines.push(`${answer.right ? '    ' : '  x '}${run.target.name.padEnd(16)}${cut(answer.text)}`)
  }
  return lines.join('\n')
}

const cut = (text: string) =>
  text.length <= 2000 ? text : `${text.slice(0, 2000)}... (${text.length} characters)`

function says(expected: Expected): string {
  if (typeof expected === 'string') return cut(notation(parseNotation(expected)))
  if (expected instanceof RegExp || typeof expected === 'function') return String(expected)
  return expected.says
}

/** Any reply at all. */
export const anything: Matcher = { says: 'anything', matches: () => true }

/** An error that begins with this code or text: `error('WRONGTYPE')`. */
export function error(prefix: string): Matcher {
  return { says: `-${prefix}...`, matches: (text) => text.startsWith(`-${prefix}`) }
}

/** The same elements in any order: of an array, set or push; pairs of a map. */
export function unordered(expected: string): Matcher {
  const wanted = sorted(parseNotation(expected))
  return {
    says: `${expected} (in any order)`,
    matches: (_text, _saved, reply) => sorted(reply) === wanted,
  }
}

function sorted(reply: Reply): string {
  const texts = (reply.items ?? []).map(notation)
  const step = reply.kind === '%' ? 2 : 1
  const groups: string[] = []
  for (let i = 0; i < texts.length; i += step) groups.push(texts.slice(i, i + step).join(' '))
  return `${reply.kind}${reply.items?.length ?? -1} ${groups.sort().join(' ')}`
}

/** A number in [low, high]: an integer, a double, or a bulk that says one. */
export function between(low: number, high: number): Matcher {
  return {
    says: `a number from ${low} to ${high}`,
    matches: (_text, _saved, reply) => {
      const text = reply.bytes?.toString() ?? ''
      const value = Number(text)
      return ':,$'.includes(reply.kind) && text !== '' && value >= low && value <= high
    },
  }
}

/** One of several. */
export function anyOf(...choices: readonly Expected[]): Matcher {
  return {
    says: choices.map(says).join(' | '),
    matches: (text, saved, reply) => choices.some((choice) => matches(choice, text, saved, reply)),
  }
}

/** Keeps what a scalar says under a name, for commands that are functions of what was saved. */
export function save(name: string, expected: Expected = anything): Matcher {
  return {
    says: `${says(expected)} (saved as ${name})`,
    matches: (text, saved, reply) => {
      saved[name] = reply.bytes?.toString('latin1') ?? text
      return matches(expected, text, saved, reply)
    },
  }
}
