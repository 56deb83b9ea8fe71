/**
 * RDB files between processes: what one server saves another loads, ours or a real one, with the
 * same digest; what is no sound file is refused with words.
 *
 * Thread: any.
 * Owns: the processes it started.
 * Never: hands a forged file to real Redis.
 */
import { describe, expect, test } from 'bun:test'
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Crc64 } from '../../src/lib/crc64.ts'
import type { Client } from '../support/client.ts'
import {
  makeDirectory,
  type RunningServer,
  redisServerPath,
  runToEnd,
  startRedbun,
  startRedis,
} from '../support/server.ts'

const LONG = 'The quick brown fox jumps over the lazy dog. '.repeat(300)
const words = (count: number) => Array.from({ length: count }, (_, i) => `word ${i}`)
const pairs = (count: number) => words(count).flatMap((word, i) => [word, `${i * 1.5}`])
const numbers = (count: number, step: number) =>
  Array.from({ length: count }, (_, i) => String(i * step - 7))

/** Every type and encoding, with and without deadlines, in several databases. */
const DATA: readonly (readonly string[])[] = [
  ['SET', 'text', 'text'],
  ['SET', 'integer', '12345'],
  ['SET', 'border', '-2147483649'],
  ['SET', 'empty', ''],
  ['SET', 'long', LONG],
  ['SET', 'huge', 'x'.repeat(3_000_000)],
  ['SET', 'timed', 'x', 'PXAT', '4102444800123'],
  ['SET', '\x00binary\xff\r\n', '\x00\x01\xfe'],
  ['HSET', 'small hash', 'a', '1', 'b', '', '', '-70000', '12', 'x'.repeat(64)],
  ['HSET', 'large hash', ...pairs(900), '', '-'],
  ['RPUSH', 'small list', 'a', '1', '', '-70000', LONG],
  ['RPUSH', 'large list', ...words(9000)],
  ['RPUSH', 'list of long ones', 'y'.repeat(70_000), 'z'.repeat(9000), 'a'],
  ['ZADD', 'small zset', '1', 'a', '-1.5', 'b', 'inf', 'c', '1e300', 'd', '70000', '12'],
  ['ZADD', 'large zset', ...pairs(700).toReversed()],
  [
    'ZADD',
    'odd scores',
    '-inf',
    'a',
    'inf',
    'b',
    '0.1',
    'c',
    '-0',
    'd',
    LONG.length.toString(),
    LONG,
  ],
  ['SADD', 'int16', ...numbers(20, 3)],
  ['SADD', 'int32', ...numbers(20, 70_000)],
  ['SADD', 'int64', ...numbers(20, 7_000_000_000)],
  ['SADD', 'many integers', ...numbers(700, 3)],
  ['SADD', 'words', ...words(40), '1', '-5', LONG],
  ['PFADD', 'hyperloglog', ...words(3000)],
  ['XADD', 'stream', '5-1', 'f', 'v'],
  ...words(250).map((word, i) => ['XADD', 'long stream', `${i + 1}-1`, 'field', word, 'f', 'v']),
  ['XDEL', 'long stream', '7-1', '100-1'],
  ['XGROUP', 'CREATE', 'long stream', 'g', '0'],
  ['XGROUP', 'CREATE', 'long stream', 'other', '3-1', 'ENTRIESREAD', '3'],
  ['XREADGROUP', 'GROUP', 'g', 'alice', 'COUNT', '5', 'STREAMS', 'long stream', '>'],
  ['XREADGROUP', 'GROUP', 'g', 'bob', 'COUNT', '9', 'STREAMS', 'long stream', '>'],
  ['XACK', 'long stream', 'g', '2-1', '8-1'],
  ['XGROUP', 'CREATECONSUMER', 'long stream', 'g', 'carol'],
  ['EXPIREAT', 'large list', '4102444800'],
  ['SELECT', '7'],
  ['SET', 'elsewhere', 'x', 'EXAT', '4102444800'],
  ['SELECT', '15'],
  ['SADD', 'last', 'a'],
]

async function fill(client: Client): Promise<void> {
  for (const words of DATA) {
    const reply = await client.call(words.map((word) => Buffer.from(word, 'latin1')))
    expect(reply.kind).not.toBe('-')
  }
}

