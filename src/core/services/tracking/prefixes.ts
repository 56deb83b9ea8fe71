/**
 * What clients in broadcasting mode listen to: prefixes of keys, and the keys that changed since the
 * last message about each.
 *
 * Thread: core.
 * Owns: who listens to which prefix; the changed keys.
 * Never: sends a message.
 */
import type { Session } from '../../engine/session.ts'

/** All texts have one character a byte. */
export class Prefix {
  readonly text: string
  readonly sessions = new Set<Session>()
  /** Changed keys, and who changed each last; undefined: nobody, its time was over. */
  keys = new Map<string, Session | undefined>()

  constructor(text: string) {
    this.text = text
  }
}

export class Prefixes {
  readonly #byText = new Map<string, Prefix>()
  /** Every length that a prefix has, once. */
  #lengths: number[] = []
  /** Some key that somebody listens to has changed. */
  pending = false

  get count(): number {
    return this.#byText.size
  }

  /** False when the session listens already. */
  add(session: Session, text: string): boolean {
    let prefix = this.#byText.get(text)
    if (prefix === undefined) {
      prefix = new Prefix(text)
      this.#byText.set(text, prefix)
      this.#countLengths()
    }
    if (prefix.sessions.has(session)) return false
    prefix.sessions.add(session)
    return true
  }

  remove(session: Session, text: string): void {
    const prefix = this.#byText.get(text)
    prefix?.sessions.delete(session)
    if (prefix?.sessions.size !== 0) return
    this.#byText.delete(text)
    this.#countLengths()
  }

  /** A key has changed. */
  note(bytes: Buffer, offset: number, length: number, changedBy: Session | undefined): void {
    const key = bytes.latin1Slice(offset, offset + length)
    for (const size of this.#lengths) {
      if (size > length) continue
      const prefix = this.#byText.get(key.slice(0, size))
      if (prefix === undefined) continue
      prefix.keys.set(key, changedBy)
      this.pending = true
    }
  }

  /** Gives every prefix with changed keys, in order, and forgets the keys. */
  takeChanged(
    visit: (prefix: Prefix, keys: ReadonlyMap<string, Session | undefined>) => void,
  ): void {
    this.pending = false
    const changed = [...this.#byText.values()].filter(({ keys }) => keys.size > 0)
    for (const prefix of changed.sort((a, b) => (a.text < b.text ? -1 : 1))) {
      const { keys } = prefix
      prefix.keys = new Map()
      visit(prefix, keys)
    }
  }

  #countLengths(): void {
    this.#lengths = [...new Set([...this.#byText.keys()].map((text) => text.length))]
  }
}
