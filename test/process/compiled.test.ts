/**
 * `bun run server`: what runs is what an earlier start has compiled, as long as that is exactly what
 * the sources say.
 *
 * Thread: any.
 * Owns: copies of the package, and the servers it starts from them.
 * Never: compiles anything beside the sources of this repository.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import {
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { CompiledForms } from '../../src/process/compiled-forms.ts'
import { makeDirectory, ROOT, type RunningServer, startRedbun } from '../support/server.ts'

const COMPILED_WITHIN_MS = 20_000
const FROM_SOURCES = 'Running from the sources'
const COMPILED = 'Running what an earlier start has compiled'
const CODE_FILES = ['process/command', 'core/thread', 'io/worker', 'disk/worker']

async function until(isSo: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + COMPILED_WITHIN_MS
  while (!isSo()) {
    if (performance.now() > deadlineMs) throw new Error('in vain')
    await Bun.sleep(10)
  }
}

/** The package as somebody has it. */
class Copy {
  readonly root = makeDirectory()
  readonly home = join(this.root, 'dist/server')
  readonly entry = join(this.root, 'src/compiled.ts')

  constructor() {
    for (const name of ['src', 'package.json']) {
      cpSync(join(ROOT, name), join(this.root, name), { recursive: true })
    }
    symlinkSync(join(ROOT, 'node_modules'), join(this.root, 'node_modules'), 'dir')
  }

  start(...args: string[]): Promise<RunningServer> {
    const program = [process.execPath, this.entry]
    return startRedbun({ program, args: ['--loglevel', 'debug', ...args] })
  }

  /** What a start says that it runs; with `formCount`, it lives until there are so many forms. */
  async startsFrom(formCount?: number): Promise<string> {
    const server = await this.start()
    try {
      await server.logged('Ready to accept')
      if (formCount !== undefined) {
        await until(() => new CompiledForms(this.root).find() !== undefined)
        await until(() => this.forms().length === formCount)
      }
      return /Running .*?(sources|compiled)/.exec(server.log)?.[0] ?? 'nothing'
    } finally {
      await server.stop()
    }
  }

  /** Names in the directory of forms, of those that are being made too. */
  forms(): string[] {
    return existsSync(this.home) ? readdirSync(this.home) : []
  }

  /** The only form. */
  form(): string {
    const forms = this.forms()
    expect(forms).toHaveLength(1)
    return join(this.home, forms[0])
  }

  edit(path: string, from: string, to: string): void {
    const file = join(this.root, path)
    const text = readFileSync(file, 'utf8')
    expect(text).toContain(from)
    writeFileSync(file, text.replace(from, to))
  }

  run(args: readonly string[], standardInput = '') {
    const { exitCode, stdout, stderr } = Bun.spawnSync([process.execPath, this.entry, ...args], {
      cwd: this.root,
      stdin: Buffer.from(standardInput),
      timeout: 10_000,
    })
    return { status: exitCode, said: stdout.toString() + stderr.toString() }
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true })
  }
}

