/**
 * `--stat`: a line a second about a server, until it is stopped.
 *
 * Thread: the client's only one.
 * Owns: the widths of the columns.
 * Never: ends by itself.
 */
import { Failure } from './failure.ts'
import type { Options } from './options.ts'
import { textOf } from './output.ts'
import { pause } from './pause.ts'
import type { Session } from './session.ts'

const PERIOD_MS = 1000
/** The heading comes again after so many lines. */
const PAGE_LINES = 20
const HEADING =
  '------- data ------ --------------------- load -------------------- - child -\n' +
  'keys       mem      clients blocked requests            connections          '

/** Throws: Failure. */
export async function runStat(session: Session, options: Options): Promise<number> {
  let requests: number | undefined
  for (let line = 0; ; line++) {
    const reply = await session.ask(['INFO'])
    if (reply === undefined) throw new Failure('Error: Server closed the connection')
    if (reply.type === 'error') throw new Failure(`ERROR: ${textOf(reply)}`)
    const info = textOf(reply)
    if (line % PAGE_LINES === 0) session.output.line(HEADING)
    session.output.line(statLine(info, requests))
    requests = field(info, 'total_commands_processed')
    await pause(options.intervalMs > 0 ? options.intervalMs : PERIOD_MS)
  }
}

/** One line from what INFO says. `before`: the requests at the last line. */
export function statLine(info: string, before: number | undefined): string {
  let keys = 0
  for (const [, count] of info.matchAll(/^db\d+:keys=(\d+)/gm)) keys += Number(count)
  const requests = field(info, 'total_commands_processed')
  return (
    String(keys).padEnd(11) +
    human(field(info, 'used_memory')).padEnd(9) +
    String(field(info, 'connected_clients')).padEnd(8) +
    String(field(info, 'blocked_clients')).padEnd(8) +
    `${requests} (+${requests - (before ?? requests)})`.padEnd(20) +
    String(field(info, 'total_connections_received')).padEnd(12) +
    child(info)
  )
}

function child(info: string): string {
  const saves = field(info, 'rdb_bgsave_in_progress') > 0
  const rewrites = field(info, 'aof_rewrite_in_progress') > 0
  if (saves && rewrites) return 'SAVE+AOF'
  if (saves) return 'SAVE'
  return rewrites ? 'AOF' : ''
}

function field(info: string, name: string): number {
  return Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1] ?? 0)
}

function human(bytes: number): string {
  if (bytes < 1024) return `${bytes}B`
  if (bytes < 1024 ** 2) return `${(bytes / 1024).toFixed(2)}K`
  if (bytes < 1024 ** 3) return `${(bytes / 1024 ** 2).toFixed(2)}M`
  return `${(bytes / 1024 ** 3).toFixed(2)}G`
}
