/**
 * What a target of the fuzzer is, and its rounds: each has a seed of its own, so that what it finds
 * can be had again by target and seed alone.
 *
 * Thread: any.
 * Owns: the order of seeds.
 * Never: goes on with servers that have failed.
 */
import { Dice } from '../conformance/dice.ts'

export interface Target {
  readonly name: string
  /** One line for the help. */
  readonly summary: string
  /** Starts what the rounds share. */
  begin(): Promise<Attack>
}

export interface Attack {
  /** Throws: an Error that says what the server did wrong. */
  round(dice: Dice): Promise<void>
  end(): Promise<void>
}

interface Stoppable {
  stop(signal: 'SIGKILL'): Promise<unknown>
}

/** Rounds against one server, which ends with them. */
export function attackOn(server: Stoppable, round: Attack['round']): Attack {
  return {
    round,
    async end() {
      await server.stop('SIGKILL')
    },
  }
}

export interface RoundsOptions {
  readonly seed: number
  readonly milliseconds: number
  /** Goes on after a failure, with fresh servers. */
  readonly keepGoing: boolean
  readonly say: (line: string) => void
}

export interface RoundsOutcome {
  readonly rounds: number
  readonly failures: readonly string[]
}

/** At least one round, however little time there is. */
export async function attack(target: Target, options: RoundsOptions): Promise<RoundsOutcome> {
  const failures: string[] = []
  const deadline = performance.now() + options.milliseconds
  let attacker = await target.begin()
  let rounds = 0
  try {
    for (let { seed } = options; rounds === 0 || performance.now() < deadline; seed++) {
      rounds++
      try {
        await attacker.round(new Dice(seed))
      } catch (error) {
        const text = `--target ${target.name} --seed ${seed}: ${(error as Error).message}`
        failures.push(text)
        options.say(text)
        if (!options.keepGoing) break
        await attacker.end()
        attacker = await target.begin()
      }
    }
  } finally {
    await attacker.end()
  }
  return { rounds, failures }
}
