/**
 * The debugger for scripts: whole sessions, as a real Redis answered them, and what it means for all
 * others that one client holds the server.
 *
 * Thread: any.
 * Owns: a server of ours, and a real one to compare with.
 * Never: looks at an address of Lua's memory.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { Client } from '../../../../support/client.ts'
import { notation } from '../../../../support/reply.ts'
import {
  type RunningServer,
  redisServerPath,
  type ServerOptions,
  startRedbun,
  startRedis,
} from '../../../../support/server.ts'
import sessions from './debug-sessions.json'

const SCRIPT = "redis.call('incr', 'n')\nlocal a = 1\nredis.call('incr', 'n')\nreturn a"
const SCRIPT_SHA = '8ab68c135061e2660ab9338e6a7363771abc0aff'
const FIRST_STOP = `*2 +"* Stopped at 1, stop reason = step over" +"-> 1   redis.call('incr', 'n')"`
const END = '*1 +<endsession>'
const QUIET_MS = 60

interface Recorded {
  readonly name: string
  readonly config?: Readonly<Record<string, string>>
  readonly steps: readonly {
    readonly command: readonly string[]
    readonly replies: readonly string[]
  }[]
}

const recorded: readonly Recorded[] = sessions
const servers: RunningServer[] = []
let redbun: RunningServer

beforeAll(async () => {
  redbun = await startRedbun()
  servers.push(redbun)
  if (redisServerPath !== '') servers.push(await startRedis())
})

afterAll(async () => {
  for (const server of servers) await server.stop('SIGKILL')
})

/** The client sends a command, and goes while it is at work. */
async function leftAfter(client: Client, command: readonly string[]): Promise<void> {
  client.send(command)
  await Bun.sleep(QUIET_MS)
  client.terminate()
}

/** On our server, and on a real one where there is one. */
function onEach(name: string, body: (server: RunningServer) => Promise<void>): void {
  test(name, async () => {
    for (const server of servers) {
      const client = await server.connect()
      await client.call('FLUSHALL')
      client.terminate()
      await body(server)
    }
  }, 20_000)
}

/** A client whose script stands at its first line. */
async function debugged(server: RunningServer, script = SCRIPT): Promise<Client> {
  const client = await server.connect()
  expect(await client.ask('SCRIPT DEBUG SYNC')).toBe('+OK')
  client.send(['EVAL', script, '0'])
  expect(notation(await client.next())).toStartWith('*2 +"* Stopped at 1, ')
  return client
}

async function withServer(options: ServerOptions, body: (server: RunningServer) => Promise<void>) {
  const server = await startRedbun(options)
  try {
    await body(server)
  } finally {
    await server.stop('SIGKILL')
  }
}

