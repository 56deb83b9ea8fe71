/**
 * The client's modes that look after a server, beside redis-cli where that is installed: both talk
 * to the same server and print the same, but for lines of prose.
 *
 * Thread: any.
 * Owns: one server process.
 * Never: compares times.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { statLine } from '../../src/cli/stat.ts'
import { type RunningServer, startRedbun } from '../support/server.ts'

const CLIENT = ['bun', new URL('../../src/cli/main.ts', import.meta.url).pathname]
const REDIS_CLI = Bun.which('redis-cli')

let server: RunningServer
let place: string[]

beforeAll(async () => {
  server = await startRedbun({ args: ['--maxmemory-policy', 'allkeys-lfu'] })
  place = ['-h', '127.0.0.1', '-p', String(server.port)]
  const client = await server.connect()
  await client.call(['MSET', 'a b"c', '12345678', 'foo', 'bar', 'h\xff', ''])
  for (const command of [
    ...['RPUSH l a b c', 'SADD s a b', 'HSET h a 1 b 2 c 3 d 4', 'ZADD z 1 a', 'XADD x * f v'],
    ...['GET foo', 'GET foo', 'GET foo', 'GET foo'],
  ]) {
    await client.call(command)
  }
})
afterAll(() => server.stop())

async function run(program: readonly string[], args: readonly string[], input = '') {
  const child = Bun.spawn([...program, ...place, ...args], {
    stdin: Buffer.from(input),
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const [out, err, status] = await Promise.all([
    child.stdout.bytes(),
    child.stderr.text(),
    child.exited,
  ])
  return { out: Buffer.from(out).toString('latin1'), err, status }
}

/** Lines that start with '#' are prose. The order of the types is a matter of hashing there. */
const told = (text: string) =>
  text
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .sort()

async function same(args: readonly string[], input = '') {
  const ours = await run(CLIENT, args, input)
  if (REDIS_CLI !== null) {
    const theirs = await run([REDIS_CLI], args, input)
    expect({ ...ours, out: told(ours.out) }).toEqual({ ...theirs, out: told(theirs.out) })
  }
  return ours
}

describe('--scan', () => {
  test('lists the keys, quoted for people', async () => {
    const { out, status } = await same(['--scan'])
    expect(status).toBe(0)
    expect(told(out)).toEqual(['', 'a b"c', 'foo', 'h', 'h\xc3\xbf', 'l', 's', 'x', 'z'].sort())
    expect((await same(['--no-raw', '--scan'])).out).toContain('"a b\\"c"\n')
    await same(['--csv', '--scan'])
  })
  test('lists those that match', async () => {
    expect((await same(['--scan', '--pattern', 'f*'])).out).toBe('foo\n')
    expect((await same(['--scan', '--quoted-pattern', '"\\x66oo"'])).out).toBe('foo\n')
    expect((await same(['--scan', '-i', '0.01', '--pattern', 'nope*'])).out).toBe('')
    expect((await same(['--scan', '--quoted-pattern', '"x'])).status).toBe(1)
  })
})

describe('--bigkeys, --memkeys, --hotkeys', () => {
  test('tell the biggest of each type', async () => {
    const { out } = await same(['--bigkeys'])
    expect(out).toContain('Biggest   hash found \'"h"\' has 4 fields\n')
    expect(out).toContain('3 strings with 11 bytes (37.50% of keys, avg size 3.67)\n')
    expect(out).toContain('Sampled 8 keys in the keyspace!\n')
    await same(['--bigkeys', '--pattern', 'nope*'])
    expect((await same(['--memkeys'])).out).toMatch(
      /8 keys .*\n.*\n(.*\n)*.*streams with [1-9]\d+ bytes/,
    )
    await same(['--memkeys-samples', '1'])
  })
  test('tell the keys used most', async () => {
    const { out } = await same(['--hotkeys'])
    expect(out).toMatch(/hot key found with counter: \d+\tkeyname: "foo"\n/)
  })
})

