/**
 * Loads the files of the append-only file, in order: what begins as an RDB file is loaded as one, and
 * commands are run as they were when they were written.
 *
 * Meanwhile no key expires: a command meets what it met then. What is over is deleted by the file
 * itself, or when everything is loaded.
 *
 * Thread: core.
 * Owns: the place in the files.
 * Never: runs half a transaction, or takes an error for nothing.
 */
import type { AofFound } from '../../../bridge/aof-control.ts'
import { stopThread } from '../../../bridge/wake.ts'
import { toUnicode } from '../../../config/byte-text.ts'
import { AOF_BAD, AOF_COMMAND, AofCommandReader } from '../../../lib/aof/command-reader.ts'
import { RDB_SHORT } from '../../../lib/rdb/reader.ts'
import type { Server } from '../../server.ts'
import { FileSource } from './file-source.ts'
import type { Loader } from './loading.ts'
import { RdbLoader, type RdbLoadOutcome } from './rdb-load.ts'
import { Replayer } from './replayer.ts'

/** How it ended: loaded, or the line that the server ends with. */
export type AofOutcome =
  | { readonly state: 'loaded' }
  | {
      readonly state: 'failed'
      readonly text: string
      /** An RDB file that is to blame. */
      readonly file?: BadFile
    }

interface BadFile {
  readonly path: string
  readonly problem: string
}

const RDB_MARK = 'REDIS'
const FIX = 'make a backup of your AOF file, then use ./redis-check-aof --fix <filename.manifest>'

/** Thrown inside. */
class Refused {
  readonly text: string
  readonly file: BadFile | undefined

  constructor(text: string, file?: BadFile) {
    this.text = text
    this.file = file
  }
}

export class AofLoader implements Loader {
  readonly #server: Server
  readonly #files: readonly AofFound[]
  readonly #onOutcome: (outcome: AofOutcome) => void
  readonly #replayer: Replayer
  readonly totalBytes: number
  savedMemoryBytes = 0
  #doneBytes = 0
  /** Which file is being loaded. */
  #index = -1
  #source: FileSource | undefined = undefined
  #rdb: RdbLoader | undefined = undefined
  #rdbOutcome: RdbLoadOutcome | undefined = undefined
  #reader = new AofCommandReader()
  #startedMs = 0
  /** Where the file may be cut: behind the last whole command, before a MULTI without EXEC. */
  #validSize = 0
  #validBeforeMulti = 0

  constructor(
    server: Server,
    files: readonly AofFound[],
    onOutcome: (outcome: AofOutcome) => void,
  ) {
    this.#server = server
    this.#files = files
    this.#onOutcome = onOutcome
    this.totalBytes = files.reduce((sum, { size }) => sum + size, 0)
    this.#replayer = new Replayer(server)
  }

  get loadedBytes(): number {
    return this.#doneBytes + (this.#source?.position ?? 0)
  }

