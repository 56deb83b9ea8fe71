/**
 * Lists beside real Redis, node for node: after each of many random calls both have answered alike and
 * their lists are dumped as the same bytes; compressed ones have the same nodes.
 *
 * Thread: any.
 * Owns: the calls.
 * Never: looks at compressed bytes: our compressor takes other matches than Redis's.
 */
import { describe, expect, test } from 'bun:test'
import { seededRandom } from '../memory/seeded-random.ts'
import type { Client } from '../support/client.ts'
import { redisServerPath, startRedbun, startRedis } from '../support/server.ts'

const KEYS = ['l', 'm', 'k']
const ROUND_COUNT = 25
const CALL_COUNT = 60
const FILLS = [-2, -1, -5, 1, 2, 3, 5, 16, 128, 0]
const DEPTHS = [0, 0, 1, 2]
const PLAIN_SIZES = ['0', '0', '1b', '5b', '100b', '1kb']

type Below = (bound: number) => number

function text(below: Below, longest: number): string {
  const kind = below(12)
  if (kind < 4) return String(below(2000) - 1000)
  if (kind < 6) return String(below(1e9) * below(1e9))
  if (kind < 9) return `e${below(50)}`
  return 'x'.repeat(below(kind < 11 ? 120 : longest))
}

function randomCall(below: Below, longest: number): string[] {
  const any = () => KEYS[below(3)]
  const key = below(10) < 7 ? 'l' : any()
  const element = () => text(below, longest)
  const elements = () => Array.from({ length: 1 + below(below(6) === 0 ? 60 : 4) }, element)
  const index = () => String(below(2) === 0 ? below(60) - 30 : below(12) - 6)
  const side = () => (below(2) === 0 ? 'LEFT' : 'RIGHT')
  const calls = [
    ['LPUSH', key, ...elements()],
    ['RPUSH', key, ...elements()],
    ['RPUSH', key, ...elements()],
    ['LPOP', key],
    ['RPOP', key],
    ['LPOP', key, String(below(8))],
    ['RPOP', key, String(below(8))],
    ['LINSERT', key, below(2) === 0 ? 'BEFORE' : 'AFTER', `e${below(50)}`, element()],
    ['LINSERT', key, below(2) === 0 ? 'BEFORE' : 'AFTER', `e${below(50)}`, element()],
    ['LSET', key, index(), element()],
    ['LSET', key, index(), element()],
    ['LREM', key, String(below(7) - 3), element()],
    ['LREM', key, '0', `e${below(50)}`],
    ['LTRIM', key, String(below(4)), String(-1 - below(4))],
    ['LPOS', key, `e${below(50)}`, 'COUNT', String(below(3)), 'RANK', String(1 - 2 * below(2))],
    ['LRANGE', key, index(), index()],
    ['LMOVE', key, any(), side(), side()],
    ['RPOPLPUSH', key, any()],
    ['LMPOP', '2', any(), any(), side(), 'COUNT', String(1 + below(5))],
    ['COPY', key, any(), 'REPLACE'],
  ]
  return calls[below(calls.length)]
}

/** What shows how a list is kept. */
async function shape(client: Client, key: string, depth: number): Promise<string> {
  if (depth === 0) return (await client.call(['DUMP', key])).bytes?.toString('hex') ?? ''
  const shown = await client.ask(['DEBUG', 'OBJECT', key])
  return shown.replace(/^.*(?=ql_nodes)/, '')
}

describe.if(redisServerPath !== '')('lists', () => {
  test('are kept as real Redis keeps them', async () => {
    const args = ['--enable-debug-command', 'yes', '--rdbcompression', 'no']
    const servers = await Promise.all([startRedbun({ args }), startRedis({ args })])
    const clients = await Promise.all(servers.map((server) => server.connect()))
    const both = async (call: readonly string[]) =>
      Promise.all(clients.map((client) => client.ask(call)))
    const random = seededRandom(3, 'lists beside Redis')
    const below: Below = (bound) => Math.floor(random() * bound)
    try {
      for (let round = 0; round < ROUND_COUNT; round++) {
        const fill = FILLS[below(FILLS.length)]
        const depth = DEPTHS[below(DEPTHS.length)]
        const plain = PLAIN_SIZES[below(PLAIN_SIZES.length)]
        const longest = [200, 6000, 20_000][below(3)]
        await both(['FLUSHALL'])
        await both(['CONFIG', 'SET', 'list-max-listpack-size', String(fill)])
        await both(['CONFIG', 'SET', 'list-compress-depth', String(depth)])
        await both(['DEBUG', 'QUICKLIST-PACKED-THRESHOLD', plain])
        const where = `fill ${fill}, depth ${depth}, plain from ${plain}`
        for (let i = 0; i < CALL_COUNT; i++) {
          const call = randomCall(below, longest)
          const [ours, theirs] = await both(call)
          expect(`${where}: ${call.join(' ')}: ${ours}`).toBe(
            `${where}: ${call.join(' ')}: ${theirs}`,
          )
          for (const key of KEYS) {
            const [mine, real] = await Promise.all(clients.map((c) => shape(c, key, depth)))
            expect(`${where}: ${key} after ${call.join(' ')}: ${mine}`).toBe(
              `${where}: ${key} after ${call.join(' ')}: ${real}`,
            )
          }
        }
        const [mine, real] = await both(['DEBUG', 'DIGEST'])
        expect(mine).toBe(real)
      }
    } finally {
      await Promise.all(servers.map((server) => server.stop()))
    }
  }, 60_000)
})