/** Starts another server on what one has saved, and stops that one. */
async function follow(
  from: RunningServer,
  start: typeof startRedbun,
  args: readonly string[] = [],
): Promise<RunningServer> {
  const directory = makeDirectory()
  copyFileSync(join(from.directory, 'dump.rdb'), join(directory, 'dump.rdb'))
  await from.stop('SIGKILL')
  const target = await start({ args: ['--dir', directory, ...args] })
  // DEBUG is allowed while data is loaded.
  await target.logged('Ready to accept connections')
  return target
}

const OURS = { name: 'ours', start: startRedbun }
const REAL = { name: 'real Redis', start: startRedis }
const PAIRS = [
  { from: OURS, to: OURS },
  { from: OURS, to: REAL },
  { from: REAL, to: OURS },
].filter(({ from, to }) => redisServerPath !== '' || (from === OURS && to === OURS))

describe('a file', () => {
  test.each(PAIRS.map(({ from, to }) => [from.name, to.name, from, to] as const))(
    'of %s is loaded by %s with nothing lost',
    async (_from, _to, from, to) => {
      const source = await from.start()
      const client = await source.connect()
      await fill(client)
      const digest = await client.text('DEBUG DIGEST')
      expect(await client.text('SAVE')).toBe('OK')
      const target = await follow(source, to.start)
      const other = await target.connect()
      expect(await other.text('DEBUG DIGEST')).toBe(digest)
      expect(await other.text('DEBUG RELOAD')).toBe('OK')
      expect(await other.text('DEBUG DIGEST')).toBe(digest)
      expect(await other.ask('DBSIZE')).toBe(':24')
      expect(await other.ask('PEXPIRETIME timed')).toBe(':4102444800123')
      if (to === OURS) expect(await other.text('DEBUG ARENA-CHECK')).toBe('OK')
      const directory = await other.call('CONFIG GET dir')
      await target.stop()
      rmSync(directory.items?.[1]?.bytes?.toString() ?? '', { recursive: true })
    },
    30_000,
  )

  test('is written in the background while the server works', async () => {
    const source = await startRedbun({ args: ['--rdb-key-save-delay', '200'] })
    const client = await source.connect()
    await client.text('DEBUG POPULATE 2000 key 100')
    const digest = await client.text('DEBUG DIGEST')
    expect(await client.text('BGSAVE')).toBe('Background saving started')
    expect(await client.ask('BGSAVE')).toBe('-ERR Background save already in progress')
    expect(await client.ask('SAVE')).toBe('-ERR Background save already in progress')
    for (let i = 0; i < 2000; i++) client.send(`SET key:${i} changed`)
    for (let i = 0; i < 2000; i++) await client.next()
    const info = await client.text('INFO persistence')
    expect(info).toMatch(/rdb_bgsave_in_progress:1\r/)
    expect(info).toMatch(/current_save_keys_total:2000\r/)
    await source.logged('Background saving terminated with success')
    const after = await client.text('INFO persistence')
    expect(after).toMatch(/rdb_bgsave_in_progress:0\r[\s\S]*rdb_last_bgsave_status:ok\r/)
    expect(after).toMatch(/rdb_changes_since_last_save:2000\r/)
    expect(Number(/rdb_last_cow_size:(\d+)/.exec(after)?.[1])).toBeGreaterThan(100_000)
    const target = await follow(source, startRedbun)
    const other = await target.connect()
    expect(await other.text('DEBUG DIGEST')).toBe(digest)
    const directory = await other.call('CONFIG GET dir')
    await target.stop()
    rmSync(directory.items?.[1]?.bytes?.toString() ?? '', { recursive: true })
  })

  test('is of the version that its values need', async () => {
    const server = await startRedbun()
    const client = await server.connect()
    const path = join(server.directory, 'dump.rdb')
    const version = () => readFileSync(path).toString('latin1', 0, 9)
    await client.text(['HSET', 'small', 'a', '1', 'b', '2'])
    await client.text(['HSET', 'large', ...pairs(900)])
    await client.text('SAVE')
    expect(version()).toBe('REDIS0010')
    for (const key of ['small', 'large']) {
      const ends = ['HPEXPIREAT', key, '4102444800123', 'FIELDS', '1']
      expect(await client.ask([...ends, key === 'small' ? 'a' : 'word 7'])).toBe('*1 :1')
    }
    const digest = await client.text('DEBUG DIGEST')
    expect(await client.text('DEBUG RELOAD')).toBe('OK')
    expect(version()).toBe('REDIS0012')
    expect(await client.text('DEBUG DIGEST')).toBe(digest)
    expect(await client.ask('HPEXPIRETIME small FIELDS 2 a b')).toBe('*2 :4102444800123 :-1')
    expect(await client.ask(['HPEXPIRETIME', 'large', 'FIELDS', '1', 'word 7'])).toBe(
      '*1 :4102444800123',
    )
    expect(await client.text('DEBUG ARENA-CHECK')).toBe('OK')
    await server.stop()
  })

  test('is one cut through what a writer wrote, however fast it writes', async () => {
    const keys = 5000
    const source = await startRedbun({ args: ['--rdb-key-save-delay', '20'] })
    const [client, writer] = [await source.connect(), await source.connect()]
    // Value n goes to key n % keys: of a file, the largest value tells all others.
    let sent = 0
    const write = (count: number) => {
      const lines: string[] = []
      for (let i = 0; i < count; i++) lines.push(`SET k${sent % keys} ${sent++}\r\n`)
      writer.write(lines.join(''))
    }
    write(keys)
    for (let i = 0; i < keys; i++) await writer.next()
    client.send('BGSAVE')
    const rounds = 40
    for (let i = 0; i < rounds; i++) {
      write(2000)
      await writer.flushed()
    }
    expect((await client.next()).kind).toBe('+')
    for (let i = 0; i < rounds * 2000; i++) await writer.next()
    await source.logged('Background saving terminated with success', 20_000)
    const info = await client.text('INFO persistence')
    expect(Number(/rdb_last_cow_size:(\d+)/.exec(info)?.[1])).toBeGreaterThan(1000)
    const target = await follow(source, startRedbun)
    const other = await target.connect()
    const names = Array.from({ length: keys }, (_, i) => `k${i}`)
    const found = (await other.call(['MGET', ...names])).items ?? []
    const values = found.map(({ bytes }) => Number(bytes?.toString()))
    const last = Math.max(...values)
    const expected = names.map((_, i) => last - ((((last - i) % keys) + keys) % keys))
    expect(values).toEqual(expected)
    const directory = await other.call('CONFIG GET dir')
    await target.stop()
    rmSync(directory.items?.[1]?.bytes?.toString() ?? '', { recursive: true })
  }, 60_000)

  test('is written by itself when a save point says so, and at the end', async () => {
    const server = await startRedbun({ args: ['--save', '1 3'] })
    const client = await server.connect()
    for (const key of 'abc') await client.text(`SET ${key} v`)
    await server.logged('3 changes in 1 seconds. Saving...')
    await server.logged('Background saving terminated with success')
    await client.text('SET d v')
    const path = join(server.directory, 'dump.rdb')
    expect(readFileSync(path).includes('\x01d\x01v')).toBe(false)
    const kept = join(server.directory, 'log')
    server.child.kill('SIGTERM')
    expect(await server.child.exited).toBe(0)
    expect(readFileSync(path).includes('\x01d\x01v')).toBe(true)
    expect(readFileSync(kept, 'latin1')).toContain('Saving the final RDB snapshot before exiting.')
    await server.stop()
  })
})

