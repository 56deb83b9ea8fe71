/**
 * The package: packed and installed by npm into an empty folder, from where its programs run and its
 * module is imported.
 *
 * Thread: any.
 * Owns: the folder, and the processes it starts there.
 * Never: publishes, or installs anywhere else.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { readdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Client } from '../support/client.ts'
import { freePort, makeDirectory, ROOT } from '../support/server.ts'

const npm = Bun.which('npm')
const STARTED_WITHIN_MS = 10_000

const APPLICATION = `import { createServer, type RedbunServer } from 'redbun'
const server: RedbunServer = await createServer({ settings: { maxmemory: '10mb' } })
console.log(new URL(server.url).protocol, server.port > 0)
await server.close()
`

// Without npm there is nothing to install with.
describe.if(npm !== null)('the package', () => {
  const folder = makeDirectory()
  afterAll(() => rmSync(folder, { recursive: true }))

  async function run(command: readonly string[], cwd = folder) {
    const child = Bun.spawn([...command], {
      cwd,
      // Bun has to be on the path, as for everybody who uses it.
      env: { ...process.env, PATH: `${dirname(process.execPath)}:${process.env['PATH']}` },
      stdin: 'ignore',
      stdout: 'pipe',
      stderr: 'pipe',
      timeout: 60_000,
    })
    const texts = [new Response(child.stdout).text(), new Response(child.stderr).text()]
    const [stdout, stderr] = await Promise.all(texts)
    return { status: await child.exited, stdout, stderr }
  }

  beforeAll(async () => {
    const packed = await run(['npm', 'pack', '--silent', '--pack-destination', folder], ROOT)
    const archive = join(folder, packed.stdout.trim())
    const quietly = ['--no-audit', '--no-fund', '--prefer-offline']
    const installed = await run(['npm', 'install', ...quietly, archive])
    expect([installed.status, installed.stderr]).toEqual([0, ''])
  }, 90_000)

  // First: whoever starts the server leaves a compiled form there.
  test('holds the sources and what tells about them, nothing else', () => {
    const names = readdirSync(join(folder, 'node_modules/redbun')).sort()
    expect(names).toEqual(['LICENSE', 'README.md', 'package.json', 'src'])
  })

  for (const runner of ['npx', 'bunx']) {
    test(`runs by ${runner}`, async () => {
      const port = freePort()
      const server = run([runner, 'redbun', '--port', String(port), '--save', ''])
      const client = await connect(port)
      const { status, stdout } = await run([runner, 'redbun-cli', '-p', String(port), 'PING'])
      expect([status, stdout]).toEqual([0, 'PONG\n'])
      client.send('SHUTDOWN NOSAVE')
      const ended = await server
      expect([ended.status, ended.stdout]).toEqual([0, expect.stringContaining('Ready to accept')])
    }, 40_000)
  }

  test('is imported, by type too', async () => {
    await Bun.write(join(folder, 'application.mts'), APPLICATION)
    expect(await run([process.execPath, 'application.mts'])).toEqual({
      status: 0,
      stdout: 'redis: true\n',
      stderr: '',
    })
    const options = '--noEmit --strict --target esnext --module nodenext --types bun-types'
    const roots = ['--typeRoots', join(ROOT, 'node_modules')]
    const compiler = [process.execPath, join(ROOT, 'node_modules/typescript/bin/tsc')]
    const checked = await run([...compiler, ...options.split(' '), ...roots, 'application.mts'])
    expect(checked).toEqual({ status: 0, stdout: '', stderr: '' })
  }, 40_000)
})

async function connect(port: number): Promise<Client> {
  const deadlineMs = performance.now() + STARTED_WITHIN_MS
  for (;;) {
    try {
      return await Client.connect({ port })
    } catch (error) {
      // Not yet.
      if (performance.now() > deadlineMs) throw error
      await Bun.sleep(20)
    }
  }
}
