/**
 * Where a unit is played: against a server that is there already, in the suite's external mode, or in
 * a copy of the suite's tree whose `src/redis-server` is ours, so that the suite starts servers itself.
 *
 * Thread: any.
 * Owns: the server, or the copy of the tree, for as long as a unit takes.
 * Never: changes the suite's own tree.
 */
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ROOT, startRedbun } from '../support/server.ts'

export type Mode = 'external' | 'self'

export interface Stage {
  /** The suite's tree. */
  readonly folder: string
  /** For the suite, before all others. */
  readonly args: readonly string[]
  /** False when nothing can go on. */
  readonly isRunning: () => boolean
  /** The log of the server that was told last which test begins. */
  readonly log: () => string
  end(): Promise<void>
}

/** Below where the system takes ports for those who call; another suite that runs now has its own. */
const BASE_PORTS = [22_100, 22_900, 23_700, 24_500, 25_300, 26_100]
const PORT_COUNT = 700
/** Where a suite itself listens: so far below its servers. */
const OWN_PORT_DISTANCE = 32
const OUR_TOOLS = { 'redis-check-aof': '--check-aof', 'redis-check-rdb': '--check-rdb' }
const THEIR_TOOLS = ['redis-cli', 'redis-benchmark']
const EXECUTABLE = join(ROOT, 'dist/redbun')

export function makeStage(mode: Mode, suite: string): Promise<Stage> {
  return mode === 'self' ? Promise.resolve(selfStage(suite)) : externalStage(suite)
}

/** Makes the executable that `self` plays with. Throws: an Error when it cannot be built. */
export async function buildExecutable(): Promise<void> {
  const build = Bun.spawn([process.execPath, 'run', 'build'], {
    cwd: ROOT,
    stdout: 'ignore',
    stderr: 'pipe',
  })
  const errors = await new Response(build.stderr).text()
  if ((await build.exited) !== 0) throw new Error(`bun run build: ${errors}`)
}

async function externalStage(suite: string): Promise<Stage> {
  const server = await startRedbun()
  return {
    folder: suite,
    args: ['--host', '127.0.0.1', '--port', String(server.port)],
    isRunning: () => server.isRunning,
    log: () => server.log,
    async end() {
      await server.stop('SIGKILL')
    },
  }
}

function selfStage(suite: string): Stage {
  const folder = mkdtempSync(join(tmpdir(), 'redbun-suite-'))
  cpSync(join(suite, 'tests'), join(folder, 'tests'), { recursive: true })
  for (const name of ['redis.conf', 'sentinel.conf', 'utils', 'deps', 'runtest']) {
    if (existsSync(join(suite, name))) symlinkSync(join(suite, name), join(folder, name))
  }
  const tools = join(folder, 'src')
  mkdirSync(tools)
  writeFileSync(join(tools, 'version.h'), readFileSync(join(suite, 'src/version.h')))
  // `ldd` is to find no program of C there, of which a report would tell the stack.
  writeScript(join(tools, 'redis-server'), '')
  for (const [tool, option] of Object.entries(OUR_TOOLS)) writeScript(join(tools, tool), option)
  for (const tool of THEIR_TOOLS) {
    const path = Bun.which(tool)
    if (path !== null) symlinkSync(path, join(tools, tool))
  }
  return {
    folder,
    args: ['--baseport', String(freeBasePort()), '--portcount', String(PORT_COUNT)],
    isRunning: () => true,
    log: () => latestLog(join(folder, 'tests/tmp')),
    async end() {
      endServers(folder)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Throws: an Error when as many suites run already. */
function freeBasePort(): number {
  for (const port of BASE_PORTS) {
    try {
      const socket = { data() {} }
      Bun.listen({ hostname: '127.0.0.1', port: port - OWN_PORT_DISTANCE, socket }).stop(true)
      return port
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    }
  }
  throw new Error('no ports are free for another suite')
}

/** By exec, so that the process keeps its id, which the suite looks for; called as the script is. */
function writeScript(path: string, option: string): void {
  writeFileSync(path, `#!/bin/bash\nexec -a "$0" '${EXECUTABLE}' ${option} "$@"\n`)
  chmodSync(path, 0o755)
}

function latestLog(folder: string): string {
  const logs = logFiles(folder).sort((a, b) => statSync(a).mtimeMs - statSync(b).mtimeMs)
  const begun = logs.map((path) => readFileSync(path, 'latin1'))
  return begun.findLast((text) => text.includes('### Starting test ')) ?? ''
}

function logFiles(folder: string): string[] {
  if (!existsSync(folder)) return []
  const paths = readdirSync(folder).map((name) => join(folder, name, 'stdout'))
  return paths.filter((path) => existsSync(path))
}

/** A suite that was stopped leaves its servers behind: those that run in this tree. */
function endServers(folder: string): void {
  for (const path of logFiles(join(folder, 'tests/tmp'))) {
    const log = readFileSync(path, 'latin1')
    for (const [, id] of new Set([...log.matchAll(/^(\d+):[MS] /gm)].slice(-1))) {
      const executable = `/proc/${id}/exe`
      if (!existsSync(executable) || readlinkSync(executable) !== EXECUTABLE) continue
      process.kill(Number(id), 'SIGKILL')
    }
  }
}
