/**
 * Attacks sockets: with bytes by chance, and with pipelines of sound requests that were changed, in
 * pieces, over several connections at once.
 *
 * Thread: any.
 * Owns: one server.
 * Never: asks for a command that may rightly end the server or lock others out.
 */
import { CommandTable } from '../../src/core/command/table.ts'
import { commandGroups } from '../../src/core/commands.ts'
import type { Dice } from '../conformance/dice.ts'
import { Generator } from '../conformance/generator.ts'
import { encodeRequest } from '../support/argv.ts'
import { type RunningServer, startRedbun } from '../support/server.ts'
import { BOUNDED, expectHealth } from './health.ts'
import { mutated, pieces, randomBytes } from './mutate.ts'
import { attackOn, type Target } from './target.ts'

const SOCKETS_MAX = 6
const REQUESTS_MAX = 30
const NOISE_SIZE_MAX = 3000
const GROWN_SIZE = 2 ** 20
/** So long a connection may think about its last bytes. */
const PATIENCE_MS = 10

const { entries } = new CommandTable(commandGroups)

/** What the generator of commands leaves out, and may yet be asked of a server under attack. */
const OTHERS: readonly (readonly string[])[] = [
  ['HELLO', '3'],
  ['HELLO', '2', 'SETNAME', 'x'],
  ['MULTI'],
  ['EXEC'],
  ['DISCARD'],
  ['WATCH', 'a', 'b'],
  ['CLIENT', 'REPLY', 'SKIP'],
  ['CLIENT', 'TRACKING', 'ON', 'BCAST'],
  ['CLIENT', 'SETNAME', 'x'],
  ['CLIENT', 'LIST'],
  ['SUBSCRIBE', 'a', 'b'],
  ['PSUBSCRIBE', '*'],
  ['SSUBSCRIBE', 'a'],
  ['PUBLISH', 'a', 'x'],
  ['UNSUBSCRIBE'],
  ['RESET'],
  ['MONITOR'],
  ['BLPOP', 'a', 'b', '0.01'],
  ['XREAD', 'BLOCK', '10', 'STREAMS', 'x', '$'],
  ['WAIT', '0', '10'],
  ['INFO', 'everything'],
  ['COMMAND', 'DOCS'],
  ['CONFIG', 'GET', '*'],
  ['SCAN', '0', 'COUNT', '100', 'MATCH', '*[a-'],
  ['EVAL', 'return {KEYS, ARGV, 1}', '1', 'k', 'v'],
  ['AUTH', 'default', 'x'],
  ['PSYNC', '?', '-1'],
  ['REPLCONF', 'ACK', '5'],
  ['QUIT'],
]
/** A request that was changed into one of these would rightly end the server or lock others out. */
const FORBIDDEN = ['shutdown', 'acl', 'failover', 'debug', 'replicaof', 'slaveof']

export const protocol: Target = {
  name: 'protocol',
  summary: 'bytes by chance and changed pipelines, over several sockets at once',
  async begin() {
    const renamed = FORBIDDEN.map((name) => `rename-command ${name} ""`)
    const config = `${renamed.join('\n')}\n`
    const server = await startRedbun({ args: BOUNDED, config })
    return attackOn(server, (dice) => round(server, dice))
  },
}

async function round(server: RunningServer, dice: Dice): Promise<void> {
  const generator = new Generator(dice, entries)
  const sendings: (readonly Buffer[])[] = []
  for (let count = 1 + dice.below(SOCKETS_MAX); count > 0; count--) {
    sendings.push(pieces(payload(dice, generator), dice))
  }
  await Promise.all(sendings.map((parts) => send(server, parts)))
  await expectHealth(server)
}

/** Writes all parts, reads what comes without looking at it, and hangs up. */
async function send(server: RunningServer, parts: readonly Buffer[]): Promise<void> {
  const { promise: ended, resolve } = Promise.withResolvers<void>()
  const socket = await Bun.connect({
    hostname: '127.0.0.1',
    port: server.port,
    socket: { data() {}, close: () => resolve(), error: () => resolve() },
  })
  for (const part of parts) {
    socket.write(part)
    await Promise.race([ended, Bun.sleep(parts.length > 1 ? 1 : 0)])
  }
  await Promise.race([ended, Bun.sleep(PATIENCE_MS)])
  socket.terminate()
}

function payload(dice: Dice, generator: Generator): Buffer {
  if (dice.chance(15)) return randomBytes(1 + dice.below(NOISE_SIZE_MAX), dice)
  if (dice.chance(15)) return beginning(dice)
  const requests: Buffer[] = []
  for (let count = 1 + dice.below(REQUESTS_MAX); count > 0; count--) {
    const argv = dice.chance(25) ? dice.pick(OTHERS) : generator.next()
    const request = encodeRequest(argv.map((word) => Buffer.from(word, 'latin1')))
    requests.push(dice.chance(30) ? mutated(request, dice) : request)
  }
  const all = Buffer.concat(requests)
  return dice.chance(50) ? mutated(all, dice) : all
}

/** A request that promises much, and something of what it promises. */
function beginning(dice: Dice): Buffer {
  const counts = '1 2 1000 1048576 1048577 2147483647 -1 9223372036854775807'
  const sizes = '0 1 65536 1048576 536870912 536870913 -1 18446744073709551616'
  const head = `*${dice.word(counts)}\r\n$${dice.word(sizes)}\r\n`
  const grown = dice.chance(10) ? GROWN_SIZE : dice.below(NOISE_SIZE_MAX)
  return Buffer.concat([
    Buffer.from(head),
    Buffer.alloc(grown, dice.pick(['x', '\r\n', '$1\r\na\r\n'])),
  ])
}
