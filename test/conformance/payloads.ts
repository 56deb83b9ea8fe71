/**
 * Payloads of encodings that no server of version 7.0 writes: older ones, and those of 7.2.
 *
 * Thread: any.
 * Owns: what is in them.
 * Never: holds anything that is not sound.
 */
import { listpack, payload, plain, wrapped } from '../support/payload.ts'
import { ziplist } from '../support/ziplist.ts'
import { zipmap } from '../support/zipmap.ts'

const REPEATED = 'The quick brown fox. '.repeat(12)
const PAIRS = ['a', '1', 'bb', '-70000', 'c', 'x'.repeat(70), 'd', '5000000000', '', 'e']
const SCORED = ['a', '1', 'b', '1.5', 'c', '70000', 'd', '9.5000000000000003e+30']

/** What Redis 7.0 and all before it read. */
export function oldPayloads(): Buffer[] {
  const strings = (type: number, texts: readonly string[], count = texts.length) =>
    payload(type, (writer) => {
      writer.size(count)
      for (const text of texts) plain(writer, text)
    })
  const scores = (type: number) =>
    payload(type, (writer) => {
      writer.size(4)
      for (const [i, member] of ['a', 'bb', 'c', 'd'].entries()) {
        plain(writer, member)
        if (type === 5) writer.double(i * 1.5 - 2)
        else if (i === 3) writer.byte(254)
        else plain(writer, `${i * 1.5}`)
      }
    })
  const compressed = payload(0, (writer) => {
    writer.compress = true
    writer.string(Buffer.from(REPEATED), 0, REPEATED.length)
  })
  return [
    compressed,
    strings(1, ['a', '12', 'x'.repeat(70), '']),
    strings(2, ['a', '12', 'x'.repeat(70), '']),
    strings(4, PAIRS, PAIRS.length >> 1),
    scores(3),
    scores(5),
    wrapped(9, zipmap(PAIRS)),
    wrapped(9, zipmap(PAIRS, 2)),
    wrapped(10, ziplist(...PAIRS)),
    wrapped(12, ziplist(...SCORED)),
    wrapped(12, ziplist('a', '1', 'x'.repeat(90), '2')),
    wrapped(13, ziplist(...PAIRS)),
    payload(14, (writer) => {
      writer.size(2)
      plain(writer, ziplist('a', '1'))
      plain(writer, ziplist(...PAIRS))
    }),
    wrapped(16, listpack(...PAIRS)),
    wrapped(17, listpack('a', 1, 'b', '1.5', 'c', 2)),
    payload(18, (writer) => {
      writer.size(3)
      writer.size(2)
      plain(writer, listpack('a', 'b', 3))
      writer.size(1)
      plain(writer, 'y'.repeat(90))
      writer.size(2)
      plain(writer, listpack(...PAIRS))
    }),
  ]
}

/** What Redis 7.2 writes. */
export function newPayloads(): Buffer[] {
  return [wrapped(20, listpack('a', 'b', 3), 11), wrapped(20, listpack(5, 3), 11)]
}
