/**
 * Chance as Redis gives it to scripts: the 48-bit linear congruential generator of drand48, begun
 * with the same seed at every start of the server.
 *
 * Thread: core.
 * Owns: its state, in two halves of 24 bits.
 * Never: asks the machine for chance.
 *
 * @see https://pubs.opengroup.org/onlinepubs/9699919799/functions/drand48.html
 */

import type { LuaMachine } from './lua/machine.ts'
import type { Library } from './lua/sandbox.ts'

const HALF = 2 ** 24
/** 0x5DEECE66D. */
const FACTOR_HIGH = 0x5de
const FACTOR_LOW = 0xece66d
const ADDEND = 0xb
/** The lowest 16 bits of a seeded state. */
const SEED_LOW = 0x330e
const INT32_MAX = 0x7fffffff

export class Prng {
  #high = 0
  #low = 0

  constructor() {
    this.seed(0)
  }

  /** `seed`: 32 bits of it count. */
  seed(seed: number): void {
    const bits = seed >>> 0
    this.#high = bits >>> 8
    this.#low = (bits & 0xff) * 0x10000 + SEED_LOW
  }

  /** 31 bits. */
  next(): number {
    const low = this.#low * FACTOR_LOW + ADDEND
    const carry = Math.floor(low / HALF)
    const high = this.#high * FACTOR_LOW + this.#low * FACTOR_HIGH + carry
    this.#low = low % HALF
    this.#high = high % HALF
    return this.#high * 128 + (this.#low >>> 17)
  }
}

/** math.random and math.randomseed, in place of Lua's own. */
export function randomLibrary(machine: LuaMachine, prng: Prng): Library {
  const { api } = machine
  return {
    name: 'math',
    functions: {
      random: (state) => {
        const part = (prng.next() % INT32_MAX) / INT32_MAX
        const count = api.lua_gettop(state)
        if (count === 0) {
          api.lua_pushnumber(state, part)
        } else if (count === 1) {
          const upper = api.luaL_checkinteger(state, 1)
          if (upper < 1) machine.badArgument(state, 1, 'interval is empty')
          api.lua_pushnumber(state, Math.floor(part * upper) + 1)
        } else if (count === 2) {
          const lower = api.luaL_checkinteger(state, 1)
          const upper = api.luaL_checkinteger(state, 2)
          if (lower > upper) machine.badArgument(state, 2, 'interval is empty')
          api.lua_pushnumber(state, Math.floor(part * (upper - lower + 1)) + lower)
        } else {
          machine.raise(state, 'wrong number of arguments')
        }
        return 1
      },
      randomseed: (state) => {
        prng.seed(api.luaL_checkinteger(state, 1))
        return 0
      },
    },
  }
}
