/**
 * Loading at the start, and DEBUG RELOAD: which file, and what its failure means.
 *
 * Thread: core.
 * Owns: nothing.
 * Never: serves data of which a part could not be read.
 */
import { toUnicode } from '../../../config/byte-text.ts'
import type { Server } from '../../server.ts'
import { FileSource } from './file-source.ts'
import { RdbLoader, type RdbLoadOptions, type RdbLoadOutcome } from './rdb-load.ts'

interface RdbLoading extends Pick<RdbLoadOptions, 'expired'> {
  readonly replaces: boolean
  /** It was loaded. */
  readonly done: (loader: RdbLoader) => void
  /** There is no such file; by default that is as good as an empty one. */
  readonly missing: () => void
  /** What was read until it went wrong is there; by default the process ends. */
  readonly halfDone?: () => void
}

/** Loads what there is at the start; `done` follows, unless the process ends. */
export function loadAtStart(server: Server, done: () => void): void {
  const startedMs = server.clock.tick()
  const { replication } = server
  loadRdb(server, {
    replaces: false,
    expired(dbIndex, key, aux) {
      restoreHistory(server, aux)
      replication.expiredBefore(dbIndex, key)
    },
    done({ aux }) {
      restoreHistory(server, aux)
      const seconds = (server.clock.tick() - startedMs) / 1000
      server.log.notice(`DB loaded from disk: ${seconds.toFixed(3)} seconds`)
      done()
    },
    missing: done,
  })
}

/** What the file says of the history that its data belong to; once. */
function restoreHistory({ replication }: Server, aux: ReadonlyMap<string, string>): void {
  const offset = Number(aux.get('repl-offset') ?? -1)
  if (offset < 0 || replication.hasHistory) return
  const dbIndex = Number(aux.get('repl-stream-db') ?? 0)
  replication.restore(aux.get('repl-id') ?? '', offset, dbIndex)
}

/** Begins to load the RDB file that the settings name. What is wrong with it ends the process. */
export function loadRdb(server: Server, loads: RdbLoading): void {
  const { replaces, expired, done, missing, halfDone } = loads
  const { settings, loading, disk } = server
  // A replica leaves it to its primary what is over.
  const keepsExpired = settings.raw('replicaof') !== ''
  const directory = settings.raw('dir')
  const path = `${directory}${directory.endsWith('/') ? '' : '/'}${settings.raw('dbfilename')}`
  const source = new FileSource(disk, path)
  const options = { replaces, keepsExpired, ...(expired === undefined ? {} : { expired }) }
  const loader = new RdbLoader(server, source, options, (outcome) => {
    source.close()
    if (outcome.state === 'failed') {
      if (source.problem?.code === 'ENOENT') return missing()
      if (halfDone === undefined || !outcome.isWholeSoFar) {
        return refuse(server, outcome, path, source)
      }
      server.log.warning(outcome.lines[0])
      return halfDone()
    }
    loading.lastLoadedKeys = loader.loadedKeys
    loading.lastExpiredKeys = loader.expiredKeys
    done(loader)
  })
  loading.begin(loader)
}

function refuse(
  server: Server,
  outcome: Extract<RdbLoadOutcome, { state: 'failed' }>,
  path: string,
  source: FileSource,
): void {
  server.loading.refuse()
  for (const line of outcome.lines) server.log.warning(line)
  if (outcome.isFormat) {
    const last = 'Terminating server after rdb file reading failure.'
    const problem = outcome.lines[outcome.lines.length - 1]
    const file = { path: toUnicode(path), problem }
    server.control.send({ type: 'fatal', text: last, file })
  } else {
    const text = source.problem?.text ?? 'Invalid argument'
    server.control.send({ type: 'fatal', text: `Fatal error loading the DB: ${text}. Exiting.` })
  }
}
