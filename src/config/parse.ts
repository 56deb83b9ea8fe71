/**
 * Configuration text into settings: lines, includes, and the report of the first line that is wrong.
 *
 * A configuration file, standard input and the options of the command line are one text, read from
 * top to bottom; a later line wins.
 *
 * Thread: main.
 * Owns: which directives of a text are not settings (users, renames, modules).
 * Never: opens a file or changes the directory; callbacks do.
 */
import { toLower } from './byte-text.ts'
import { INCLUDE_DEPTH_MAX } from './limits.ts'
import { FILE_ONLY, findName, OBSOLETE } from './params.ts'
import type { Settings } from './settings.ts'
import { REDIS_VERSION } from './version.ts'
import { splitWords } from './words.ts'

/** What a configuration needs from the world and from the rest of the server. */
export interface ConfigWorld {
  /** The paths a glob pattern stands for, in order; the path itself if it has nothing to expand. */
  expand(pattern: string): readonly string[]
  /** The content of a file as a byte string, or why it can't be read (`No such file or directory`). */
  readFile(path: string): { readonly text: string } | { readonly problem: string }
  /** Enters a directory: its absolute path, or why not. Without it `dir` is kept as written. */
  enter?(path: string): { readonly path: string } | { readonly problem: string }
  /** The first rule of a user that is wrong, by its place in `rules`, and why. */
  checkUser?(
    name: string,
    rules: readonly string[],
  ): { readonly rule: number; readonly problem: string } | undefined
  /** Whether a command of that name exists, in any case. */
  isCommand?(name: string): boolean
}

/** The directives of a configuration that are not settings; words are byte strings. */
export interface ConfigExtras {
  readonly users: ConfiguredUser[]
  /** An empty `to` removes the command. */
  readonly renames: ConfiguredRename[]
  readonly modules: { readonly path: string; readonly parameters: readonly string[] }[]
}

export interface ConfiguredUser {
  readonly name: string
  readonly rules: readonly string[]
  readonly place: ConfigPlace
}

export interface ConfiguredRename {
  readonly from: string
  readonly to: string
  readonly place: ConfigPlace
}

/** Where a directive stands, for who finds out later that it is wrong. */
export interface ConfigPlace {
  readonly lineNumber: number
  readonly line: string
}

/** What stops the start, where Redis prints it, as ordinary text without a line end for the log. */
export interface ConfigFailure {
  readonly to: 'stderr' | 'log'
  readonly text: string
}

/** Reads a whole configuration into `settings`. On failure some lines may have been taken already. */
export function parseConfig(
  text: string,
  settings: Settings,
  world: ConfigWorld,
): { readonly extras: ConfigExtras } | { readonly failure: ConfigFailure } {
  const reading = new ConfigReading(settings, world)
  const failure = reading.read(text, 0) ?? reading.end()
  return failure === undefined ? { extras: reading.extras } : { failure }
}

/** The report of a wrong line, as Redis prints it to standard error. */
export function configErrorReport(lineNumber: number, line: string, reason: string): string {
  return (
    `\n*** FATAL CONFIG FILE ERROR (Redis ${REDIS_VERSION}) ***\n` +
    `Reading the configuration file, at line ${lineNumber}\n>>> '${line}'\n${reason}\n`
  )
}

/** The report of settings that can't stand together, as Redis prints it to standard error. */
export function configConflictReport(reason: string): string {
  return `\n*** FATAL CONFIG FILE ERROR (Redis ${REDIS_VERSION}) ***\n${reason}\n`
}

/** A directive that is wrong, or a failure that has its own report already. */
type Outcome = string | ConfigFailure | undefined

const BAD_DIRECTIVE = 'Bad directive or wrong number of arguments'

class ConfigReading {
  readonly extras: ConfigExtras = { users: [], renames: [], modules: [] }
  readonly #settings: Settings
  readonly #world: ConfigWorld
  /** The line that is being read. */
  #place: ConfigPlace = { lineNumber: 0, line: '' }
  #savePointsGiven = false
  #moduleSettingGiven = false

  constructor(settings: Settings, world: ConfigWorld) {
    this.#settings = settings
    this.#world = world
  }

