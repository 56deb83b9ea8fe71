/**
 * What `ps` shows of this process: `set-proc-title`, `proc-title-template`.
 *
 * The system shows the memory that the arguments were passed in, which is short, and in which somebody
 * may still read. So it is told that they lie elsewhere, in a block of ours. Its last byte is not 0: then
 * what is shown is one text, up to the first 0, and another title is just written there.
 *
 * Thread: main.
 * Owns: the block.
 * Never: makes trouble where the system does not let us: then what was shown stays.
 *
 * @see https://man7.org/linux/man-pages/man2/PR_SET_MM.2const.html
 */
import { dlopen, ptr, toArrayBuffer } from 'bun:ffi'
import { readFileSync } from 'node:fs'
import type { Settings } from '../config/settings.ts'
import { fillTitle } from '../config/title-template.ts'

const PR_SET_MM = 35
const PR_SET_MM_MAP = 14n
/** Words of 64 bits that PR_SET_MM_MAP takes: addresses, then the auxiliary vector and the executable. */
const MAP_WORDS = 13
/** No other auxiliary vector, and in the upper half no other executable. */
const AS_BEFORE = 0xffffffff_00000000n
const TITLE_SIZE_MAX = 1022
/** Where /proc/self/stat tells them, counted from 1: in the order in which PR_SET_MM_MAP wants them. */
const CODE = [26, 27]
const DATA = [45, 46, 47]
const STACK = 28
const ENVIRONMENT = [50, 51]

export class Title {
  /** Undefined before the first title, and where there can be none. */
  #block: Uint8Array | undefined = undefined
  #isPossible = process.platform === 'linux'
  /** How the process was called, without the server's own arguments. */
  #title = ''
  readonly #configFile: string
  readonly #directory: string

  /** `directory`: where the system tells of this process. */
  constructor(configFile: string, directory = '/proc/self') {
    this.#configFile = configFile
    this.#directory = directory
  }

  /** Shows the title that the settings ask for. */
  apply(settings: Settings): void {
    if (!this.#isPossible || !settings.bool('set-proc-title')) return
    if (this.#block === undefined) {
      const told = readOwn(this.#directory)
      this.#block = told && moveArguments(told.stat)
      this.#isPossible = this.#block !== undefined
      if (told !== undefined) this.#title = calledAs(told.cmdline)
    }
    const title = this.#fill(settings)
    if (this.#block === undefined || title === undefined) return
    const bytes = Buffer.from(title, 'latin1').subarray(0, TITLE_SIZE_MAX)
    this.#block.fill(0, 0, TITLE_SIZE_MAX + 1)
    this.#block.set(bytes)
  }

  #fill(settings: Settings): string | undefined {
    const port = settings.int('port')
    const tlsPort = settings.int('tls-port')
    const unixSocket = settings.raw('unixsocket')
    const address = settings.raw('bind').split(' ')[0]
    const host = address === '' ? '*' : address
    const isNetworked = port !== 0 || tlsPort !== 0
    return fillTitle(settings.raw('proc-title-template'), {
      title: this.#title,
      'listen-addr': isNetworked ? `${host}:${port === 0 ? tlsPort : port}` : unixSocket,
      'server-mode': settings.bool('cluster-enabled') ? '[cluster]' : '',
      port: String(port),
      'tls-port': String(tlsPort),
      unixsocket: unixSocket,
      'config-file': this.#configFile,
    })?.trimEnd()
  }
}

/** Whether such a change may be one of the title. */
export function isAboutTitle(name: string): boolean {
  return /^(proc-title-template|port|tls-port|bind|unixsocket)$/.test(name)
}

/** What the system tells of this process; undefined: nothing, as where no /proc is mounted. */
function readOwn(directory: string): { cmdline: string; stat: string } | undefined {
  try {
    return {
      cmdline: readFileSync(`${directory}/cmdline`, 'latin1'),
      stat: readFileSync(`${directory}/stat`, 'latin1'),
    }
  } catch (error) {
    if (error instanceof Error && 'code' in error) return undefined
    throw error
  }
}

function calledAs(cmdline: string): string {
  const words = cmdline.split('\0').slice(0, -1)
  const ownCount = process.argv.length - 2
  return words.slice(0, Math.max(words.length - ownCount, 1)).join(' ')
}

/** Lets the system look for the arguments in the block that is given back; undefined: it refuses. */
function moveArguments(stat: string): Uint8Array | undefined {
  // The second field is a name in parentheses, which may hold blanks.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  // What stands in for Linux (qemu's user mode) may leave the last fields out.
  if (fields.length <= ENVIRONMENT[1] - 3) return undefined
  const addressOf = (field: number) => BigInt(fields[field - 3])
  const libc = loadLibrary()
  if (libc === undefined) return undefined
  const size = TITLE_SIZE_MAX + 2
  const at = libc.symbols.malloc(BigInt(size))
  if (at === null) return undefined
  const block = new Uint8Array(toArrayBuffer(at, 0, size))
  block.fill(0)
  block[size - 1] = 1

  const map = new BigUint64Array(MAP_WORDS)
  map.set([
    ...[...CODE, ...DATA].map(addressOf),
    libc.symbols.sbrk(0n),
    addressOf(STACK),
    BigInt(at),
    BigInt(at) + BigInt(size),
    ...ENVIRONMENT.map(addressOf),
    0n,
    AS_BEFORE,
  ])
  const told = libc.symbols.prctl(
    PR_SET_MM,
    PR_SET_MM_MAP,
    BigInt(ptr(map)),
    BigInt(map.byteLength),
    0n,
  )
  return told === 0 ? block : undefined
}

function loadLibrary() {
  try {
    return dlopen('libc.so.6', {
      prctl: { args: ['i32', 'u64', 'u64', 'u64', 'u64'], returns: 'i32' },
      sbrk: { args: ['i64'], returns: 'u64' },
      malloc: { args: ['u64'], returns: 'ptr' },
    })
  } catch (error) {
    // A Bun that cannot call C. Not musl, whose loader takes every name that begins with "libc." for itself.
    if (error instanceof Error) return undefined
    throw error
  }
}
