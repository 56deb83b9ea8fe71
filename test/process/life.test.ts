/**
 * A server's life from outside: how it starts, refuses to start, idles and ends.
 *
 * Thread: any.
 * Owns: the servers it starts.
 * Never: looks inside.
 */
import { describe, expect, test } from 'bun:test'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeDirectory, runToEnd, startRedbun } from '../support/server.ts'

/** Processor time of a process so far, in milliseconds (a tick is 10 ms). */
function processorMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1].split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

describe('a server', () => {
  test('outlives its terminal', async () => {
    const server = await startRedbun()
    const client = await server.connect()
    server.child.kill('SIGHUP')
    for (let i = 0; i < 20; i++) {
      await Bun.sleep(5)
      expect(await client.ask('PING')).toBe('+PONG')
    }
    expect(server.isRunning).toBe(true)
    await server.stop()
  })

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    test(`ends well on ${signal}, with clients connected`, async () => {
      const server = await startRedbun()
      const client = await server.connect()
      expect(await client.ask('SET k v')).toBe('+OK')
      const { child } = server
      child.kill(signal)
      expect(await child.exited).toBe(0)
      expect(server.log).toContain(`Received ${signal} scheduling shutdown...`)
      expect(server.log).toContain('User requested shutdown...')
      expect(server.log).toContain('ready to exit, bye bye...')
      await server.stop()
    })
  }

  test('ends on SHUTDOWN', async () => {
    const server = await startRedbun()
    const client = await server.connect()
    client.send('SHUTDOWN NOSAVE')
    await client.ended
    expect(await server.child.exited).toBe(0)
    await server.stop()
  })

  test('does not end when it cannot save, or when the end is taken back', async () => {
    const server = await startRedbun({ args: ['--save', '900 1'] })
    const client = await server.connect()
    await client.text('DEBUG PAUSE-CRON 1')
    server.child.kill('SIGTERM')
    await server.logged('Received SIGTERM scheduling shutdown...')
    for (let i = 0; i < 100 && (await client.ask('SHUTDOWN ABORT')) !== '+OK'; i++) {
      await Bun.sleep(10)
    }
    await client.text('DEBUG PAUSE-CRON 0')
    expect(server.log).toContain('Shutdown manually aborted.')
    await client.text('SET a 1')
    mkdirSync(join(server.directory, 'dump.rdb'))
    server.child.kill('SIGINT')
    await server.logged("Error trying to save the DB, can't exit.")
    expect(await client.ask('SHUTDOWN')).toBe('-ERR Errors trying to SHUTDOWN. Check logs.')
    expect(await client.ask('PING')).toBe('+PONG')
    client.send('SHUTDOWN FORCE')
    expect(await server.child.exited).toBe(0)
    expect(server.log).toContain('Error trying to save the DB, exit anyway.')
    await server.stop()
  })

  test('ends at once, and leaves no half file, when it is interrupted twice', async () => {
    const args = ['--save', '900 1', '--rdb-key-save-delay', '1000000']
    const server = await startRedbun({ args })
    const client = await server.connect()
    await client.text('DEBUG POPULATE 100')
    const path = join(server.directory, `temp-${server.pid}.rdb`)
    server.child.kill('SIGINT')
    for (let i = 0; i < 500 && !existsSync(path); i++) await Bun.sleep(10)
    expect(existsSync(path)).toBe(true)
    server.child.kill('SIGINT')
    expect(await server.child.exited).toBe(1)
    expect(existsSync(path)).toBe(false)
    await server.stop()
  })

  test('says that it dies of SIGABRT', async () => {
    const server = await startRedbun()
    server.child.kill('SIGABRT')
    await server.child.exited
    expect(server.log).toContain('crashed by signal: 6')
    await server.stop()
  })

  test('says that it dies on DEBUG SEGFAULT', async () => {
    const server = await startRedbun()
    const client = await server.connect()
    client.send('DEBUG SEGFAULT')
    await server.child.exited
    expect(server.log).toContain('crashed by signal: 11')
    await server.stop()
  })

  test('uses next to no processor time while nothing happens', async () => {
    const server = await startRedbun()
    const clients = await Promise.all(Array.from({ length: 20 }, () => server.connect()))
    for (const client of clients) expect(await client.ask('SET k v EX 100')).toBe('+OK')
    await Bun.sleep(2000)
    const before = processorMs(server.pid)
    await Bun.sleep(4000)
    const used = processorMs(server.pid) - before
    // One in a hundred.
    expect(used).toBeLessThanOrEqual(40)
    await server.stop()
  }, 15_000)

  test('writes the lines that others wait for, each in the usual form', async () => {
    const server = await startRedbun({ args: ['--always-show-logo', 'yes', '--loglevel', 'debug'] })
    await server.logged('Ready to accept connections')
    expect(server.log).toContain(` PID: ${server.pid}\n`)
    const form =
      /^\d+:M \d\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d\.\d{3} [.\-*#] \S/
    const lines = server.log.split('\n').filter((line) => /^\d/.test(line))
    expect(lines.length).toBeGreaterThan(3)
    expect(lines.filter((line) => !form.test(line))).toEqual([])
    expect(lines.every((line) => line.startsWith(`${server.pid}:M `))).toBe(true)
    await server.stop()
  })

  test('appends its log to the file it is told, and levels hold back lines', async () => {
    const directory = makeDirectory()
    const logfile = join(directory, 'redbun.log')
    await Bun.write(logfile, 'before\n')
    const server = await startRedbun({ args: ['--logfile', logfile, '--loglevel', 'warning'] })
    const text = () => readFileSync(logfile, 'latin1')
    expect(text()).toStartWith('before\n')
    expect(text()).not.toContain('Ready to accept')
    const client = await server.connect()
    expect(await client.ask('CONFIG SET loglevel notice')).toBe('+OK')
    await server.stop()
    expect(text()).toContain('bye bye')
    expect(text()).toContain('User requested shutdown')
  })

  test('keeps a pid file as long as it lives', async () => {
    const directory = makeDirectory()
    const pidfile = join(directory, 'redbun.pid')
    const server = await startRedbun({ args: ['--pidfile', pidfile] })
    expect(readFileSync(pidfile, 'latin1')).toBe(`${server.pid}\n`)
    await server.stop()
    expect(existsSync(pidfile)).toBe(false)
  })

  test('reads a configuration file, and the command line goes first', async () => {
    const server = await startRedbun({
      config: 'maxclients 77\n# comment\nhash-max-listpack-entries 5\nloglevel verbose\n',
      args: ['--maxclients', '78'],
    })
    const client = await server.connect()
    expect(await client.ask('CONFIG GET maxclients')).toBe('*2 $maxclients $78')
    expect(await client.ask('CONFIG GET hash-max-listpack-entries')).toBe(
      '*2 $hash-max-listpack-entries $5',
    )
    await server.stop()
  })
})

