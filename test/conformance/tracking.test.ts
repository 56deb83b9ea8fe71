/**
 * What clients that cache are told, beside a real Redis: a stream of commands by chance, made by a
 * client that tracks. The messages have to come at the same places among the same replies.
 *
 * Thread: any.
 * Owns: the rounds.
 * Never: asks where a turn ends: a client in broadcasting mode is compared by the keys it hears of.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { CommandTable } from '../../src/core/command/table.ts'
import { commandGroups } from '../../src/core/commands.ts'
import { encodeRequest, showCommand } from '../support/argv.ts'
import type { Client } from '../support/client.ts'
import { notation, type Reply } from '../support/reply.ts'
import { type RunningServer, redisServerPath, startRedbun, startRedis } from '../support/server.ts'
import { agree } from './compare.ts'
import { Dice } from './dice.ts'
import { type Argv, Generator } from './generator.ts'

const ROUNDS = 25
const ROUND_COMMANDS = 300
const MODES = ['', 'NOLOOP', 'OPTOUT']

/** One command's reply, and the messages that came between it and the next one. */
interface Step {
  readonly reply: Reply
  readonly messages: string[]
}

class Pair {
  readonly actor: Client
  readonly listener: Client

  constructor(actor: Client, listener: Client) {
    this.actor = actor
    this.listener = listener
  }

  static async connect(server: RunningServer, mode: string): Promise<Pair> {
    const [actor, listener] = await Promise.all([server.connect(), server.connect()])
    await actor.call('FLUSHALL')
    await actor.call('HELLO 3')
    await listener.call('HELLO 3')
    await actor.call(`CLIENT TRACKING ON ${mode}`)
    await listener.call('CLIENT TRACKING ON BCAST')
    return new Pair(actor, listener)
  }

  /** Makes the calls; each reply with the messages that follow it. */
  async run(stream: readonly Argv[]): Promise<Step[]> {
    this.actor.write(Buffer.concat(stream.map(encode)))
    this.actor.send('PING')
    const steps: Step[] = []
    for (;;) {
      const reply = await this.actor.next()
      const isMessage = reply.kind === '>' && steps.length > 0
      if (isMessage) steps[steps.length - 1].messages.push(notation(reply))
      else if (steps.length === stream.length) return steps
      else steps.push({ reply, messages: [] })
    }
  }

  /** The keys that somebody who listens to all hears of. */
  async heard(): Promise<string[]> {
    const keys = new Set<string>()
    this.listener.send('PING')
    for (;;) {
      const reply = await this.listener.next()
      if (reply.kind !== '>') return [...keys].sort()
      for (const key of reply.items?.[1].items ?? [{ bytes: Buffer.from('ALL') }]) {
        keys.add(key.bytes?.toString('latin1') ?? '')
      }
    }
  }

  close(): void {
    this.actor.terminate()
    this.listener.terminate()
  }
}

function encode(argv: Argv): Buffer {
  return encodeRequest(argv.map((word) => Buffer.from(word, 'latin1')))
}

describe.if(redisServerPath !== '')('a client that caches (left out without redis-server)', () => {
  let servers: RunningServer[] = []
  beforeAll(async () => {
    servers = await Promise.all([startRedbun(), startRedis()])
  })
  afterAll(async () => {
    await Promise.all(servers.map((server) => server.stop()))
  })

  test('is told the same at the same places', async () => {
    const { entries } = new CommandTable(commandGroups)
    let messageCount = 0
    const first = Number(process.env['REDBUN_SEED'] ?? 1)
    for (let seed = first; seed < first + ROUNDS; seed++) {
      const mode = MODES[seed % MODES.length]
      const [ours, theirs] = await Promise.all(servers.map((server) => Pair.connect(server, mode)))
      const generator = new Generator(new Dice(seed), entries)
      const stream = Array.from({ length: ROUND_COMMANDS }, () => generator.next())
      const [mine, their] = await Promise.all([ours.run(stream), theirs.run(stream)])
      for (const [i, argv] of stream.entries()) {
        const shown = showCommand(argv.map((word) => Buffer.from(word, 'latin1')))
        // Replies may differ in what is left to chance, and then the data does.
        if (!agree(argv, mine[i].reply, their[i].reply)) break
        messageCount += mine[i].messages.length
        const place = `seed ${seed} ${mode}, ${i}: ${shown}`
        expect([place, ...mine[i].messages]).toEqual([place, ...their[i].messages])
      }
      expect([seed, ...(await ours.heard())]).toEqual([seed, ...(await theirs.heard())])
      ours.close()
      theirs.close()
    }
    expect(messageCount).toBeGreaterThan(10 * ROUNDS)
  }, 60_000)
})
