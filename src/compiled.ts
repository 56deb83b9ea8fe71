#!/usr/bin/env bun
/**
 * The entry of `bun run server [redis.conf] [--directive value ...]` and of `bunx redbun`. It runs
 * what an earlier start has compiled, which takes half the time to the first answer; where nothing is
 * there that was compiled from these very sources, it runs them.
 *
 * They are compiled beside the running server, not before it starts: so the first start is as fast as
 * from `main.ts`, ten servers started at once do not wait for ten compilers, and whatever goes wrong
 * with compiling, the server runs.
 *
 * Thread: main.
 * Owns: which form of the server runs.
 * Never: reads an argument; makes trouble where nothing can be written.
 */
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { CompiledForms } from './process/compiled-forms.ts'
import { COMMAND_FILE, type Form, launch, THREAD_FILES } from './process/launch.ts'

const forms = new CompiledForms(resolve(import.meta.dir, '..'))

const sources: Form = {
  command: () => import('./process/command.ts'),
  thread: (kind) => new URL(`./${THREAD_FILES[kind]}.ts`, import.meta.url).href,
  note: 'Running from the sources: as they are, nobody has compiled them yet',
  ready: () => void forms.compile(),
}

/** `code`: the directory of a compiled form. */
function compiled(code: string): Form {
  const address = (path: string) => Bun.pathToFileURL(path).href
  return {
    command: () => import(address(join(code, `${COMMAND_FILE}.js`))),
    thread(kind) {
      const path = join(code, `${THREAD_FILES[kind]}.js`)
      // A disk thread is made late: where the form has been deleted meanwhile, the sources are there.
      return existsSync(path) ? address(path) : sources.thread(kind)
    },
    note: 'Running what an earlier start has compiled',
    ready() {},
  }
}

const code = forms.find()
await launch(code === undefined ? sources : compiled(code))
