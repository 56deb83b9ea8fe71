/**
 * Replies that are held until the turn ends, of clients whose class has a hard output limit: who
 * passes the limit within a turn gets nothing of it, as in Redis, which sends at the end of a turn.
 *
 * Thread: core. Hot path.
 * Owns: the bytes held for each session.
 * Never: holds anything as long as there is no limit.
 */
import { CLASS_NORMAL } from '../../bridge/message.ts'
import { outputLimit } from '../../config/output-limit.ts'
import type { Settings } from '../../config/settings.ts'
import type { Session } from './session.ts'

const START_SIZE = 4 * 1024

/** What is held for one session. */
export class HeldOutput {
  bytes = Buffer.allocUnsafe(START_SIZE)
  size = 0

  /** `sizeMax`: it is noticed at once when more than this is held. */
  // alloc: as seldom as doubling is
  grow(needed: number, sizeMax: number): void {
    const doubled = Math.min(this.bytes.length * 2, sizeMax)
    const bytes = Buffer.allocUnsafe(Math.max(doubled, this.size + needed))
    this.bytes.copy(bytes, 0, 0, this.size)
    this.bytes = bytes
  }
}

export class HeldOutputs {
  /** The hard limit of `client-output-buffer-limit normal`, bytes; 0: none. */
  limitSize = 0
  readonly #bySession = new Map<Session, HeldOutput>()

  get count(): number {
    return this.#bySession.size
  }

  /** Takes over the directive: 'normal 0 0 0 slave ...', in bytes. */
  // alloc: for CONFIG SET
  use(settings: Settings): void {
    this.limitSize = outputLimit(settings, 'normal').hardSize
  }

  /** What is held for the session; undefined when its output is not held. */
  // alloc: once a turn, with a limit
  of(session: Session): HeldOutput | undefined {
    if (this.limitSize === 0 || session.outputClass !== CLASS_NORMAL) return undefined
    let held = this.#bySession.get(session)
    if (held === undefined) {
      held = new HeldOutput()
      this.#bySession.set(session, held)
    }
    return held
  }

  /**
   * True when the session has more to get than the limit allows.
   * DIFFERS: Redis counts blocks of 16 KiB, and mostly not the first of them.
   */
  exceeds(session: Session, held: HeldOutput): boolean {
    const { limitSize } = this
    return limitSize > 0 && held.size + session.link.outputBytes(session) >= limitSize
  }

  forget(session: Session): void {
    this.#bySession.delete(session)
  }

  /** Gives what is held for each session, and holds it no longer. */
  // alloc: once a turn, with a limit
  takeAll(take: (session: Session, held: HeldOutput) => void): void {
    const all = [...this.#bySession]
    this.#bySession.clear()
    for (const [session, held] of all) take(session, held)
  }
}
