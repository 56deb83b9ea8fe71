/**
 * Keys go on time: nobody has to look at them.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: relies on one run where the machine may stall: the best of three counts.
 */
import { describe, expect, test } from 'bun:test'
import { Args } from '../../../src/core/engine/args.ts'
import { TYPE_STRING } from '../../../src/core/keyspace/entry.ts'
import { InProcessServer } from '../../support/in-process.ts'
import { keyspaceFaults } from './faults.ts'

const KEY_COUNT = 200_000
const LATE_MS_MAX = 10
/** Time enough to make the keys in. */
const HEAD_START_MS = 2000
const SPREAD_MS = 1000
const ARENA_SIZE = 64 * 1024 * 1024
const STRING_INT = 0

/** Makes volatile keys `0` to `count - 1`; `deadlineOf` says when each ends. */
function fill(target: InProcessServer, count: number, deadlineOf: (index: number) => number): void {
  const { keyspace, start } = target.server
  const args = new Args(Buffer.alloc(0), new Int32Array(0), start.hashSeed)
  for (let i = 0; i < count; i++) {
    args.set([Buffer.from('SET'), Buffer.from(String(i))])
    const db = keyspace.dbs[i % 16]
    const ref = db.create(args, 1, TYPE_STRING, STRING_INT, 8, deadlineOf(i))
    db.arena.words.fill(0, (ref << 1) + 5, (ref << 1) + 7)
  }
}

/** How late the latest of many keys is deleted, in ms of real time. */
function latestMs(): number {
  const target = new InProcessServer({ arenaSize: ARENA_SIZE })
  const { keyspace, clock, propagation } = target.server
  const startMs = Date.now() + HEAD_START_MS
  const deadlineOf = (index: number) => startMs + ((index * 7919) % SPREAD_MS)
  let latest = 0
  let early = 0
  propagation.attach((_db, [command, key]) => {
    expect(Buffer.from(command).toString()).toBe('DEL')
    const late = Date.now() - deadlineOf(Number(Buffer.from(key).toString()))
    if (late <= 0) early++
    latest = Math.max(latest, late)
  })
  fill(target, KEY_COUNT, deadlineOf)
  expect(keyspace.keyCount()).toBe(KEY_COUNT)
  expect(clock.tick()).toBeLessThan(startMs)
  while (keyspace.keyCount() > 0) target.settle()
  expect(early).toBe(0)
  expect(keyspace.expiredCount).toBe(KEY_COUNT)
  expect(keyspace.nextDeadlineMs).toBe(Number.POSITIVE_INFINITY)
  expect(keyspaceFaults(keyspace)).toEqual([])
  return latest
}

describe('active expiry', () => {
  test('each of 200 000 volatile keys is gone within 10 ms of its deadline, untouched', () => {
    let best = latestMs()
    for (let tries = 1; tries < 3 && best > LATE_MS_MAX; tries++) best = Math.min(best, latestMs())
    expect(best).toBeLessThanOrEqual(LATE_MS_MAX)
  }, 60_000)

  test('a key lives through the millisecond of its deadline and not a moment longer', () => {
    const target = new InProcessServer()
    const { keyspace, clock } = target.server
    clock.tick = () => clock.nowMs
    const deadlineMs = clock.nowMs + 50
    fill(target, 48, () => deadlineMs)
    clock.nowMs = deadlineMs
    target.settle()
    expect(keyspace.keyCount()).toBe(48)
    clock.nowMs++
    target.settle()
    expect(keyspace.keyCount()).toBe(0)
    expect(keyspaceFaults(keyspace)).toEqual([])
  })

  test('more keys than one turn deletes are all gone after as many turns as it takes', () => {
    const target = new InProcessServer({ arenaSize: ARENA_SIZE })
    const { keyspace, clock } = target.server
    clock.tick = () => clock.nowMs
    fill(target, 20_000, (index) => clock.nowMs + 1 + (index % 3))
    clock.nowMs += 5
    let turns = 0
    for (; keyspace.keyCount() > 0 && turns < 1000; turns++) target.settle()
    expect(keyspace.keyCount()).toBe(0)
    expect(keyspaceFaults(keyspace)).toEqual([])
  })

  test('keys stay while expiry is switched off, and go when it is back', () => {
    const target = new InProcessServer()
    const { keyspace, clock } = target.server
    clock.tick = () => clock.nowMs
    fill(target, 100, () => clock.nowMs + 1)
    keyspace.activeExpire = false
    clock.nowMs += 10
    target.settle()
    expect(keyspace.keyCount()).toBe(100)
    keyspace.activeExpire = true
    keyspace.findNextDeadline()
    target.settle()
    expect(keyspace.keyCount()).toBe(0)
  })
})
