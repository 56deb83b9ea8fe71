/**
 * ACL LOAD and SAVE: the file of users. The main thread reads and writes it.
 *
 * Thread: core.
 * Owns: what the file means, and the report of what is wrong in it.
 * Never: takes over part of a file.
 */
import type { CommandDefinition } from '../../command/command.ts'
import type { Call } from '../../engine/call.ts'
import { CommandError } from '../../engine/errors.ts'
import { endSessions } from './end-sessions.ts'
import { applyRule, hasBlanks, joinSelectors, UNKNOWN_COMMAND } from './rules.ts'
import type { User } from './user.ts'
import type { Users } from './users.ts'

const NO_FILE = new CommandError(
  'ERR This Redis instance is not configured to use an ACL file. You may want to specify users via the ACL SETUSER command and then issue a CONFIG REWRITE (assuming you have a Redis configuration file set) in order to store users in the Redis configuration.',
)
const CANNOT_SAVE =
  'ERR There was an error trying to save the ACLs. Please check the server logs for more information'
const NOTHING_DONE =
  'WARNING: ACL errors detected, no change to the previously active ACL rules was performed'

export const aclLoad: CommandDefinition = {
  name: 'LOAD',
  usage: '',
  summary: 'Takes the users from the ACL file, and closes the connections of those that were.',
  since: '6.0.0',
  complexity: 'O(N). Where N is the number of configured users.',
  flags: ['admin', 'noscript', 'loading', 'stale'],
  answersLater: true,
  reply: 'ok',

  run(call) {
    const { server, session } = call
    const path = filePath(call)
    const answer = call.answerLater()
    server.control.ask(
      (number) => ({ type: 'text-read', number, path }),
      (problem, _about, text) => {
        const errors =
          problem === '' ? loadUsers(server.users, path, text) : cannotOpen(path, problem)
        answer((reply) => {
          if (typeof errors === 'string') reply.error(`ERR ${errors}`)
          else reply.ok()
        })
        if (typeof errors !== 'string') endSessions(server, errors, session)
      },
    )
  },
}

export const aclSave: CommandDefinition = {
  name: 'SAVE',
  usage: '',
  summary: 'Writes all users into the ACL file.',
  since: '6.0.0',
  complexity: 'O(N). Where N is the number of configured users.',
  flags: ['admin', 'noscript', 'loading', 'stale'],
  answersLater: true,
  reply: 'ok',

  run(call) {
    const { server } = call
    const path = filePath(call)
    const text = server.users
      .linesForFile()
      .map((line) => `${line}\n`)
      .join('')
    const answer = call.answerLater()
    server.control.ask(
      (number) => ({ type: 'text-write', number, path, text }),
      (problem) => {
        if (problem !== '') server.log.warning(`Saving the ACL file '${path}' failed: ${problem}`)
        answer((reply) => {
          if (problem === '') reply.ok()
          else reply.error(CANNOT_SAVE)
        })
      },
    )
  },
}

function filePath({ server }: Call): string {
  const path = server.settings.raw('aclfile')
  if (path === '') throw NO_FILE
  return path
}

export function cannotOpen(path: string, problem: string): string {
  return `Error loading ACLs, opening file '${path}': ${problem}`
}

/**
 * The users of a file become those of the server. Gives the sessions that must end, or everything
 * that is wrong in the file; then nothing has changed.
 */
export function loadUsers(users: Users, path: string, text: string) {
  const loaded = new Map<string, User>()
  const errors: string[] = []
  for (const [index, line] of text.split('\n').entries()) {
    const trimmed = line.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, '')
    if (trimmed === '') continue
    readLine(trimmed, `${path}:${index + 1}`, users, loaded, errors)
  }
  if (errors.length > 0) return [...errors, NOTHING_DONE].join(' ')
  return users.replaceAll([...loaded.values()])
}

/** `place`: file and line, for what is added to `errors`. */
function readLine(
  line: string,
  place: string,
  users: Users,
  loaded: Map<string, User>,
  errors: string[],
): void {
  const [keyword, name, ...words] = line.split(' ')
  if (keyword !== 'user' || name === undefined) {
    errors.push(`${place} should start with user keyword followed by the username.`)
    return
  }
  if (hasBlanks(name)) {
    // QUIRK: the quote before the place is Redis's.
    errors.push(`'${place}: username '${name}' contains invalid characters.`)
    return
  }
  if (loaded.has(name)) {
    const lineNumber = place.slice(place.lastIndexOf(':') + 1)
    errors.push(`WARNING: Duplicate user '${name}' found on line ${lineNumber}.`)
    return
  }
  const user = users.make(name)
  loaded.set(name, user)
  const joined = joinSelectors(words)
  if ('unclosed' in joined) {
    // DIFFERS: Redis 7.0.15 crashes here.
    errors.push(`${place}: Unmatched parenthesis in selector definition.`)
    return
  }
  let hasSyntaxError = false
  for (const word of joined.rules) {
    const rule = word.replace(/^[\t\r\n]+|[\t\r\n]+$/g, '')
    const problem = applyRule(user, rule, users)
    if (problem === undefined) continue
    if (problem === UNKNOWN_COMMAND) {
      errors.push(`${place}: Error in applying operation '${rule}': ${problem}.`)
    } else if (!hasSyntaxError) {
      // Others may only be what the first one has led to.
      hasSyntaxError = true
      errors.push(`${place}: ${problem}.`)
    }
  }
}
