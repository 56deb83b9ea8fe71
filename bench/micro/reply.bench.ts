/**
 * Replies to bytes, alone on one thread.
 *
 *   reply writer ──▶ one buffer, written over and over
 *
 * Goals: time of each kind of reply that a hot command gives.
 * Non-goals: records, rings, sockets.
 *
 * `bun bench/micro/reply.bench.ts`; BENCH_SMOKE=1 runs each a few times, silently.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: prints a number whose result was not verified.
 */
import { WRONG_TYPE } from '../../src/core/engine/errors.ts'
import { Reply, type ReplySink } from '../../src/core/engine/reply.ts'
import { Arena } from '../../src/memory/arena.ts'
import { entryCreate } from '../../src/memory/entry.ts'
import { listpackCreate, listpackFirst, listpackInsert } from '../../src/memory/listpack.ts'
import { finish, measure, verify } from './measure.ts'

const SPACE_SIZE = 1024 * 1024
const RUN_COUNT = 100
const space = Buffer.alloc(SPACE_SIZE)
const sink: ReplySink = { more: (reply) => reply.useSpace(space, 0, SPACE_SIZE) }
const reply = new Reply(sink)

/** Writes the reply 16 times into the same space; the checksum is how long they are. */
function pipeline(name: string, expected: string, write: () => void): void {
  reply.useSpace(space, 0, SPACE_SIZE)
  write()
  const same = space.latin1Slice(0, reply.position) === expected
  verify(`${name} as bytes`, same ? 1 : 0, 1)
  measure(`16 × ${name}`, expected.length * 16, () => {
    reply.useSpace(space, 0, SPACE_SIZE)
    for (let i = 0; i < 16; i++) {
      reply.mark()
      write()
    }
    return reply.position
  })
}

/** A value of `size` bytes somewhere in an arena. */
function bulk(name: string, size: number): void {
  const source = Buffer.alloc(size + 64, 'v')
  const expected = `$${size}\r\n${'v'.repeat(size)}\r\n`
  pipeline(name, expected, () => reply.bulk(source, 12, size))
}

const member = Buffer.from('member:1')
pipeline('OK', '+OK\r\n', () => reply.ok())
pipeline('nil', '$-1\r\n', () => reply.nil())
pipeline('small integer', ':1\r\n', () => reply.integer(1))
pipeline('large integer', ':1234567890123\r\n', () => reply.integer(1234567890123))
bulk('bulk of 8 bytes', 8)
bulk('bulk of 32 bytes', 32)
bulk('bulk of 4 KB', 4096)
pipeline('array of 10 bulks', `*10\r\n${'$8\r\nmember:1\r\n'.repeat(10)}`, () => {
  reply.array(10)
  for (let i = 0; i < 10; i++) reply.bulk(member, 0, 8)
})
const elements = Buffer.alloc(8192, 'e')
pipeline(
  'array of 10 bulks of 32 bytes',
  `*10\r\n${`$32\r\n${'e'.repeat(32)}\r\n`.repeat(10)}`,
  () => {
    reply.array(10)
    for (let i = 0; i < 10; i++) reply.bulk(elements, i * 34 + 1, 32)
  },
)

const arena = new Arena(1 << 22)
let pack = listpackCreate(arena, 0)
for (let i = 0; i < RUN_COUNT; i++) pack = listpackInsert(arena, pack, 0, elements, 0, 32)
const run = `*${RUN_COUNT}\r\n${`$32\r\n${'e'.repeat(32)}\r\n`.repeat(RUN_COUNT)}`
pipeline(`${RUN_COUNT} elements of a listpack`, run, () => {
  reply.array(RUN_COUNT)
  reply.packed(arena, listpackFirst(arena, pack), RUN_COUNT)
})
const refs = arena.allocate(RUN_COUNT * 4)
for (let i = 0; i < RUN_COUNT; i++) {
  arena.words[(refs << 1) + i] = entryCreate(arena, elements, 0, 32, 0)
}
pipeline(`keys of ${RUN_COUNT} entries`, run, () => {
  reply.array(RUN_COUNT)
  reply.keys(arena, refs << 1, 1, RUN_COUNT)
})
pipeline('double', '$4\r\n1.25\r\n', () => reply.double(1.25))
pipeline('error', `-${WRONG_TYPE.text}\r\n`, () => reply.error(WRONG_TYPE))
await finish()
