/**
 * The client as a process, against a scripted server: what it prints and how it exits. Each row is
 * what redis-cli 7.0.15 does; where that is installed, it runs through the same rows.
 *
 * Thread: any.
 * Owns: the scripted server.
 * Never: needs a real server.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RequestParser } from '../../src/lib/resp/request-parser.ts'

const CLIENT = ['bun', new URL('../../src/cli/main.ts', import.meta.url).pathname]
const REDIS_CLI = Bun.which('redis-cli')
const WARNING =
  "Warning: Using a password with '-a' or '-u' option on the command line interface may not be safe.\n"
const NO_SUCH = "ERR unknown command 'nosuch', with args beginning with: "

/** What the scripted server answers; `PASSWORD` guards nothing else. */
const ANSWERS: Record<string, string> = {
  ping: '+PONG\r\n',
  set: '+OK\r\n',
  get: '$3\r\na"b\r\n',
  mget: '*3\r\n$1\r\na\r\n:1\r\n$-1\r\n',
  nosuch: `-${NO_SUCH}\r\n`,
  nest: '*2\r\n*2\r\n:1\r\n*1\r\n$1\r\nx\r\n*0\r\n',
  map: '%2\r\n$1\r\na\r\n,1.5\r\n$1\r\nb\r\n~1\r\n#t\r\n',
  info: '$15\r\n# Page\r\na:b\r\n\r\n\r\n',
  hello: '%0\r\n',
  select: '+OK\r\n',
  multi: '+OK\r\n',
  subscribe: '*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n',
}

let server: Bun.TCPSocketListener<{ rest: Buffer }>
let place: string[] = []
/** Commands that the server saw, words joined by spaces. */
let seen: string[] = []

beforeAll(() => {
  server = Bun.listen<{ rest: Buffer }>({
    hostname: '127.0.0.1',
    port: 0,
    socket: {
      open(socket) {
        socket.data = { rest: Buffer.alloc(0) }
      },
      data(socket, chunk) {
        const bytes = Buffer.concat([socket.data.rest, chunk])
        const parser = new RequestParser(1024 * 1024)
        parser.reset(bytes, 0, bytes.length)
        while (parser.next() === 1) {
          const words = Array.from({ length: parser.argc }, (_, i) =>
            parser.bytes.toString('latin1', parser.offsets[2 * i], parser.offsets[2 * i + 1]),
          )
          seen.push(words.join(' '))
          const text = answer(words)
          if (text === undefined) socket.end()
          else socket.write(Buffer.from(text, 'latin1'))
        }
        socket.data.rest = Buffer.from(bytes.subarray(parser.position))
      },
    },
  })
  place = ['-h', '127.0.0.1', '-p', String(server.port)]
})

afterAll(() => {
  server.stop(true)
})

function answer(words: string[]): string | undefined {
  const name = words[0].toLowerCase()
  if (name === 'echo') return `$${words[1].length}\r\n${words[1]}\r\n`
  if (name === 'auth') {
    return words.at(-1) === 'secret' ? '+OK\r\n' : '-WRONGPASS invalid username-password pair\r\n'
  }
  if (name === 'select' && words[1] === '99') return '-ERR DB index is out of range\r\n'
  if (name === 'shutdown' || name === 'close') return undefined
  return ANSWERS[name] ?? `-ERR unscripted ${name}\r\n`
}

interface Result {
  out: string
  err: string
  status: number
}

async function run(
  program: readonly string[],
  args: readonly string[],
  more: { input?: string; env?: Record<string, string> } = {},
): Promise<Result> {
  const child = Bun.spawn([...program, ...args], {
    stdin: Buffer.from(more.input ?? '', 'latin1'),
    stdout: 'pipe',
    stderr: 'pipe',
    env: { ...process.env, REDISCLI_AUTH: undefined, ...more.env },
  })
  const [out, err, status] = await Promise.all([
    child.stdout.bytes(),
    child.stderr.bytes(),
    child.exited,
  ])
  return {
    out: Buffer.from(out).toString('latin1'),
    err: Buffer.from(err).toString('latin1'),
    status,
  }
}

