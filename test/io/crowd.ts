/**
 * Many clients in a process of their own: `bun test/io/crowd.ts <port> <clients> <rounds> <pipeline>`.
 * Each writes and reads keys of its own and checks every answer; the last line printed is `ok <replies>`.
 *
 * Thread: main.
 * Owns: its connections.
 * Never: goes on after a wrong answer.
 */
import { encodeRequest } from '../support/argv.ts'
import { Client } from '../support/client.ts'
import { notation } from '../support/reply.ts'

const [port, clientCount, rounds, pipeline] = process.argv.slice(2).map(Number)
const CONNECTING_AT_ONCE = 200
/** A crowd may have to wait for its turn. */
const PATIENCE_MS = 60_000

const clients: Client[] = []
while (clients.length < clientCount) {
  const batch = Math.min(CONNECTING_AT_ONCE, clientCount - clients.length)
  const connected = await Promise.all(Array.from({ length: batch }, () => Client.connect({ port })))
  // A connection is made before the server takes it: without an answer the queue would overflow.
  await Promise.all(connected.map((client) => client.ask('PING', PATIENCE_MS)))
  clients.push(...connected)
}
const counts = await Promise.all(clients.map(play))
console.log(`ok ${counts.reduce((sum, count) => sum + count, 0)}`)
process.exit(0)

async function play(client: Client, number: number): Promise<number> {
  const own = `${process.pid}:${number}`
  let replies = 0
  for (let round = 0; round < rounds; round++) {
    const expected: string[] = []
    const requests: Buffer[] = []
    for (let i = 0; i < pipeline; i++) {
      const value = `${number} ${round} ${i}`
      requests.push(request('SET', `key:${own}:${i}`, value), request('GET', `key:${own}:${i}`))
      requests.push(request('INCR', `count:${own}`), request('ECHO', value))
      expected.push('+OK', `$${value}`, `:${round * pipeline + i + 1}`, `$${value}`)
    }
    client.write(Buffer.concat(requests))
    for (const wanted of expected) {
      const got = notation(await client.next(PATIENCE_MS))
      if (got !== wanted) {
        console.log(`client ${number}: ${got} instead of ${wanted}`)
        process.exit(1)
      }
      replies++
    }
  }
  return replies
}

function request(...words: readonly string[]): Buffer {
  return encodeRequest(words.map((word) => Buffer.from(word)))
}
