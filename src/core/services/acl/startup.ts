/**
 * The users that the configuration names, or its ACL file: before any request is taken.
 *
 * Thread: core.
 * Owns: what is said when they cannot be.
 * Never: lets the server start with other users than those that were asked for.
 */
import type { ConfigPlace, ConfiguredUser } from '../../../config/parse.ts'
import type { Server } from '../../server.ts'
import { cannotOpen, loadUsers } from './acl-file.ts'
import { applyRule, hasBlanks, joinSelectors, UNKNOWN_COMMAND } from './rules.ts'
import { DEFAULT_USER } from './users.ts'

/** What the ACL file held at the start, as bytes one a character. */
export type AclFileContent = { readonly text: string } | { readonly problem: string }

/** Why the server must not start. `place`: the line of the configuration that is to blame. */
export interface Refusal {
  readonly text: string
  readonly place?: ConfigPlace
}

const BOTH =
  'Users are defined by user directives and an ACL file is configured, too. That is refused, since nobody could tell who may do what: use either the one or the other.'

/** Gives why the server must not start; undefined when it may. */
export function loadConfiguredUsers(
  server: Server,
  configured: readonly ConfiguredUser[],
  file: AclFileContent | undefined,
): Refusal | undefined {
  if (file !== undefined && configured.length > 0) return { text: BOTH }
  for (const user of configured) {
    const refusal = loadUser(server, user)
    if (refusal !== undefined) return refusal
  }
  if (file === undefined) return undefined
  const path = server.settings.raw('aclfile')
  const errors =
    'problem' in file ? cannotOpen(path, file.problem) : loadUsers(server.users, path, file.text)
  if (typeof errors !== 'string') return undefined
  return { text: `Aborting Redis startup because of ACL errors: ${errors}` }
}

function loadUser(server: Server, { name, rules, place }: ConfiguredUser): Refusal | undefined {
  const { users, log } = server
  if (hasBlanks(name)) return { text: 'Spaces not allowed in ACL usernames' }
  const joined = joinSelectors(rules)
  if ('unclosed' in joined) {
    return { text: `Error in user declaration '${name}': Unmatched parenthesis`, place }
  }
  const user = users.make(name)
  // QUIRK: the default user, which is there already, is reset, and that shows in its description.
  if (name === DEFAULT_USER) applyRule(user, 'reset', users)
  for (const [index, rule] of joined.rules.entries()) {
    const problem = applyRule(user, rule, users)
    if (problem === undefined) continue
    if (problem === UNKNOWN_COMMAND) {
      return { text: `Error loading ACL rule '${rule}' for the user named '${name}': ${problem}` }
    }
    // QUIRK: the word that is named stands two places before the wrong one.
    const named = ['user', name, ...rules][index]
    return { text: `Error in user declaration '${named}': ${problem}`, place }
  }
  users.put(user)
  if (!user.enabled) {
    log.notice(`The user '${name}' is disabled: its description has no 'on'. Is that intended?`)
  }
  return undefined
}
