/**
 * Compiled forms of the server: a bundle with its bytecode for each thread, beside the sources.
 *
 *     dist/server/<stamp>/code/core/thread.js ...   made from sources that had this stamp
 *     dist/server/<stamp>/files                     what code/ looked like when it was whole
 *     dist/server/<stamp>.part/                     one that is being made
 *
 * A stamp is a hash of all that a form is made from, so a form is never changed, only replaced by one
 * of another name. It is made under a name that nobody looks for, tried out, and renamed. It lies
 * in the package's own directory, where only they can write who can change the sources, too.
 *
 * Thread: main.
 * Owns: which forms there are.
 * Never: throws because of what a file is like: then there is no form.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Then a compiler must have been killed. Should it live, no harm is done but work. */
const COMPILING_MS_MAX = 60_000
/** Who may write is the owner, whatever the mask says. */
const DIRECTORY_MODE = 0o755
const CODE = 'code'
const FILES = 'files'
const PART = '.part'

export class CompiledForms {
  readonly root: string
  /** Where they lie. */
  readonly home: string

  /** `root`: the package's directory. */
  constructor(root: string) {
    this.root = root
    this.home = join(root, 'dist/server')
  }

  /** The directory with the code that was made from the sources as they are; undefined: none. */
  find(): string | undefined {
    return orNothing(() => {
      const form = join(this.home, this.stamp())
      return isWhole(form) ? codeOf(form) : undefined
    })
  }

  /**
   * Starts a process that makes that form and goes on when this one ends. Undefined: another one is
   * at it, or nothing can be written here.
   */
  compile(): Bun.Subprocess | undefined {
    return orNothing(() => {
      const stamp = this.stamp()
      const part = this.part(stamp)
      mkdirSync(this.home, { recursive: true, mode: DIRECTORY_MODE })
      removeStale(part)
      // Fails where it is there already.
      mkdirSync(part, { mode: DIRECTORY_MODE })
      const program = [process.execPath, join(this.root, 'src/process/compile.ts'), stamp]
      const child = Bun.spawn(program, {
        cwd: this.root,
        stdio: ['ignore', 'ignore', 'ignore'],
        // Also when the terminal, or whoever started this one, ends all of its group.
        detached: true,
        windowsHide: true,
      })
      child.unref()
      return child
    })
  }

  /** The directory that a form is made in. */
  part(stamp: string): string {
    return join(this.home, stamp + PART)
  }

  /** What a form depends on. Throws: what reading throws. */
  stamp(): string {
    const text = [
      // Where it lies, too: the code names a file of a dependency.
      this.root,
      Bun.version,
      Bun.revision,
      process.platform,
      process.arch,
      listing(join(this.root, 'src')),
      // As it is, since all files of an installed package can be of the same minute.
      readFileSync(join(this.root, 'package.json'), 'utf8'),
      orNothing(() => readFileSync(join(this.root, 'bun.lock'), 'utf8')) ?? '',
    ]
    return Bun.hash(text.join('\n')).toString(16).padStart(16, '0')
  }
}

/** Where a form has its code. */
export function codeOf(form: string): string {
  return join(form, CODE)
}

/** Notes what the code of a form looks like, now that it is all there. */
export function seal(form: string): void {
  writeFileSync(join(form, FILES), listing(codeOf(form)))
}

/** Whether a form is there, all of it, and nobody has touched it since. */
export function isWhole(form: string): boolean {
  const files = orNothing(() => readFileSync(join(form, FILES), 'utf8'))
  return files !== undefined && files === orNothing(() => listing(codeOf(form)))
}

/** Whether a directory of such a name is one that a form is made in. */
export function isPart(name: string): boolean {
  return name.endsWith(PART)
}

/** Removes a directory that a form was to be made in, but the compiler was killed. */
export function removeStale(part: string): void {
  const { mtimeMs } = statSync(part, { throwIfNoEntry: false }) ?? {}
  if (mtimeMs === undefined || Date.now() - mtimeMs < COMPILING_MS_MAX) return
  rmSync(part, { recursive: true, force: true })
}

/** Name, size and time of change of all files below `directory`. */
function listing(directory: string): string {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map(({ parentPath, name }) => {
      const path = join(parentPath, name)
      const { size, mtimeMs } = statSync(path)
      return `${path.slice(directory.length)} ${size} ${mtimeMs}`
    })
    .sort()
    .join('\n')
}

/** Undefined where the system refuses. */
function orNothing<T>(act: () => T): T | undefined {
  try {
    return act()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error
    return undefined
  }
}
