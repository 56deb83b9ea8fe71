/**
 * Bulks of every length, from every alignment, wherever the space ends; one by one and in runs.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: looks at the writer's inside.
 */
import { describe, expect, test } from 'bun:test'
import { CapturedReply } from '../../../src/core/engine/captured-reply.ts'
import { Reply, type ReplySink } from '../../../src/core/engine/reply.ts'
import { Arena } from '../../../src/memory/arena.ts'
import { entryCreate } from '../../../src/memory/entry.ts'
import {
  listpackCreate,
  listpackFirst,
  listpackInsert,
  listpackSeek,
} from '../../../src/memory/listpack.ts'

const LENGTH_MAX = 300
const LONG = Buffer.alloc(8192)
for (let i = 0; i < LONG.length; i++) LONG[i] = (i * 7 + (i >> 8)) & 255
const SHORT = Buffer.from(LONG.subarray(0, LENGTH_MAX + 8))

function bulkOf(source: Buffer, offset: number, length: number): string {
  return `$${length}\r\n${source.latin1Slice(offset, offset + length)}\r\n`
}

/** Gives space of one size again and again, and keeps what was written. */
class Pieces implements ReplySink {
  text = ''
  readonly #space: Buffer

  constructor(size: number) {
    this.#space = Buffer.alloc(size)
  }

  more(reply: Reply): void {
    this.text += reply.bytes.latin1Slice(0, reply.position)
    reply.mark()
    reply.useSpace(this.#space, 0, this.#space.length)
  }
}

describe('bulk', () => {
  for (const [name, source] of [
    ['a long source', LONG],
    ['a source shorter than what is viewed', SHORT],
  ] as const) {
    test(`writes every length at every alignment from ${name}`, () => {
      const captured = new CapturedReply(2)
      for (let length = 0; length <= LENGTH_MAX; length++) {
        for (let offset = 0; offset < 8; offset++) {
          captured.reply.bulk(source, offset, length)
          expect(captured.take().toString('latin1')).toBe(bulkOf(source, offset, length))
        }
      }
    })
  }

  test('goes on in another space where one ends', () => {
    for (const size of [64, 100, 193, 256, 1000]) {
      const sink = new Pieces(size)
      const reply = new Reply(sink)
      sink.more(reply)
      let expected = ''
      for (let length = 0; length <= LENGTH_MAX; length++) {
        reply.bulk(LONG, length, length)
        expected += bulkOf(LONG, length, length)
      }
      sink.more(reply)
      expect(sink.text).toBe(expected)
    }
  })

  test('takes sources and spaces in turn', () => {
    const other = Buffer.from(LONG).reverse()
    const captured = new CapturedReply(2)
    let expected = ''
    for (let i = 0; i < 200; i++) {
      const source = i % 3 === 0 ? SHORT : i % 3 === 1 ? LONG : other
      captured.reply.bulk(source, i % 5, 40)
      expected += bulkOf(source, i % 5, 40)
    }
    expect(captured.take().toString('latin1')).toBe(expected)
  })
})

/** What stands for all: strings of every size class, integers of every one, and nothing. */
const ELEMENTS = [
  ...['', 'a', 'abc', 'four', 'nine char', 'ten chars!', 'x'.repeat(15), 'y'.repeat(16)],
  ...['z'.repeat(33), 'v'.repeat(63), 'w'.repeat(64), 'u'.repeat(99), 't'.repeat(100)],
  ...['s'.repeat(5000), '0', '127', '-1', '4095', '-32768', '8388607', '2147483647'],
  ...['-4096', '32767', '-8388608', '99999999', '-99999999', '100000000', '-100000000'],
  ...['9223372036854775807', '1234', 'tail of the pack'],
]

function bulksOf(elements: readonly string[]): string {
  return elements.map((element) => `$${element.length}\r\n${element}\r\n`).join('')
}

describe('packed', () => {
  const arena = new Arena(1 << 22)
  let pack = listpackCreate(arena, 0)
  for (const element of ELEMENTS) {
    const bytes = Buffer.from(element)
    pack = listpackInsert(arena, pack, 0, bytes, 0, bytes.length)
  }

  test('writes from any element on, up to any count, wherever the space ends', () => {
    for (const size of [64, 193, 400, 100_000]) {
      for (let first = 0; first < ELEMENTS.length; first++) {
        for (let count = 0; count <= ELEMENTS.length; count++) {
          const sink = new Pieces(size)
          const reply = new Reply(sink)
          sink.more(reply)
          const there = ELEMENTS.slice(first, first + count)
          const left = reply.packed(arena, listpackSeek(arena, pack, first), count)
          sink.more(reply)
          expect(left).toBe(count - there.length)
          expect(sink.text).toBe(bulksOf(there))
        }
      }
    }
  })

  test('writes nothing from a pack without elements', () => {
    const captured = new CapturedReply(2)
    const empty = listpackCreate(arena, 0)
    expect(captured.reply.packed(arena, listpackFirst(arena, empty), 5)).toBe(5)
    expect(captured.take().length).toBe(0)
  })
})

describe('keys', () => {
  const arena = new Arena(1 << 22)
  const refs = ELEMENTS.map((element) => {
    const bytes = Buffer.from(element)
    return entryCreate(arena, bytes, 0, bytes.length, 4)
  })
  const STRIDE = 3
  const list = arena.allocate(refs.length * STRIDE * 4)
  for (const [i, ref] of refs.entries()) arena.words[(list << 1) + i * STRIDE] = ref

  test('writes runs backwards, and passes over zeros', () => {
    const apart = arena.allocate(refs.length * 12)
    const first = apart << 1
    for (const [i, ref] of refs.entries()) {
      arena.words[first + i * 3] = ref
      arena.words[first + i * 3 + 1] = 0
      arena.words[first + i * 3 + 2] = 0
    }
    for (const size of [64, 193, 400, 100_000]) {
      const sink = new Pieces(size)
      const reply = new Reply(sink)
      sink.more(reply)
      reply.keys(arena, first, 1, refs.length)
      reply.keys(arena, first + (refs.length - 1) * 3, -3, refs.length)
      reply.keys(arena, first + 3, 1, 0)
      sink.more(reply)
      expect(sink.text).toBe(bulksOf(ELEMENTS) + bulksOf(ELEMENTS.toReversed()))
    }
  })

  test('writes any run, wherever the space ends', () => {
    for (const size of [64, 193, 400, 100_000]) {
      for (let first = 0; first < refs.length; first++) {
        for (let count = 0; first + count <= refs.length; count++) {
          const sink = new Pieces(size)
          const reply = new Reply(sink)
          sink.more(reply)
          reply.keys(arena, (list << 1) + first * STRIDE, STRIDE, count)
          sink.more(reply)
          expect(sink.text).toBe(bulksOf(ELEMENTS.slice(first, first + count)))
        }
      }
    }
  })
})
