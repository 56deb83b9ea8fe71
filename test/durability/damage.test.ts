/**
 * Append-only files that are damaged: cut at every byte of the end, with bits flipped. What is loaded
 * is a prefix of what was written, or nothing at all is, with Redis's own words.
 *
 * Thread: any.
 * Owns: directories.
 * Never: starts a thread or a process.
 */
import { afterAll, expect, test } from 'bun:test'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { argumentsOf, encodeRequest } from '../support/argv.ts'
import { InProcessServer, loggedLines } from '../support/in-process.ts'
import { notation } from '../support/reply.ts'
import { makeDirectory } from '../support/server.ts'

const directories: string[] = []
afterAll(() => {
  for (const directory of directories) rmSync(directory, { recursive: true, force: true })
})

const encoded = (line: string) => encodeRequest(argumentsOf(line))
const STEPS = 40
/** From one place that is damaged to the next; `bun run test:crash` leaves out none. */
const STRIDE = process.env['REDBUN_CRASH'] === undefined ? 37 : 1

/** Step n counts, adds n to a list, and every third time does both at once. */
function step(n: number): Buffer[] {
  const count = encoded(`INCR count`)
  const push = encoded(`RPUSH list ${n} v${'x'.repeat(n % 7)}`)
  if (n % 3 > 0) return [Buffer.concat([encoded('SELECT 0'), count]), push]
  return [Buffer.concat([encoded('MULTI'), count, push, encoded('EXEC')])]
}

/** The file, and where each command or transaction ends. */
const pieces = Array.from({ length: STEPS }, (_, n) => step(n)).flat()
const file = Buffer.concat(pieces)
const ends: number[] = [0]
for (const piece of pieces) ends.push(ends[ends.length - 1] + piece.length)

/** A server that loads file after file, until it refuses one. */
class Loader {
  readonly path: string
  readonly server: InProcessServer
  /** The line that the server ends with; empty as long as it does not. */
  refusal = ''

  constructor(settings: Readonly<Record<string, string>> = {}) {
    const directory = makeDirectory()
    directories.push(directory)
    const parts = join(directory, 'appendonlydir')
    mkdirSync(parts)
    writeFileSync(join(parts, 'appendonly.aof.manifest'), 'file a.aof seq 1 type i\n')
    this.path = join(parts, 'a.aof')
    writeFileSync(this.path, file)
    this.server = new InProcessServer({ settings: { dir: directory, ...settings } })
  }

  load(bytes: Uint8Array): void {
    writeFileSync(this.path, bytes)
    this.server.messages.length = 0
    const client = this.server.connect()
    client.write(encoded('DEBUG LOADAOF'))
    const fatal = this.server.messages.find((message) => message.type === 'fatal')
    this.refusal = fatal?.type === 'fatal' ? fatal.text : ''
    if (this.refusal === '') expect(notation(client.next(0))).toBe('+OK')
    client.close()
  }

  ask(line: string): string {
    const client = this.server.connect()
    client.write(encoded(line))
    const reply = notation(client.next(0))
    client.close()
    return reply
  }
}

/** What is there when so many pieces were loaded: what is counted, and the list's length. */
const states: [number, number][] = [[0, 0]]
for (const piece of pieces) {
  const [count, length] = states[states.length - 1]
  const text = piece.toString('latin1')
  states.push([count + (text.includes('INCR') ? 1 : 0), length + (text.includes('RPUSH') ? 2 : 0)])
}

/** Pieces of the file that are loaded; -1 when it is no prefix. */
function loadedPieces(loader: Loader): number {
  const count = Number(loader.ask('GET count').replace(/\D/g, ''))
  const length = Number(loader.ask('LLEN list').replace(/\D/g, ''))
  return states.findIndex(([counted, pushed]) => counted === count && pushed === length)
}

test('a file cut at any byte of its last kilobyte loads up to there, and is cut', () => {
  const loader = new Loader()
  for (let size = file.length - 1024; size <= file.length; size += STRIDE) {
    loader.load(file.subarray(0, size))
    const whole = ends.findLastIndex((end) => end <= size)
    expect([size, loader.refusal, loadedPieces(loader)]).toEqual([size, '', whole])
    const left = readFileSync(loader.path).length
    expect(left).toBeLessThanOrEqual(size)
    expect(left).toBeGreaterThanOrEqual(ends[whole])
    if (left === size) continue
    expect(loggedLines(loader.server)).toContain(
      'AOF a.aof loaded anyway because aof-load-truncated is enabled',
    )
  }
})

test('without aof-load-truncated it is refused, and left as it is', () => {
  for (let size = file.length - 120; size < file.length; size += 7) {
    const loader = new Loader({ 'aof-load-truncated': 'no' })
    loader.load(file.subarray(0, size))
    expect(readFileSync(loader.path).length).toBe(size)
    if (loader.refusal === '') expect(loadedPieces(loader)).toBeGreaterThan(0)
    else {
      expect(loader.refusal).toStartWith(
        'Unexpected end of file reading the append only file a.aof. You can: 1) Make a backup',
      )
    }
  }
})

test('a file that was cut goes on with what comes next', () => {
  const loader = new Loader()
  loader.load(file.subarray(0, file.length - 5))
  const { path } = loader
  const left = readFileSync(path)
  const settings = { dir: join(path, '../..'), appendonly: 'yes', 'aof-load-truncated': 'no' }
  const server = new InProcessServer({ settings })
  const client = server.connect()
  client.write(encoded('RPUSH list more than before'))
  client.next(0)
  server.settle()
  expect(readFileSync(path).length).toBeGreaterThan(left.length)
  loader.load(readFileSync(path))
  expect(loader.refusal).toBe('')
  expect(loader.ask('LRANGE list -3 -1')).toBe('*3 $more $than $before')
})

const REFUSALS = [
  /^Bad file format reading the append only file a\.aof: make a backup/,
  /^Unknown command '.*' reading the append only file a\.aof$/s,
]

test('a file with bits flipped loads, or is refused in Redis’s words', () => {
  let refused = 0
  let loader = new Loader()
  for (let bit = 0; bit < file.length * 8; bit += 29 * STRIDE) {
    const damaged = Buffer.from(file)
    damaged[bit >> 3] ^= 1 << (bit & 7)
    loader.load(damaged)
    if (loader.refusal === '') {
      expect(loader.ask('DEBUG ARENA-CHECK')).toBe('+OK')
      continue
    }
    refused++
    expect(REFUSALS.some((words) => words.test(loader.refusal))).toBe(true)
    loader = new Loader()
  }
  expect(refused).toBeGreaterThan(5)
})
