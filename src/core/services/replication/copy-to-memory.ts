/**
 * A snapshot that goes into memory as it comes, as `repl-diskless-load` says: into the databases
 * where there is nothing yet (`on-empty-db`), or beside them, to take their place once it is whole
 * (`swapdb`). A data set of the same history is served meanwhile: it is only older.
 *
 * Thread: core.
 * Owns: the data that nobody sees yet.
 * Never: lets go of what was there before, with `swapdb`, until all that follows is there.
 */
import { CommandError } from '../../engine/errors.ts'
import type { Keyspace } from '../../keyspace/keyspace.ts'
import type { Server } from '../../server.ts'
import type { Loader } from '../persistence/loading.ts'
import { RdbLoader, type RdbLoadOutcome } from '../persistence/rdb-load.ts'
import { emptyForOthers, makeWay } from '../server/databases.ts'
import { type Copy, type CopyOwner, type Framing, MARK_SIZE } from './copy.ts'
import { FedSource } from './fed-source.ts'

/** As long as there are bytes. */
const ALWAYS = () => true

export class CopyToMemory implements Copy, Loader {
  readonly isLoading = false
  readonly isFed = true
  readonly isAside: boolean
  readonly #server: Server
  readonly #owner: CopyOwner
  readonly #framing: Framing
  readonly #source: FedSource
  readonly #loader: RdbLoader
  /** With `swapdb`. */
  readonly #aside: Keyspace | undefined
  /** Behind the snapshot's own end: the mark, or the beginning of the stream. */
  #rest: Buffer | undefined = undefined
  #outcome: RdbLoadOutcome | undefined = undefined
  #isOver = false

  /** `isSameHistory`: what is here is an older state of what comes. */
  constructor(server: Server, owner: CopyOwner, framing: Framing, isSameHistory: boolean) {
    this.#server = server
    this.#owner = owner
    this.#framing = framing
    const swaps = server.settings.text('repl-diskless-load') === 'swapdb'
    this.isAside = swaps && isSameHistory
    this.#aside = swaps ? server.keyspace.sibling() : undefined
    this.#source = new FedSource(framing.size)
    const options = {
      replaces: false,
      keepsExpired: true,
      ...(this.#aside === undefined ? {} : { aside: this.#aside }),
    }
    this.#loader = new RdbLoader(server, this.#source, options, (outcome) => {
      this.#outcome = outcome
    })
    if (!swaps) {
      server.log.notice('MASTER <-> REPLICA sync: Flushing old data')
      owner.emptied()
      emptyForOthers(server)
    }
    server.log.notice('MASTER <-> REPLICA sync: Loading DB in memory')
    server.loading.begin(this)
  }

  get readSize(): number {
    return this.#source.position
  }

  get totalBytes(): number {
    return this.#framing.size
  }

  get loadedBytes(): number {
    return this.#source.position
  }

  get savedMemoryBytes(): number {
    return this.#loader.savedMemoryBytes
  }

  load(): boolean {
    return true
  }

  take(bytes: Buffer, at: number, end: number): void {
    if (this.#isOver) return
    if (this.#rest !== undefined) {
      this.#rest = Buffer.concat([this.#rest, bytes.subarray(at, end)])
      return this.#finish()
    }
    const { size, mark } = this.#framing
    const source = this.#source
    // Of a known size, no more than that is the snapshot's.
    const from = mark === '' ? Math.min(end, at + source.remaining) : end
    source.push(bytes, at, from - at)
    if (!source.isWorthwhile && !(mark !== '' && source.endsWith(mark))) return
    if (this.#loader.load(ALWAYS)) return source.rewind()
    const outcome = this.#outcome
    if (outcome?.state === 'failed') return this.#failed(outcome.lines)
    this.#rest = Buffer.concat([source.rest(), bytes.subarray(from, end)])
    if (mark === '' && source.position < size) return this.#failed(['It ends too early'])
    this.#finish()
  }

  abort(): void {
    if (!this.#isOver) this.#tellFailure([this.#loader.shortRead])
    this.#abandon()
  }

  #abandon(): void {
    if (this.#isOver) return
    this.#isOver = true
    const server = this.#server
    server.loading.ended(this)
    if (this.#aside === undefined) return emptyForOthers(server)
    server.log.notice('MASTER <-> REPLICA sync: Discarding temporary DB in background')
    server.reclaim.begin()
  }

  /** The snapshot is loaded; its mark may be still to come. */
  #finish(): void {
    const { mark } = this.#framing
    let rest = this.#rest ?? Buffer.alloc(0)
    if (mark !== '') {
      if (rest.length < MARK_SIZE) return
      if (rest.latin1Slice(0, MARK_SIZE) !== mark) {
        return this.#failed(['Replication stream EOF marker is broken'])
      }
      rest = rest.subarray(MARK_SIZE)
    }
    if (this.#aside !== undefined && !this.#swap(this.#aside)) return
    this.#isOver = true
    this.#server.loading.ended(this)
    this.#owner.loaded(Number(this.#loader.aux.get('repl-stream-db') ?? 0), rest)
  }

  /** What came takes the place of what was there. False when it cannot. */
  #swap(aside: Keyspace): boolean {
    const server = this.#server
    const { functions } = server.scripting
    const before = [...functions.libraries()].map(({ code }) => code)
    try {
      functions.flush()
      for (const code of this.#loader.libraryCodes) functions.load(code, false)
    } catch (error) {
      if (!(error instanceof CommandError)) throw error
      functions.flush()
      for (const code of before) functions.load(code, false)
      this.#failed([`Failed loading library, ${error.text.replace(/^ERR /, '')}`])
      return false
    }
    server.log.notice('MASTER <-> REPLICA sync: Swapping active DB with loaded DB')
    this.#owner.emptied()
    makeWay(server)
    server.keyspace.takeOver(aside)
    server.log.notice('MASTER <-> REPLICA sync: Discarding old DB in background')
    server.reclaim.begin()
    return true
  }

  #failed(lines: readonly string[]): void {
    this.#tellFailure(lines)
    this.#abandon()
    this.#owner.failed()
  }

  #tellFailure(lines: readonly string[]): void {
    const { log } = this.#server
    for (const line of lines) log.warning(line)
    log.warning('Failed trying to load the MASTER synchronization DB from socket')
  }
}
