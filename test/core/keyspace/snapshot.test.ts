/**
 * A snapshot holds the data of one moment, whatever happens while it is taken: random commands of all
 * kinds run between its steps, and what it gives is loaded and compared with what there was.
 *
 * Thread: any.
 * Owns: a directory for files.
 * Never: lets the clock take part: each step is taken by the test.
 */
import { afterAll, describe, expect, test } from 'bun:test'
import { rmSync } from 'node:fs'
import { CommandTable } from '../../../src/core/command/table.ts'
import { commandGroups } from '../../../src/core/commands.ts'
import { Dice } from '../../conformance/dice.ts'
import { Generator } from '../../conformance/generator.ts'
import { encodeRequest } from '../../support/argv.ts'
import { type InProcessClient, InProcessServer } from '../../support/in-process.ts'
import { notation } from '../../support/reply.ts'
import { makeDirectory } from '../../support/server.ts'

const SEEDS = [1, 2, 3, 4].map((seed) => seed + Number(process.env['REDBUN_SEED'] ?? 0))
const { entries } = new CommandTable(commandGroups)
const directory = makeDirectory()

afterAll(() => rmSync(directory, { recursive: true }))

function start(settings: Record<string, string> = {}): InProcessServer {
  // The loop takes no step of its own.
  const mine = {
    dir: directory,
    dbfilename: 'dump.rdb',
    'rdb-key-save-delay': '1000000000',
    'key-load-delay': '0',
  }
  return new InProcessServer({ settings: { ...mine, ...settings } })
}

function ask(client: InProcessClient, ...words: string[]): string {
  client.write(encodeRequest(words.map((word) => Buffer.from(word, 'latin1'))))
  return notation(client.next(1000))
}

/** What the file holds, and whether every block of it is where it should be. */
function loaded(): { readonly digest: string; readonly check: string } {
  const client = start().connect()
  expect(ask(client, 'DEBUG', 'RELOAD', 'NOSAVE')).toBe('+OK')
  return { digest: ask(client, 'DEBUG', 'DIGEST'), check: ask(client, 'DEBUG', 'ARENA-CHECK') }
}

/** Takes a step of the snapshot. False when it is over. */
function step({ server }: InProcessServer, count: number): boolean {
  let left = count
  server.keyspace.snapshot?.walk(() => left-- > 0)
  return server.keyspace.snapshot !== undefined
}

