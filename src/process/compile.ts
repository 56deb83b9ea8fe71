/**
 * Compiles the sources for the next start: `bun src/process/compile.ts STAMP`, where
 * `dist/server/<stamp>.part` is there and empty. See `compiled-forms.ts`, which starts it.
 *
 * CommonJS, since Bun keeps the bytecode of nothing else outside of an executable. Names stay, and maps
 * lie beside the code: traces name the lines of the sources, as everywhere.
 *
 * Thread: main, of a process of its own.
 * Owns: that directory.
 * Never: takes processor time from a server: it comes last.
 */

import { closeSync, fsyncSync, openSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { constants, setPriority } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import type { BunPlugin } from 'bun'
import { CompiledForms, codeOf, isPart, isWhole, removeStale, seal } from './compiled-forms.ts'
import { COMMAND_FILE, THREAD_FILES } from './launch.ts'

/** Beside the newest. Servers that run may still make a thread from theirs. */
const OLD_FORMS_KEPT = 2

/**
 * Modules are strict. And Errors that they make while they are loaded get no trace: the first garbage
 * collection would look up its lines in the maps, and reading those takes 30 ms of a start.
 */
const BANNER = `"use strict";{
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = 0
  queueMicrotask(() => { Error.stackTraceLimit = limit })
}`

/** A WebAssembly file stays where it is: a copy would be looked for in the working directory. */
const wasmInPlace: BunPlugin = {
  name: 'wasm-in-place',
  setup(build) {
    build.onLoad({ filter: /\.wasm$/ }, ({ path }) => ({
      contents: `export default ${JSON.stringify(path)}`,
      loader: 'js',
    }))
  },
}

// Before there are other threads, which are as their first one.
setPriority(constants.priority.PRIORITY_LOW)
process.umask(process.umask() | 0o022)
const [stamp = ''] = process.argv.slice(2)
const forms = new CompiledForms(resolve(import.meta.dir, '../..'))
const part = forms.part(stamp)
try {
  await make()
} finally {
  rmSync(part, { recursive: true, force: true })
}
removeOld()

async function make(): Promise<void> {
  const code = codeOf(part)
  await compile(code)
  await tryOut(code)
  const files = readdirSync(code, { recursive: true, withFileTypes: true })
  for (const entry of files) if (entry.isFile()) sync(join(entry.parentPath, entry.name))
  seal(part)
  // Sources that were changed meanwhile: nobody knows which of them were compiled.
  if (forms.stamp() !== stamp) return
  const form = join(forms.home, stamp)
  if (isWhole(form)) return
  rmSync(form, { recursive: true, force: true })
  renameSync(part, form)
}

async function compile(directory: string): Promise<void> {
  for (const name of [COMMAND_FILE, ...Object.values(THREAD_FILES)]) {
    // Each by itself: maps name the sources from the directory of the output, not from the file.
    await Bun.build({
      entrypoints: [join(forms.root, 'src', `${name}.ts`)],
      outdir: join(directory, dirname(name)),
      target: 'bun',
      format: 'cjs',
      bytecode: true,
      banner: BANNER,
      minify: { whitespace: true, syntax: true },
      sourcemap: 'linked',
      plugins: [wasmInPlace],
    })
  }
}

/** Loads it all and lets every thread answer. Throws: an Error when one cannot. */
async function tryOut(code: string): Promise<void> {
  await import(join(code, `${COMMAND_FILE}.js`))
  for (const name of Object.values(THREAD_FILES)) {
    const worker = new Worker(join(code, `${name}.js`))
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    worker.onmessage = () => resolve()
    worker.onerror = ({ message }) => reject(new Error(message))
    worker.postMessage('stop')
    await promise
    worker.terminate()
  }
}

/** What is renamed is on the disk before its name. */
function sync(path: string): void {
  const file = openSync(path, 'r+')
  fsyncSync(file)
  closeSync(file)
}

function removeOld(): void {
  const names = readdirSync(forms.home)
  for (const name of names.filter(isPart)) removeStale(join(forms.home, name))
  const old = names
    .filter((name) => !isPart(name))
    .map((name) => join(forms.home, name))
    .map((path) => ({ path, madeMs: statSync(path).mtimeMs }))
    .sort((a, b) => b.madeMs - a.madeMs)
    .slice(1 + OLD_FORMS_KEPT)
  for (const { path } of old) rmSync(path, { recursive: true, force: true })
}