describe('a debugged script', () => {
  for (const { name, config, steps } of recorded) {
    onEach(name, async (server) => {
      const other = await server.connect()
      for (const pair of Object.entries(config ?? {})) await other.call(['CONFIG', 'SET', ...pair])
      const client = await server.connect()
      await client.call('SCRIPT DEBUG SYNC')
      let last: readonly string[] = []
      for (const { command, replies } of steps) {
        client.send([...command])
        for (const reply of replies) {
          const told = notation(await client.next()).replace(/@0x[0-9a-f]+/g, '@0x')
          expect([command, told]).toEqual([command, reply])
        }
        last = replies
      }
      if (last[0] === END) await client.ended
      client.terminate()
      for (const key of Object.keys(config ?? {})) await other.call(['CONFIG', 'SET', key, '5000'])
    })
  }

  onEach('takes too many arguments for a breach', async (server) => {
    const client = await debugged(server)
    expect(await client.ask(Array.from({ length: 1025 }, () => 'b'))).toBe(END)
    expect(notation(await client.next())).toStartWith('-ERR protocol error script: ')
    await client.ended
  })

  test('explains its commands', async () => {
    const client = await debugged(redbun)
    const help = await client.ask('h')
    for (const word of ['tep', 'ext', 'ontinue', 'ist', 'hole', 'rint', 'reak', 'race', 'val']) {
      expect(help).toContain(`]${word}`)
    }
    for (const word of ['edis', 'axlen', 'bort', 'elp']) expect(help).toContain(`]${word}`)
    client.terminate()
  })

  test('keeps the other breakpoints where they are when one is removed', async () => {
    const client = await debugged(redbun)
    await client.call('b 1 3 4')
    expect(await client.ask('b -1')).toBe('*1 +"Breakpoint removed."')
    expect(await client.ask('b')).toBe(
      `*3 +"2 breakpoints set:" +"  #3   redis.call('incr', 'n')" +"  #4   return a"`,
    )
    client.terminate()
  })

  test('tells the text of an error that is a table', async () => {
    const client = await debugged(redbun)
    const told = await client.ask(['e', "redis.call('nosuch')"])
    expect(told).toBe('*1 +"<error> ERR Unknown Redis command called from script"')
    client.terminate()
  })

  test('shows a table that holds itself many times over in part', async () => {
    const client = await debugged(redbun)
    await client.call('maxlen 0')
    const told = await client.call([
      'e',
      '(function(t) for i = 1, 20 do t[i] = t end return t end)({})',
    ])
    expect(notation(told)).toStartWith(`*1 +"<retval> ${'{'.repeat(10)}<max recursion level`)
    expect(told.items?.[0]?.bytes?.length).toBeLessThan(8 * 1024 * 1024)
    client.terminate()
  })

  test('takes commands that were sent together', async () => {
    const client = await redbun.connect()
    await client.call('SCRIPT DEBUG SYNC')
    client.write(
      `*3\r\n$4\r\nEVAL\r\n$${SCRIPT.length}\r\n${SCRIPT}\r\n$1\r\n0\r\n*1\r\n$1\r\ns\r\n*1\r\n$1\r\np\r\n`,
    )
    client.write('*1\r\n$1\r\ns\r\n*1\r\n$1\r\nc\r\n*1\r\n$4\r\nPING\r\n')
    expect(notation(await client.next())).toBe(FIRST_STOP)
    expect(notation(await client.next())).toStartWith('*4 +"<redis> incr n" +"<reply> ')
    expect(notation(await client.next())).toBe('*1 +"No local variables in the current context."')
    expect(notation(await client.next())).toStartWith('*2 +"* Stopped at 3, ')
    expect(notation(await client.next())).toBe(END)
    expect(notation(await client.next())).toBe(':1')
    await client.ended
    expect(client.unread).toBe(0)
  })

  test('is ended by what is no request', async () => {
    const client = await debugged(redbun)
    client.write('*1\r\n!!\r\n')
    expect(notation(await client.next())).toBe(END)
    expect(notation(await client.next())).toBe(
      `-ERR protocol error script: ${SCRIPT_SHA}, on @user_script:1.`,
    )
    await client.ended
  })
})

describe('SCRIPT DEBUG', () => {
  onEach('is off after NO', async (server) => {
    const client = await server.connect()
    expect(await client.ask('SCRIPT DEBUG SYNC')).toBe('+OK')
    expect(await client.ask('SCRIPT DEBUG no')).toBe('+OK')
    expect(await client.ask(['EVAL', SCRIPT, '0'])).toBe(':1')
  })

  onEach('is for EVAL', async (server) => {
    const client = await server.connect()
    await client.call(['SCRIPT', 'LOAD', SCRIPT])
    await client.call('SCRIPT DEBUG SYNC')
    expect(await client.ask(`EVALSHA ${SCRIPT_SHA} 0`)).toBe(
      '-ERR Please use EVAL instead of EVALSHA for debugging',
    )
    expect(await client.ask('EVALSHA abc 0')).toStartWith('-NOSCRIPT ')
    expect(await client.ask('PING')).toBe('+PONG')
    const other = await server.connect()
    expect(await other.ask(`EVALSHA ${SCRIPT_SHA} 0`)).toBe(':1')
  })

  onEach('is not for transactions', async (server) => {
    const client = await server.connect()
    await client.call('MULTI')
    await client.call('SCRIPT DEBUG SYNC')
    expect(await client.ask('EXEC')).toBe(
      '*1 -"ERR SCRIPT DEBUG must be called outside a pipeline"',
    )
  })

  test('leaves scripts in transactions alone', async () => {
    const client = await redbun.connect()
    await client.call('SCRIPT DEBUG SYNC')
    await client.call('MULTI')
    await client.call(['EVAL', 'return 1', '0'])
    expect(await client.ask('EXEC')).toBe('*1 :1')
  })

  test('YES is refused', async () => {
    const client = await redbun.connect()
    expect(await client.ask('SCRIPT DEBUG YES')).toMatch(/^-ERR .* Use SCRIPT DEBUG SYNC/)
    expect(await client.ask(['EVAL', 'return 1', '0'])).toBe(':1')
  })
})

