/**
 * From the command line and its files to settings, or to the reason why not.
 *
 * Thread: main.
 * Owns: reading configuration files and standard input.
 * Never: starts anything.
 */
import { accessSync, constants, readFileSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { fromBytes, fromUnicode, toUnicode } from '../config/byte-text.ts'
import { type CommandLine, joinConfig } from '../config/command-line.ts'
import { type ConfigExtras, type ConfigFailure, parseConfig } from '../config/parse.ts'
import { Settings } from '../config/settings.ts'
import { systemErrorText } from '../lib/system-error.ts'

export interface Configuration {
  readonly settings: Settings
  readonly extras: ConfigExtras
  /** Absolute; empty without one. */
  readonly file: string
}

const STANDARD_INPUT = 0

/** Settings that name a file by a path. */
const PATHS = [
  ...(['unixsocket', 'pidfile', 'logfile', 'aclfile', 'cluster-config-file'] as const),
  ...(['tls-cert-file', 'tls-key-file', 'tls-client-cert-file', 'tls-client-key-file'] as const),
  ...(['tls-ca-cert-file', 'tls-ca-cert-dir'] as const),
]

/** Throws nothing: what is wrong comes back as a failure to print. */
export function loadConfiguration(
  line: Extract<CommandLine, { task: 'serve' }>,
  { isOwn }: { readonly isOwn: boolean } = { isOwn: true },
): Configuration | ConfigFailure {
  const settings = new Settings()
  const file = line.file === undefined ? '' : resolve(line.file)
  let text = ''
  if (line.file !== undefined) {
    const read = readText(fromUnicode(file))
    if ('problem' in read) {
      const failure = `Fatal error, can't open config file '${file}': ${read.problem}`
      return { to: 'log', text: failure }
    }
    text = read.text
  }
  const input = line.standardInput ? fromBytes(readFileSync(STANDARD_INPUT)) : ''
  const outcome = parseConfig(joinConfig(text, input, line.options), settings, {
    expand: (pattern) => expand(pattern),
    readFile: readText,
    enter: isOwn ? enterDirectory : findDirectory,
  })
  if ('failure' in outcome) return outcome.failure
  if (!isOwn) makeAbsolute(settings)
  // Where the process is, whoever has put it there.
  else settings.adopt({ dir: fromUnicode(process.cwd()) })
  return { settings, extras: outcome.extras, file }
}

/** A file's bytes, one a character. `path`: a byte string. */
export function readText(path: string): { readonly text: string } | { readonly problem: string } {
  try {
    return { text: fromBytes(readFileSync(toUnicode(path))) }
  } catch (error) {
    return { problem: systemProblem(error) }
  }
}

function expand(pattern: string): readonly string[] {
  if (!/[*?[]/.test(pattern)) return [pattern]
  const found = [...new Bun.Glob(toUnicode(pattern)).scanSync({ absolute: true, dot: false })]
  return found.sort().map(fromUnicode)
}

/** Makes a directory the process's own. `path`: a byte string. */
export function enterDirectory(
  path: string,
): { readonly path: string } | { readonly problem: string } {
  try {
    process.chdir(toUnicode(path))
    return { path: fromUnicode(process.cwd()) }
  } catch (error) {
    return { problem: systemProblem(error) }
  }
}

/** As above, for a server that must leave the process where it is. */
export function findDirectory(
  path: string,
): { readonly path: string } | { readonly problem: string } {
  try {
    const directory = resolve(toUnicode(path))
    if (!statSync(directory).isDirectory()) return { problem: 'Not a directory' }
    accessSync(directory, constants.X_OK)
    return { path: fromUnicode(directory) }
  } catch (error) {
    return { problem: systemProblem(error) }
  }
}

/** Files that a server in its own process finds in its directory are named in full. */
function makeAbsolute(settings: Settings): void {
  const base = settings.raw('dir') === '' ? '.' : settings.text('dir')
  settings.adopt({ dir: fromUnicode(resolve(base)) })
  for (const name of PATHS) {
    const path = settings.text(name)
    if (path !== '') settings.adopt({ [name]: fromUnicode(resolve(base, path)) })
  }
}

/** The system's words for what went wrong, as strerror has them. */
function systemProblem(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  return systemErrorText(code ?? '', message)
}
