/**
 * The library `bit`: operations on 32-bit integers, as the BitOp extension for Lua defines them.
 *
 * Thread: core.
 * Owns: nothing.
 * Never: gives anything but a signed 32-bit integer or text.
 *
 * @see https://bitop.luajit.org/api.html
 */
import type { LuaMachine } from '../lua/machine.ts'
import type { Library } from '../lua/sandbox.ts'

/** Added to a double, it leaves the number's low bits in those of the mantissa, rounded. */
const ALIGNMENT = 2 ** 52 + 2 ** 51
const HEX_DIGITS_MAX = 8

const double = new Float64Array(1)
const halves = new Int32Array(double.buffer)

function toBits(value: number): number {
  double[0] = value + ALIGNMENT
  return halves[0]
}

export function bitLibrary(machine: LuaMachine): Library {
  const { api } = machine
  const bits = (state: number, index: number) => toBits(api.luaL_checknumber(state, index))
  const push = (state: number, value: number) => {
    api.lua_pushnumber(state, value | 0)
    return 1
  }
  const folded = (fold: (a: number, b: number) => number) => (state: number) => {
    let value = bits(state, 1)
    for (let i = api.lua_gettop(state); i > 1; i--) value = fold(value, bits(state, i))
    return push(state, value)
  }
  const shifted = (shift: (a: number, count: number) => number) => (state: number) =>
    push(state, shift(bits(state, 1), bits(state, 2) & 31))
  return {
    name: 'bit',
    functions: {
      tobit: (state) => push(state, bits(state, 1)),
      bnot: (state) => push(state, ~bits(state, 1)),
      band: folded((a, b) => a & b),
      bor: folded((a, b) => a | b),
      bxor: folded((a, b) => a ^ b),
      lshift: shifted((a, count) => a << count),
      rshift: shifted((a, count) => a >>> count),
      arshift: shifted((a, count) => a >> count),
      rol: shifted((a, count) => (a << count) | (a >>> ((32 - count) & 31))),
      ror: shifted((a, count) => (a >>> count) | (a << ((32 - count) & 31))),
      bswap: (state) => {
        const a = bits(state, 1)
        return push(state, (a >>> 24) | ((a >>> 8) & 0xff00) | ((a << 8) & 0xff0000) | (a << 24))
      },
      tohex: (state) => {
        const value = bits(state, 1) >>> 0
        const wanted = api.lua_gettop(state) < 2 ? HEX_DIGITS_MAX : bits(state, 2)
        const count = Math.min(Math.abs(wanted), HEX_DIGITS_MAX)
        const digits = value.toString(16).padStart(HEX_DIGITS_MAX, '0')
        const text = count === 0 ? '' : digits.slice(-count)
        machine.pushText(state, wanted < 0 ? text.toUpperCase() : text)
        return 1
      },
    },
  }
}
