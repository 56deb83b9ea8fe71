/**
 * A stream of commands, cut anywhere, makes of one server what the other is.
 *
 * Thread: any.
 * Owns: the seeds.
 * Never: lets time pass.
 */
import { expect, test } from 'bun:test'
import { Replay } from '../../../src/core/engine/replay.ts'
import { Session } from '../../../src/core/engine/session.ts'
import { ReplicationStream } from '../../../src/core/services/replication/stream.ts'
import { Dice } from '../../conformance/dice.ts'
import { Generator } from '../../conformance/generator.ts'
import { argumentsOf, encodeRequest } from '../../support/argv.ts'
import { type InProcessClient, InProcessServer } from '../../support/in-process.ts'
import { notation } from '../../support/reply.ts'

const SEEDS = [1, 2, 3, 4]
const COMMAND_COUNT = 1200
const PIECE_SIZE_MAX = 90
const NOWHERE = {
  address: '',
  localAddress: '',
  fd: -1,
  tls: false,
  unix: false,
  loopback: true,
}

function says(client: InProcessClient, line: string): string {
  client.write(encodeRequest(argumentsOf(line)))
  return notation(client.next(0))
}

class Follower {
  readonly process = new InProcessServer()
  readonly mistakes: string[] = []
  readonly #replay: Replay

  constructor() {
    const { server } = this.process
    server.keyspace.setReplica(true)
    server.keyspace.expires = false
    const session = new Session(1000, server.links[0], 1000, NOWHERE, 0)
    this.#replay = new Replay(server, session, server.makeCall(), {
      unknownCommand: (name) => this.mistakes.push(name),
      commandFailed: ({ name }, error) => this.mistakes.push(`${name}: ${error}`),
      writes: () => this.mistakes.push('writes'),
    })
  }

  take(bytes: Buffer, dice: Dice): void {
    for (let at = 0; at < bytes.length; ) {
      const size = Math.min(1 + dice.below(PIECE_SIZE_MAX), bytes.length - at)
      this.#replay.take(bytes, at, size)
      at += size
    }
    expect(this.#replay.broken).toBe('')
    expect(this.#replay.unfinishedSize).toBe(0)
  }
}

test.each(SEEDS)('random commands, some in transactions, seed %d', (seed) => {
  const dice = new Dice(seed)
  const leader = new InProcessServer()
  const follower = new Follower()
  const parts: Buffer[] = []
  const stream = new ReplicationStream((bytes, size) =>
    parts.push(Buffer.from(bytes.subarray(0, size))),
  )
  leader.server.propagation.add(stream)
  const client = leader.connect()
  const { clock, commands } = leader.server
  clock.tick = () => clock.nowMs
  // Nobody would wake who waits.
  const entries = commands.entries.filter(
    ({ definition }) => !definition.flags.includes('blocking'),
  )
  const generator = new Generator(dice, entries)
  const send = (argv: readonly string[]) =>
    client.write(encodeRequest(argv.map((word) => Buffer.from(word, 'latin1'))))
  for (let i = 0; i < COMMAND_COUNT; i++) {
    if (i % 40 === 0) send(['SELECT', String(dice.below(3))])
    if (i % 20 === 0) send(['MULTI'])
    send(generator.next())
    if (i % 20 === 7) send(['EXEC'])
    stream.flush()
    follower.take(Buffer.concat(parts.splice(0)), dice)
  }
  send(['EXEC'])
  stream.flush()
  follower.take(Buffer.concat(parts), dice)
  expect(follower.mistakes).toEqual([])
  const replica = follower.process.connect()
  expect(says(replica, 'DEBUG ARENA-CHECK')).toBe('+OK')
  expect(says(replica, 'DEBUG DIGEST')).toBe(says(leader.connect(), 'DEBUG DIGEST'))
})

test('what is no command breaks it', () => {
  const follower = new Follower()
  expect(() => follower.take(Buffer.from('*1\r\n%3\r\n'), new Dice(1))).toThrow()
  const unknown = new Follower()
  unknown.take(Buffer.from('*1\r\n$4\r\nBLAH\r\n*2\r\n$4\r\nINCR\r\n$1\r\nk\r\n'), new Dice(1))
  expect(unknown.mistakes).toEqual(['BLAH'])
  expect(says(unknown.process.connect(), 'GET k')).toBe('$1')
})
