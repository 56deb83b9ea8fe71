/**
 * `--check-aof` and `--check-rdb` beside Redis's own tools: the same lines, the same status, the
 * same file left behind, whatever was done to it before.
 *
 * Thread: any.
 * Owns: a directory.
 * Never: starts a server.
 */
import { afterAll, describe, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc64 } from '../../src/lib/crc64.ts'
import { RdbWriter } from '../../src/lib/rdb/writer.ts'
import { checkAofMain } from '../../src/process/check-aof.ts'
import { checkRdbMain } from '../../src/process/check-rdb.ts'
import { argumentsOf, encodeRequest } from '../support/argv.ts'

const directory = mkdtempSync(join(tmpdir(), 'redbun-check-'))
afterAll(() => rmSync(directory, { recursive: true }))

// Elsewhere than on the machines that have Redis's tools, only that nothing throws is tested.
const isLong = process.env['REDBUN_CRASH'] !== undefined
const TOOLS = Bun.which('redis-check-aof') !== null && Bun.which('redis-check-rdb') !== null

const commands = (...lines: string[]) =>
  Buffer.concat(lines.map((line) => encodeRequest(argumentsOf(line))))
const TS = (seconds: number) => Buffer.from(`#TS:${seconds}\r\n`)
const PLAIN = Buffer.concat([
  commands('SELECT 0', 'SET k value'),
  TS(100),
  commands('MULTI', 'SET a "1\\r\\n"', 'EXEC'),
  TS(200),
  commands('SADD s "" b'),
])

/** An RDB file with a string, a number, a packed one, and a deadline. */
function rdb(): Buffer {
  const writer = new RdbWriter()
  const raw = (text: string) => writer.raw(Buffer.from(text, 'latin1'), 0, text.length)
  const string = (text: string) => writer.string(Buffer.from(text), 0, text.length)
  raw('REDIS0010\xfa\x09redis-ver\x067.0.15\xfa\x08aof-base\xc0\x01')
  raw('\xfe\x00\xfb\x03\x01\x00\x01k\x05value\xfc\x00\x10\x00\x00\x00\x00\x00\x00\x00')
  for (const text of ['n', '12345']) string(text)
  raw('\x01\x01l\x02\x01a')
  string('abc'.repeat(50))
  raw('\xff')
  writer.raw(Buffer.alloc(8), 0, 8)
  const bytes = Buffer.from(writer.bytes.subarray(0, writer.length))
  crc64(bytes, 0, bytes.length - 8).write(bytes, bytes.length - 8)
  return bytes
}

interface Outcome {
  readonly status: number
  readonly text: string
}

function ours(main: typeof checkAofMain, words: readonly string[]): Outcome {
  const said: string[] = []
  const status = main(
    words,
    (line) => said.push(`${line}\n`),
    (text) => said.push(text),
  )
  return { status, text: said.join('') }
}

