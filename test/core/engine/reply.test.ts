/**
 * Bulks of every length, from every alignment, wherever the space ends.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: looks at the writer's inside.
 */
import { describe, expect, test } from 'bun:test'
import { CapturedReply } from '../../../src/core/engine/captured-reply.ts'
import { Reply, type ReplySink } from '../../../src/core/engine/reply.ts'

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