describe('no server', () => {
  const WRONG: readonly (readonly [args: readonly string[], words: string])[] = [
    [['--no-such-directive', 'x'], 'Bad directive or wrong number of arguments'],
    [['--port', 'abc'], "argument couldn't be parsed into an integer"],
    [['--loglevel', 'loud'], 'argument(s) must be one of the following'],
    [['--port', '1', '2'], 'wrong number of arguments'],
  ]
  for (const [args, words] of WRONG) {
    test(`starts with ${args.join(' ')}, and it says why`, async () => {
      const { status, stderr } = await runToEnd('redbun', args)
      expect(stderr).toContain('*** FATAL CONFIG FILE ERROR')
      expect(stderr).toContain(words)
      expect(status).toBe(1)
    })
  }

  test('starts on a port that is taken', async () => {
    const server = await startRedbun()
    const { status, stdout } = await runToEnd('redbun', ['--port', String(server.port)])
    expect(stdout).toContain(`Failed listening on port ${server.port} (TCP), aborting.`)
    expect(status).toBe(1)
    await server.stop()
  })

  test('starts from a file that is not there', async () => {
    const { status, stdout } = await runToEnd('redbun', ['/nonexistent/redis.conf'])
    expect(stdout).toContain("Fatal error, can't open config file '/nonexistent/redis.conf'")
    expect(status).toBe(1)
  })
})
