/**
 * The values all directives have now: typed reading, CONFIG GET, and CONFIG SET as all or nothing.
 *
 * A value is kept as the text CONFIG GET answers, beside it the number or flag it means. Texts are
 * byte strings (see byte-text.ts). Each thread has a copy of its own; a change crosses as a plain
 * object of the changed values.
 *
 * Thread: any.
 * Owns: the current values of its thread's copy.
 * Never: acts on a change; whoever asked for it does, and calls `undo` if it cannot be done.
 */
import { toBytes, toLower, toUnicode } from './byte-text.ts'
import type { Reading } from './kinds.ts'
import { matchesName } from './name-pattern.ts'
import { allNames, definition, findName, NAMES, type Name, type NameOf } from './params.ts'
import { splitWords } from './words.ts'

/** Setting names and canonical values, fit to cross to another thread. */
export type PlainSettings = Record<string, string>

/** What became of a CONFIG SET. */
export type SetResult =
  | {
      readonly ok: true
      /** The settings whose value is another one now, under their main names. */
      readonly changed: readonly Name[]
      /** The changed values, for `adopt` in the other threads' copies. */
      readonly plain: PlainSettings
      /** Puts the old values back; answers them for `adopt`. */
      undo(): PlainSettings
    }
  | { readonly ok: false; readonly error: string }

/** Who asks for a change, and whether protected directives are open to them. */
export interface SetOptions {
  /** True if `enable-protected-configs` lets this client change protected directives. */
  readonly protectedAllowed?: boolean
}

/** How strict a copy is. */
export interface SettingsOptions {
  /** False takes every value Redis takes, supported here or not. For comparing with Redis. */
  readonly refusing?: boolean
}

export class Settings {
  /** Grows with every change: what is derived from settings can be kept until it moves. */
  generation = 0
  /** Whether values this server does not honour are refused. */
  readonly refusing: boolean
  readonly #texts = new Map<Name, string>()
  readonly #numbers = new Map<Name, number>()

  constructor(options: SettingsOptions = {}) {
    this.refusing = options.refusing ?? true
    for (const name of NAMES) this.#put(name, definition(name).initial)
  }

  /** A copy from what `toPlain` gave in another thread. Throws: if it is not such an object. */
  static fromPlain(plain: unknown): Settings {
    const settings = new Settings()
    settings.adopt(plain)
    return settings
  }