interface Row {
  args: string[]
  input?: string
  env?: Record<string, string>
  out?: string
  err?: string
  status?: number
}

const ROWS: Row[] = [
  { args: ['ping'], out: 'PONG\n' },
  { args: ['--no-raw', 'get', 'k'], out: '"a\\"b"\n' },
  { args: ['get', 'k'], out: 'a"b\n' },
  { args: ['--csv', 'mget', 'k'], out: '"a",1,NULL\n' },
  { args: ['--json', 'mget', 'k'], out: '["a",1,null]\n' },
  { args: ['mget', 'k'], out: 'a\n1\n\n' },
  { args: ['--no-raw', 'nest'], out: '1) 1) (integer) 1\n   2) 1) "x"\n2) (empty array)\n' },
  { args: ['-3', '--no-raw', 'map'], out: '1# "a" => (double) 1.5\n2# "b" => 1~ (true)\n' },
  { args: ['--json', 'map'], out: '{"a":1.5,"b":[true]}\n' },
  { args: ['nosuch'], out: `${NO_SUCH}\n\n` },
  { args: ['--no-raw', 'nosuch'], out: `(error) ${NO_SUCH}\n` },
  { args: ['-e', 'nosuch'], err: `${NO_SUCH}\n`, status: 1 },
  { args: ['-e', 'ping'], out: 'PONG\n' },
  { args: ['--no-raw', 'info'], out: '# Page\r\na:b\r\n\r\n' },
  { args: ['-r', '2', '-i', '0.01', 'ping'], out: 'PONG\nPONG\n' },
  { args: ['-D', '##', '-d', '|', '-r', '2', 'mget'], out: 'a|1|##a|1|##' },
  { args: ['-x', 'echo'], input: 'a\nb\xff', out: 'a\nb\xff\n' },
  {
    args: ['-n', '99', 'ping'],
    out: 'PONG\n',
    err: 'SELECT 99 failed: ERR DB index is out of range\n',
  },
  { args: ['-a', 'secret', 'ping'], out: 'PONG\n', err: WARNING },
  { args: ['--no-auth-warning', '--user', 'u', '--pass', 'secret', 'ping'], out: 'PONG\n' },
  { args: ['ping'], env: { REDISCLI_AUTH: 'secret' }, out: 'PONG\n' },
  {
    args: ['ping'],
    env: { REDISCLI_AUTH: 'bad' },
    out: 'PONG\n',
    err: 'AUTH failed: WRONGPASS invalid username-password pair\n',
  },
  {
    args: ['--no-raw'],
    input: 'ping\n\n  \nget "a\nnosuch\n2 ping\n0 ping\nquit\nping\n',
    out: `PONG\nInvalid argument(s)\n(error) ${NO_SUCH}\nPONG\nPONG\nInvalid redis-cli repeat command option value.\n`,
  },
  { args: [], input: 'ping\nget a', out: 'PONG\na"b\n' },
  { args: ['shutdown'] },
  {
    args: ['--pipe'],
    input: '*1\r\n$4\r\nPING\r\nnosuch\r\n',
    out: 'All data transferred. Waiting for the last reply...\nLast reply received from server.\nerrors: 1, replies: 2\n',
    err: `${NO_SUCH}\n`,
    status: 1,
  },
  {
    args: ['--pipe'],
    input: 'ping\nping',
    out: 'All data transferred. Waiting for the last reply...\nLast reply received from server.\nerrors: 0, replies: 2\n',
  },
  {
    args: ['--bogus'],
    err: "Unrecognized option or bad number of args for: '--bogus'\n",
    status: 1,
  },
]

function expected(row: Row): Result {
  return { out: row.out ?? '', err: row.err ?? '', status: row.status ?? 0 }
}

function nameOf(row: Row): string {
  const from = row.input === undefined ? '' : ` < ${JSON.stringify(row.input)}`
  const environment = row.env === undefined ? '' : `${JSON.stringify(row.env)} `
  return environment + row.args.join(' ') + from
}