/** What Redis's tool says, without what only its log puts before it. */
function theirs(tool: string, words: readonly string[]): Outcome {
  const { exitCode, stdout } = Bun.spawnSync([tool, ...words], { stdin: Buffer.from('') })
  const text = stdout.toString('latin1').replace(/^\d+:C .*? # /gm, '')
  // Where a line has ended too early, the tool shows what its buffer held before.
  const seen = text.replaceAll(/got: 00..$/gm, 'got: 0000')
  return { status: exitCode, text: seen.replaceAll(/\n+/g, '\n').replace(/^\n/, '') }
}

function compareAof(words: readonly string[], what: string): void {
  const found = ours(checkAofMain, words)
  if (!TOOLS) return
  expect([what, found]).toEqual([what, theirs('redis-check-aof', words)])
}

function place(name: string, bytes: Uint8Array | string): string {
  const path = join(directory, name)
  writeFileSync(path, bytes)
  return path
}

describe('one file', () => {
  test('whole, cut at any byte, is judged alike', () => {
    for (let size = 0; size <= PLAIN.length; size += isLong ? 1 : 3) {
      compareAof([place('cut.aof', PLAIN.subarray(0, size))], `cut at ${size}`)
    }
  })

  test('with a byte changed is judged alike', () => {
    for (let at = 0; at < PLAIN.length; at += 3) {
      for (const flip of [1, 0x80]) {
        const damaged = Buffer.from(PLAIN)
        damaged[at] ^= flip
        compareAof([place('damaged.aof', damaged)], `byte ${at} xor ${flip}`)
      }
    }
  })

  test('behind an RDB file is judged alike', () => {
    const file = Buffer.concat([rdb(), PLAIN])
    compareAof([place('both.aof', file)], 'whole')
    compareAof([place('both.aof', file.subarray(0, file.length - 5))], 'tail cut')
    for (const at of [8, 20, 40, rdb().length - 2]) {
      const damaged = Buffer.from(file)
      damaged[at] ^= 1
      const words = [place('both.aof', damaged)]
      const { status, text } = ours(checkAofMain, words)
      expect([at, status]).toEqual([at, 1])
      expect(text).toContain('RDB ERROR DETECTED')
    }
  })

  test('is cut to a time', () => {
    for (const time of ['50', '100', '150', '200', '900', 'x']) {
      const words = ['--truncate-to-timestamp', time, place('timed.aof', PLAIN)]
      const found = ours(checkAofMain, words)
      const left = readFileSync(words[2]).length
      if (!TOOLS) continue
      place('timed.aof', PLAIN)
      expect([time, found]).toEqual([time, theirs('redis-check-aof', words)])
      expect([time, left]).toEqual([time, readFileSync(words[2]).length])
    }
  })

  test('is asked for in one of three ways', () => {
    for (const words of [['nofile'], ['--fix', 'nofile'], ['--truncate-to-timestamp', '1', 'x']]) {
      compareAof(words, words.join(' '))
    }
    for (const words of [[], ['a', 'b'], ['--fix'], ['a', 'b', 'c'], ['a', 'b', 'c', 'd']]) {
      expect(ours(checkAofMain, words).status).toBe(1)
    }
  })
})

describe('a process', () => {
  const main = join(import.meta.dir, '../../src/main.ts')

  test('cuts the file when told so', () => {
    const path = place('fix.aof', PLAIN.subarray(0, PLAIN.length - 3))
    const run = (answer: string) =>
      Bun.spawnSync(['bun', main, '--check-aof', '--fix', path], { stdin: Buffer.from(answer) })
    const no = run('n\n')
    expect([no.exitCode, no.stdout.toString()]).toEqual([
      1,
      expect.stringMatching(/Continue\? \[y\/N\]: Aborting\.\.\.\n$/),
    ])
    const yes = run('y\n')
    expect([yes.exitCode, yes.stdout.toString()]).toEqual([
      0,
      expect.stringMatching(/Continue\? \[y\/N\]: Successfully truncated AOF .*fix\.aof\n$/),
    ])
    expect(readFileSync(path).length).toBe(PLAIN.indexOf('#TS:200') + '#TS:200\r\n'.length)
  })
})

describe('many parts', () => {
  const parts = join(directory, 'parts')
  mkdirSync(parts)
  const put = (name: string, bytes: Uint8Array | string) => place(`parts/${name}`, bytes)

  test('are checked in order, and only the last may end early', () => {
    const manifest = put(
      'appendonly.aof.manifest',
      'file a.1.base.rdb seq 1 type b\nfile "a 1.aof" seq 1 type i\nfile a.2.aof seq 2 type i\n',
    )
    put('a.1.base.rdb', rdb())
    const cut = PLAIN.subarray(0, PLAIN.length - 3)
    for (const [first, second] of [
      [PLAIN, PLAIN],
      [PLAIN, cut],
      [cut, PLAIN],
      [PLAIN, Buffer.alloc(0)],
    ]) {
      put('a 1.aof', first)
      put('a.2.aof', second)
      compareAof([manifest], `${first.length} and ${second.length}`)
      compareAof(['--truncate-to-timestamp', '100', manifest], 'to a time')
    }
    put('a.1.base.rdb', PLAIN)
    compareAof([manifest], 'a base of commands')
    put('a.1.base.rdb', cut)
    compareAof(['--fix', manifest], 'a base that is cut')
  })

  test('with a manifest that is wrong are not', () => {
    for (const text of [
      'file a seq 1 type x\n',
      'file a seq 1 type b',
      '#\nfile\n',
      'file a/b seq 1 type i\n',
    ]) {
      compareAof([put('wrong.manifest', text)], text)
    }
  })
})

test('an RDB file cut anywhere, or with a byte changed, is not in order', () => {
  const file = rdb()
  const path = place('dump.rdb', file)
  const check = () => ours((words, say) => checkRdbMain(words, say), [path])
  const found = check()
  expect(found.status).toBe(0)
  if (TOOLS) expect(found).toEqual(theirs('redis-check-rdb', [path]))
  for (let size = 0; size < file.length; size++) {
    place('dump.rdb', file.subarray(0, size))
    expect([size, check().status]).toEqual([size, 1])
  }
  // Not in the version: old ones had no checksum.
  for (let bit = 72; bit < file.length * 8; bit += 5) {
    const damaged = Buffer.from(file)
    damaged[bit >> 3] ^= 1 << (bit & 7)
    place('dump.rdb', damaged)
    expect([bit, check().status]).toEqual([bit, 1])
  }
})
