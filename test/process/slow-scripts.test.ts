/**
 * Scripts that run for long: what others are told meanwhile, and who can end them.
 *
 * Thread: any.
 * Owns: one server process.
 * Never: waits for a script to end by itself, but for one that cannot be ended.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import type { CommandText } from '../support/argv.ts'
import type { Client } from '../support/client.ts'
import { notation } from '../support/reply.ts'
import { type RunningServer, startRedbun } from '../support/server.ts'

const THRESHOLD_MS = 60
const ENDLESS = ['EVAL', 'while true do end', '0'] as const
const BUSY =
  '-BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.'
const BUSY_FUNCTION = BUSY.replace('SCRIPT KILL', 'FUNCTION KILL')
const KILLED = /^-ERR Script killed by user with SCRIPT KILL\.\.\. script: /

/** Goes on for as many milliseconds as the first argument says. */
const WAIT = `
  local function now() local t = redis.call('time') return t[1] * 1000 + t[2] / 1000 end
  local untilMs = now() + ARGV[1]
  while now() < untilMs do end
  return 'done'`

let server: RunningServer
let runner: Client
let other: Client

beforeAll(async () => {
  server = await startRedbun()
  runner = await server.connect()
  other = await server.connect()
  await ask(other, `CONFIG SET busy-reply-threshold ${THRESHOLD_MS}`)
})
afterAll(() => server.stop())

async function ask(client: Client, command: CommandText): Promise<string> {
  client.send(command)
  return notation(await client.next())
}

/** Waits until the server says that it is busy. */
async function busy(text: string = BUSY): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if ((await ask(other, 'GET nokey')) === text) return
    await Bun.sleep(5)
  }
  throw new Error('the server does not say that it is busy')
}

describe('a script that runs for long', () => {
  test('lets others know, and ends when it is told to', async () => {
    runner.send(ENDLESS)
    await busy()
    expect(await ask(other, 'PING')).toBe(BUSY)
    expect(await ask(other, 'FUNCTION KILL')).toBe(BUSY)
    expect(await ask(other, 'FUNCTION STATS')).toBe(BUSY)
    expect(await ask(other, 'SHUTDOWN')).toBe(BUSY)
    expect(await ask(other, 'MULTI')).toBe('+OK')
    expect(await ask(other, 'PING')).toBe(BUSY)
    expect(await ask(other, 'EXEC')).toStartWith(
      '-EXECABORT Transaction discarded because of: BUSY',
    )
    expect(await ask(other, 'CLIENT ID')).toBe(BUSY)
    expect(await ask(other, 'SCRIPT KILL')).toBe('+OK')
    expect(notation(await runner.next())).toMatch(KILLED)
    expect(await ask(other, 'PING')).toBe('+PONG')
    expect(await ask(other, 'SCRIPT KILL')).toBe('-NOTBUSY No scripts in execution right now.')
  })

  test('ends though it catches errors, in coroutines, too', async () => {
    const body = 'pcall(function() while true do end end)'
    const scripts = [
      `while true do ${body} end`,
      `while true do coroutine.wrap(function() ${body} end)() end`,
    ]
    for (const script of scripts) {
      runner.send(['EVAL', script, '0'])
      await busy()
      expect(await ask(other, 'SCRIPT KILL')).toBe('+OK')
      expect(notation(await runner.next())).toMatch(KILLED)
    }
    expect(await ask(runner, ['EVAL', 'local n=0 for i=1,1e6 do n=n+i end return n', '0'])).toBe(
      ':500000500000',
    )
  })

  test('keeps what its client has sent behind it in order, and what it sends meanwhile', async () => {
    runner.send('SET order 1')
    runner.send(ENDLESS)
    runner.send('APPEND order 2')
    runner.send('APPEND order 3')
    await busy()
    runner.send('APPEND order 4')
    runner.send('GET order')
    expect(await ask(other, 'SCRIPT KILL')).toBe('+OK')
    const replies: string[] = []
    for (let i = 0; i < 6; i++) replies.push(notation(await runner.next()))
    expect(replies.map((reply) => (KILLED.test(reply) ? 'killed' : reply))).toEqual([
      '+OK',
      'killed',
      ':2',
      ':3',
      ':4',
      '$1234',
    ])
  })

  test('goes on in a transaction, whose other calls are done', async () => {
    for (const command of ['MULTI', 'SET tx 1', ENDLESS, 'INCR tx', 'EXEC']) runner.send(command)
    await busy()
    expect(await ask(other, 'SCRIPT KILL')).toBe('+OK')
    for (let i = 0; i < 4; i++) await runner.next()
    expect(notation(await runner.next())).toMatch(/^\*3 \+OK -".*SCRIPT KILL.*" :2$/)
  })

  test('is not ended once it has written', async () => {
    runner.send(['EVAL', `redis.call('set','w',1) ${WAIT}`, '0', '400'])
    await busy()
    expect(await ask(other, 'SCRIPT KILL')).toStartWith('-UNKILLABLE Sorry the script already')
    expect(notation(await runner.next())).toBe('$done')
  })

  test('serves who waits for its keys only when it is over', async () => {
    const waiting = await server.connect()
    waiting.send('BLPOP late 0')
    expect(await ask(other, 'PING')).toBe('+PONG')
    runner.send(['EVAL', `redis.call('rpush','late','x') ${WAIT}`, '0', '400'])
    await busy()
    expect(waiting.unread).toBe(0)
    expect(notation(await runner.next())).toBe('$done')
    expect(notation(await waiting.next())).toBe('*2 $late $x')
  })

  test('is a function that FUNCTION KILL ends, and FUNCTION STATS shows', async () => {
    const code = "#!lua name=slow\nredis.register_function('f', function() while true do end end)"
    expect(await ask(other, ['FUNCTION', 'LOAD', code])).toBe('$slow')
    runner.send('FCALL f 0')
    await busy(BUSY_FUNCTION)
    expect(await ask(other, 'SCRIPT KILL')).toBe(BUSY_FUNCTION)
    expect(await ask(other, 'FUNCTION STATS')).toMatch(
      /^\*4 \$running_script \*6 \$name \$f \$command \*3 \$FCALL \$f \$0 \$duration_ms :\d+ /,
    )
    expect(await ask(other, 'FUNCTION KILL')).toBe('+OK')
    expect(notation(await runner.next())).toMatch(
      /SCRIPT KILL\.\.\. script: f, on @user_function:2/,
    )
  })

  test('does not keep new clients out, nor mind clients that leave', async () => {
    runner.send(ENDLESS)
    await busy()
    const late = await server.connect()
    expect(await ask(late, 'PING')).toBe(BUSY)
    late.terminate()
    const killer = await server.connect()
    expect(await ask(killer, 'SCRIPT KILL')).toBe('+OK')
    expect(notation(await runner.next())).toMatch(KILLED)
  })

  test('does not keep the server from ending', async () => {
    const last = await startRedbun()
    const script = await last.connect()
    const admin = await last.connect()
    await ask(admin, `CONFIG SET lua-time-limit ${THRESHOLD_MS}`)
    script.send(ENDLESS)
    await Bun.sleep(3 * THRESHOLD_MS)
    admin.send('SHUTDOWN NOSAVE')
    expect(await last.child.exited).toBe(0)
    await last.stop()
  })
})

