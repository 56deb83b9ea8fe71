/**
 * All users, and which sessions are whose.
 *
 * Thread: core.
 * Owns: the users by name; who has to authenticate.
 * Never: reads or writes a file.
 */
import { encode } from '@msgpack/msgpack'
import type { FromCore } from '../../../bridge/control.ts'
import { KIND_AUTHENTICATED } from '../../../bridge/message.ts'
import type { CommandEntry } from '../../command/table.ts'
import type { Args } from '../../engine/args.ts'
import type { Call } from '../../engine/call.ts'
import { CommandError } from '../../engine/errors.ts'
import type { Session } from '../../engine/session.ts'
import type { Server } from '../../server.ts'
import { AccessLog, contextOf, type DenialContext, type DenialReason } from './access-log.ts'
import { describeUser, describeUserForFile } from './describe.ts'
import { ACCESS_READ, KeyPlaces } from './keys.ts'
import { applyRule, newSelector, type RuleWorld } from './rules.ts'
import { ALLOWED, DENIED_COMMAND, DENIED_KEY } from './selector.ts'
import { losesChannels, mayListen } from './subscribers.ts'
import { User } from './user.ts'

export const DEFAULT_USER = 'default'

/** Why a call is not allowed. */
export interface Denial {
  readonly reason: Exclude<DenialReason, 'auth'>
  /** The command's full name, the key or the channel; one character a byte. */
  readonly object: string
}

export class Users implements RuleWorld {
  readonly #server: Server
  readonly commands: Server['commands']
  readonly #places: KeyPlaces
  readonly #byName = new Map<string, User>()
  readonly log: AccessLog
  /** What `requirepass` was when the default user last followed it. */
  #defaultPassword = ''

  constructor(server: Server) {
    this.#server = server
    this.commands = server.commands
    this.#places = new KeyPlaces(server.commands)
    this.log = new AccessLog(server)
    this.#byName.set(DEFAULT_USER, this.makeDefault())
  }

  /** Whose the sessions are that have not said otherwise. */
  get default(): User {
    return this.#byName.get(DEFAULT_USER) as User
  }

  /** True when a new connection has to authenticate first. */
  get passwordRequired(): boolean {
    const { nopass, enabled } = this.default
    return !nopass || !enabled
  }

  find(name: string): User | undefined {
    return this.#byName.get(name)
  }

