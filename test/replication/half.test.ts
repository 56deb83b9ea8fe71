/**
 * A link that breaks in the middle of a command, or of a transaction: the replica asks for all of it
 * again, and has done none of it. The primary here is a few lines that say what a primary says.
 *
 * Thread: any.
 * Owns: the pretended primary.
 * Never: lets the replica see more than was sent.
 */
import { expect, test } from 'bun:test'
import { encodeRequest } from '../support/argv.ts'
import { pretendPrimary } from '../support/pretended-primary.ts'
import { startRedbun } from '../support/server.ts'
import { until } from './stage.ts'

const ID = 'a'.repeat(40)
const START = 1000
/** An RDB file without a key, and without a checksum. */
const EMPTY_FILE = Buffer.concat([Buffer.from('REDIS0010'), Buffer.of(0xff), Buffer.alloc(8)])
const command = (...words: readonly string[]) =>
  encodeRequest(words.map((word) => Buffer.from(word)))

const BEFORE = Buffer.concat([command('SELECT', '2'), command('SET', 'a', '1')])
const TRANSACTION = Buffer.concat([
  command('MULTI'),
  command('INCR', 'n'),
  command('INCR', 'n'),
  command('EXEC'),
])

/** Sends the stream up to `cut` bytes over a first link, and the rest over a second one. */
function pretendedPrimary(stream: Buffer, cut: number) {
  const asked: string[] = []
  const listener = pretendPrimary(
    () => undefined,
    (words, socket) => {
      if (words[0] === 'PING') socket.write('+PONG\r\n')
      else if (words[0] === 'REPLCONF' && words[1] !== 'ACK') socket.write('+OK\r\n')
      else if (words[0] === 'PSYNC') {
        asked.push(words.slice(1).join(' '))
        if (asked.length === 1) {
          socket.write(`+FULLRESYNC ${ID} ${START}\r\n$${EMPTY_FILE.length}\r\n`)
          socket.write(EMPTY_FILE)
        } else {
          socket.write(`+CONTINUE ${ID}\r\n`)
          socket.write(stream.subarray(Number(words[2]) - 1 - START))
        }
      } else if (words[1] === 'ACK' && asked.length === 1) {
        socket.write(stream.subarray(0, cut))
        socket.flush()
        setTimeout(() => socket.end(), 50)
      }
    },
  )
  return { listener, asked }
}

const STREAM = Buffer.concat([BEFORE, TRANSACTION, command('SET', 'z', '1')])
const CUTS: readonly (readonly [what: string, cut: number, settled: number])[] = [
  ['in a command', BEFORE.length - 5, command('SELECT', '2').length],
  ['behind MULTI', BEFORE.length + command('MULTI').length, BEFORE.length],
  ['within the transaction', BEFORE.length + TRANSACTION.length - 20, BEFORE.length],
  ['behind EXEC', BEFORE.length + TRANSACTION.length, BEFORE.length + TRANSACTION.length],
]

test.each(CUTS)('cut %s', async (_what, cut, settled) => {
  const { listener, asked } = pretendedPrimary(STREAM, cut)
  const replica = await startRedbun({ args: ['--replicaof', `127.0.0.1 ${listener.port}`] })
  try {
    const client = await replica.connect()
    await client.call('SELECT 2')
    await until('the end of the stream', () => client.ask('GET z'), '$1')
    expect(asked.slice(1)).toEqual([`${ID} ${START + settled + 1}`])
    expect(await client.ask('MGET a n')).toBe('*2 $1 $2')
  } finally {
    listener.stop(true)
    await replica.stop('SIGKILL')
  }
})
