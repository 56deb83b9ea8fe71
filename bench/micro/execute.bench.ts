/**
 * A request's whole way through the process but for sockets, on one thread.
 *
 *   chunk ──intake──▶ request ring ──core's turn──▶ reply ring ──▶ counted
 *   chunk ──intake──▶ request ring ──────────────────────────────▶ counted
 *
 * Goals: time of GET and SET on random keys of 1 M, in pipelines of 1, 16 and 64; how much of it
 * io's half takes; how much longer it takes for a user that may not do everything; and without a
 * pipeline, for ten connections at once.
 * Non-goals: waking threads, system calls.
 *
 * `bun bench/micro/execute.bench.ts`; BENCH_SMOKE=1 runs each on little, silently.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: prints a number whose result was not verified.
 */
import {
  type BridgeMemory,
  createBridgeMemory,
  REPLY_HEAD,
  REPLY_TAIL,
  REQUEST_HEAD,
  REQUEST_TAIL,
} from '../../src/bridge/memory.ts'
import { KIND_REPLY, KIND_REQUESTS } from '../../src/bridge/message.ts'
import { RingReader, RingWriter } from '../../src/bridge/ring.ts'
import { Settings } from '../../src/config/settings.ts'
import { Loop } from '../../src/core/loop.ts'
import { Server } from '../../src/core/server.ts'
import { Connection, type ConnectionSocket } from '../../src/io/connection.ts'
import { Intake } from '../../src/io/intake.ts'
import { CommandLookup, type LookupItem } from '../../src/lib/command-lookup.ts'
import { Random } from '../../src/lib/random.ts'
import { finish, IS_SMOKE, measure, request, say, verify } from './measure.ts'

const KEY_COUNT = IS_SMOKE ? 2000 : 1_000_000
const VALUE_SIZE = 32
/** Chunks with other keys each, so that the processor's caches see random ones. */
const CHUNK_COUNT = IS_SMOKE ? 32 : 4096
const TOGETHER_COUNT = 10
const RING_SIZE = 4 * 1024 * 1024
const HASH_SEED = 12345
const BULK_SIZE_MAX = 512 * 1024 * 1024
const random = new Random(7)

/** io's half of one connection. */
class Io {
  readonly intake: Intake
  readonly connection: Connection
  readonly #control: Int32Array

