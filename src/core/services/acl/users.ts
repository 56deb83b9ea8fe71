/**
 * Who may come in: the default user and its password.
 *
 * Thread: core.
 * Owns: the password, as a digest.
 * Never: keeps or logs a password in clear, compares one in time that tells where it differs.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { Server } from '../../server.ts'

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

  /** Takes over `requirepass`; an empty one means that everybody may come in. */
  setDefaultPassword(password: Uint8Array): void {
    this.#digest = password.length === 0 ? undefined : digest(password)
    this.#server.updateGuard()
  }

  /** True when `user` exists and `password` is right. */
  authenticate(user: string, password: Uint8Array): boolean {
    const given = digest(password)
    if (user !== 'default') return false
    return this.#digest === undefined || timingSafeEqual(given, this.#digest)
  }
}

function digest(password: Uint8Array): Buffer {
  return createHash('sha256').update(password).digest()
}
