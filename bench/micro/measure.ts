/**
 * What the benches of one part share: verified once, then timed by mitata; in smoke mode only verified.
 *
 * Thread: any.
 * Owns: the smoke mode.
 * Never: times what was not verified.
 */
import { bench, do_not_optimize, run } from 'mitata'

/** BENCH_SMOKE=1: little input, no output, no timing. */
export const IS_SMOKE = process.env['BENCH_SMOKE'] === '1'

const SMOKE_TURNS = 50

/** Throws: an Error when `actual` is not what it has to be. */
export function verify(text: string, actual: number, expected: number): void {
  if (actual !== expected) throw new Error(`wrong result: ${text} is ${actual}, not ${expected}`)
}

/** `once` gives a checksum, which has to be `expected` whenever it is called. */
export function measure(name: string, expected: number, once: () => number): void {
  for (let turn = 0; turn < SMOKE_TURNS; turn++) verify(name, once(), expected)
  if (!IS_SMOKE) bench(name, () => do_not_optimize(once()))
}

/** Times everything that was registered. */
export async function finish(): Promise<void> {
  if (!IS_SMOKE) await run()
}

export function say(text: string): void {
  if (!IS_SMOKE) console.log(text)
}

/** One request in RESP. */
export function request(...words: readonly string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`
}
