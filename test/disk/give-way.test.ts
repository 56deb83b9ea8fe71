/**
 * When a thread sleeps for others: as long as it has worked, and only where somebody took an offer lately.
 *
 * Thread: any.
 * Owns: a clock.
 * Never: sleeps.
 */
import { expect, test } from 'bun:test'
import { GiveWay, type Processor } from '../../src/disk/give-way.ts'

const MEMORY = 16

/** A machine on which an offer takes as long as is said. */
class Machine implements Processor {
  nowMs = 1000
  offerMs = 0
  readonly naps: number[] = []
  readonly way = new GiveWay(this)

  now(): number {
    return this.nowMs
  }

  offer(): void {
    this.nowMs += this.offerMs
  }

  sleep(durationMs: number): void {
    this.nowMs += durationMs
    this.naps.push(durationMs)
  }

  work(durationMs: number): void {
    this.way.begin()
    this.nowMs += durationMs
    this.way.end()
  }
}

test('nobody takes the offers: no nap', () => {
  const machine = new Machine()
  machine.offerMs = 0.01
  for (let i = 0; i < 100; i++) machine.work(0.25)
  expect(machine.naps).toEqual([])
})

test('an offer that was taken counts for the work that follows, then it is forgotten', () => {
  const machine = new Machine()
  machine.offerMs = 0.5
  machine.work(0.25)
  machine.offerMs = 0.01
  for (let i = 0; i < 100; i++) machine.work(0.25)
  expect(machine.naps).toEqual(new Array(MEMORY).fill(0.25))
})

test('a nap is as long as the work, without the time between, and never long', () => {
  const machine = new Machine()
  machine.offerMs = 0.5
  machine.nowMs += 50
  machine.work(0.125)
  machine.work(30)
  expect(machine.naps).toEqual([0.125, 1])
})