  read(text: string, depth: number): ConfigFailure | undefined {
    const lines = text.split('\n')
    for (let index = 0; index < lines.length; index++) {
      const untilNul = lines[index]!.split('\0', 1)[0]!
      const line = untilNul.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, '')
      if (line === '' || line.startsWith('#')) continue
      this.#place = { lineNumber: index + 1, line }
      const words = splitWords(line)
      const outcome =
        words === undefined
          ? 'Unbalanced quotes in configuration line'
          : this.#directive(toLower(words[0]!), words.slice(1), depth)
      if (outcome === undefined) continue
      if (typeof outcome !== 'string') return outcome
      return { to: 'stderr', text: configErrorReport(index + 1, line, outcome) }
    }
    return undefined
  }

  /** What can only be judged when everything has been read. */
  end(): ConfigFailure | undefined {
    const settings = this.#settings
    if (settings.bool('cluster-enabled') && settings.raw('replicaof') !== '') {
      const reason = 'replicaof directive not allowed in cluster mode'
      return { to: 'stderr', text: configConflictReport(reason) }
    }
    if (this.#moduleSettingGiven) {
      const reason = 'without loadmodule directive or no ApplyConfig call: aborting'
      return { to: 'log', text: `Module Configuration detected ${reason}` }
    }
    return undefined
  }

  #directive(name: string, words: readonly string[], depth: number): Outcome {
    const setting = findName(name)
    if (setting === 'dir') return this.#directory(words)
    if (setting !== undefined) {
      const adds = setting === 'save' && this.#savePointsGiven
      if (setting === 'save') this.#savePointsGiven = true
      return this.#settings.load(setting, words, adds)
    }
    if (OBSOLETE.includes(name)) return words.length === 1 ? undefined : BAD_DIRECTIVE
    if (name === 'include')
      return words.length === 1 ? this.#include(words[0]!, depth) : BAD_DIRECTIVE
    if (name === 'rename-command') return words.length === 2 ? this.#rename(words) : BAD_DIRECTIVE
    if (name === 'user') return words.length >= 1 ? this.#user(words) : BAD_DIRECTIVE
    if (name === 'loadmodule') return words.length >= 1 ? this.#module(words) : BAD_DIRECTIVE
    if (name === 'sentinel') return 'sentinel directive while not in sentinel mode'
    if (!name.includes('.')) return BAD_DIRECTIVE
    if (words.length === 0) return 'Module config specified without value'
    this.#moduleSettingGiven = true
    return undefined
  }

  #directory(words: readonly string[]): Outcome {
    const { enter } = this.#world
    if (enter === undefined || words.length !== 1) return this.#settings.load('dir', words, false)
    const entered = enter(words[0]!)
    if ('problem' in entered) return entered.problem
    return this.#settings.load('dir', [entered.path], false)
  }

  #include(pattern: string, depth: number): Outcome {
    if (depth === INCLUDE_DEPTH_MAX) return `include goes deeper than ${INCLUDE_DEPTH_MAX} files`
    for (const path of this.#world.expand(pattern)) {
      const file = this.#world.readFile(path)
      if ('problem' in file) {
        return { to: 'log', text: cannotOpen(path, file.problem) }
      }
      const failure = this.read(file.text, depth + 1)
      if (failure !== undefined) return failure
    }
    return undefined
  }

  #rename([from, to]: readonly string[]): Outcome {
    const { isCommand } = this.#world
    if (isCommand !== undefined) {
      const exists = (name: string) => this.#isCommandNow(name, isCommand)
      if (!exists(from!)) return 'No such command in rename-command'
      if (to !== '' && exists(to!)) return 'Target command name already exists'
    }
    const refusal = this.#refusal('rename-command')
    const place = this.#place
    if (refusal === undefined) this.extras.renames.push({ from: from!, to: to!, place })
    return refusal
  }

  /** Whether a name means a command after the renames read so far. */
  #isCommandNow(name: string, isCommand: (name: string) => boolean): boolean {
    const lower = toLower(name)
    let exists = isCommand(lower)
    for (const { from, to } of this.extras.renames) {
      if (toLower(from) === lower) exists = false
      if (toLower(to) === lower) exists = true
    }
    return exists
  }

  #user(words: readonly string[]): Outcome {
    const [name, ...rules] = words as [string, ...string[]]
    const { users } = this.extras
    if (users.some((user) => user.name === name)) {
      return `Error in user declaration '${name}': Duplicate user found. A user can only be defined once in config files`
    }
    const wrong = this.#world.checkUser?.(name, rules)
    if (wrong !== undefined) {
      // QUIRK: the word named is two places before the wrong one.
      const named = ['user', ...words][wrong.rule]
      return `Error in user declaration '${named}': ${wrong.problem}`
    }
    const refusal = this.#refusal('user')
    if (refusal === undefined) users.push({ name, rules, place: this.#place })
    return refusal
  }

  #module([path, ...parameters]: readonly string[]): Outcome {
    const refusal = this.#refusal('loadmodule')
    if (refusal === undefined) this.extras.modules.push({ path: path!, parameters })
    return refusal
  }

  #refusal(name: string): string | undefined {
    const support = FILE_ONLY[name]!
    if (support.state !== 'refused' || !this.#settings.refusing) return undefined
    return `${name} is not supported by Redbun: ${support.because}`
  }
}

/** The log line for a configuration file that can't be read. */
export function cannotOpen(path: string, problem: string): string {
  return `Fatal error, can't open config file '${path}': ${problem}`
}