  constructor(memory: BridgeMemory, commands: readonly LookupItem[]) {
    const link = memory.links[0]
    this.#control = new Int32Array(link.words)
    this.intake = new Intake(
      new RingWriter(link.requests, this.#control, REQUEST_HEAD, REQUEST_TAIL),
      this.#control,
      new Int32Array(memory.process),
      HASH_SEED,
      BULK_SIZE_MAX,
    )
    this.intake.useLookup(new CommandLookup(commands))
    // Nothing is sent: no socket is asked for anything.
    this.connection = connectionOf(1)
    this.open(this.connection)
  }

  open(connection: Connection): void {
    this.intake.opened(connection, {
      ...{ address: '127.0.0.1:1', localAddress: '127.0.0.1:2', fd: 3 },
      ...{ tls: false, unix: false, loopback: true },
    })
  }
}

function connectionOf(id: number): Connection {
  const owner = { countWrite() {}, countSent() {}, outputGrew() {}, outputShrank() {} }
  const connection = new Connection(owner, id, {} as unknown as ConnectionSocket)
  connection.authenticated = true
  return connection
}

function makeServer(memory: BridgeMemory): Server {
  const settings = new Settings()
  settings.adopt({ save: '' })
  return new Server({
    memory,
    settings: settings.toPlain(),
    renames: [],
    users: [],
    secret: new Uint8Array(32),
    hashSeed: HASH_SEED,
    randomSeed: 1,
    processId: process.pid,
    runId: '0'.repeat(40),
    startedMs: Date.now(),
    executable: process.execPath,
    processorCount: 1,
    configFile: '',
  })
}

/** Takes all records of a ring. Gives the sum of word 3 of those of one kind. */
function drain(ring: RingReader, kind: number): number {
  let sum = 0
  for (let offset = ring.peek(); offset >= 0; offset = ring.peek()) {
    const word = offset >> 2
    if (ring.words[word + 1] === kind) sum += ring.words[word + 3]
    ring.advance(ring.words[word])
  }
  ring.release()
  return sum
}

function keyOf(number: number): string {
  return `key:${String(number).padStart(12, '0')}`
}

type Make = (key: string) => string
const get: Make = (key) => request('GET', key)
const set: Make = (key) => request('SET', key, 'x'.repeat(VALUE_SIZE))

function chunksOf(make: Make, pipeline: number): Buffer[] {
  return Array.from({ length: CHUNK_COUNT }, () => {
    const requests = Array.from({ length: pipeline }, () => make(keyOf(random.below(KEY_COUNT))))
    return Buffer.from(requests.join(''), 'latin1')
  })
}

const memory = createBridgeMemory(1, RING_SIZE, RING_SIZE, 16)
const server = makeServer(memory)
const commands = server.commands.lookupTable()
const loop = new Loop(server)
const io = new Io(memory, commands)
/** Of a user that may read and write these keys only. */
const limited = connectionOf(2)
const control = new Int32Array(memory.links[0].words)
const replies = new RingReader(memory.links[0].replies, control, REPLY_HEAD, REPLY_TAIL)

/** As `answer`, of records that the core finds together. */
function answerAll(chunks: readonly Buffer[], from: number): number {
  for (let i = 0; i < TOGETHER_COUNT; i++) io.intake.take(io.connection, chunks[from + i])
  loop.turn()
  return drain(replies, KIND_REPLY)
}

/** Gives how many bytes of replies came. */
function answer(chunk: Buffer, connection = io.connection): number {
  io.intake.take(connection, chunk)
  loop.turn()
  return drain(replies, KIND_REPLY)
}

function fill(): void {
  const startMs = performance.now()
  for (let number = 0; number < KEY_COUNT; number++) {
    verify('a first SET', answer(Buffer.from(set(keyOf(number)), 'latin1')), 5)
  }
  const us = ((performance.now() - startMs) * 1000) / KEY_COUNT
  verify('keys', server.keyspace.dbs[0].size(), KEY_COUNT)
  say(`${KEY_COUNT} keys set one by one: ${us.toFixed(2)} µs a key`)
}

/** Requests without a pipeline, of many connections at once. */
function together(name: string, make: Make, replySize: number): void {
  const chunks = chunksOf(make, 1)
  let next = 0
  const text = `${name}, ten records at once`
  measure(text, TOGETHER_COUNT * replySize, () => {
    next = next + 2 * TOGETHER_COUNT < chunks.length ? next + TOGETHER_COUNT : 0
    return answerAll(chunks, next)
  })
}

/** `replySize`: bytes of one reply. */
function way(name: string, make: Make, pipeline: number, replySize: number): void {
  const chunks = chunksOf(make, pipeline)
  let next = 0
  const chunk = () => {
    next = next + 1 < chunks.length ? next + 1 : 0
    return chunks[next]
  }
  const text = `${name}, pipeline ${pipeline}`
  measure(`${text}: whole way`, pipeline * replySize, () => answer(chunk()))
  measure(`${text}: whole way, limited user`, pipeline * replySize, () => answer(chunk(), limited))

  const alone = createBridgeMemory(1, RING_SIZE, RING_SIZE, 16)
  const half = new Io(alone, commands)
  const words = new Int32Array(alone.links[0].words)
  const requests = new RingReader(alone.links[0].requests, words, REQUEST_HEAD, REQUEST_TAIL)
  drain(requests, KIND_REQUESTS)
  const take = () => {
    half.intake.take(half.connection, chunk())
    return drain(requests, KIND_REQUESTS)
  }
  measure(`${text}: io's half`, take(), take)
}

server.begin()
io.open(limited)
answer(Buffer.from(request('ACL', 'SETUSER', 'limited', 'on', 'nopass', '~key:*', '+@string')))
answer(Buffer.from(request('AUTH', 'limited', 'x')), limited)
fill()
for (const pipeline of [1, 16, 64]) {
  way('GET', get, pipeline, 5 + VALUE_SIZE + 2)
  way('SET', set, pipeline, 5)
}
together('GET', get, 5 + VALUE_SIZE + 2)
together('SET', set, 5)
await finish()
verify('keys at the end', server.keyspace.dbs[0].size(), KEY_COUNT)
