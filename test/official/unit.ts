/**
 * One unit of the suite against fresh servers of ours.
 *
 * Thread: any.
 * Owns: the suite's process, for as long as the unit takes.
 * Never: lets one test that hangs, or kills the server, take the rest of the unit with it.
 */
import { type Mode, makeStage, type Stage } from './stage.ts'

export interface UnitResult {
  readonly unit: string
  readonly passed: readonly string[]
  readonly failed: readonly Failure[]
  readonly skipped: readonly string[]
  readonly seconds: number
  /** How the last attempt ended. */
  readonly end: 'done' | 'hang' | 'aborted' | 'server died'
}

export interface Failure {
  readonly name: string
  readonly error: string
}

interface Attempt {
  readonly passed: string[]
  readonly failed: Failure[]
  readonly skipped: string[]
  readonly end: UnitResult['end']
  /** What went wrong when it did not come to its end, and the test that was on then. */
  readonly trouble: string
  readonly culprit: string | undefined
}

const ATTEMPTS_MAX = 6
/** Some values are made character by character, which takes Tcl a minute on a busy machine. */
const SILENCE_MS = 180_000
/** It fails here (exceptions.md), and what it leaves behind breaks six that follow. */
const ALWAYS_SKIPPED = ['/a dict containing long chain$']

export async function runUnit(
  mode: Mode,
  suite: string,
  unit: string,
  tags: string | undefined,
  leftOut: readonly string[],
  progress: (line: string) => void,
): Promise<UnitResult> {
  const started = performance.now()
  const hung: Failure[] = []
  let attempt: Attempt | undefined
  for (let tries = 0; tries < ATTEMPTS_MAX; tries++) {
    const skips = hung.map(({ name }) => name)
    attempt = await runOnce(mode, suite, unit, tags, [...leftOut, ...skips], progress)
    if (attempt.end === 'done' || attempt.culprit === undefined) break
    hung.push({ name: attempt.culprit, error: attempt.trouble })
  }
  if (attempt === undefined) throw new Error('no attempt was made')
  const names = new Set(hung.map(({ name }) => name))
  return {
    unit,
    passed: attempt.passed,
    failed: [...attempt.failed.filter(({ name }) => !names.has(name)), ...hung],
    skipped: attempt.skipped.filter((name) => !names.has(name)),
    seconds: (performance.now() - started) / 1000,
    end: attempt.end,
  }
}

async function runOnce(
  mode: Mode,
  suite: string,
  unit: string,
  tags: string | undefined,
  skips: readonly string[],
  progress: (line: string) => void,
): Promise<Attempt> {
  const stage = await makeStage(mode, suite)
  const args = ['tests/test_helper.tcl', ...stage.args]
  args.push('--single', unit, '--clients', '1', '--durable', '--dont-clean')
  if (tags !== undefined) args.push('--tags', tags)
  for (const skip of [...ALWAYS_SKIPPED, ...skips]) args.push('--skiptest', skip)
  const child = Bun.spawn(['tclsh', ...args], {
    cwd: stage.folder,
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
    detached: true,
  })
  const reader = new OutputReader(progress)
  let silent = false
  const watch = setInterval(() => {
    if (performance.now() - reader.lastProgressMs < SILENCE_MS && stage.isRunning()) return
    silent = stage.isRunning()
    // The suite's own clients, too: they hold the pipes open.
    process.kill(-child.pid, 'SIGKILL')
  }, 500)
  const [errors] = await Promise.all([new Response(child.stderr).text(), reader.read(child.stdout)])
  await child.exited
  clearInterval(watch)
  const attempt = judge(reader, stage, silent, errors)
  await stage.end()
  return attempt
}

function judge(reader: OutputReader, stage: Stage, silent: boolean, errors: string): Attempt {
  const { passed, failed, skipped } = reader
  const results = { passed, failed, skipped }
  const log = stage.log()
  if (!stage.isRunning()) {
    const trouble = `the server died:\n${log.slice(-2000)}`
    return { ...results, end: 'server died', trouble, culprit: lastBegun(log) }
  }
  if (silent) {
    const trouble = `nothing happened for ${SILENCE_MS / 1000} s`
    return { ...results, end: 'hang', trouble, culprit: lastBegun(log) }
  }
  if (reader.exception === '' && reader.isDone) {
    return { ...results, end: 'done', trouble: '', culprit: undefined }
  }
  const trouble = `${reader.exception}\n${errors}`.trim()
  const culprit = lastBegun(log)
  const known = culprit === undefined || passed.includes(culprit)
  return { ...results, end: 'aborted', trouble, culprit: known ? undefined : culprit }
}

/** The suite tells the server about each test before it begins, and the server logs that. */
function lastBegun(log: string): string | undefined {
  const lines = log.split('\n').filter((line) => line.includes('### Starting test '))
  return /### Starting test (.*?)(?: in tests\/.*)?$/.exec(lines.at(-1) ?? '')?.[1]
}

/** The suite's lines: `[ok]: name (3 ms)`, `[err]: name in tests/...` and what follows it. */
class OutputReader {
  readonly passed: string[] = []
  readonly failed: Failure[] = []
  readonly skipped: string[] = []
  exception = ''
  isDone = false
  lastProgressMs = performance.now()
  readonly #progress: (line: string) => void
  #open: { name: string; lines: string[] } | undefined = undefined
  #inException = false

  constructor(progress: (line: string) => void) {
    this.#progress = progress
  }

  async read(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder('latin1')
    let rest = ''
    for await (const chunk of stream) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) this.#line(plain(line))
    }
    this.#line(plain(rest))
    this.#close()
  }

  #line(line: string): void {
    const match = /^\[(\w+)\]: (.*)$/.exec(line)
    if (match === null) {
      if (/^\[\d+\/\d+ done\]: /.test(line)) {
        this.#close()
        this.isDone = true
      } else if (this.#inException) this.exception += `${line}\n`
      else if (!this.isDone) this.#open?.lines.push(line)
      return
    }
    this.lastProgressMs = performance.now()
    this.#close()
    const [, status, text] = match
    if (status === 'ok') this.passed.push(text.replace(/ \(\d+ ms\)$/, ''))
    else if (status === 'skip') this.skipped.push(text)
    else if (status === 'err') this.#open = { name: text.replace(/ in tests\/\S+$/, ''), lines: [] }
    else if (status === 'exception') {
      this.#inException = true
      this.exception = `${text}\n`
    }
    this.#progress(`${this.passed.length} ok, ${this.failed.length} failed: ${text}`)
  }

  #close(): void {
    const open = this.#open
    if (open === undefined) return
    this.#open = undefined
    this.failed.push({ name: open.name, error: open.lines.join('\n').trim() })
  }
}

function plain(line: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with it
  return line.replace(/\x1b\[[\d;]*m/g, '')
}
