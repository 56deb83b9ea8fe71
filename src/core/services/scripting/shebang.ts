/**
 * The first line of a script or a library: `#!lua flags=no-writes,allow-stale`, `#!lua name=mylib`.
 *
 * Thread: core.
 * Owns: nothing.
 * Never: looks at what follows the line.
 */
import { splitInline } from '../../../lib/resp/inline.ts'
import { CommandError } from '../../engine/errors.ts'
import { SCRIPT_COMPAT, SCRIPT_FLAG_NAMES } from './run.ts'

export interface Shebang {
  /** Bits of `run.ts`. */
  readonly flags: number
  /** Bytes of the line, without its end. */
  readonly size: number
}

const NO_SHEBANG: Shebang = { flags: SCRIPT_COMPAT, size: 0 }

/** What a script declares. `text`: one character a byte. Throws: CommandError. */
export function scriptShebang(text: string): Shebang {
  if (!text.startsWith('#!')) return NO_SHEBANG
  const size = text.indexOf('\n')
  if (size < 0) throw new CommandError('ERR Invalid script shebang')
  const parts = wordsOf(text.slice(0, size))
  if (parts.length === 0) throw new CommandError('ERR Invalid engine in script shebang')
  if (parts[0] !== '#!lua') {
    throw new CommandError(`ERR Unexpected engine in script shebang: ${parts[0]}`)
  }
  let flags = 0
  for (const part of parts.slice(1)) {
    if (!part.startsWith('flags=')) {
      throw new CommandError(`ERR Unknown lua shebang option: ${part}`)
    }
    const list = part.slice('flags='.length)
    for (const name of list === '' ? [] : list.split(',')) {
      const bit = scriptFlag(name)
      if (bit === 0) throw new CommandError(`ERR Unexpected flag in script shebang: ${name}`)
      flags |= bit
    }
  }
  return { flags, size }
}

/** The bit of a flag, 0: there is none of that name. */
export function scriptFlag(name: string): number {
  return SCRIPT_FLAG_NAMES.find(([known]) => known === name)?.[1] ?? 0
}

export interface LibraryShebang {
  readonly name: string
  readonly engine: string
  readonly size: number
}

/** What a library declares. Throws: CommandError. */
export function libraryShebang(text: string): LibraryShebang {
  if (!text.startsWith('#!')) throw new CommandError('ERR Missing library metadata')
  const size = text.indexOf('\n')
  const parts = size < 0 ? [] : wordsOf(text.slice(0, size))
  if (parts.length === 0) throw new CommandError('ERR Invalid library metadata')
  let name: string | undefined
  for (const part of parts.slice(1)) {
    if (!part.toLowerCase().startsWith('name=')) {
      throw new CommandError(`ERR Invalid metadata value given: ${part}`)
    }
    if (name !== undefined) {
      throw new CommandError('ERR Invalid metadata value, name argument was given multiple times')
    }
    name = part.slice('name='.length)
  }
  if (name === undefined) throw new CommandError('ERR Library name was not given')
  return { name, engine: parts[0].slice(2), size }
}

/** Words with quotes as Redis splits lines; none when a quote is not closed. */
function wordsOf(line: string): string[] {
  const words = splitInline(Buffer.from(line, 'latin1'), 0, line.length) ?? []
  return words.map((word) => Buffer.from(word).toString('latin1'))
}