  /** All values, to be given to `fromPlain`. */
  toPlain(): PlainSettings {
    return Object.fromEntries(this.#texts)
  }

  /** Takes over values that were checked elsewhere: a change from another thread, a resolved path. */
  adopt(plain: unknown): void {
    if (typeof plain !== 'object' || plain === null) throw new TypeError('settings are an object')
    for (const [anyName, value] of Object.entries(plain)) {
      const name = findName(anyName)
      if (name === undefined) throw new TypeError(`no setting is named ${anyName}`)
      if (typeof value !== 'string') throw new TypeError(`the value of ${anyName} is not text`)
      this.#put(name, value)
    }
    this.generation++
  }

  /**
   * A number. Beyond 2^53 it is the nearest double. `maxmemory-clients` is negative for a percentage,
   * `unixsocketperm` a file mode.
   */
  int(name: NameOf<'int'>): number {
    return this.#numbers.get(name)!
  }

  /** A yes-or-no setting. */
  bool(name: NameOf<'bool'>): boolean {
    return this.#numbers.get(name) === 1
  }

  /** The value as ordinary text (UTF-8 decoded): for paths, enums and people. */
  text(name: Name): string {
    return toUnicode(this.#texts.get(name)!)
  }

  /** The value as bytes, a fresh array: for secrets, which are compared byte by byte. */
  bytes(name: Name): Uint8Array {
    return toBytes(this.#texts.get(name)!)
  }

  /** The canonical value as a byte string. */
  raw(name: Name): string {
    return this.#texts.get(name)!
  }

  /** What of the canonical value is told. */
  shown(name: Name): string {
    const text = this.raw(name)
    return definition(name).kind.shown?.(text) ?? text
  }

  /**
   * CONFIG GET: names as asked (a pattern answers main names and aliases) and values, each name once.
   * `patterns` and the answer are byte strings.
   */
  get(patterns: readonly string[]): [name: string, value: string][] {
    const found = new Map<string, [string, string]>()
    for (const pattern of patterns) {
      if (!/[[*?]/.test(pattern)) {
        const lower = toLower(pattern)
        const name = findName(lower)
        if (name !== undefined && !found.has(lower)) found.set(lower, [pattern, this.shown(name)])
        continue
      }
      for (const [anyName, name] of allNames()) {
        if (found.has(anyName) || definition(name).hidden === true) continue
        if (matchesName(toLower(pattern), anyName)) {
          found.set(anyName, [anyName, this.shown(name)])
        }
      }
    }
    return [...found.values()]
  }

  /**
   * CONFIG SET: all pairs or none. Names and values are byte strings; the error is the text after the
   * dash of an error reply.
   */
  set(pairs: readonly (readonly [string, string])[], options: SetOptions = {}): SetResult {
    const wanted = this.#check(pairs, options)
    if ('error' in wanted) return { ok: false, error: wanted.error }
    const before = new Map<Name, string>()
    for (const { given, name, value } of wanted.pairs) {
      const words = definition(name).kind.words === 'many' ? splitAtBlanks(value) : [value]
      const reading = this.#read(name, words, false)
      if ('problem' in reading) {
        for (const [old, text] of before) this.#put(old, text)
        return { ok: false, error: setError(given, reading.problem) }
      }
      if (!before.has(name)) before.set(name, this.raw(name))
      this.#put(name, reading.text)
    }
    const changed = [...before.keys()].filter((name) => before.get(name) !== this.raw(name))
    if (changed.length > 0) this.generation++
    const old = Object.fromEntries(changed.map((name) => [name, before.get(name)!]))
    return {
      ok: true,
      changed,
      plain: Object.fromEntries(changed.map((name) => [name, this.raw(name)])),
      undo: () => {
        this.adopt(old)
        return old
      },
    }
  }

  /**
   * One directive of a file or of the command line. `adds`: a list of save points grows instead of
   * being replaced. Answers the reason if it cannot be; then nothing has changed.
   */
  load(name: Name, words: readonly string[], adds: boolean): string | undefined {
    const { kind } = definition(name)
    if (kind.words === 'one' && words.length !== 1) return 'wrong number of arguments'
    const single = kind.words === 'many' && words.length === 1
    // One word may be the list itself: `--save "900 1"`.
    // QUIRK: a list in one word with unbalanced quotes is an empty one.
    const list = single ? (splitWords(words[0]!) ?? []) : words
    const reading = this.#read(name, list, adds)
    if ('problem' in reading) return reading.problem
    this.#put(name, reading.text)
    this.generation++
    return undefined
  }

  /** Names, duplicates and rights, before any value is looked at. */
  #check(
    pairs: readonly (readonly [string, string])[],
    options: SetOptions,
  ): { pairs: { given: string; name: Name; value: string }[] } | { error: string } {
    const checked: { given: string; name: Name; value: string }[] = []
    const seen = new Set<string>()
    for (const [given, value] of pairs) {
      const lower = toLower(given)
      const name = findName(lower)
      if (name === undefined) return { error: unknownError(given) }
      const { change } = definition(name)
      if (change === 'start') return { error: setError(given, "can't set immutable config") }
      if (change === 'protected' && options.protectedAllowed !== true) {
        return { error: setError(given, "can't set protected config") }
      }
      if (seen.has(lower)) return { error: setError(given, 'duplicate parameter') }
      seen.add(lower)
      checked.push({ given, name, value })
    }
    return { pairs: checked }
  }

  #read(name: Name, words: readonly string[], adds: boolean): Reading {
    const { kind, support, initial } = definition(name)
    const reading = kind.read(words, {
      current: this.raw(name),
      adds,
      unixSocket: this.raw('unixsocket'),
    })
    if ('problem' in reading || support.state !== 'refused' || !this.refusing) return reading
    if (reading.text === initial || support.except.includes(reading.text)) return reading
    const allowed = [initial, ...support.except].map((value) => (value === '' ? 'empty' : value))
    return {
      problem: `${name} can only be ${allowed.join(' or ')} in Redbun: ${support.because}`,
    }
  }

  #put(name: Name, text: string): void {
    this.#texts.set(name, text)
    const { type } = definition(name)
    if (type === 'bool') this.#numbers.set(name, text === 'yes' ? 1 : 0)
    if (type === 'int') this.#numbers.set(name, numberOf(name, text))
  }
}

/** The error of a CONFIG SET that `given` is to blame for; for effects that fail after `set`. */
export function setError(given: string, reason: string): string {
  return `ERR CONFIG SET failed (possibly related to argument '${given}') - ${reason}`
}

/** The error for a name that is no setting. */
function unknownError(given: string): string {
  const shown = given.replace(/[\r\n]/g, ' ')
  return `ERR Unknown option or number of arguments for CONFIG SET - '${shown}'`
}

/** The words of a CONFIG SET value: parted at every single blank, as Redis does. */
function splitAtBlanks(value: string): string[] {
  return value === '' ? [] : value.split(' ')
}

function numberOf(name: Name, text: string): number {
  if (name === 'unixsocketperm') return Number.parseInt(text, 8)
  return text.endsWith('%') ? -Number(text.slice(0, -1)) : Number(text)
}