describe('other clients', () => {
  onEach('wait, and are then served in their order', async (server) => {
    const one = await server.connect()
    const two = await server.connect()
    const client = await debugged(server)
    one.send('INCR n')
    one.send('GET n')
    two.send(['SET', 'long', 'x'.repeat(200_000)])
    two.send('STRLEN long')
    const late = await server.connect()
    late.send('PING')
    await Bun.sleep(QUIET_MS)
    expect([one.unread, two.unread, late.unread]).toEqual([0, 0, 0])
    expect(await client.ask('r get n')).toBe('*2 +"<redis> get n" +"<reply> NULL"')
    await client.ask('s')
    client.send('c')
    expect(notation(await client.next())).toBe(END)
    expect(notation(await one.next())).toBe(':3')
    expect(notation(await one.next())).toBe('$3')
    expect(notation(await two.next())).toBe('+OK')
    expect(notation(await two.next())).toBe(':200000')
    expect(notation(await late.next())).toBe('+PONG')
  })

  onEach('may go meanwhile, and have what they sent done', async (server) => {
    const going = await server.connect()
    await going.call('PING')
    const client = await debugged(server)
    going.send('INCRBY n 10')
    await going.flushed()
    await Bun.sleep(QUIET_MS)
    going.close()
    await Bun.sleep(QUIET_MS)
    await client.ask('c')
    const other = await server.connect()
    expect(await other.ask('GET n')).toBe('$12')
  })

  onEach('that break the protocol are told in their turn', async (server) => {
    const other = await server.connect()
    await other.call('PING')
    const client = await debugged(server)
    other.write('*1\r\n$4\r\nPING\r\n*1\r\n!\r\n')
    await Bun.sleep(QUIET_MS)
    await client.ask('c')
    expect(notation(await other.next())).toBe('+PONG')
    expect(notation(await other.next())).toStartWith('-ERR Protocol error: ')
    await other.ended
  })

  onEach('may debug one after the other', async (server) => {
    const second = await server.connect()
    const first = await debugged(server)
    second.send('SCRIPT DEBUG SYNC')
    await Bun.sleep(QUIET_MS)
    await first.ask('c')
    expect(notation(await second.next())).toBe('+OK')
    expect(await second.ask(['EVAL', SCRIPT, '0'])).toBe(FIRST_STOP)
    expect(await second.ask('c')).toBe(END)
  })

  test('may have sent a script to debug already', async () => {
    const second = await redbun.connect()
    const third = await redbun.connect()
    await second.call('SCRIPT DEBUG SYNC')
    const first = await debugged(redbun)
    second.send(['EVAL', SCRIPT, '0'])
    await Bun.sleep(QUIET_MS)
    third.send('PING')
    await Bun.sleep(QUIET_MS)
    await first.ask('c')
    expect(notation(await second.next())).toBe(FIRST_STOP)
    await Bun.sleep(QUIET_MS)
    expect(third.unread).toBe(0)
    expect(await second.ask('c')).toBe(END)
    expect(notation(await third.next())).toBe('+PONG')
  })
})

