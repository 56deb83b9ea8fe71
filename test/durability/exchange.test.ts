/**
 * Append-only files from one server to the other: what Redbun has written real Redis loads, and the
 * other way round, with the same data afterwards.
 *
 * Thread: any.
 * Owns: directories.
 * Never: lets two servers write the same files.
 */
import { afterAll, describe, expect, test } from 'bun:test'
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CommandTable } from '../../src/core/command/table.ts'
import { commandGroups } from '../../src/core/commands.ts'
import { Dice } from '../conformance/dice.ts'
import { Generator } from '../conformance/generator.ts'
import { encodeRequest } from '../support/argv.ts'
import type { Client } from '../support/client.ts'
import {
  makeDirectory,
  type RunningServer,
  redisServerPath,
  startRedbun,
  startRedis,
} from '../support/server.ts'

type Starter = typeof startRedbun

const isLong = process.env['REDBUN_CRASH'] !== undefined

const directories: string[] = []
afterAll(() => {
  for (const directory of directories) rmSync(directory, { recursive: true, force: true })
})

function freshDirectory(): string {
  const directory = makeDirectory()
  directories.push(directory)
  return directory
}

function startIn(start: Starter, directory: string, ...args: string[]): Promise<RunningServer> {
  return start({ args: ['--dir', directory, '--appendonly', 'yes', ...args] })
}

/** Random commands of every kind, also by chance and with times that end soon. */
async function fill(client: Client, seed: number, count: number): Promise<void> {
  const dice = new Dice(seed)
  const generator = new Generator(dice, new CommandTable(commandGroups).entries)
  const batch: Buffer[] = []
  let isOpen = false
  for (let i = 0; i < count; i++) {
    let argv = dice.chance(85) ? generator.next() : special(dice)
    if (dice.chance(10)) {
      argv = [isOpen ? 'EXEC' : 'MULTI']
      isOpen = !isOpen
    }
    batch.push(encodeRequest(argv.map((word) => Buffer.from(word, 'latin1'))))
  }
  client.write(Buffer.concat(batch))
  for (let i = 0; i < count; i++) await client.next()
  await client.call(['DISCARD'])
}

function special(dice: Dice): readonly string[] {
  const key = (letter: string) => `${letter}${dice.below(4)}`
  return dice.pick([
    ['SADD', key('e'), `m${dice.below(40)}`, `n${dice.below(40)}`],
    ['SPOP', key('e'), '2'],
    ['XADD', key('x'), '*', 'field', `${dice.below(100)}`],
    ['SET', key('s'), 'value', 'PX', `${1 + dice.below(30)}`],
    ['PEXPIRE', key('z'), `${1 + dice.below(30)}`],
    ['SELECT', `${dice.below(3)}`],
    ['RPUSH', 'long', ...Array.from({ length: 200 }, (_, i) => `element ${i}`)],
    ['HSET', 'wide', ...Array.from({ length: 300 }, (_, i) => `${i}`)],
    ['ZADD', 'high', ...Array.from({ length: 200 }, (_, i) => `${i / 7}`)],
    ['SETRANGE', 'large', '70000', 'end'],
  ])
}

/** The digest when everything that is over is gone. */
async function digest(client: Client): Promise<string> {
  await Bun.sleep(40)
  for (const db of [2, 1, 0]) {
    await client.call(['SELECT', db])
    await client.call(['SCAN', '0', 'COUNT', '100000'])
  }
  return await client.ask('DEBUG DIGEST')
}

async function rewrite(client: Client): Promise<void> {
  expect(await client.ask('BGREWRITEAOF')).toBe('+Background append only file rewriting started')
  for (let i = 0; i < 500; i++) {
    const info = await client.text('INFO persistence')
    if (info.includes('aof_rewrite_in_progress:0')) {
      expect(info).toContain('aof_last_bgrewrite_status:ok')
      return
    }
    await Bun.sleep(10)
  }
  throw new Error('the rewrite does not end')
}

/** Fills a server, ends it, and lets another load what it has left. */
async function exchange(
  from: Starter,
  to: Starter,
  seed: number,
  ...args: string[]
): Promise<RunningServer> {
  const directory = freshDirectory()
  const first = await startIn(from, directory, ...args)
  const client = await first.connect()
  await fill(client, seed, 500)
  if (seed % 2 === 0) await rewrite(client)
  await fill(client, seed + 1000, 500)
  const before = await digest(client)
  expect(await first.stop()).toBe(0)
  const second = await startIn(to, directory, ...args)
  const reader = await second.connect()
  await loaded(reader)
  expect([seed, await digest(reader)]).toEqual([seed, before])
  return second
}

async function loaded(client: Client): Promise<void> {
  for (let i = 0; i < 500; i++) {
    if ((await client.text('INFO persistence')).includes('loading:0')) return
    await Bun.sleep(10)
  }
}

const WAYS: readonly string[][] = [
  ['--aof-use-rdb-preamble', 'yes'],
  ['--aof-use-rdb-preamble', 'no', '--aof-timestamp-enabled', 'yes'],
]

describe('what was written', () => {
  for (const way of WAYS) {
    for (const seed of isLong ? [1, 2, 3, 4, 5, 6] : [2]) {
      const name = `${way.join(' ')}, seed ${seed}`
      if (isLong || redisServerPath === '') {
        test(`is loaded again: ${name}`, async () => {
          await (await exchange(startRedbun, startRedbun, seed, ...way)).stop()
        })
      }
      if (redisServerPath === '') continue
      test(`by Redbun, is loaded by Redis: ${name}`, async () => {
        await (await exchange(startRedbun, startRedis, seed, ...way)).stop()
      })
      test(`by Redis, is loaded by Redbun: ${name}`, async () => {
        await (await exchange(startRedis, startRedbun, seed, ...way)).stop()
      })
    }
  }
})

describe('a single file of the time before manifests', () => {
  for (const preamble of isLong ? ['yes', 'no'] : ['no']) {
    test(`becomes the base (aof-use-rdb-preamble ${preamble})`, async () => {
      const directory = freshDirectory()
      const way = ['--aof-use-rdb-preamble', preamble]
      const first = await startIn(startRedbun, directory, ...way)
      const client = await first.connect()
      await fill(client, 7, 500)
      await rewrite(client)
      await fill(client, 8, 300)
      const before = await digest(client)
      await first.stop()
      const parts = join(directory, 'appendonlydir')
      const files = readdirSync(parts).filter((name) => !name.endsWith('manifest'))
      const bytes = files.sort().map((name) => readFileSync(join(parts, name)))
      renameSync(parts, join(directory, 'parts'))
      writeFileSync(join(directory, 'appendonly.aof'), Buffer.concat(bytes))

      const second = await startIn(startRedbun, directory, ...way)
      const reader = await second.connect()
      await loaded(reader)
      expect(await digest(reader)).toBe(before)
      await second.logged('Successfully migrated an old-style AOF file (appendonly.aof)')
      expect(readdirSync(parts).sort()).toEqual([
        'appendonly.aof',
        'appendonly.aof.1.incr.aof',
        'appendonly.aof.manifest',
      ])
      await second.stop()
    })
  }
})