describe('clients', () => {
  test('are told to wait while data is loaded', async () => {
    const source = await startRedbun()
    const client = await source.connect()
    await client.text('DEBUG POPULATE 3000')
    await client.text('SAVE')
    const slow = ['--key-load-delay', '300', '--loading-process-events-interval-bytes', '1024']
    const directory = makeDirectory()
    copyFileSync(join(source.directory, 'dump.rdb'), join(directory, 'dump.rdb'))
    await source.stop('SIGKILL')
    const target = await startRedbun({ args: ['--dir', directory, ...slow] })
    const other = await target.connect()
    expect(await other.ask('GET key:1')).toBe('-LOADING Redis is loading the dataset in memory')
    expect(await other.ask('PING')).toBe('-LOADING Redis is loading the dataset in memory')
    await other.text('MULTI')
    expect(await other.ask('GET key:1')).toBe('-LOADING Redis is loading the dataset in memory')
    expect(await other.ask('EXEC')).toStartWith('-EXECABORT')
    const info = await other.text('INFO persistence')
    expect(info).toMatch(/loading:1\r[\s\S]*loading_total_bytes:\d{5}\r/)
    expect(info).toMatch(/loading_loaded_perc:\d+\.\d\d\r/)
    await target.logged('Ready to accept connections', 10_000)
    expect(target.log).toContain('Done loading RDB, keys loaded: 3000, keys expired: 0.')
    expect(await other.ask('DBSIZE')).toBe(':3000')
    await target.stop()
    rmSync(directory, { recursive: true })
  })

  test('may not write, nor PING, after a save that failed', async () => {
    const server = await startRedbun({ args: ['--save', '100 100000'] })
    const client = await server.connect()
    await client.text('SET a 1')
    await client.text('CONFIG SET dbfilename nowhere.rdb')
    rmSync(server.directory, { recursive: true })
    expect(await client.text('BGSAVE')).toBe('Background saving started')
    for (let i = 0; i < 100; i++) {
      if ((await client.text('INFO persistence')).includes('rdb_last_bgsave_status:err')) break
      await Bun.sleep(20)
    }
    expect(await client.ask('SET a 2')).toStartWith('-MISCONF Redis is configured to save RDB')
    expect(await client.ask('PING')).toStartWith('-MISCONF Redis is configured to save RDB')
    expect(await client.ask('GET a')).toBe('$1')
    expect(await client.ask('SAVE')).toBe('-ERR')
    expect(await client.ask('SHUTDOWN')).toBe('-ERR Errors trying to SHUTDOWN. Check logs.')
    await client.text('CONFIG SET stop-writes-on-bgsave-error no')
    expect(await client.ask('PING')).toBe('+PONG')
    await server.stop('SIGKILL')
  })
})

