/**
 * Attacks a replica: a primary that answers as one does, up to a changed word, a changed snapshot or a
 * changed stream of commands.
 *
 * Thread: any.
 * Owns: the pretended primary, and the replica.
 * Never: keeps a link for longer than a round.
 */
import type { Dice } from '../conformance/dice.ts'
import { encodeRequest } from '../support/argv.ts'
import { pretendPrimary } from '../support/pretended-primary.ts'
import { type RunningServer, startRedbun } from '../support/server.ts'
import { changedSnapshot, commandStream, payloadKinds, snapshot } from './files.ts'
import { BOUNDED, expectHealth, SERVED_WITHIN_MS, said } from './health.ts'
import { mutated } from './mutate.ts'
import { attackOn, type Target } from './target.ts'

const ID = 'a'.repeat(40)
const MARK = 'b'.repeat(40)
const LINK_MS = 150
const POLL_MS = 10

export const replication: Target = {
  name: 'replication',
  summary: 'a primary whose answers, snapshot or stream are changed; the replica lives and serves',
  async begin() {
    const kinds = await payloadKinds()
    const server = await startRedbun({ args: BOUNDED })
    return attackOn(server, (dice) => round(server, kinds, dice))
  },
}

async function round(server: RunningServer, kinds: readonly Buffer[], dice: Dice): Promise<void> {
  const listener = pretendedPrimary(dice, answers(dice, kinds))
  const client = await server.connect()
  try {
    await client.call(`CONFIG SET repl-diskless-load ${dice.word('disabled swapdb')}`)
    await client.call(`REPLICAOF 127.0.0.1 ${listener.port}`)
    await Bun.sleep(LINK_MS)
    listener.stop(true)
    await leave(server)
  } catch (error) {
    // A server that has ended is the better message.
    await expectHealth(server)
    throw error
  } finally {
    listener.stop(true)
    client.terminate()
  }
  await expectHealth(server)
}

/** Lets it be a primary, once it no longer loads; what it has is sound. */
async function leave(server: RunningServer): Promise<void> {
  const client = await server.connect()
  for (const deadline = performance.now() + SERVED_WITHIN_MS; ; await Bun.sleep(POLL_MS)) {
    const reply = await client.ask('REPLICAOF NO ONE')
    if (reply.startsWith('+OK')) break
    if (performance.now() > deadline) throw new Error(`it stays ${reply}:\n${said(server)}`)
  }
  const found = await client.ask('DEBUG ARENA-CHECK')
  if (found !== '+OK') throw new Error(`the arena says ${found}`)
  client.terminate()
}

interface Answers {
  readonly small: readonly Buffer[]
  /** What PSYNC is answered with. */
  readonly sync: Buffer
  readonly stream: Buffer
}

/** One of them is changed as a rule. */
function answers(dice: Dice, kinds: readonly Buffer[]): Answers {
  const what = dice.below(10)
  const small = ['+PONG\r\n', '+OK\r\n'].map((text) => {
    const bytes = Buffer.from(text)
    return what === 0 ? mutated(bytes, dice) : bytes
  })
  const file = what < 5 ? changedSnapshot(dice, kinds) : snapshot(dice, kinds)
  const hasMark = dice.chance(40)
  const head = `+FULLRESYNC ${ID} 1000\r\n$${hasMark ? `EOF:${MARK}` : file.length}\r\n`
  const sync = Buffer.concat([Buffer.from(head), file, Buffer.from(hasMark ? MARK : '')])
  const stream = Buffer.concat([commandStream(dice), request('REPLCONF', 'GETACK', '*')])
  return {
    small,
    sync: what === 5 ? mutated(sync, dice) : sync,
    stream: what > 5 ? mutated(stream, dice) : stream,
  }
}

function pretendedPrimary(dice: Dice, { small, sync, stream }: Answers) {
  const isQuick = dice.chance(30)
  return pretendPrimary(
    () => ({ isSent: false }),
    (words, socket, link) => {
      if (words[0] === 'PING') socket.write(small[0])
      else if (words[0] === 'PSYNC') {
        socket.write(isQuick ? Buffer.concat([sync, stream]) : sync)
        link.isSent = isQuick
      } else if (words[1] !== 'ACK') socket.write(small[1])
      else if (!link.isSent) {
        link.isSent = true
        socket.write(stream)
      }
    },
  )
}

function request(...words: readonly string[]): Buffer {
  return encodeRequest(words.map((word) => Buffer.from(word, 'latin1')))
}
