/**
 * Directives that only a running process can follow.
 *
 * Thread: any.
 * Owns: one server process a test.
 * Never: leaves one behind.
 */
import { describe, expect, test } from 'bun:test'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT, type RunningServer, startRedbun } from '../support/server.ts'

async function withServer(
  args: readonly string[],
  body: (server: RunningServer) => Promise<void>,
): Promise<void> {
  const server = await startRedbun({ args })
  try {
    await body(server)
  } finally {
    await server.stop()
  }
}

test('rename-command gives a command another name, or none', () =>
  withServer(
    ['--rename-command', 'FLUSHDB', 'badger', '--rename-command', 'DEBUG', ''],
    async (server) => {
      const client = await server.connect()
      expect(await client.ask('FLUSHDB')).toStartWith("-ERR unknown command 'FLUSHDB'")
      expect(await client.ask('Badger')).toBe('+OK')
      expect(await client.ask('DEBUG HELP')).toStartWith("-ERR unknown command 'DEBUG'")
      expect(await client.ask('COMMAND GETKEYS GET a')).toBe('*1 $a')
    },
  ))

/** What ps would show. */
describe.if(existsSync('/proc/self/cmdline'))('the title of the process', () => {
  const shown = ({ pid }: RunningServer) => readFileSync(`/proc/${pid}/cmdline`, 'latin1')
  const called = `${process.execPath} ${join(ROOT, 'src/main.ts')}`

  test('follows the template and what it mentions', () =>
    withServer(['--bind', '127.0.0.1'], async (server) => {
      const client = await server.connect()
      const { port } = server
      expect(shown(server)).toBe(`${called} 127.0.0.1:${port}\0`)
      const template = '"T {title} {port} {tls-port} {unixsocket} {{x} {config-file}"'
      expect(await client.ask(`CONFIG SET proc-title-template ${template}`)).toBe('+OK')
      expect(shown(server)).toBe(`T ${called} ${port} 0  {x}\0`)
      await client.ask(`CONFIG SET proc-title-template {listen-addr}${'x'.repeat(2000)}`)
      expect(shown(server)).toBe(`${`127.0.0.1:${port}`.padEnd(1022, 'x')}\0`)
      expect(await client.ask('CONFIG SET bind "" proc-title-template {listen-addr}')).toBe('+OK')
      expect(shown(server)).toBe(`*:${port}\0`)
    }))

  test('tells of a cluster', async () => {
    await withServer(['--cluster-enabled', 'yes'], async (server) => {
      expect(shown(server)).toBe(`${called} *:${server.port} [cluster]\0`)
    })
  })

  test('stays as it was with set-proc-title no', () =>
    withServer(['--set-proc-title', 'no'], async (server) => {
      expect(shown(server)).toContain('--set-proc-title')
    }))
})

/** Raising the score and lowering it again as far as it was needs no privilege. */
describe.if(existsSync('/proc/self/oom_score_adj'))('oom-score-adj', () => {
  test('follows the settings, and puts back what was before', () =>
    withServer([], async (server) => {
      const client = await server.connect()
      const path = `/proc/${server.child.pid}/oom_score_adj`
      const score = () => Number(readFileSync(path, 'utf8'))
      const base = score()
      const set = (pairs: string) => client.ask(`CONFIG SET ${pairs}`)
      expect(await set('oom-score-adj-values "10 20 30"')).toBe('+OK')
      expect(score()).toBe(base)
      expect(await set('oom-score-adj yes')).toBe('+OK')
      expect(score()).toBe(base + 10)
      expect(await set('oom-score-adj-values "15 20 30"')).toBe('+OK')
      expect(score()).toBe(base + 15)
      expect(await client.ask('REPLICAOF 127.0.0.1 1')).toBe('+OK')
      expect(score()).toBe(base + 20)
      expect(await client.ask('REPLICAOF NO ONE')).toBe('+OK')
      expect(score()).toBe(base + 15)
      expect(await set('oom-score-adj absolute oom-score-adj-values "600 0 0"')).toBe('+OK')
      expect(score()).toBe(600)
      expect(await client.ask('CONFIG GET oom-score-adj')).toBe('*2 $oom-score-adj $absolute')
      expect(await set(`oom-score-adj no port ${server.port}`)).toBe('+OK')
      expect(score()).toBe(base)
    }))

  test('is as before when another directive of the call cannot be followed', () =>
    withServer([], async (server) => {
      const client = await server.connect()
      const path = `/proc/${server.child.pid}/oom_score_adj`
      const before = readFileSync(path, 'utf8')
      const other = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data() {} } })
      expect(
        await client.ask(
          `CONFIG SET oom-score-adj yes oom-score-adj-values "1 1 1" port ${other.port}`,
        ),
      ).toStartWith("-ERR CONFIG SET failed (possibly related to argument 'port')")
      other.stop(true)
      expect(readFileSync(path, 'utf8')).toBe(before)
      expect(await client.ask('CONFIG GET oom-score-adj')).toBe('*2 $oom-score-adj $no')
    }))
})