describe('--latency', () => {
  test('measures for a while when nobody looks', async () => {
    for (const [flag, pattern] of [
      ['--raw', /^\d+ \d+ \d+\.\d\d \d+\n$/],
      ['--csv', /^\d+,\d+,\d+\.\d\d,\d+\n$/],
      ['--json', /^\{"min": \d+, "max": \d+, "avg": \d+\.\d\d, "count": \d+\}\n$/],
    ] as const) {
      const args = [flag, '--latency', '-i', '0.05']
      expect((await run(CLIENT, args)).out).toMatch(pattern)
      if (REDIS_CLI !== null) expect((await run([REDIS_CLI], args)).out).toMatch(pattern)
    }
  })
  test('history begins a line for each period', async () => {
    const args = ['--no-raw', '--latency-history', '-i', '0.03']
    const child = Bun.spawn([...CLIENT, ...place, ...args], { stdout: 'pipe' })
    let shown = ''
    for await (const chunk of child.stdout) {
      shown += Buffer.from(chunk).toString()
      if (shown.split('seconds range').length > 3) child.kill()
    }
    expect(shown.replaceAll('\x1b', 'E')).toMatch(
      / samples\) -- 0\.\d\d seconds range\nE\[0GE\[2Kmin: /,
    )
  })
})

describe('--stat', () => {
  test('prints a line each time', async () => {
    const child = Bun.spawn([...CLIENT, ...place, '--stat', '-i', '0.02'], { stdout: 'pipe' })
    let shown = ''
    for await (const chunk of child.stdout) {
      shown += Buffer.from(chunk).toString()
      if (shown.split('\n').length > 4) child.kill()
    }
    expect(shown).toMatch(
      /^------- data .*\nkeys {7}mem {6}clients .*\n8 {10}\d.*\(\+0\).*\n8 .*\(\+1\)/,
    )
  })
  test('tells keys, memory and what happened since the last line', () => {
    const info =
      'used_memory:1500000\r\nconnected_clients:3\r\nblocked_clients:1\r\n' +
      'total_commands_processed:50\r\ntotal_connections_received:9\r\n' +
      'rdb_bgsave_in_progress:1\r\naof_rewrite_in_progress:0\r\n' +
      'db0:keys=2,expires=0\r\ndb3:keys=40,expires=1\r\n'
    const line = '42         1.43M    3       1       50 (+8)             9           SAVE'
    expect(statLine(info, 42)).toBe(line)
  })
})

describe('arguments', () => {
  test('come from standard input where a tag stands', async () => {
    expect((await same(['-X', 'tag', 'echo', 'tag'], 'a\nb')).out).toBe('a\nb\n')
    expect((await same(['-X', 'tag', 'echo', 'b'], 'a')).status).toBe(1)
  })
  test('may be words in quotes', async () => {
    expect((await same(['--quoted-input', 'echo', '"\\x41 b"'])).out).toBe('A b\n')
    expect((await same(['--quoted-input', 'echo', '"b'])).status).toBe(1)
    expect((await same(['--quoted-input', 'echo', 'a b'])).status).toBe(1)
  })
  test('are those of a script with --eval', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'redbun-test-')), 'script.lua')
    expect((await same(['--eval', file])).status).toBe(1)
    writeFileSync(file, 'return {KEYS[1], ARGV[1], #KEYS}')
    for (const words of ['k1 k2 , a1', 'k1', ', a1', '']) {
      await same(['--eval', file, ...words.split(' ').filter((word) => word !== '')])
    }
  })
  test('hold no password with --askpass', async () => {
    const { out, err } = await same(['--askpass', 'ping'], 'secret\n')
    expect(out).toBe('PONG\n')
    expect(err).toStartWith('AUTH failed: ')
  })
})

test('--quoted-json keeps to ASCII', async () => {
  expect((await same(['--quoted-json', 'echo', 'h\xff\n'])).out).toBe('"h\\\\xc3\\\\xbf\\\\n"\n')
})

test('-c follows redirections', async () => {
  let asked: string[] = []
  const answer = (bytes: Buffer, port: number) => {
    const words = bytes.toString().split('\r\n')
    asked.push(`${port === other.port ? 'other' : 'first'} ${words[2]}`)
    if (words[2] === 'ASKING') return '+OK\r\n'
    if (port === other.port) return '+there\r\n'
    return words[4] === 'ask'
      ? `-ASK 7 127.0.0.1:${other.port}\r\n`
      : `-MOVED 5 127.0.0.1:${other.port}\r\n`
  }
  const listen = (): Bun.TCPSocketListener =>
    Bun.listen({
      hostname: '127.0.0.1',
      port: 0,
      socket: { data: (socket, bytes) => void socket.write(answer(bytes, socket.localPort)) },
    })
  const first = listen()
  const other: Bun.TCPSocketListener = listen()
  const ask = async (program: readonly string[], key: string) => {
    asked = []
    const args = ['-h', '127.0.0.1', '-p', String(first.port), '--no-raw', '-c', 'GET', key]
    const child = Bun.spawn([...program, ...args], { stdout: 'pipe' })
    // redis-cli says where it goes only at its prompt.
    const out = (await child.stdout.text()).split('\n').at(-2)
    return { out, asked }
  }
  const programs = REDIS_CLI === null ? [CLIENT] : [CLIENT, [REDIS_CLI]]
  for (const program of programs) {
    expect(await ask(program, 'moved')).toEqual({
      out: 'there',
      asked: ['first GET', 'other GET'],
    })
    expect(await ask(program, 'ask')).toEqual({
      out: 'there',
      asked: ['first GET', 'other ASKING', 'other GET'],
    })
  }
  first.stop(true)
  other.stop(true)
})
