/**
 * The append-only file of a running server: which files there are after what was asked for, what is in
 * them, what INFO tells, and what happens while the disk fails.
 *
 * Thread: any.
 * Owns: directories.
 * Never: starts a thread.
 */
import { afterAll, afterEach, describe, expect, test } from 'bun:test'
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { armFaults } from '../../../../src/disk/faults.ts'
import { AOF_COMMAND, AofCommandReader } from '../../../../src/lib/aof/command-reader.ts'
import { argumentsOf, encodeRequest } from '../../../support/argv.ts'
import { InProcessServer, loggedLines } from '../../../support/in-process.ts'
import { notation } from '../../../support/reply.ts'
import { makeDirectory } from '../../../support/server.ts'

const directories: string[] = []
afterEach(() => armFaults(''))
afterAll(() => {
  for (const directory of directories) rmSync(directory, { recursive: true, force: true })
})

class Target {
  readonly directory: string
  readonly server: InProcessServer
  readonly #client

  constructor(settings: Readonly<Record<string, string>> = {}, directory = makeDirectory()) {
    directories.push(directory)
    this.directory = directory
    this.server = new InProcessServer({
      settings: { dir: directory, 'auto-aof-rewrite-percentage': '0', ...settings },
    })
    this.#client = this.server.connect()
  }