describe('a debugging client', () => {
  onEach('that goes lets the script end', async (server) => {
    const client = await debugged(server)
    await client.ask('b 3')
    client.terminate()
    const other = await server.connect()
    expect(await other.ask('GET n')).toBe('$2')
  })

  onEach('that goes ends a script without end', async (server) => {
    const other = await server.connect()
    await other.call('CONFIG SET busy-reply-threshold 100')
    const endless = "redis.call('set', 'k', 'v') while true do end"
    await leftAfter(await debugged(server, endless), ['c'])
    expect(await other.ask('GET k')).toBe('$v')
    await other.call('CONFIG SET busy-reply-threshold 5000')
  })

  test('that goes ends a script that catches that it is to end', async () => {
    const other = await redbun.connect()
    await other.call('CONFIG SET busy-reply-threshold 50')
    const catching = 'while true do pcall(function() while true do end end) end'
    await leftAfter(await debugged(redbun, catching), ['c'])
    expect(await other.ask('CONFIG SET busy-reply-threshold 5000')).toBe('+OK')
  })

  test.each([
    ['is no request', '*1\r\n!!\r\n'],
    ['has an empty word', '*2\r\n$1\r\nb\r\n$0\r\n\r\n'],
  ])('that sends what %s ends a script that catches that', async (_, bytes) => {
    const other = await redbun.connect()
    const client = await debugged(redbun, 'while true do pcall(function() local a = 1 end) end')
    client.write(bytes)
    expect(notation(await client.next())).toBe(END)
    expect(notation(await client.next())).toStartWith('-ERR ')
    expect(await other.ask('PING')).toBe('+PONG')
  })

  test.each(['e while true do end', 'e while true do pcall(redis.call,"get","k") end'])(
    'that goes ends evaluated code without end, and lets the script end: %s',
    async (command) => {
      const other = await redbun.connect()
      await other.call('FLUSHALL')
      await other.call('CONFIG SET busy-reply-threshold 50')
      await leftAfter(await debugged(redbun), command.split(' '))
      expect(await other.ask('GET n')).toBe('$2')
      await other.call('CONFIG SET busy-reply-threshold 5000')
    },
  )

  test('that goes ends code without end that a script has compiled', async () => {
    const other = await redbun.connect()
    await other.call('CONFIG SET busy-reply-threshold 50')
    await leftAfter(await debugged(redbun, "loadstring('while true do end')()"), ['c'])
    expect(await other.ask('CONFIG SET busy-reply-threshold 5000')).toBe('+OK')
  })

  onEach('lets time pass for keys', async (server) => {
    const other = await server.connect()
    await other.call('SET k v PX 40')
    const client = await debugged(server, "local a = 1\nreturn redis.call('exists', 'k')")
    await Bun.sleep(QUIET_MS)
    client.send('c')
    expect(notation(await client.next())).toBe(END)
    expect(notation(await client.next())).toBe(':0')
  })

  test('does not keep the server from ending', async () => {
    const server = await startRedbun()
    await debugged(server)
    server.child.kill('SIGTERM')
    expect(await server.child.exited).toBe(0)
    await server.stop()
  }, 20_000)

  test('is told where it is before the disk has what it wrote', async () => {
    const args = ['--appendonly', 'yes', '--appendfsync', 'always']
    await withServer({ args }, async (server) => {
      const client = await debugged(server)
      expect(await client.ask('s')).toStartWith('*4 +"<redis> incr n" +"<reply> 1"')
      expect(await client.ask('r set k v')).toBe('*2 +"<redis> set k v" +"<reply> \\"+OK\\""')
      expect(await client.ask('c')).toBe(END)
      const other = await server.connect()
      expect(await other.ask('MGET n k')).toBe('*2 $2 $v')
    })
  })

  test('may be at another thread than those who wait', async () => {
    await withServer({ args: ['--io-threads', '3'] }, async (server) => {
      const others = await Promise.all(Array.from({ length: 8 }, () => server.connect()))
      const client = await debugged(server)
      for (const other of others) other.send('INCR n')
      await Bun.sleep(QUIET_MS)
      await client.ask('s')
      expect(await client.ask('c')).toBe(END)
      const numbers = await Promise.all(others.map(async (other) => notation(await other.next())))
      expect(numbers.sort()).toEqual([':10', ':3', ':4', ':5', ':6', ':7', ':8', ':9'])
    })
  })
})
