/**
 * A user: who it is, with which passwords it comes in, and what it may do.
 *
 * Thread: core. Hot path.
 * Owns: the passwords, as digests, and the selectors.
 * Never: keeps a password in clear, compares one in time that tells where it differs.
 */
import type { CommandEntry, CommandTable } from '../../command/table.ts'
import type { Args } from '../../engine/args.ts'
import type { KeyPlaces } from './keys.ts'
import { ALLOWED, DENIED_COMMAND, Selector } from './selector.ts'

export class User {
  /** One character a byte. */
  readonly name: string
  readonly #table: CommandTable
  enabled = false
  /** Comes in with any password. */
  nopass = false
  /** What was said of payloads that it restores; they are always checked in full. */
  skipsSanitizing = false
  sanitizes = false
  /** SHA-256 digests in hexadecimal. */
  passwords: string[] = []
  /** The first one is the user's own, the others were added in parentheses. */
  selectors: Selector[]
  /** False when it may do everything, so that nothing has to be checked. */
  isLimited = true
  /** After a check that a key or channel failed: the number of that argument. */
  deniedIndex = 0
  /** How ACL LIST writes it; undefined: not known since it changed. */
  description: string | undefined = undefined

  constructor(name: string, table: CommandTable) {
    this.name = name
    this.#table = table
    this.selectors = [new Selector(table)]
  }

  get root(): Selector {
    return this.selectors[0]
  }

  /** Another one that may do the same. */
  // alloc: when a user changes
  copy(): User {
    const copy = new User(this.name, this.#table)
    copy.become(this)
    return copy
  }

  /** Takes over everything but the name. */
  // alloc: when a user changes
  become(other: User): void {
    this.enabled = other.enabled
    this.nopass = other.nopass
    this.skipsSanitizing = other.skipsSanitizing
    this.sanitizes = other.sanitizes
    this.passwords = other.passwords.slice()
    this.selectors = other.selectors.map((selector) => selector.copy(this.#table))
    this.changed()
  }

  /** To be called after a change: what is derived is derived again. */
  changed(): void {
    this.isLimited = !this.root.allowsEverything
    this.description = undefined
  }

  /**
   * Whether the user may make the call: ALLOWED, or why not, and then `deniedIndex` tells of which
   * key or channel. `from`: the number of the argument that is the command's name.
   */
  check(places: KeyPlaces, entry: CommandEntry, args: Args, from = 0): number {
    const { selectors } = this
    let worst = DENIED_COMMAND
    let worstIndex = 0
    for (let i = 0; i < selectors.length; i++) {
      const selector = selectors[i]
      const outcome = selector.check(places, entry, args, from)
      if (outcome === ALLOWED) return ALLOWED
      const index = outcome === DENIED_COMMAND ? 0 : selector.deniedIndex
      // What is told is the furthest that any of them got.
      if (outcome > worst || (outcome === worst && index > worstIndex)) {
        worst = outcome
        worstIndex = index
      }
    }
    this.deniedIndex = worstIndex
    return worst
  }

  /** True when a selector that allows the call allows all keys, too, in the way of `access`. */
  mayUseAllKeys(places: KeyPlaces, entry: CommandEntry, args: Args, access: number): boolean {
    const { selectors } = this
    for (let i = 0; i < selectors.length; i++) {
      const selector = selectors[i]
      if (!selector.allowsAllKeys(access)) continue
      if (selector.check(places, entry, args, 0) === ALLOWED) return true
    }
    return false
  }

  /** True when it may come in with the password. */
  accepts(password: Uint8Array): boolean {
    if (!this.enabled) return false
    if (this.nopass) return true
    const given = passwordDigest(password)
    let found = false
    for (let i = 0; i < this.passwords.length; i++) {
      if (equalInConstantTime(given, this.passwords[i])) found = true
    }
    return found
  }
}

/** SHA-256 in hexadecimal. */
// alloc: when somebody comes in
export function passwordDigest(password: Uint8Array): string {
  // Bun's own: loading node:crypto takes a tenth of the time to the first answer.
  return new Bun.CryptoHasher('sha256').update(password).digest('hex')
}

/** Takes as long wherever the two differ. They are equally long. */
function equalInConstantTime(a: string, b: string): boolean {
  let difference = a.length ^ b.length
  for (let i = 0; i < a.length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i)
  return difference === 0
}
