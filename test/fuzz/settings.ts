/**
 * Attacks a start by its configuration file, and a server by its ACL file and ACL rules.
 *
 * Thread: any.
 * Owns: sound lines of both files.
 * Never: lets a configuration name a place outside the server's directory.
 */
import { join } from 'node:path'
import type { Dice } from '../conformance/dice.ts'
import { Client, ConnectionEnded } from '../support/client.ts'
import { type RunningServer, startRedbun } from '../support/server.ts'
import { BOUNDED, expectNoFault, greet, said } from './health.ts'
import { mutated } from './mutate.ts'
import { expectStart } from './start.ts'
import type { Target } from './target.ts'

const LINES_MAX = 12
const LOADS_COUNT = 20

/** Come last, so that they win: where the server is reached, and where it writes. */
const FIXED = [
  ...['--bind', '127.0.0.1', '--daemonize', 'no', '--logfile', '', '--pidfile', ''],
  ...['--unixsocket', '', '--metrics-port', '0', '--io-threads', '1', '--tls-port', '0'],
]

/** What CONFIG GET does not tell. */
const MORE_LINES = [
  ...['# a comment', '', 'rename-command FLUSHALL ""', 'rename-command get "g e t"'],
  ...['user alice on >secret ~* &* +@all', 'user bob on nopass %R~k* -@all +get'],
  ...['save 900 1 300 10', 'save ""', "requirepass 'a\\'b'", 'requirepass "\\x41\\n"'],
  ...['client-output-buffer-limit replica 256mb 64mb 60 pubsub 32mb 8mb 60', 'include none.conf'],
]

export const config: Target = {
  name: 'config',
  summary: 'starts with a changed configuration file: served, or refused with a reason',
  async begin() {
    const lines = await soundLines()
    return {
      async round(dice) {
        const chosen = Array.from({ length: 1 + dice.below(LINES_MAX) }, () => dice.pick(lines))
        const text = Buffer.from(`${chosen.join('\n')}\n`, 'latin1')
        const changed = dice.chance(90) ? mutated(text, dice) : text
        try {
          await expectStart({ args: FIXED, config: changed }, async () => {})
        } catch (error) {
          const shown = JSON.stringify(changed.toString('latin1'))
          throw new Error(`with ${shown} ${(error as Error).message}`)
        }
      },
      async end() {},
    }
  },
}

/** Every setting with the value that it has. */
async function soundLines(): Promise<string[]> {
  const server = await startRedbun()
  try {
    const client = await server.connect()
    const words = ((await client.call('CONFIG GET *')).items ?? []).map(({ bytes }) =>
      JSON.stringify(bytes?.toString('latin1') ?? ''),
    )
    const lines = words.flatMap((name, i) => (i % 2 === 0 ? [`${name} ${words[i + 1]}`] : []))
    // In an empty place there is nothing to change; a place that was changed may be anywhere.
    const isElsewhere = /^"(dir|aclfile|cluster-config-file|loadmodule|tls-\S+)"/
    return [...lines.filter((line) => !isElsewhere.test(line)), ...MORE_LINES]
  } finally {
    await server.stop('SIGKILL')
  }
}

const ADMIN = 'user default on nopass sanitize-payload ~* &* +@all\n'
const RULES: readonly string[] = [
  ...['on', 'off', 'nopass', 'resetpass', '>secret', '<secret', '~k*', '%R~r*', '%W~w*', '%RW~*'],
  ...['allkeys', 'resetkeys', '&c*', 'allchannels', 'resetchannels', '+@all', '-@all', '+get'],
  ...['-set', '+config|get', '-client|kill', '+@read', '-@dangerous', 'allcommands', 'nocommands'],
  ...['(+get ~x*)', '(+@write %W~y* &z)', 'clearselectors', 'reset', 'sanitize-payload'],
  ...[`#${'ab'.repeat(32)}`, `!${'ab'.repeat(32)}`, 'skip-sanitize-payload', '+select|1', '+x|y|z'],
]

export const acl: Target = {
  name: 'acl',
  summary: 'starts and ACL LOAD with a changed ACL file, ACL SETUSER with changed rules',
  async begin() {
    return {
      async round(dice) {
        const files = { 'users.acl': aclFile(dice) }
        await expectStart({ args: ['--aclfile', 'users.acl'], files }, async () => {})
        const args = [...BOUNDED, '--aclfile', 'users.acl']
        const server = await startRedbun({ args, files: { 'users.acl': Buffer.from(ADMIN) } })
        try {
          for (let i = 0; i < LOADS_COUNT; i++) await changeUsers(server, dice)
          await greet(server)
          expectNoFault(server)
          if (!server.isRunning) throw new Error(`the server has ended:\n${said(server)}`)
        } finally {
          await server.stop('SIGKILL')
        }
      },
      async end() {},
    }
  },
}

/** By a file and by a command; either may lock out whoever comes next, which is fine. */
async function changeUsers(server: RunningServer, dice: Dice): Promise<void> {
  await Bun.write(join(server.directory, 'users.acl'), aclFile(dice))
  const client = await Client.connect(server.address)
  try {
    await client.call('ACL LOAD')
    const rules = mutated(Buffer.from(rulesText(dice)), dice)
      .toString('latin1')
      .split(' ')
    const words = ['ACL', 'SETUSER', dice.word('alice bob'), ...rules]
    await client.call(words.map((word) => Buffer.from(word, 'latin1')))
    for (const line of ['ACL LIST', 'ACL GETUSER alice', 'ACL DRYRUN alice GET k', 'ACL SAVE']) {
      await client.call(line)
    }
  } catch (error) {
    if (!(error instanceof ConnectionEnded)) throw error
  } finally {
    client.terminate()
  }
}

function aclFile(dice: Dice): Buffer {
  const users = Array.from({ length: 1 + dice.below(4) }, (_, i) => {
    return `user u${i} ${rulesText(dice)}\n`
  })
  const changed = mutated(Buffer.from(users.join('')), dice)
  return dice.chance(80) ? Buffer.concat([Buffer.from(ADMIN), changed]) : changed
}

function rulesText(dice: Dice): string {
  return Array.from({ length: 1 + dice.below(8) }, () => dice.pick(RULES)).join(' ')
}
