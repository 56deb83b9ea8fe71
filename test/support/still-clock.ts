/**
 * A clock that a test sets by hand.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: lets time pass by itself.
 */
import type { Clock } from '../../src/core/engine/clock.ts'

/** From now on the clock shows what is written to its `nowMs`, and goes on by nothing else. */
export function holdStill(clock: Clock): Clock {
  clock.tick = () => clock.nowMs
  clock.begin = () => clock.startLap()
  clock.goOn = () => undefined
  return clock
}
