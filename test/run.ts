/**
 * What `bun run test` and `bun run check` start.
 *
 *     bun test/run.ts test [bun test's arguments]     the tests
 *     bun test/run.ts check [--without-tests]         types, lint and format, tests, smoke benches
 *
 * Thread: main.
 * Owns: which checks there are, and saying which are left out.
 * Never: installs anything but Debian's redis-server and its tools, and that only as root where
 * they are missing.
 */
import { readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'

const ROOT = resolve(import.meta.dir, '..')
const INSTALL_TIMEOUT_MS = 240_000
const TEST_TIMEOUT_MS = 30_000
const STEP_TIMEOUT_MS = 900_000

interface Step {
  readonly name: string
  readonly command: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  /** Shows the output as it comes, not only where the step fails. */
  readonly loud?: boolean
}

const [task = 'test', ...rest] = process.argv.slice(2)
process.exit(task === 'check' ? await check(rest) : await tests(rest))

async function tests(args: readonly string[]): Promise<number> {
  await haveRedis()
  const started = performance.now()
  const passed = await run(testStep(args))
  say(`Tests ${passed ? 'passed' : 'FAILED'} in ${seconds(started)}`)
  return passed ? 0 : 1
}

async function check(args: readonly string[]): Promise<number> {
  const steps: Step[] = [
    { name: 'types', command: [process.execPath, 'x', 'tsc', '--noEmit', '-p', '.'] },
    { name: 'lint and format', command: [process.execPath, 'x', 'biome', 'check'] },
  ]
  if (!args.includes('--without-tests')) {
    await haveRedis()
    steps.push(testStep([]))
  }
  const benches = join(ROOT, 'bench/micro')
  for (const file of readdirSync(benches).filter((name) => name.endsWith('.bench.ts'))) {
    const command = [process.execPath, join(benches, file)]
    steps.push({ name: `smoke ${file}`, command, environment: { BENCH_SMOKE: '1' } })
  }
  const failed: string[] = []
  for (const step of steps) {
    const started = performance.now()
    const passed = await run(step)
    if (!passed) failed.push(step.name)
    say(`${passed ? 'ok    ' : 'FAILED'} ${step.name} (${seconds(started)})`)
  }
  say(failed.length === 0 ? 'All checks passed' : `FAILED: ${failed.join(', ')}`)
  return failed.length === 0 ? 0 : 1
}

function testStep(args: readonly string[]): Step {
  const flags = ['--only-failures', '--no-orphans', `--timeout=${TEST_TIMEOUT_MS}`]
  return { name: 'tests', command: [process.execPath, 'test', ...flags, ...args], loud: true }
}

async function run(step: Step): Promise<boolean> {
  const child = Bun.spawn([...step.command], {
    cwd: ROOT,
    env: { ...process.env, ...step.environment },
    stdin: 'ignore',
    stdout: step.loud ? 'inherit' : 'pipe',
    stderr: step.loud ? 'inherit' : 'pipe',
    timeout: STEP_TIMEOUT_MS,
  })
  const output = await Promise.all([text(child.stdout), text(child.stderr)])
  const passed = (await child.exited) === 0
  if (!passed) process.stdout.write(output.join(''))
  return passed
}

/** Tries to get the real redis-server and its tools; says what is left out without them. */
async function haveRedis(): Promise<void> {
  const programs = ['redis-server', 'redis-cli', 'redis-benchmark', 'redis-sentinel']
  const missing = () => programs.filter((name) => Bun.which(name) === null)
  if (missing().length === 0) return
  if (process.getuid?.() === 0 && Bun.which('apt-get') !== null) {
    say('Installing redis-server and its tools to compare with ...')
    await quietly(['apt-get', 'update'])
    await quietly([
      ...['apt-get', 'install', '--yes', '--no-install-recommends'],
      ...['redis-server', 'redis-tools', 'redis-sentinel'],
    ])
  }
  const left = missing()
  if (left.length > 0) {
    say(`Left out: comparisons with a real Redis and its tools (no ${left.join(', ')} here).`)
  }
}

async function quietly(command: readonly string[]): Promise<void> {
  const child = Bun.spawn([...command], {
    // RUNLEVEL keeps the package from starting a server of its own.
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: 'ignore',
    timeout: INSTALL_TIMEOUT_MS,
  })
  await child.exited
}

async function text(stream: ReadableStream<Uint8Array> | undefined): Promise<string> {
  return stream === undefined ? '' : await new Response(stream).text()
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

function seconds(started: number): string {
  return `${((performance.now() - started) / 1000).toFixed(1)} s`
}