describe('a file that is not sound ends the start', () => {
  const head = `REDIS0010\xfa\x09redis-ver\x067.0.15`
  const sealed = (body: string) => {
    const bytes = Buffer.from(`${body}\xff`, 'latin1')
    const sum = new Crc64()
    sum.update(bytes, 0, bytes.length)
    const end = Buffer.alloc(8)
    sum.write(end, 0)
    return Buffer.concat([bytes, end])
  }
  const damaged = sealed(`${head}\xfe\x00\x00\x01k\x05value`)
  damaged[damaged.length - 12] ^= 1
  const FILES: readonly (readonly [string, Buffer, ...string[]])[] = [
    ['is empty', Buffer.alloc(0), 'Unexpected EOF reading RDB file', 'rdb file reading failure'],
    ['is no RDB file', Buffer.from('hello, world'), 'Wrong signature trying to load DB from file'],
    ['is too new', Buffer.from('REDIS0099\xff'), "Can't handle RDB format version 99"],
    ['is cut', sealed(head).subarray(0, 20), 'Short read or OOM loading DB', 'Unexpected EOF'],
    ['is damaged', damaged, 'Wrong RDB checksum expected', 'RDB CRC error'],
    ['has an unknown type', sealed(`${head}\x21\x01k\x01v`), 'Unknown RDB encoding type 33'],
    [
      'has a module',
      sealed(`${head}\x07\x01k\x81${'\0'.repeat(8)}`),
      "no matching module type 'AAAAAAAAA'",
    ],
    [
      'has a key twice',
      sealed(`${head}\x00\x01k\x01v\x00\x01k\x01v`),
      "duplicated key 'k' in DB 0",
    ],
    ['has too many databases', sealed(`${head}\xfe\x20`), 'handle more than 16 databases'],
    [
      'has a forged value',
      sealed(`${head}\x10\x01k\x07\x07\0\0\0\x01\0\xff`),
      "Internal error in RDB reading offset 38, key 'k', type 16 -> Hash listpack integrity check failed.",
    ],
  ]

  test.each(FILES)('that %s', async (_, bytes, ...texts) => {
    const directory = makeDirectory()
    writeFileSync(join(directory, 'dump.rdb'), bytes)
    const outcome = await runToEnd('redbun', ['--port', '0', '--dir', directory], { directory })
    expect(outcome.status).toBe(1)
    for (const text of texts) expect(outcome.stdout).toContain(text)
    expect(outcome.stdout).not.toContain('Ready to accept')
    rmSync(directory, { recursive: true })
  })

  test('but an empty collection, or a key whose time is over, is left out', async () => {
    const directory = makeDirectory()
    const body = `${head}\x02\x05empty\x00\xfc${'\x01'.padEnd(8, '\0')}\x00\x03old\x01v\x00\x03key\x01v`
    writeFileSync(join(directory, 'dump.rdb'), sealed(body))
    const server = await startRedbun({ args: ['--dir', directory] })
    await server.logged('Ready to accept connections')
    expect(server.log).toContain('rdbLoadObject skipping empty key: empty')
    expect(server.log).toContain('keys loaded: 1, keys expired: 1, empty keys skipped: 1.')
    const client = await server.connect()
    expect(await client.ask('KEYS *')).toBe('*1 $key')
    await server.stop()
    rmSync(directory, { recursive: true })
  })
})