describe('a script that needs much memory', () => {
  test('gives it back when it is over, and what others need stays', async () => {
    const pages = () =>
      Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))?.[1])
    const before = pages()
    expect(
      await ask(other, ['EVAL', 'local t = {} for i = 1, 1e7 do t[i] = i end return #t', '0']),
    ).toBe(':10000000')
    expect(await ask(other, ['EVAL', 'return 1', '0'])).toBe(':1')
    expect(await ask(other, ['EVAL', "local s = 'x' while true do s = s .. s end", '0'])).toMatch(
      /^-ERR Error running script \w+, not enough memory$/,
    )
    for (let tries = 0; tries < 100 && pages() > before + 100_000; tries++) await Bun.sleep(20)
    expect(pages()).toBeLessThan(before + 100_000)
    expect(await ask(other, 'EVALSHA e0e1f9fabfc9d4800c877a703b823ac0578ff8db 0')).toBe(':1')
  }, 20_000)

  const GROW = "local s = 'x' while true do s = s .. s end"
  const LIBRARY = ['FUNCTION', 'LOAD', `#!lua name=a\n${GROW}`]

  test.each([
    ['scripts', ['EVAL', GROW, '0']],
    ['functions', LIBRARY],
  ] as const)(
    'takes it once, however many come in a row: %s',
    async (_, command) => {
      const small = await startRedbun({ args: ['--maxmemory', '100mb'] })
      const client = await small.connect()
      const times = 4
      for (let i = 0; i < times; i++) {
        client.send(['SCRIPT', 'FLUSH'])
        client.send(['FUNCTION', 'FLUSH'])
        client.send(command)
      }
      const replies: string[] = []
      for (let i = 0; i < 3 * times; i++) replies.push(notation(await client.next()))
      expect(replies.filter((reply) => reply.includes('not enough memory'))).toHaveLength(times)
      const kilobytes = (name: string) =>
        Number(
          new RegExp(`${name}:\\s+(\\d+)`).exec(
            readFileSync(`/proc/${small.pid}/status`, 'utf8'),
          )?.[1],
        )
      expect(kilobytes('VmHWM')).toBeLessThan(1.3 * 1024 * 1024)
      for (let tries = 0; tries < 100 && kilobytes('VmRSS') > 300_000; tries++) await Bun.sleep(20)
      expect(kilobytes('VmRSS')).toBeLessThan(300_000)
      await small.stop('SIGKILL')
    },
    20_000,
  )
})