describe('the client', () => {
  for (const row of ROWS) {
    test(`prints and exits as redis-cli: ${nameOf(row)}`, async () => {
      expect(await run(CLIENT, [...place, ...row.args], row)).toEqual(expected(row))
      if (REDIS_CLI !== null) {
        expect(await run([REDIS_CLI], [...place, ...row.args], row)).toEqual(expected(row))
      }
    })
  }

  test('says why it cannot connect', async () => {
    const rows = [
      [['-p', '1'], 'Could not connect to Redis at 127.0.0.1:1: Connection refused\n'],
      [
        ['-s', '/nonexistent/s'],
        'Could not connect to Redis at /nonexistent/s: No such file or directory\n',
      ],
    ] as const
    for (const [where, err] of rows) {
      expect(await run(CLIENT, [...where, 'ping'])).toEqual({ out: '', err, status: 1 })
      if (REDIS_CLI !== null) {
        expect(await run([REDIS_CLI], [...where, 'ping'])).toEqual({ out: '', err, status: 1 })
      }
    }
  })

  test('says when the server closes, and connects again for the next command', async () => {
    seen = []
    const result = await run(CLIENT, place, { input: 'select 4\nclose\nping\n' })
    expect(result).toEqual({
      out: 'OK\nPONG\n',
      err: 'Error: Server closed the connection\n',
      status: 0,
    })
    expect(seen).toEqual(['select 4', 'close', 'SELECT 4', 'ping'])
    expect((await run(CLIENT, [...place, 'close'])).status).toBe(1)
  })

  test('shows messages until it is stopped', async () => {
    const child = Bun.spawn([...CLIENT, ...place, '--no-raw', 'subscribe', 'c'], { stdout: 'pipe' })
    let shown = ''
    for await (const chunk of child.stdout) {
      shown += Buffer.from(chunk).toString()
      if (shown.includes('3)')) child.kill()
    }
    expect(shown).toBe(
      'Reading messages... (press Ctrl-C to quit)\n1) "subscribe"\n2) "c"\n3) (integer) 1\n',
    )
  })

  test('logs in, chooses protocol and database, then runs the command', async () => {
    seen = []
    const uri = `redis://ann:secret@127.0.0.1:${server.port}/5`
    const result = await run(CLIENT, ['-u', uri, '-3', 'ping'])
    expect(result).toEqual({ out: 'PONG\n', err: WARNING, status: 0 })
    expect(seen).toEqual(['AUTH ann secret', 'HELLO 3', 'SELECT 5', 'ping'])
  })

  test('--eval sends a script with its keys and arguments', async () => {
    seen = []
    const file = join(mkdtempSync(join(tmpdir(), 'redbun-test-')), 'script.lua')
    writeFileSync(file, 'return 1')
    await run(CLIENT, [...place, '--eval', file, 'k1', 'k2', ',', 'a1'])
    await run(CLIENT, [...place, '--eval', file])
    expect(seen).toEqual(['EVAL return 1 2 k1 k2 a1', 'EVAL return 1 0'])
  })

  test('--demo shows four commands and their replies', async () => {
    seen = []
    const { out, status } = await run(CLIENT, [...place, '--no-raw', '--demo'])
    const prompt = `127.0.0.1:${server.port}> `
    expect(out.split('\n')).toEqual([
      `${prompt}PING`,
      'PONG',
      `${prompt}NOSUCHCOMMAND with arguments`,
      '(error) ERR unscripted nosuchcommand',
      `${prompt}SET redbun:demo "Hello from Redbun" EX 60`,
      'OK',
      `${prompt}GET redbun:demo`,
      '"a\\"b"',
      '',
    ])
    expect(status).toBe(0)
    expect(seen).toHaveLength(4)
  })

  test('--help names its options and --version its version', async () => {
    const help = await run(CLIENT, ['--help'])
    expect(help.status).toBe(0)
    for (const option of ['--pipe', '--demo', '--csv', '--user']) expect(help.out).toContain(option)
    expect((await run(CLIENT, ['--version'])).out).toStartWith('redbun-cli ')
  })
})
