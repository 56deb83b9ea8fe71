/**
 * The one file that `bun run build` makes: all that needs a thread or a file of its own works from it.
 *
 * Thread: any.
 * Owns: dist/redbun, and the servers it starts.
 * Never: needs Bun beside the executable.
 */
import { beforeAll, describe, expect, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT, type RunningServer, startRedbun } from '../support/server.ts'

const EXECUTABLE = join(ROOT, 'dist/redbun')

function startExecutable(...args: string[]): Promise<RunningServer> {
  // Nowhere near the sources, and with nothing on the path.
  return startRedbun({ program: [EXECUTABLE], args, environment: { PATH: '/nonexistent' } })
}

describe('the executable', () => {
  beforeAll(async () => {
    const build = Bun.spawn([process.execPath, 'run', 'build'], {
      cwd: ROOT,
      stdout: 'ignore',
      stderr: 'pipe',
    })
    const errors = await new Response(build.stderr).text()
    expect([await build.exited, errors]).toEqual([0, expect.any(String)])
  }, 60_000)

  test('serves, runs scripts, saves, and ends', async () => {
    const server = await startExecutable('--io-threads', '2')
    const clients = await Promise.all(Array.from({ length: 8 }, () => server.connect()))
    for (const client of clients) expect(await client.ask('PING')).toBe('+PONG')
    const [client] = clients
    expect(await client.ask('SET k v')).toBe('+OK')
    expect(await client.ask(['EVAL', "return redis.call('GET', KEYS[1])", '1', 'k'])).toBe('$v')
    expect(await client.ask('SAVE')).toBe('+OK')
    expect(existsSync(join(server.directory, 'dump.rdb'))).toBe(true)
    expect(await client.ask('BGSAVE')).toBe('+Background saving started')
    await server.logged('DB saved on disk')
    expect(await client.text('INFO server')).toContain(`\r\nexecutable:${EXECUTABLE}\r\n`)
    client.send('SHUTDOWN NOSAVE')
    expect(await server.child.exited).toBe(0)
    await server.stop()
  }, 20_000)

  test('keeps an append-only file', async () => {
    const server = await startExecutable('--appendonly', 'yes')
    const client = await server.connect()
    expect(await client.ask('SET k v')).toBe('+OK')
    expect(existsSync(join(server.directory, 'appendonlydir'))).toBe(true)
    expect(await server.stop()).toBe(0)
  }, 20_000)

  test('says which version it is', async () => {
    const child = Bun.spawn([EXECUTABLE, '--version'], { stdout: 'pipe' })
    expect(await new Response(child.stdout).text()).toMatch(/^Redbun server v=\d+\.\d+\.\d+ /)
  })
})
