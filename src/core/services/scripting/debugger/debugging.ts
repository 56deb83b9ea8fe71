/**
 * Who debugs a script, and what becomes of requests meanwhile: those of the debugging client are
 * commands for the debugger, those of all others wait until the script is over.
 *
 * Thread: core.
 * Owns: the commands that have come and were not taken yet; the sessions that wait.
 * Never: answers anybody; changes the order of anybody's requests.
 */
import { decode } from '@msgpack/msgpack'
import type { ToCore } from '../../../../bridge/control.ts'
import {
  KIND_BROKEN,
  KIND_CONTROL,
  KIND_FRAGMENT,
  KIND_FRAGMENT_BEGIN,
} from '../../../../bridge/message.ts'
import type { Args } from '../../../engine/args.ts'
import type { Call } from '../../../engine/call.ts'
import type { Session } from '../../../engine/session.ts'
import type { Server } from '../../../server.ts'

/** Has requests handled that have come. */
export type TakeRequests = () => void

export class Debugging {
  readonly #server: Server
  /** Who debugs; undefined: nobody does. */
  client: Session | undefined = undefined
  /** The loop's; absent where there is none. This one waits for requests first. */
  awaitRequests: TakeRequests = () => {}
  takeRequests: TakeRequests = () => {}
  #commands: Buffer[][] = []
  #held: Session[] = []
  /** The client has sent what is no request. */
  #isBroken = false
  /** The server is to end. */
  #isEnding = false

  constructor(server: Server) {
    this.#server = server
  }

  /** The client of the call in progress debugs it. What it has sent behind it are commands. */
  begin({ session }: Call): void {
    this.client = session
    this.#commands = []
    this.#isBroken = false
    this.#isEnding = false
    const { inbox } = this.#server
    inbox.leaveRecord()
    const { args } = this.#server.makeCall()
    for (const { bytes, words } of session.waiting ?? []) {
      args.open(bytes, words, 0)
      this.#commands.push(copyArguments(args))
    }
    session.waiting = undefined
  }

  end(): void {
    this.client = undefined
    this.#commands = []
  }

  /** The next command, when it has come. 'broken': what has come is none. Undefined: none will. */
  next(): Buffer[] | 'broken' | undefined {
    for (;;) {
      const command = this.#commands.shift()
      if (command !== undefined) return command
      if (this.#isBroken) return 'broken'
      if (this.#isUnwatched) return undefined
      this.awaitRequests()
    }
  }

  /** True when there is nobody any more who could say what is to happen. Does not wait. */
  isLeft(): boolean {
    this.takeRequests()
    return this.#isUnwatched
  }

  /** A request in the middle of the script: a command, or one that has to wait. */
  take({ args, session }: Call): void {
    if (session === this.client) {
      this.#commands.push(copyArguments(args))
      return
    }
    session.waiting = []
    this.#held.push(session)
  }

  /** Whether a record that holds no requests has to wait as those do that came before it. */
  holdsBack(session: Session, kind: number): boolean {
    if (this.client === undefined || session === this.client) return false
    return kind !== KIND_FRAGMENT_BEGIN && kind !== KIND_FRAGMENT
  }

  /** A record has to wait until the script is over: where it ends the server, the debugger makes way. */
  putOff(kind: number, bytes: Buffer): void {
    if (this.client === undefined || kind !== KIND_CONTROL) return
    if ((decode(bytes) as ToCore).type === 'shutdown') this.#isEnding = true
  }

  /** True when the record says that the debugging client has broken the protocol. */
  isBreach(session: Session, kind: number): boolean {
    if (kind !== KIND_BROKEN || session !== this.client) return false
    this.#isBroken = true
    return true
  }

  get #isUnwatched(): boolean {
    return this.client === undefined || this.client.closed || this.#isEnding
  }

  /** Those that have waited; they may go on. */
  takeHeld(): Session[] {
    const held = this.#held
    this.#held = []
    return held
  }
}

function copyArguments(args: Args): Buffer[] {
  return Array.from({ length: args.count }, (_, i) => args.copy(i))
}