describe('a snapshot', () => {
  test.each(SEEDS.map((seed) => [seed]))('holds one moment (seed %i)', (seed) => {
    const dice = new Dice(seed)
    const generator = new Generator(dice, entries, true)
    const target = start({ 'hash-max-listpack-entries': '8', 'list-max-listpack-size': '4' })
    const client = target.connect()
    const disturb = () => {
      const roll = dice.below(100)
      if (roll < 2) return ask(client, 'SWAPDB', String(dice.below(3)), String(dice.below(3)))
      if (roll < 10) return ask(client, 'SELECT', String(dice.below(3)))
      if (roll < 40) return ask(client, 'SET', `more${dice.below(300)}`, String(dice.below(1000)))
      if (roll < 43) return ask(client, 'DEL', `more${dice.below(300)}`)
      const words = generator.next()
      const name = words[0].toUpperCase()
      if (name === 'FLUSHALL' || (name === 'FLUSHDB' && dice.chance(80))) return ''
      return ask(client, ...words)
    }
    for (let round = 0; round < 4; round++) {
      for (let i = 0; i < 300; i++) disturb()
      const digest = ask(client, 'DEBUG', 'DIGEST')
      expect(ask(client, 'BGSAVE')).toBe('+Background saving started')
      for (let i = 0; i < 400 && step(target, dice.below(4)); i++) disturb()
      while (step(target, 1000));
      target.settle()
      expect(target.server.saves.isInBackground).toBe(false)
      expect(target.server.saves.isLastGood).toBe(true)
      expect(ask(client, 'DEBUG', 'ARENA-CHECK')).toBe('+OK')
      expect(loaded()).toEqual({ digest, check: '+OK' })
    }
  })

  test('gives each entry once, and counts what it gave early', () => {
    const target = start()
    const client = target.connect()
    ask(client, 'DEBUG', 'POPULATE', '1000')
    ask(client, 'BGSAVE')
    const snapshot = target.server.keyspace.snapshot
    step(target, 100)
    for (let i = 0; i < 1000; i += 2) ask(client, 'SET', `key:${i}`, 'other')
    for (let i = 0; i < 500; i++) ask(client, 'SET', `fresh:${i}`, 'new')
    while (step(target, 7));
    expect(snapshot?.givenCount).toBe(1000)
    expect(snapshot?.earlyCount).toBeGreaterThan(300)
    expect(snapshot?.earlyCount).toBeLessThanOrEqual(500)
    expect(snapshot?.earlyBytes).toBeGreaterThan(300 * 24)
  })

  test('sees no key that expires, or a field that ends, too late', () => {
    const target = start()
    const client = target.connect()
    for (let i = 0; i < 200; i++) ask(client, 'SET', `k${i}`, 'v', 'PX', '50000')
    ask(client, 'HSET', 'h', 'a', '1', 'b', '2')
    ask(client, 'HPEXPIRE', 'h', '50000', 'FIELDS', '1', 'a')
    ask(client, 'BGSAVE')
    target.advance(60_000)
    expect(ask(client, 'DBSIZE')).toBe(':1')
    const { snapshot } = target.server.keyspace
    while (step(target, 1000));
    expect(snapshot?.givenCount).toBe(201)
  })

  test('that is given up leaves nothing that disturbs the next ones', () => {
    const target = start()
    const client = target.connect()
    ask(client, 'DEBUG', 'POPULATE', '200')
    for (let i = 0; i < 7; i++) {
      ask(client, 'BGSAVE')
      step(target, 40)
      ask(client, 'SET', `key:${i}`, 'changed')
      if (i === 6) break
      if (i !== 3) target.server.saves.abandon()
      else while (step(target, 1000));
      target.settle()
    }
    const { snapshot } = target.server.keyspace
    while (step(target, 1000));
    expect(snapshot?.givenCount).toBe(200)
  })

  test('holds what a file that is loaded meanwhile takes the place of', () => {
    const target = start({ dbfilename: 'merged.rdb' })
    const client = target.connect()
    for (let i = 0; i < 50; i++) ask(client, 'SET', `k${i}`, 'old')
    ask(client, 'CONFIG', 'SET', 'rdb-key-save-delay', '0')
    ask(client, 'SAVE')
    ask(client, 'CONFIG', 'SET', 'rdb-key-save-delay', '1000000000')
    for (let i = 0; i < 50; i++) ask(client, 'SET', `k${i}`, 'new')
    const digest = ask(client, 'DEBUG', 'DIGEST')
    target.server.settings.set([['dbfilename', 'dump.rdb']], { protectedAllowed: true })
    ask(client, 'BGSAVE')
    target.server.settings.set([['dbfilename', 'merged.rdb']], { protectedAllowed: true })
    expect(ask(client, 'DEBUG', 'RELOAD', 'NOSAVE', 'NOFLUSH', 'MERGE')).toBe('+OK')
    expect(ask(client, 'GET', 'k7')).toBe('$old')
    while (step(target, 1000));
    target.settle()
    expect(loaded().digest).toBe(digest)
  })

  test('goes on over databases that are emptied, whose memory is free after it', () => {
    const target = start()
    const client = target.connect()
    const { keyspace } = target.server
    ask(client, 'DEBUG', 'POPULATE', '1000')
    ask(client, 'SELECT', '1')
    for (let i = 0; i < 20; i++) ask(client, 'SADD', 'set', ...Array.from({ length: 50 }, String))
    const digest = ask(client, 'DEBUG', 'DIGEST')
    const usedBytes = keyspace.usedBytes()
    ask(client, 'BGSAVE')
    step(target, 40)
    for (const db of ['0', '1']) {
      ask(client, 'SELECT', db)
      const { givenCount } = keyspace.snapshot ?? {}
      expect(ask(client, 'FLUSHDB')).toBe('+OK')
      expect(keyspace.snapshot?.givenCount).toBe(givenCount)
      ask(client, 'SET', 'key:1', 'anew')
    }
    expect(keyspace.lazyFree.pendingCount).toBe(1001)
    expect(ask(client, 'DEBUG', 'ARENA-CHECK')).toBe('+OK')
    expect(keyspace.usedBytes()).toBeGreaterThan(usedBytes - 50_000)
    while (step(target, 100)) expect(ask(client, 'DEBUG', 'ARENA-CHECK')).toBe('+OK')
    target.settle()
    expect(loaded()).toEqual({ digest, check: '+OK' })
    for (let i = 0; i < 50; i++) ask(client, 'PING')
    expect(keyspace.lazyFree.pendingCount).toBe(0)
    expect(ask(client, 'DEBUG', 'ARENA-CHECK')).toBe('+OK')
    ask(client, 'FLUSHALL')
    expect(keyspace.usedBytes()).toBe(0)
  })

  test('is hurried when memory is wanted that a flushed database still holds', () => {
    const target = start({ 'maxmemory-eviction-tenacity': '100' })
    const client = target.connect()
    const { keyspace } = target.server
    ask(client, 'SELECT', '1')
    ask(client, 'DEBUG', 'POPULATE', '1000')
    ask(client, 'SELECT', '0')
    ask(client, 'SET', 'stays', 'v')
    const digest = ask(client, 'DEBUG', 'DIGEST')
    ask(client, 'BGSAVE')
    step(target, 10)
    ask(client, 'SELECT', '1')
    ask(client, 'FLUSHDB')
    expect(keyspace.snapshot).toBeDefined()
    ask(client, 'CONFIG', 'SET', 'maxmemory', String(target.server.eviction.usedBytes() - 10_000))
    expect(ask(client, 'SET', 'another', 'v')).toBe('+OK')
    expect(keyspace.snapshot).toBeUndefined()
    expect(keyspace.keyCount()).toBe(2)
    target.settle()
    expect(ask(client, 'DEBUG', 'ARENA-CHECK')).toBe('+OK')
    expect(loaded().digest).toBe(digest)
  })

  test('is over when everything is flushed, and another can begin', () => {
    const target = start()
    const client = target.connect()
    ask(client, 'DEBUG', 'POPULATE', '200')
    ask(client, 'BGSAVE')
    step(target, 40)
    ask(client, 'FLUSHALL')
    expect(target.server.keyspace.snapshot).toBeUndefined()
    expect(ask(client, 'BGSAVE')).toBe('+Background saving started')
  })
})