describe('the compiled form', () => {
  const copy = new Copy()
  afterAll(() => copy.remove())

  beforeAll(async () => {
    expect(await copy.startsFrom(1)).toBe(FROM_SOURCES)
  }, 40_000)

  test('is what the next start runs, with all that needs a thread or a file', async () => {
    const server = await copy.start('--io-threads', '2', '--appendonly', 'yes')
    const clients = await Promise.all(Array.from({ length: 8 }, () => server.connect()))
    for (const client of clients) expect(await client.ask('PING')).toBe('+PONG')
    const [client] = clients
    expect(server.log).toContain(COMPILED)
    expect(await client.ask('SET k v')).toBe('+OK')
    expect(await client.ask(['EVAL', "return redis.call('GET', KEYS[1])", '1', 'k'])).toBe('$v')
    expect(await client.ask('SAVE')).toBe('+OK')
    expect(existsSync(join(server.directory, 'dump.rdb'))).toBe(true)
    expect(existsSync(join(server.directory, 'appendonlydir'))).toBe(true)
    const title = `/proc/${server.pid}/cmdline`
    if (existsSync(title)) {
      const shown = `${process.execPath} ${copy.entry} *:${server.port}\0`
      expect(readFileSync(title, 'latin1')).toBe(shown)
    }
    expect(await server.stop()).toBe(0)
  }, 20_000)

  test('does what the command line asks for', () => {
    expect(copy.run(['--version'])).toEqual({
      status: 0,
      said: expect.stringMatching(/^Redbun server v=\S+ redis=7\.0\.15 bun=/),
    })
    expect(copy.run(['--check-rdb', 'none.rdb'])).toEqual({
      status: 1,
      said: 'Cannot open file none.rdb: No such file or directory\n',
    })
    expect(copy.run(['-'], 'maxclients many\n')).toEqual({
      status: 1,
      said: expect.stringContaining(">>> 'maxclients many'"),
    })
  })

  test('has the strictness of modules, and names the lines of the sources', async () => {
    const code = join(copy.form(), 'code')
    for (const name of CODE_FILES) {
      const file = join(code, `${name}.js`)
      expect(readFileSync(file, 'utf8').slice(0, 200)).toContain('{"use strict"')
      const map: { sources: string[] } = await Bun.file(`${file}.map`).json()
      expect(map.sources.map((path) => existsSync(join(file, '..', path)))).not.toContain(false)
    }
  })

  test('of which anything was changed is not run, but made again', async () => {
    const bytecode = join(copy.form(), 'code/core/thread.js.jsc')
    truncateSync(bytecode, 100_000)
    expect(await copy.startsFrom(1)).toBe(FROM_SOURCES)
    writeFileSync(bytecode, readFileSync(bytecode).fill(0, 5000, 6000))
    expect(await copy.startsFrom(1)).toBe(FROM_SOURCES)
    expect(await copy.startsFrom()).toBe(COMPILED)
  }, 60_000)

  test('that is not whole is not run; it is made again when its compiler must be dead', async () => {
    const form = copy.form()
    renameSync(form, `${form}.part`)
    expect(await copy.startsFrom()).toBe(FROM_SOURCES)
    expect(copy.form()).toBe(`${form}.part`)
    utimesSync(`${form}.part`, 0, 0)
    expect(await copy.startsFrom(1)).toBe(FROM_SOURCES)
    expect(await copy.startsFrom()).toBe(COMPILED)
  }, 60_000)

  test('is another one for other sources, and old ones go', async () => {
    const version = () => copy.run(['--version']).said.split(' ')[0]
    const names = ['Redbun', 'Greenbun', 'Bluebun', 'Graybun']
    for (const [i, count] of [2, 3, 3].entries()) {
      const [from, to] = names.slice(i)
      copy.edit('src/process/command.ts', `${from} server v=`, `${to} server v=`)
      expect(version()).toBe(to)
      expect(await copy.startsFrom(count)).toBe(FROM_SOURCES)
      expect(await copy.startsFrom()).toBe(COMPILED)
      expect(version()).toBe(to)
    }
  }, 90_000)
})

describe('without a compiled form', () => {
  let copy: Copy
  beforeEach(() => {
    copy = new Copy()
  })
  afterEach(() => copy.remove())

  test('servers that start at once all answer, and one of them has it made', async () => {
    const others = await Promise.all([copy.start(), copy.start()])
    expect(await copy.startsFrom(1)).toBe(FROM_SOURCES)
    for (const server of others) {
      expect(await (await server.connect()).ask('PING')).toBe('+PONG')
      await server.stop()
    }
    expect(await copy.startsFrom()).toBe(COMPILED)
  }, 60_000)

  test('a server starts where nothing can be written', async () => {
    writeFileSync(join(copy.root, 'dist'), '')
    expect(await copy.startsFrom()).toBe(FROM_SOURCES)
    expect(await copy.startsFrom()).toBe(FROM_SOURCES)
  }, 20_000)

  for (const [what, sabotage] of [
    ['compiling fails', 'external: 5 as never'],
    ['what is compiled cannot be loaded', "footer: '('"],
  ]) {
    test(`a server starts where ${what}, and says nothing`, async () => {
      // What is left in the directory of forms shows nothing: it may be there for a moment only.
      const tried = join(copy.root, 'tried')
      const note = `...require('node:fs').writeFileSync(${JSON.stringify(tried)}, '')`
      copy.edit('src/process/compile.ts', 'bytecode: true', `bytecode: true, ${note}, ${sabotage}`)
      const server = await copy.start()
      await server.logged('Ready to accept')
      await until(() => existsSync(tried))
      await until(() => copy.forms().length === 0)
      expect(readFileSync(join(server.directory, 'errors'), 'utf8')).toBe('')
      await server.stop()
      expect(await copy.startsFrom()).toBe(FROM_SOURCES)
    }, 40_000)
  }
})
