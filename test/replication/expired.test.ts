/**
 * A replica that may be written to, and a key of its primary that has expired and that the primary has
 * not deleted yet: the replica hides it from whoever reads, and a command that writes makes it go.
 *
 * Thread: any.
 * Owns: rows.
 * Never: writes at the primary once the keys have expired.
 */
import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import type { Client } from '../support/client.ts'
import { linked, onStage, PAIRS, PATIENCE_MS, until } from './stage.ts'

setDefaultTimeout(PATIENCE_MS)

/** What becomes of the key: it is deleted, it stays but nobody sees it, or there is a new one. */
type Fate = 'gone' | 'hidden' | 'new'

/** KEY is the key that has expired, a string. */
const ROWS: readonly (readonly [command: string, reply: string, fate: Fate])[] = [
  ['DEL KEY', ':1', 'gone'],
  ['UNLINK KEY', ':1', 'gone'],
  ['DEL KEY KEY', ':1', 'gone'],
  [`EVAL "return redis.call('del',ARGV[1])" 0 KEY`, ':1', 'gone'],
  ['GETDEL KEY', '(nil)', 'gone'],
  ['EXISTS KEY KEY', ':0', 'hidden'],
  ['TOUCH KEY', ':0', 'hidden'],
  ['TYPE KEY', '+none', 'hidden'],
  ['TTL KEY', ':-2', 'hidden'],
  ['GET KEY', '(nil)', 'hidden'],
  ['GETEX KEY EX 100', '(nil)', 'hidden'],
  ['DUMP KEY', '(nil)', 'hidden'],
  ['COPY KEY other', ':0', 'hidden'],
  ['OBJECT ENCODING KEY', '(nil)', 'hidden'],
  ['RESTORE KEY 0 x REPLACE', '-ERR DUMP payload version or checksum are wrong', 'hidden'],
  ['RESTORE KEY 0 x', '-ERR DUMP payload version or checksum are wrong', 'gone'],
  ['SET KEY v NX', '+OK', 'new'],
  ['SET KEY v XX', '(nil)', 'gone'],
  ['SET KEY v GET', '(nil)', 'new'],
  ['SETNX KEY v', ':1', 'new'],
  ['MSETNX KEY v', ':1', 'new'],
  ['GETSET KEY v', '(nil)', 'new'],
  ['EXPIRE KEY 100', ':0', 'gone'],
  ['EXPIRE KEY 100 NX', ':0', 'gone'],
  ['EXPIRE KEY -1', ':0', 'gone'],
  ['PERSIST KEY', ':0', 'gone'],
  ['INCR KEY', ':1', 'new'],
  ['APPEND KEY x', ':1', 'new'],
  ['LPUSH KEY a', ':1', 'new'],
  ['LPUSHX KEY a', ':0', 'gone'],
  ['RENAME KEY other', '-ERR no such key', 'gone'],
  ['MOVE KEY 1', ':0', 'gone'],
]
const LIFETIME_MS = 30

describe.each(PAIRS)('%s and its writable replica %s', (primaryKind, replicaKind) => {
  test.concurrent('what has expired is hidden until somebody writes', () =>
    onStage(async (stage) => {
      const primary = await stage.start(primaryKind)
      const replica = await stage.follow(replicaKind, primary, ['--replica-read-only', 'no'])
      await linked(replica)
      const [master, follower] = [await primary.connect(), await replica.connect()]
      await master.call('DEBUG SET-ACTIVE-EXPIRE 0')
      for (const i of ROWS.keys()) await master.call(`SET k${i} 12 PX ${LIFETIME_MS}`)
      await until('the keys', () => follower.ask('DBSIZE'), `:${ROWS.length}`)
      await Bun.sleep(2 * LIFETIME_MS)
      const told: unknown[] = []
      for (const [i, [command]] of ROWS.entries()) {
        const reply = await follower.ask(command.replaceAll('KEY', `k${i}`))
        told.push([command, reply, await fate(follower, `k${i}`)])
      }
      expect(told).toEqual(ROWS.map((row) => [...row]))
    }))
})

async function fate(client: Client, key: string): Promise<Fate> {
  if ((await client.ask(`EXISTS ${key}`)) === ':1') return 'new'
  // This does not look at deadlines.
  return (await client.ask(`MEMORY USAGE ${key}`)) === '(nil)' ? 'gone' : 'hidden'
}
