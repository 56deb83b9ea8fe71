/**
 * Faults on purpose. Every operation on a file has a named point; a test that starts the server as a
 * process of its own arms points through the environment and sees what is left on the disk:
 *
 *     REDBUN_FAULTS=rdb-write:3:die,rdb-rename:1+:EIO
 *
 * is: die before the third write of an RDB file, and fail every rename from the first on. Actions:
 *
 *     die     the process is killed before the operation
 *     tear    half of the bytes are written, then the process is killed
 *     short   half of the bytes are written, and the system says so
 *     E...    the operation fails with this error; of a write, half is done before
 *
 * Thread: disk.
 * Owns: the names of all points, and which of them are armed.
 * Never: does anything unless the environment says so when the process starts.
 */

/** Every operation on a file that this server ever does while it runs. */
export const FAULT_POINTS = [
  'rdb-open',
  'rdb-write',
  'rdb-sync',
  'rdb-close',
  'rdb-rename',
  'rdb-sync-directory',
  'rdb-remove',
  'rdb-open-to-read',
  'rdb-read',
  'sync-open',
  'sync-write',
  'sync-sync',
  'sync-close',
  'sync-rename',
  'sync-sync-directory',
  'sync-remove',
  'sync-open-to-read',
  'sync-read',
  'aof-make-directory',
  'aof-open',
  'aof-size',
  'aof-write',
  'aof-sync',
  'aof-truncate',
  'aof-close',
  'aof-rename',
  'aof-remove',
  'aof-sync-directory',
  'aof-open-to-read',
  'aof-read',
  'manifest-open-to-read',
  'manifest-read',
  'manifest-open',
  'manifest-write',
  'manifest-sync',
  'manifest-close',
  'manifest-rename',
  'manifest-sync-directory',
] as const

export type FaultPoint = (typeof FAULT_POINTS)[number]

export type FaultAction = 'die' | 'tear' | 'short' | `E${string}`

interface Armed {
  /** Times that the point is passed before it acts. */
  left: number
  readonly stays: boolean
  readonly action: FaultAction
}

const armed = new Map<string, Armed>()

armFaults(process.env.REDBUN_FAULTS ?? '')

/** Arms the points that `specification` names, and no others. Throws: an Error for an unknown one. */
export function armFaults(specification: string): void {
  armed.clear()
  for (const part of specification.split(',')) {
    if (part === '') continue
    const [point, count, action] = part.split(':')
    if (!(FAULT_POINTS as readonly string[]).includes(point) || !isAction(action)) {
      throw new Error(`no such fault: ${part}`)
    }
    armed.set(point, { left: Number.parseInt(count, 10) - 1, stays: count.endsWith('+'), action })
  }
}

/** What is to go wrong at this point now; undefined: nothing. */
export function faultAt(point: FaultPoint): FaultAction | undefined {
  if (armed.size === 0) return undefined
  const fault = armed.get(point)
  if (fault === undefined || fault.left-- > 0) return undefined
  if (!fault.stays) armed.delete(point)
  return fault.action
}

/** As a power failure would. */
export function die(): never {
  process.kill(process.pid, 'SIGKILL')
  // The signal may take a moment.
  for (;;);
}

function isAction(text: string | undefined): text is FaultAction {
  return text !== undefined && (/^(die|tear|short)$/.test(text) || /^E[A-Z0-9]+$/.test(text))
}
