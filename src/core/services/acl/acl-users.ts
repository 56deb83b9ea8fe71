/**
 * ACL SETUSER, GETUSER, DELUSER, LIST, USERS, WHOAMI: making users and looking at them.
 *
 * Thread: core.
 * Owns: nothing: users.ts does.
 * Never: shows a rule to the slow log: it may be a password.
 */
import type { CommandDefinition } from '../../command/command.ts'
import type { Call } from '../../engine/call.ts'
import { CommandError } from '../../engine/errors.ts'
import type { Reply } from '../../engine/reply.ts'
import { describeChannels, describeCommands, describeKeys, flagsOf } from './describe.ts'
import { endSessions } from './end-sessions.ts'
import { applyRule, hasBlanks, joinSelectors } from './rules.ts'
import type { Selector } from './selector.ts'
import { DEFAULT_USER } from './users.ts'

const NAME_WITH_BLANKS = new CommandError("ERR Usernames can't contain spaces or null characters")
const DEFAULT_STAYS = new CommandError("ERR The 'default' user cannot be removed")

export const aclSetuser: CommandDefinition = {
  name: 'SETUSER',
  usage: 'username [rule [rule ...]]',
  summary: 'Makes a user, or changes what it may do, by rules: all of them or none.',
  since: '6.0.0',
  complexity: 'O(N). Where N is the number of rules provided.',
  flags: ['admin', 'noscript', 'loading', 'stale'],
  reply: 'ok',

  run(call) {
    const { args, server, reply } = call
    const { users } = server
    for (let i = 2; i < args.count; i++) call.redact(i)
    const name = args.text(2)
    if (hasBlanks(name)) throw NAME_WITH_BLANKS
    const joined = joinSelectors(textsFrom(call, 3))
    if ('unclosed' in joined) {
      const shown = args.shown(3 + joined.unclosed)
      throw new CommandError(`ERR Unmatched parenthesis in acl selector starting at '${shown}'.`)
    }
    const draft = users.find(name)?.copy() ?? users.make(name)
    for (const rule of joined.rules) {
      const problem = applyRule(draft, rule, users)
      if (problem === undefined) continue
      const shown = rule.split('\0', 1)[0]
      throw new CommandError(`ERR Error in ACL SETUSER modifier '${shown}': ${problem}`)
    }

    const ending = users.put(draft)
    reply.ok()
    endSessions(server, ending, call.session)
  },
}

export const aclGetuser: CommandDefinition = {
  name: 'GETUSER',
  usage: 'username',
  summary: 'Tells everything about a user.',
  since: '6.0.0',
  complexity:
    'O(N). Where N is the number of password, command and pattern rules that the user has.',
  flags: ['admin', 'noscript', 'loading', 'stale'],
  reply: 'map | nil',

  run(call) {
    const { args, server, reply } = call
    const user = server.users.find(args.text(2))
    if (user === undefined) return reply.nil()

    const [root, ...others] = user.selectors
    const flags = flagsOf(user)
    reply.map(6)
    reply.bulkText('flags')
    reply.set(flags.length)
    for (const flag of flags) reply.bulkText(flag)
    reply.bulkText('passwords')
    reply.array(user.passwords.length)
    for (const digest of user.passwords) reply.bulkText(digest)
    replySelector(call, root)
    reply.bulkText('selectors')
    reply.array(others.length)
    for (const selector of others) {
      reply.map(3)
      replySelector(call, selector)
    }
  },
}

export const aclDeluser: CommandDefinition = {
  name: 'DELUSER',
  usage: 'username [username ...]',
  summary: 'Forgets users and closes their connections.',
  since: '6.0.0',
  complexity: 'O(1) amortized time considering the typical user.',
  flags: ['admin', 'noscript', 'loading', 'stale'],
  reply: 'integer',

  run(call) {
    const { server, reply, session } = call
    const names = textsFrom(call, 2)
    if (names.includes(DEFAULT_USER)) throw DEFAULT_STAYS

    const removed = names.map((name) => server.users.remove(name))
    const orphans = removed.filter((sessions) => sessions !== undefined)
    reply.integer(orphans.length)
    endSessions(server, orphans.flat(), session)
  },
}

export const aclList: CommandDefinition = {
  name: 'LIST',
  usage: '',
  summary: 'Lists all users, each with the rules that would make it again.',
  since: '6.0.0',
  complexity: 'O(N). Where N is the number of configured users.',
  flags: ['admin', 'noscript', 'loading', 'stale'],
  reply: 'array of bulk',

  run({ reply, server }) {
    replyTexts(reply, server.users.lines())
  },
}

export const aclUsers: CommandDefinition = {
  name: 'USERS',
  usage: '',
  summary: 'Lists the names of all users.',
  since: '6.0.0',
  complexity: 'O(N). Where N is the number of configured users.',
  flags: ['admin', 'noscript', 'loading', 'stale'],
  reply: 'array of bulk',

  run({ reply, server }) {
    replyTexts(
      reply,
      server.users.all().map(({ name }) => name),
    )
  },
}

export const aclWhoami: CommandDefinition = {
  name: 'WHOAMI',
  usage: '',
  summary: 'Returns the name of the user that the connection has authenticated as.',
  since: '6.0.0',
  complexity: 'O(1)',
  flags: ['noscript', 'loading', 'stale'],
  reply: 'bulk | nil',

  run({ reply, session }) {
    if (session.user === undefined) reply.nil()
    else reply.bulkText(session.user.name)
  },
}

/** The three fields that every selector has. */
function replySelector({ reply, server }: Call, selector: Selector): void {
  reply.bulkText('commands')
  reply.bulkText(describeCommands(selector.commands, server.commands))
  reply.bulkText('keys')
  reply.bulkText(describeKeys(selector))
  reply.bulkText('channels')
  reply.bulkText(describeChannels(selector))
}

function replyTexts(reply: Reply, texts: readonly string[]): void {
  reply.array(texts.length)
  for (const text of texts) reply.bulkText(text)
}

function textsFrom({ args }: Call, first: number): string[] {
  const texts: string[] = []
  for (let i = first; i < args.count; i++) texts.push(args.text(i))
  return texts
}