  load(mayGoOn: () => boolean): boolean {
    let outcome: AofOutcome = { state: 'loaded' }
    try {
      if (this.#goOn(mayGoOn)) return true
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      const { text, file } = error
      outcome = { state: 'failed', text, ...(file === undefined ? {} : { file }) }
    }
    this.#source?.close()
    this.#onOutcome(outcome)
    return false
  }

  /** False when all files are loaded. */
  #goOn(mayGoOn: () => boolean): boolean {
    for (;;) {
      if (this.#source === undefined && !this.#openNext()) return false
      if (this.#rdb !== undefined && this.#loadRdb(this.#rdb, mayGoOn)) return true
      if (this.#loadCommands(mayGoOn)) return true
      this.#closeFile()
    }
  }

  get #file(): AofFound {
    return this.#files[this.#index]
  }

  /** False when there is no further file. Empty ones are passed over. */
  #openNext(): boolean {
    do {
      this.#index++
      if (this.#index >= this.#files.length) return false
    } while (this.#file.size === 0)
    const { disk, settings, clock } = this.#server
    const path = [settings.raw('dir'), settings.raw('appenddirname'), this.#file.name].join('/')
    const source = new FileSource(disk, path)
    this.#source = source
    this.#startedMs = clock.tick()
    this.#validSize = 0
    this.#replayer.begin()
    const { reader } = source
    while (source.remaining > 0 && reader.end - reader.offset < RDB_MARK.length) disk.wait()
    this.#failIfUnreadable(source)
    const mark = reader.bytes.latin1Slice(reader.offset, reader.offset + RDB_MARK.length)
    if (mark === RDB_MARK) this.#beginRdb(source)
    else this.#reader = new AofCommandReader()
    return true
  }

  #beginRdb(source: FileSource): void {
    const { log } = this.#server
    log.notice(
      this.#isOldStyle
        ? 'Reading RDB preamble from AOF file...'
        : 'Reading RDB base file on AOF loading...',
    )
    this.#rdbOutcome = undefined
    const options = { replaces: false, keepsExpired: true }
    this.#rdb = new RdbLoader(this.#server, source, options, (outcome) => {
      this.#rdbOutcome = outcome
    })
  }

  /** True when there is more. */
  #loadRdb(rdb: RdbLoader, mayGoOn: () => boolean): boolean {
    if (rdb.load(mayGoOn)) return true
    const { log, loading, settings } = this.#server
    const outcome = this.#rdbOutcome
    const name = toUnicode(this.#file.name)
    if (outcome?.state === 'failed') {
      for (const line of outcome.lines) log.warning(line)
      const kind = this.#isOldStyle ? 'preamble of the AOF' : 'base'
      log.warning(`Error reading the RDB ${kind} file ${name}, AOF loading aborted`)
      const path = [settings.raw('appenddirname'), this.#file.name].map(toUnicode).join('/')
      const problem = outcome.lines[outcome.lines.length - 1]
      throw new Refused('Terminating server after rdb file reading failure.', { path, problem })
    }
    this.#rdb = undefined
    this.savedMemoryBytes = rdb.savedMemoryBytes
    loading.lastLoadedKeys = rdb.loadedKeys
    loading.lastExpiredKeys = rdb.expiredKeys
    if (this.#isOldStyle) log.notice('Reading the remaining AOF tail...')
    this.#validSize = this.#source?.position ?? 0
    this.#reader = new AofCommandReader(this.#validSize)
    return false
  }

  /** True when there is more. */
  #loadCommands(mayGoOn: () => boolean): boolean {
    const source = this.#source
    if (source === undefined) return false
    const reader = this.#reader
    const { settings } = this.#server
    const delayUs = settings.int('key-load-delay')
    do {
      const outcome = reader.next()
      if (outcome === AOF_BAD) throw this.#badFormat()
      if (outcome === AOF_COMMAND) {
        this.#run(reader)
        if (delayUs > 0) stopThread(delayUs / 1000)
      } else if (!this.#feed(source)) {
        this.#end(reader)
        return false
      }
    } while (mayGoOn())
    return true
  }

  #run(reader: AofCommandReader): void {
    const replayer = this.#replayer
    const isInMulti = replayer.isInMulti
    const name = toUnicode(this.#file.name)
    const problem = replayer.run(reader)
    if (problem === 'unknown') {
      throw new Refused(`Unknown command '${nameIn(reader)}' reading the append only file ${name}`)
    }
    if (problem === 'arity') throw this.#badFormat()
    if (problem === 'memory')
      throw new Refused(`Out of memory loading the append only file ${name}`)
    if (problem === 'failed') {
      throw new Refused(
        `This server panicked sending an error to its AOF-loading-client after processing the command '${nameIn(reader)}'`,
      )
    }
    if (!isInMulti && replayer.isInMulti) this.#validBeforeMulti = this.#validSize
    this.#validSize = reader.position
  }

  /** Gives the reader what has come, or waits for it. False at the file's end. */
  #feed(source: FileSource): boolean {
    const { reader } = source
    if (reader.end === reader.offset) {
      try {
        source.refill(reader, 1)
      } catch (error) {
        if (error !== RDB_SHORT) throw error
        this.#failIfUnreadable(source)
        return false
      }
    }
    const size = reader.end - reader.offset
    this.#reader.feed(reader.bytes, reader.offset, size)
    reader.offset = reader.end
    return true
  }

  /** The file has ended, in order or not. */
  #end(reader: AofCommandReader): void {
    const outcome = reader.end()
    if (outcome === AOF_BAD) throw this.#badFormat()
    const { log } = this.#server
    const name = toUnicode(this.#file.name)
    if (outcome === AOF_COMMAND && !this.#replayer.isInMulti) return
    if (outcome === AOF_COMMAND) {
      log.warning(`Revert incomplete MULTI/EXEC transaction in AOF file ${name}`)
    }
    if (this.#replayer.isInMulti) this.#validSize = this.#validBeforeMulti
    this.#cut(name)
  }

  /** Cuts off what is not whole, if that is allowed. */
  #cut(name: string): void {
    const { log, settings, aof } = this.#server
    if (settings.bool('aof-load-truncated')) {
      log.warning(`!!! Warning: short read while loading the AOF file ${name}!!!`)
      // DIFFERS: Redis cuts the file also when it is not the last, and then refuses to start.
      if (this.#index < this.#files.length - 1) {
        throw new Refused('Fatal error: the truncated file is not the last file')
      }
      log.warning(`!!! Truncating the AOF ${name} at offset ${this.#validSize} !!!`)
      const { problem } = aof.ask({
        type: 'aof-truncate',
        name: this.#file.name,
        size: this.#validSize,
      })
      if (problem === '') {
        log.warning(`AOF ${name} loaded anyway because aof-load-truncated is enabled`)
        return
      }
      log.warning(`Error truncating the AOF file ${name}: ${problem}`)
    }
    throw new Refused(
      `Unexpected end of file reading the append only file ${name}. You can: 1) Make a backup of your AOF file, then use ./redis-check-aof --fix <filename.manifest>. 2) Alternatively you can set the 'aof-load-truncated' configuration option to yes and restart the server.`,
    )
  }

  #closeFile(): void {
    const { log, clock } = this.#server
    this.#source?.close()
    this.#source = undefined
    this.#doneBytes += this.#file.size
    const kind = this.#file.type === 'b' ? 'base' : 'incr'
    const seconds = (clock.tick() - this.#startedMs) / 1000
    const name = toUnicode(this.#file.name)
    log.notice(`DB loaded from ${kind} file ${name}: ${seconds.toFixed(3)} seconds`)
  }

  #failIfUnreadable({ problem }: FileSource): void {
    if (problem === undefined) return
    const name = toUnicode(this.#file.name)
    if (problem.point.endsWith('open-to-read')) {
      const text = `Fatal error: can't open the append log file ${name} for reading: ${problem.text}`
      throw new Refused(text)
    }
    throw new Refused(`Unrecoverable error reading the append only file ${name}: ${problem.text}`)
  }

  #badFormat(): Refused {
    const name = toUnicode(this.#file.name)
    return new Refused(`Bad file format reading the append only file ${name}: ${FIX}`)
  }

  /** The file was there before there were manifests. */
  get #isOldStyle(): boolean {
    return this.#file.name === this.#server.settings.raw('appendfilename')
  }
}

/** The name of the command just read. */
function nameIn({ bytes, offsets }: AofCommandReader): string {
  return bytes.latin1Slice(offsets[0], offsets[1])
}