  ask(line: string): string {
    this.#client.write(encodeRequest(argumentsOf(line)))
    return notation(this.#client.next(0))
  }

  get parts(): string {
    return join(this.directory, 'appendonlydir')
  }

  /** The manifest's lines, without what is the same in all. */
  get manifest(): string[] {
    const text = readFileSync(join(this.parts, 'appendonly.aof.manifest'), 'latin1')
    return text
      .trim()
      .split('\n')
      .map((line) => line.replace(/^file appendonly\.aof\.(\S+) seq \d+ type (\w)$/, '$2 $1'))
  }

  get files(): string[] {
    return readdirSync(this.parts).sort()
  }

  /** Commands in a file, in one line each. */
  commands(name: string): string[] {
    const reader = new AofCommandReader()
    const bytes = readFileSync(join(this.parts, `appendonly.aof.${name}`))
    reader.feed(bytes, 0, bytes.length)
    const found: string[] = []
    while (reader.next() === AOF_COMMAND) {
      const words = Array.from({ length: reader.argc }, (_, i) =>
        reader.bytes.latin1Slice(reader.offsets[2 * i], reader.offsets[2 * i + 1]),
      )
      found.push(words.join(' '))
    }
    expect(reader.end()).toBe(AOF_COMMAND)
    return found
  }

  info(field: string): string {
    const text = this.ask('INFO persistence').replaceAll('\\r\\n', '\n')
    return new RegExp(`^${field}:(.*)$`, 'm').exec(text)?.[1] ?? ''
  }

  log(): string[] {
    return loggedLines(this.server)
  }
}

describe('the files', () => {
  test('of a start are a base and an increment', () => {
    const target = new Target({ appendonly: 'yes' })
    expect(target.manifest).toEqual(['b 1.base.rdb', 'i 1.incr.aof'])
    target.ask('SET k v')
    target.ask('SELECT 3')
    target.ask('RPUSH l a b')
    target.ask('LPOP l 5')
    target.ask('FLUSHDB')
    target.ask('FLUSHALL')
    target.ask('FLUSHALL')
    expect(target.commands('1.incr.aof')).toEqual([
      'SELECT 0',
      'SET k v',
      'SELECT 3',
      'RPUSH l a b',
      'LPOP l 5',
      'FLUSHDB',
      'FLUSHALL',
      'FLUSHALL',
    ])
    expect(target.info('aof_enabled')).toBe('1')
  })

  test('are made by a rewrite also while nothing is appended', () => {
    const target = new Target()
    target.ask('SET k 1')
    target.ask('BGREWRITEAOF')
    expect(target.manifest).toEqual(['b 1.base.rdb'])
    expect(target.info('aof_last_bgrewrite_status')).toBe('ok')
    target.ask('SET k 2')
    expect(target.ask('DEBUG LOADAOF')).toBe('+OK')
    expect(target.ask('GET k')).toBe('$1')
  })

  test('follow each other through rewrites, off and on again', () => {
    const target = new Target()
    expect(existsSync(target.parts)).toBe(false)
    expect(target.info('aof_enabled')).toBe('0')
    target.ask('SET k 1')
    expect(target.ask('CONFIG SET appendonly yes')).toBe('+OK')
    expect(target.manifest).toEqual(['b 1.base.rdb', 'i 1.incr.aof'])
    target.ask('SET k 2')
    const started = '+Background append only file rewriting started'
    expect(target.ask('BGREWRITEAOF')).toBe(started)
    expect(target.manifest).toEqual(['b 2.base.rdb', 'i 2.incr.aof'])
    expect(target.files.length).toBe(3)
    target.ask('CONFIG SET aof-disable-auto-gc yes')
    target.ask('BGREWRITEAOF')
    target.ask('CONFIG SET aof-use-rdb-preamble no')
    target.ask('BGREWRITEAOF')
    expect(target.manifest).toEqual([
      'b 4.base.aof',
      'h 3.incr.aof',
      'h 3.base.rdb',
      'h 2.incr.aof',
      'h 2.base.rdb',
      'i 4.incr.aof',
    ])
    expect(target.commands('4.base.aof')).toEqual(['SELECT 0', 'SET k 2'])
    target.ask('CONFIG SET aof-disable-auto-gc no')
    expect(target.manifest).toEqual(['b 4.base.aof', 'i 4.incr.aof'])
    expect(target.files.length).toBe(3)
    expect(target.ask('CONFIG SET appendonly no')).toBe('+OK')
    target.ask('SET k 3')
    expect(target.ask('BGREWRITEAOF')).toBe(started)
    expect(target.manifest).toEqual(['b 5.base.aof'])
    expect(target.ask('CONFIG SET appendonly yes')).toBe('+OK')
    expect(target.manifest).toEqual(['b 6.base.aof', 'i 1.incr.aof'])
    target.ask('INCR k')
    expect(target.ask('DEBUG LOADAOF')).toBe('+OK')
    expect(target.ask('GET k')).toBe('$4')
    expect(target.info('rdb_changes_since_last_save')).toBe('0')
    expect(target.info('aof_rewrites')).toBe('6')
  })

  test('are told of in a transaction, but begun after it', () => {
    const target = new Target({ appendonly: 'yes' })
    target.ask('MULTI')
    target.ask('BGREWRITEAOF')
    expect(target.ask('EXEC')).toBe('*1 +"Background append only file rewriting scheduled"')
    expect(target.info('aof_rewrite_scheduled')).toBe('1')
    target.server.advance(200)
    expect(target.manifest).toEqual(['b 2.base.rdb', 'i 2.incr.aof'])
  })

  test('are written anew when they have grown', () => {
    const target = new Target({
      appendonly: 'yes',
      'auto-aof-rewrite-percentage': '100',
      'auto-aof-rewrite-min-size': '1kb',
    })
    for (let i = 0; i < 50; i++) target.ask('SET k value')
    target.server.advance(200)
    expect(target.log().join('\n')).toMatch(/Starting automatic rewriting of AOF on \d+% growth/)
    // On a slow machine it was due before, too.
    expect(target.manifest.join()).toMatch(/^b [23]\.base\.rdb,i [23]\.incr\.aof$/)
    expect(Number(target.info('aof_base_size'))).toBeLessThan(1000)
  })

  test('are among the events of LATENCY when they are slow', () => {
    const target = new Target({ appendonly: 'yes', 'latency-monitor-threshold': '5' })
    target.ask('DEBUG AOF-FLUSH-SLEEP 20000')
    target.ask('SET k v')
    target.ask('PING')
    expect(target.ask('LATENCY LATEST')).toMatch(/aof-write .*aof-write-alone/)
    target.ask('DEBUG AOF-FLUSH-SLEEP 0')
  })

  test('tell the time, if that is wanted', () => {
    const target = new Target({ appendonly: 'yes', 'aof-timestamp-enabled': 'yes' })
    target.ask('SET k v')
    target.server.advance(5000)
    target.ask('SET k v')
    target.ask('SET k v')
    const text = readFileSync(join(target.parts, 'appendonly.aof.1.incr.aof'), 'latin1')
    expect(text.match(/#TS:\d{10}\r\n/g)?.length).toBe(2)
    expect(target.commands('1.incr.aof').length).toBe(4)
  })
})

describe('a start', () => {
  test('finds what was there, transactions too, and what is over is gone', () => {
    const first = new Target({ appendonly: 'yes', 'aof-use-rdb-preamble': 'no' })
    first.ask('SET gone 1 PX 50')
    for (const line of ['MULTI', 'SET a:long:key 1', 'HSET h f v', 'EXEC']) first.ask(line)
    first.ask(
      'FUNCTION LOAD "#!lua name=lib\\nredis.register_function(\'f\', function() return 1 end)"',
    )
    const digest = first.ask('DEBUG DIGEST-VALUE a:long:key h')
    const next = new Target({ appendonly: 'yes' }, first.directory)
    next.server.advance(1000)
    expect(next.ask('DEBUG DIGEST-VALUE a:long:key h')).toBe(digest)
    expect(next.ask('GET a:long:key')).toBe('$1')
    expect(next.ask('DBSIZE')).toBe(':2')
    expect(next.ask('FCALL f 0')).toBe(':1')
    expect(next.ask('INFO commandstats')).not.toContain('cmdstat_hset')
    expect(next.log().join('\n')).toContain('DB loaded from append only file: ')
  })
})

test('a start deletes what a rewrite has left', () => {
  const first = new Target({ appendonly: 'yes' })
  armFaults('aof-remove:1+:EIO,manifest-open:3:EIO')
  first.ask('BGREWRITEAOF')
  armFaults('')
  expect(first.manifest).toEqual(['b 2.base.rdb', 'h 1.incr.aof', 'h 1.base.rdb', 'i 2.incr.aof'])
  const next = new Target({ appendonly: 'yes' }, first.directory)
  expect(next.manifest).toEqual(['b 2.base.rdb', 'i 2.incr.aof'])
  expect(next.files.length).toBe(3)
})

describe('while the disk fails', () => {
  test('writes and PING are refused, reads are not, until it works again', async () => {
    const target = new Target({ appendonly: 'yes' })
    target.ask('SET k 1')
    armFaults('aof-write:1+:EIO')
    target.ask('SET k 2')
    const refusal = '-MISCONF Errors writing to the AOF file: No space left on device'
    expect(target.ask('SET k 3')).toBe(refusal)
    expect(target.ask('PING')).toBe(refusal)
    expect(target.ask('GET k')).toBe('$2')
    expect(target.info('aof_last_write_status')).toBe('err')
    armFaults('')
    for (let i = 0; i < 100 && target.ask('PING') !== '+PONG'; i++) await Bun.sleep(10)
    expect(target.ask('SET k 4')).toBe('+OK')
    expect(target.commands('1.incr.aof').slice(1)).toEqual(['SET k 1', 'SET k 2', 'SET k 4'])
    expect(target.info('aof_last_write_status')).toBe('ok')
  })

  test('with always the server ends, and the write is never answered', () => {
    const target = new Target({ appendonly: 'yes', appendfsync: 'always' })
    expect(target.ask('SET k 1')).toBe('+OK')
    armFaults('aof-sync:1:EIO')
    expect(() => target.ask('SET k 2')).toThrow('no reply')
    expect(target.server.messages.at(-1)).toEqual({
      type: 'fatal',
      text: "Can't persist AOF for fsync error when the AOF fsync policy is 'always': Input/output error. Exiting...",
    })
  })

  test('a rewrite that cannot begin is refused; one that fails leaves the files in force', () => {
    const target = new Target({ appendonly: 'yes' })
    armFaults('manifest-write:1:ENOSPC')
    expect(target.ask('BGREWRITEAOF')).toStartWith("-ERR Can't execute an AOF background rewriting")
    armFaults('rdb-write:1:ENOSPC')
    expect(target.ask('BGREWRITEAOF')).toStartWith('+Background')
    expect(target.info('aof_last_bgrewrite_status')).toBe('err')
    expect(target.info('aof_rewrites_consecutive_failures')).toBe('1')
    expect(target.manifest[0]).toBe('b 1.base.rdb')
    target.ask('SET k v')
    expect(target.ask('DEBUG LOADAOF')).toBe('+OK')
    expect(target.ask('GET k')).toBe('$v')
    expect(target.ask('BGREWRITEAOF')).toStartWith('+Background')
    expect(target.info('aof_rewrites_consecutive_failures')).toBe('0')
    expect(target.manifest.length).toBe(2)
  })

  test('appendonly cannot be turned on, or comes to be on later', () => {
    const target = new Target()
    target.ask('SET k v')
    armFaults('aof-open:1:EIO')
    expect(target.ask('CONFIG SET appendonly yes')).toBe(
      "-ERR CONFIG SET failed (possibly related to argument 'appendonly') - Unable to turn on AOF. Check server logs.",
    )
    expect(target.ask('CONFIG GET appendonly')).toBe('*2 $appendonly $no')
    armFaults('rdb-sync:1:EIO')
    expect(target.ask('CONFIG SET appendonly yes')).toBe('+OK')
    expect(existsSync(join(target.parts, 'appendonly.aof.manifest'))).toBe(false)
    expect(target.log()).toContain(
      'Removing the temp incr aof file temp-appendonly.aof.incr in the background',
    )
    target.ask('SET k w')
    target.server.advance(200)
    expect(target.manifest).toEqual(['b 1.base.rdb', 'i 1.incr.aof'])
    expect(target.ask('DEBUG LOADAOF')).toBe('+OK')
    expect(target.ask('GET k')).toBe('$w')
  })

  test('rewrites that fail again and again wait longer and longer', () => {
    const target = new Target({
      appendonly: 'yes',
      'auto-aof-rewrite-percentage': '1',
      'auto-aof-rewrite-min-size': '1',
    })
    armFaults('rdb-open:1+:EIO')
    for (let i = 0; i < 3; i++) target.ask('BGREWRITEAOF')
    target.ask('SET k v')
    target.server.advance(200)
    const said = target.log().filter((line) => line.includes('triggered the limit'))
    expect(said).toEqual([
      'Background AOF rewrite has repeatedly failed and triggered the limit, will retry in 1 minutes',
    ])
    target.server.advance(61_000)
    target.server.advance(200)
    expect(target.log().join('\n')).toContain('will retry in 2 minutes')
  })
})
