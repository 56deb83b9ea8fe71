/**
 * Attacks the debugger of scripts: with commands by chance, changed ones and noise, in pieces, from a
 * client that goes in the middle as a rule. Whoever waits meanwhile is served in the end.
 *
 * Thread: any.
 * Owns: one server.
 * Never: waits for the end of a script whose client is still there: it may rightly never come.
 */
import { CommandTable } from '../../src/core/command/table.ts'
import { commandGroups } from '../../src/core/commands.ts'
import type { Dice } from '../conformance/dice.ts'
import { Generator } from '../conformance/generator.ts'
import { encodeRequest } from '../support/argv.ts'
import { ConnectionEnded } from '../support/client.ts'
import { notation, type Reply } from '../support/reply.ts'
import { type RunningServer, startRedbun } from '../support/server.ts'
import { BOUNDED, expectHealth, SERVED_WITHIN_MS, said } from './health.ts'
import { changedScript, expression, snippet, statement } from './lua-code.ts'
import { mutated, NUMBERS, pieces, randomBytes } from './mutate.ts'
import { attackOn, type Target } from './target.ts'

const SESSIONS_COUNT = 12
const COMMANDS_MAX = 25
const NOISE_SIZE_MAX = 200
const BUSY_MS = 50
/** So long a session may go on before its client goes. */
const PATIENCE_MS = 120
const END = '<endsession>'

const { entries } = new CommandTable(commandGroups)

/** Code that does not end by itself, also where it is told to. */
const ENDLESS: readonly string[] = [
  'while true do end',
  'while true do pcall(function() while true do end end) end',
  'local c = coroutine.wrap(function() while true do end end) c()',
]

export const scriptDebugger: Target = {
  name: 'debugger',
  summary: 'random and changed commands to the debugger of scripts, from clients that go',
  async begin() {
    const args = [...BOUNDED, '--busy-reply-threshold', String(BUSY_MS)]
    const server = await startRedbun({ args })
    return attackOn(server, (dice) => round(server, dice))
  },
}

async function round(server: RunningServer, dice: Dice): Promise<void> {
  const generator = new Generator(dice, entries)
  for (let i = 0; i < SESSIONS_COUNT; i++) {
    const script = scriptOf(dice, generator)
    const sent = commands(dice, generator)
    try {
      await debug(server, script, sent, dice)
    } catch (error) {
      const shown = [script, sent].map((bytes) => JSON.stringify(bytes.toString('latin1')))
      throw new Error(`EVAL ${shown.join(' then ')}: ${(error as Error).message}`)
    }
  }
  await expectHealth(server)
}

async function debug(
  server: RunningServer,
  script: Buffer,
  sent: Buffer,
  dice: Dice,
): Promise<void> {
  const client = await server.connect()
  const other = await server.connect()
  await client.call('SCRIPT DEBUG SYNC', SERVED_WITHIN_MS)
  if (dice.chance(20)) await client.call('HELLO 3')
  client.send(['EVAL', script, '1', 'k', 's', '\xff\0'])
  if (dice.chance(50)) other.send('PING')
  for (const part of pieces(sent, dice)) {
    client.write(part)
    if (dice.chance(50)) await Bun.sleep(1)
  }
  other.send('PING')
  await Promise.race([client.ended, Bun.sleep(dice.below(PATIENCE_MS))])
  const replies: Reply[] = []
  while (client.unread > 0) replies.push(await client.next())
  client.terminate()
  expectSession(replies)
  try {
    await other.next(SERVED_WITHIN_MS)
  } catch (error) {
    const reason = error instanceof ConnectionEnded ? 'hung up on' : 'not served'
    throw new Error(`who waits is ${reason}:\n${said(server)}`)
  }
  other.terminate()
}

/** Throws: an Error when a session is no arrays of lines, or does not end with the reply. */
function expectSession(replies: readonly Reply[]): void {
  // A script that was refused before it began is not debugged.
  if (replies.length === 0 || replies[0].kind === '-') return
  const end = replies.findIndex(({ items }) => items?.at(-1)?.bytes?.toString() === END)
  const lines = end < 0 ? replies : replies.slice(0, end)
  for (const reply of lines) {
    if (reply.kind === '*' && reply.items?.every(({ kind }) => kind === '+')) continue
    throw new Error(`the debugger says ${notation(reply)}`)
  }
  if (end >= 0 && replies.length > end + 2) {
    throw new Error(
      `after the end comes ${replies
        .slice(end + 1)
        .map(notation)
        .join(' ')}`,
    )
  }
}

function scriptOf(dice: Dice, generator: Generator): Buffer {
  if (dice.chance(5)) return Buffer.from(dice.pick(ENDLESS))
  return dice.chance(50) ? snippet(dice, generator) : changedScript(dice)
}

/** Requests, some of them changed; then perhaps all of them together, or only half of the last one. */
function commands(dice: Dice, generator: Generator): Buffer {
  const requests: Buffer[] = []
  for (let count = dice.below(COMMANDS_MAX); count > 0; count--) {
    const words = command(dice, generator)
    const request = dice.chance(90)
      ? encodeRequest(words.map((word) => Buffer.from(word, 'latin1')))
      : Buffer.from(`${words.join(' ')}\r\n`, 'latin1')
    requests.push(dice.chance(10) ? mutated(request, dice) : request)
  }
  if (dice.chance(5)) requests.push(randomBytes(1 + dice.below(NOISE_SIZE_MAX), dice))
  const all = Buffer.concat(requests)
  if (dice.chance(10)) return mutated(all, dice)
  return dice.chance(20) ? all.subarray(0, all.length - dice.below(10)) : all
}

function command(dice: Dice, generator: Generator): string[] {
  switch (dice.below(14)) {
    case 0:
    case 1:
    case 2:
      return [dice.word('s step n next S NEXT')]
    case 3:
      return [dice.chance(30) ? dice.word('c continue') : 's']
    case 4:
      return [dice.word('l list'), ...numbers(dice, 3)]
    case 5:
      return [dice.word('b break'), ...numbers(dice, 4)]
    case 6:
      return [dice.word('p print'), ...(dice.chance(50) ? [dice.word('a b c KEYS ARGV x')] : [])]
    case 7:
    case 8:
      return [dice.word('e eval'), ...code(dice, generator).split(' ')]
    case 9:
    case 10:
      return [dice.word('r redis'), ...generator.next()]
    case 11:
      return [dice.word('m maxlen'), ...numbers(dice, 2)]
    case 12:
      return [dice.word('t trace w whole h help')]
    default:
      return dice.chance(30)
        ? [dice.word('a abort')]
        : [randomBytes(dice.below(8), dice).toString('latin1'), ...numbers(dice, 3)]
  }
}

function numbers(dice: Dice, bound: number): string[] {
  return Array.from({ length: dice.below(bound) }, () => {
    return dice.chance(70) ? String(dice.below(12) - 3) : dice.pick(NUMBERS)
  })
}

function code(dice: Dice, generator: Generator): string {
  if (dice.chance(3)) return dice.pick(ENDLESS)
  return dice.chance(50) ? expression(dice, 0) : statement(dice, generator)
}
