/**
 * `--bigkeys`, `--memkeys`, `--hotkeys`: all keys are looked at, the extreme ones are told.
 *
 * Thread: the client's only one.
 * Owns: what was found so far.
 * Never: keeps a key that is not among the extreme ones.
 */
import { quote } from '../lib/resp/reply-text.ts'
import { Failure } from './failure.ts'
import type { Options } from './options.ts'
import { textOf } from './output.ts'
import { pause } from './pause.ts'
import { scanPages } from './scan.ts'
import type { Session } from './session.ts'

/** The command that tells a value's size, and what it counts. */
const SIZES: Readonly<Record<string, readonly [command: string, unit: string]>> = {
  string: ['STRLEN', 'bytes'],
  list: ['LLEN', 'items'],
  hash: ['HLEN', 'fields'],
  stream: ['XLEN', 'entries'],
  set: ['SCARD', 'members'],
  zset: ['ZCARD', 'members'],
}
/** Pages between two pauses (-i), and keys between two lines that say how far it is. */
const PAUSE_PAGES = 100
const PROGRESS_KEYS = 1_000_000
const HOT_KEYS_MAX = 16

interface OfType {
  count: number
  total: number
  biggest: number
  biggestKey: Buffer | undefined
}

/** How far a walk over all keys is. */
class Progress {
  sampled = 0
  shown = ''
  readonly #total: number

  constructor(total: number) {
    this.#total = total
  }

  /** A page of keys begins. */
  turn(): void {
    const percent = this.#total === 0 ? 0 : (100 * this.sampled) / this.#total
    this.shown = `[${percent.toFixed(2).padStart(5, '0')}%]`
  }
}

/** Gives the exit status. Throws: Failure. */
export async function runSurvey(session: Session, options: Options): Promise<number> {
  const { output } = session
  const what = options.mode === 'hotkeys' ? 'hottest' : 'biggest'
  output.line(`\n# Looking at every key for the ${what} ones. -i 0.1 pauses for 0.1 seconds`)
  output.line(`# after every ${PAUSE_PAGES} SCAN calls, for a server that is busy.\n`)
  const [size] = await askAll(session, [['DBSIZE']])
  const progress = new Progress(Number(textOf(size)))
  if (options.mode === 'hotkeys') await findHot(session, options, progress)
  else await findBig(session, options, progress)
  return 0
}

async function findBig(session: Session, options: Options, progress: Progress): Promise<void> {
  const { output } = session
  const isMemory = options.mode === 'memkeys'
  const types = new Map<string, OfType>()
  for (const name of Object.keys(SIZES)) types.set(name, noneYet())
  let nameBytes = 0
  for await (const keys of pages(session, options)) {
    progress.turn()
    const names = (
      await askAll(
        session,
        keys.map((key) => ['TYPE', key]),
      )
    ).map(textOf)
    const wanted = keys.map((key, i) => sizeRequest(names[i], key, options))
    const sizes = await askAll(session, wanted)
    for (const [i, key] of keys.entries()) {
      progress.sampled++
      nameBytes += key.length
      // The key is gone meanwhile.
      if (names[i] === 'none') continue
      const size = Number(sizes[i].type === 'integer' ? textOf(sizes[i]) : 0)
      const type = types.get(names[i]) ?? noneYet()
      types.set(names[i], type)
      type.count++
      type.total += size
      if (size > type.biggest) {
        type.biggest = size
        type.biggestKey = key
        const what = `Biggest ${names[i].padEnd(6)} found so far '${quote(key)}'`
        output.line(`${progress.shown} ${what} with ${size} ${unitOf(names[i], isMemory)}`)
      }
      if (progress.sampled % PROGRESS_KEYS === 0) {
        output.line(`${progress.shown} Sampled ${progress.sampled} keys so far`)
      }
    }
  }
  summarize(session, progress.sampled, nameBytes)
  for (const [name, { biggest, biggestKey }] of types) {
    if (biggestKey === undefined) continue
    const what = `Biggest ${name.padStart(6)} found '${quote(biggestKey)}'`
    output.line(`${what} has ${biggest} ${unitOf(name, isMemory)}`)
  }
  output.line('')
  for (const [name, { count, total }] of types) {
    const share = progress.sampled === 0 ? 0 : (100 * count) / progress.sampled
    const average = count === 0 ? 0 : total / count
    output.line(
      `${count} ${name}s with ${total} ${unitOf(name, isMemory)} ` +
        `(${share.toFixed(2).padStart(5, '0')}% of keys, avg size ${average.toFixed(2)})`,
    )
  }
}

async function findHot(session: Session, options: Options, progress: Progress): Promise<void> {
  const { output } = session
  let hot: { readonly key: Buffer; readonly counter: number }[] = []
  for await (const keys of pages(session, options)) {
    progress.turn()
    const replies = await askAll(
      session,
      keys.map((key) => ['OBJECT', 'FREQ', key]),
    )
    for (const [i, key] of keys.entries()) {
      const reply = replies[i]
      // The policy does not count; but a key may only be gone meanwhile.
      if (reply.type === 'error') throw new Failure(`Error: ${textOf(reply)}`)
      progress.sampled++
      const counter = reply.type === 'integer' ? Number(textOf(reply)) : 0
      if (counter === 0) continue
      if (hot.length === HOT_KEYS_MAX && counter <= hot[HOT_KEYS_MAX - 1].counter) continue
      hot = [...hot, { key, counter }].sort((a, b) => b.counter - a.counter).slice(0, HOT_KEYS_MAX)
      output.line(`${progress.shown} Hot key '${quote(key)}' found so far with counter ${counter}`)
    }
  }
  output.line(`\n-------- summary -------\n\nSampled ${progress.sampled} keys in the keyspace!`)
  for (const { key, counter } of hot) {
    output.line(`hot key found with counter: ${counter}\tkeyname: ${quote(key)}`)
  }
}

function summarize({ output }: Session, sampled: number, nameBytes: number): void {
  const average = sampled === 0 ? 0 : nameBytes / sampled
  output.line(`\n-------- summary -------\n\nSampled ${sampled} keys in the keyspace!`)
  output.line(`Total key length in bytes is ${nameBytes} (avg len ${average.toFixed(2)})\n`)
}

function noneYet(): OfType {
  return { count: 0, total: 0, biggest: 0, biggestKey: undefined }
}

function unitOf(type: string, isMemory: boolean): string {
  return isMemory ? 'bytes' : (SIZES[type]?.[1] ?? 'unknown units')
}

function sizeRequest(type: string, key: Buffer, options: Options): (string | Uint8Array)[] {
  if (options.mode === 'bigkeys') {
    const command = Object.hasOwn(SIZES, type) ? SIZES[type][0] : 'EXISTS'
    return [command, key]
  }
  const samples = options.memorySamples
  return ['MEMORY', 'USAGE', key, ...(samples === undefined ? [] : ['SAMPLES', String(samples)])]
}

/** SCAN's pages, with a pause now and then. */
async function* pages(session: Session, options: Options): AsyncGenerator<readonly Buffer[]> {
  let count = 0
  for await (const keys of scanPages(session, options.pattern)) {
    yield keys
    if (++count % PAUSE_PAGES === 0) await pause(options.intervalMs)
  }
}

async function askAll(session: Session, requests: readonly (readonly (string | Uint8Array)[])[]) {
  const replies = await session.askAll(requests)
  if (replies === undefined) throw new Failure('Error: Server closed the connection')
  return replies
}
