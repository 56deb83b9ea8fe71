/**
 * Who may come in: the default user and its password.
 *
 * Thread: core.
 * Owns: the password, as a digest; whether a session has said it.
 * Never: keeps or logs a password in clear, compares one in time that tells where it differs.
 */
import { KIND_AUTHENTICATED } from '../../../bridge/message.ts'
import type { Session } from '../../engine/session.ts'
import type { Server } from '../../server.ts'

export const DEFAULT_USER = 'default'

export class Users {
  readonly #server: Server
  #digest: Buffer | undefined = undefined

  constructor(server: Server) {
    this.#server = server
  }

  /** True when a new connection has to authenticate first. */
  get passwordRequired(): boolean {
    return this.#digest !== undefined
  }

  /** The `user` lines of a configuration file; the default user is `requirepass` there. */
  lines(): readonly string[] {
    return []
  }

  exists(user: string): boolean {
    return user === DEFAULT_USER
  }

  /** Takes over `requirepass`; an empty one means that everybody may come in. */
  setDefaultPassword(password: Uint8Array): void {
    const wasRequired = this.passwordRequired
    this.#digest = password.length === 0 ? undefined : digest(password)
    if (wasRequired && !this.passwordRequired) this.#openDoors()
    this.#server.updateGuard()
  }

  /** True when `user` exists and `password` is right. */
  authenticate(user: string, password: Uint8Array): boolean {
    const given = digest(password)
    if (!this.exists(user)) return false
    return this.#digest === undefined || equalInConstantTime(given, this.#digest)
  }

  /** The session has authenticated as `user`. */
  admit(session: Session, user: string): void {
    session.user = user
    this.#setAuthenticated(session, true)
  }

  /** The session is as a new connection is. */
  dismiss(session: Session): void {
    session.user = DEFAULT_USER
    this.#setAuthenticated(session, !this.passwordRequired)
  }

  /** io keeps the requests of those short who have not authenticated; nobody has to any more. */
  #openDoors(): void {
    for (const session of this.#server.clients.all()) {
      if (!session.authenticated) this.#server.outbox.order(session, KIND_AUTHENTICATED, 1)
    }
  }

  #setAuthenticated(session: Session, authenticated: boolean): void {
    if (session.authenticated === authenticated) return
    session.authenticated = authenticated
    const allowed = authenticated || !this.passwordRequired
    this.#server.outbox.order(session, KIND_AUTHENTICATED, allowed ? 1 : 0)
  }
}

function digest(password: Uint8Array): Buffer {
  // Bun's own: loading node:crypto takes a tenth of the time to the first answer.
  return new Bun.CryptoHasher('sha256').update(password).digest()
}

/** Takes as long wherever the two differ. They are equally long. */
function equalInConstantTime(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length
  for (let i = 0; i < a.length; i++) difference |= a[i] ^ b[i]
  return difference === 0
}
