/**
 * Bytes of a chunk to arguments, alone on one thread.
 *
 *   one chunk ──parser──▶ argc, offsets
 *
 * Goals: time of a pipeline of 16 small requests, of one large one, of an inline one, and of a
 * pipeline that arrives in two pieces.
 * Non-goals: copying arguments anywhere; sockets.
 *
 * `bun bench/micro/request-parser.bench.ts`; BENCH_SMOKE=1 runs each a few times, silently.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: prints a number whose result was not verified.
 */
import { COMPLETE, RequestParser } from '../../src/lib/resp/request-parser.ts'
import { finish, measure, request, verify } from './measure.ts'

const KEY = 'key:000000012345'
const parser = new RequestParser(512 * 1024 * 1024)

/** Sum of argument lengths of the requests that are whole. */
function sumOfLengths(): number {
  let sum = 0
  while (parser.next() === COMPLETE) {
    const { offsets, argc } = parser
    for (let i = 0; i < argc; i++) sum += offsets[2 * i + 1] - offsets[2 * i]
  }
  return sum
}

function whole(name: string, text: string, expected: number): void {
  const chunk = Buffer.from(text, 'latin1')
  measure(name, expected, () => {
    parser.reset(chunk, 0, chunk.length)
    const sum = sumOfLengths()
    verify('position', parser.position, chunk.length)
    return sum
  })
}

/** The last request arrives in two pieces. */
function cut(name: string, text: string, at: number, expected: number): void {
  const chunk = Buffer.from(text, 'latin1')
  measure(name, expected, () => {
    parser.reset(chunk, 0, chunk.length - at)
    const sum = sumOfLengths()
    parser.resume(chunk, parser.position, chunk.length)
    return sum + sumOfLengths()
  })
}

const get = request('GET', KEY)
const set = (size: number) => request('SET', KEY, 'x'.repeat(size))
whole('1 GET', get, 19)
whole('16 GET', get.repeat(16), 16 * 19)
whole('16 SET of 32 bytes', set(32).repeat(16), 16 * 51)
whole('1 SET of 4 KB', set(4096), 4115)
whole('MSET of 100 keys', request('MSET', ...new Array(200).fill(KEY)), 3204)
whole('inline GET', `GET ${KEY}\r\n`, 19)
cut('16 SET of 32 bytes, the last in two pieces', set(32).repeat(16), 20, 16 * 51)
await finish()