  /** In the order of their names' bytes. */
  all(): User[] {
    return [...this.#byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  /** A line for each user. */
  lines(): string[] {
    return this.all().map((user) => `user ${user.name} ${describeUser(user, this.commands)}`)
  }

  /** The same for a configuration file or an ACL file. */
  linesForFile(): string[] {
    return this.all().map((user) => {
      return `user ${user.name} ${describeUserForFile(user, this.commands)}`
    })
  }

  /** A user that may do nothing, and is not among the others yet. */
  make(name: string): User {
    const user = new User(name, this.commands)
    user.selectors = [newSelector(this)]
    return user
  }

  /** The default user as it is without any configuration. */
  makeDefault(): User {
    const user = new User(DEFAULT_USER, this.commands)
    for (const rule of ['on', 'nopass', '~*', '&*', '+@all']) applyRule(user, rule, this)
    user.changed()
    return user
  }

  // ── What rules depend on ─────────────────────────────────────────────────────────────────────

  allChannels(): boolean {
    return this.#server.settings.text('acl-pubsub-default') === 'allchannels'
  }

  warn(text: string): void {
    this.#server.log.warning(text)
  }

  // ── Changes ──────────────────────────────────────────────────────────────────────────────────

  /** Follows `requirepass`, when it has another value than it had. */
  settingsChanged(): void {
    const password = this.#server.settings.raw('requirepass')
    if (password === this.#defaultPassword) return
    this.#defaultPassword = password
    applyRule(this.default, password === '' ? 'nopass' : 'resetpass', this)
    if (password !== '') applyRule(this.default, `>${password}`, this)
    this.#took(this.default)
  }

  /**
   * The user of that name is as `draft` from now on. Gives the sessions that must end, because they
   * listen to channels that they may not listen to any more.
   */
  put(draft: User): Session[] {
    const known = this.#byName.get(draft.name)
    if (known === undefined) {
      draft.changed()
      this.#byName.set(draft.name, draft)
      return []
    }
    const isLosing = losesChannels(known, draft)
    known.become(draft)
    this.#took(known)
    if (!isLosing) return []
    return this.#sessionsOf(known).filter((session) => !mayListen(session, known))
  }

  /** Forgets a user. Gives its sessions, which must end; undefined: there is none of that name. */
  remove(name: string): Session[] | undefined {
    const user = this.#byName.get(name)
    if (user === undefined) return undefined
    this.#byName.delete(name)
    const orphans = this.#sessionsOf(user)
    for (const session of orphans) this.dismiss(session)
    return orphans
  }

  /**
   * These are the users from now on, the default one among them or as it is without configuration.
   * Gives the sessions of all others that were, which must end.
   */
  replaceAll(users: readonly User[]): Session[] {
    const orphans: Session[] = []
    for (const { name } of this.all()) {
      if (name !== DEFAULT_USER) orphans.push(...(this.remove(name) ?? []))
    }
    const known = this.default
    known.become(users.find(({ name }) => name === DEFAULT_USER) ?? this.makeDefault())
    for (const user of users) {
      user.changed()
      if (user.name !== DEFAULT_USER) this.#byName.set(user.name, user)
    }
    this.#took(known)
    return orphans
  }

  /** The rules of a user have changed: its sessions go by the new ones. */
  #took(user: User): void {
    user.changed()
    for (const session of this.#sessionsOf(user)) session.updateSpecial()
    if (user === this.default) this.#tellWhetherRequired()
  }

  #sessionsOf(user: User): Session[] {
    return [...this.#server.clients.all()].filter((session) => session.user === user)
  }

  // ── Coming in ────────────────────────────────────────────────────────────────────────────────

  /** The user that comes in with the password; a failure is logged. */
  authenticate(call: Call, name: string, password: Uint8Array): User | undefined {
    const user = this.#byName.get(name)
    if (user?.accepts(password) === true) return user
    this.log.addFailedLogin(call, name)
    return undefined
  }

  /** The session has authenticated as `user`. */
  admit(session: Session, user: User): void {
    session.user = user
    this.#setAuthenticated(session, true)
  }

  /** The session is as a new connection is. */
  dismiss(session: Session): void {
    session.user = this.default
    this.#setAuthenticated(session, !this.passwordRequired)
  }

  /** A new connection. io has guessed whether it may do without a password. */
  welcome(session: Session): void {
    session.user = this.default
    session.authenticated = !this.passwordRequired
    session.updateSpecial()
    if (!session.authenticated) this.#server.outbox.order(session, KIND_AUTHENTICATED, 0)
  }

  #setAuthenticated(session: Session, authenticated: boolean): void {
    const isNews = session.authenticated !== authenticated
    session.authenticated = authenticated
    session.updateSpecial()
    if (!isNews) return
    const allowed = authenticated || !this.passwordRequired
    this.#server.outbox.order(session, KIND_AUTHENTICATED, allowed ? 1 : 0)
  }

  /** io keeps the requests of those short who have to authenticate. */
  #tellWhetherRequired(): void {
    const required = this.passwordRequired
    const payload = encode({ type: 'login', required } satisfies FromCore)
    const { links, outbox, clients } = this.#server
    for (const link of links) outbox.control(link, payload)
    for (const session of clients.all()) {
      if (!session.authenticated) outbox.order(session, KIND_AUTHENTICATED, required ? 0 : 1)
    }
  }

  // ── What they may do ─────────────────────────────────────────────────────────────────────────

  /** Why the user may not make the call; undefined: it may. A session without a user may all. */
  check(user: User | undefined, entry: CommandEntry, args: Args, from = 0): Denial | undefined {
    if (user === undefined || !user.isLimited) return undefined
    const outcome = user.check(this.#places, entry, args, from)
    if (outcome === ALLOWED) return undefined
    if (outcome === DENIED_COMMAND) return { reason: 'command', object: entry.name }
    const reason = outcome === DENIED_KEY ? 'key' : 'channel'
    return { reason, object: args.text(user.deniedIndex) }
  }

  /** For the gates: the error of a call that its user may not make; it is logged. */
  refusal(call: Call, entry: CommandEntry): CommandError | undefined {
    const denial = this.check(call.session.user, entry, call.args)
    if (denial === undefined) return undefined
    this.deny(call, denial, contextOf(call.session))
    if (denial.reason === 'key') return NO_KEY
    if (denial.reason === 'channel') return NO_CHANNEL
    return new CommandError(
      `NOPERM this user has no permissions to run the '${entry.name}' command`,
    )
  }

  /** Logs a denial. `call`: the client's own call, of which what was denied may be a part. */
  deny(call: Call, { reason, object }: Denial, context: DenialContext): void {
    this.log.add(call, reason, context, object, call.session.user?.name ?? '')
  }

  /** True when the call may read any key at all: for SORT, which finds the names of keys in values. */
  mayReadAllKeys({ session: { user }, entry, args }: Call): boolean {
    if (user === undefined || !user.isLimited) return true
    return user.mayUseAllKeys(this.#places, entry, args, ACCESS_READ)
  }
}

const NO_KEY = new CommandError(
  'NOPERM this user has no permissions to access one of the keys used as arguments',
)
const NO_CHANNEL = new CommandError(
  'NOPERM this user has no permissions to access one of the channels used as arguments',
)
