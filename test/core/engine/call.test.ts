/**
 * What is counted of calls whose time is taken together.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: opens a socket.
 */
import { describe, expect, test } from 'bun:test'
import { argumentsOf, encodeRequest } from '../../support/argv.ts'
import { type InProcessClient, InProcessServer } from '../../support/in-process.ts'
import { notation } from '../../support/reply.ts'

const PATIENCE_MS = 1000

/** Sends all requests in one piece; gives the replies. */
function pipeline(client: InProcessClient, requests: readonly string[]): string[] {
  client.write(Buffer.concat(requests.map((text) => encodeRequest(argumentsOf(text)))))
  return requests.map(() => notation(client.next(PATIENCE_MS)))
}

function infoOf(client: InProcessClient, section: string, name: string): string {
  const [text] = pipeline(client, [`INFO ${section}`])
  return new RegExp(`${name}:(.*?)\\\\r\\\\n`).exec(text)?.[1] ?? text
}

const GETS = new Array<string>(100).fill('GET a')

describe('calls of the same command in a row', () => {
  test('are all counted, with their time', () => {
    const client = new InProcessServer().connect()
    pipeline(client, ['SET a 1', ...GETS, 'GET', ...GETS, 'LPUSH l 1', 'GET l'])
    const stats = infoOf(client, 'commandstats', 'cmdstat_get')
    const [, calls, usec] = /^calls=(\d+),usec=(\d+),.*rejected_calls=1,failed_calls=1$/.exec(
      stats,
    ) ?? [stats]
    expect(calls).toBe('201')
    expect(Number(usec)).toBeGreaterThan(0)
    const [histogram] = pipeline(client, ['LATENCY HISTOGRAM get'])
    expect(histogram).toContain('201')
  })

  test('are timed one by one when short ones are looked at', () => {
    const client = new InProcessServer().connect()
    pipeline(client, ['CONFIG SET slowlog-log-slower-than 0', 'SLOWLOG RESET'])
    pipeline(client, ['INCR a', 'INCR b', 'INCR c', 'INCR d'])
    const [shown] = pipeline(client, ['SLOWLOG GET 4'])
    for (const key of ['a', 'b', 'c', 'd']) expect(shown).toContain(`*2 $INCR $${key} `)
  })
})
