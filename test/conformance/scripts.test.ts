/**
 * Random values and texts through cjson, cmsgpack, struct and bit, in our Lua and in Redis's: the
 * same bytes, or the same errors.
 *
 * Thread: any.
 * Owns: what the scripts are made of.
 * Never: depends on the order in which a table gives its fields.
 */
import { describe, expect, test } from 'bun:test'
import { seededRandom } from '../memory/seeded-random.ts'
import type { Client } from '../support/client.ts'
import { notation } from '../support/reply.ts'
import { redisServerPath, startRedbun, startRedis } from '../support/server.ts'

const SCRIPT_COUNT = 1500
const BATCH_COUNT = 50
const DEPTH_MAX = 3

const NUMBERS = [
  ...['0', '1', '-1', '31', '127', '128', '255', '256', '-32', '-33', '-128', '-129', '65535'],
  ...['65536', '-32769', '2147483647', '2147483648', '-2147483649', '4294967296', '0.1', '1.5'],
  ...['-2.75', '3.14159265358979', '1e100', '1e-7', '0.00001234', '12345678901234.5', '1/3'],
  ...['2^53', '2^63', '2^64', '-2^63', '-0.0', '1e14', '1e15', '99999999999999', '5e-324'],
]
const STRINGS = [
  ...["''", "'a'", "'\\0\\1\\255'", "string.rep('x',31)", "string.rep('x',32)", "'\\127\\31'"],
  ...["string.rep('y',256)", "'\"/\\b\\f\\n\\r\\t'", "'10'"],
]
const JSON_WORDS = [
  ...['0', '-1', '1.5', '1e3', '-0', '0x10', '1.', '.5', '+1', 'nan', '-Infinity', '01', '1e400'],
  ...['-', '1e', '123456789012345678901', '0x', '0x1p3', '1_0', '""', '"a"', '"\\\\n\\\\u0041"'],
  ...['"\\\\ud83d\\\\ude00"', '"\\\\ud83d"', '"\\\\x"', '"open', '"\\\\u12"', 'true', 'false'],
  ...['null', 'nul', 'True'],
]
const FORMATS = [
  ...['b', 'B', 'h', 'H', 'l', 'L', 'T', 'i', 'I', 'i2', 'i3', 'I5', 'i8', 'I16', 'f', 'd', 's'],
  ...['c0', 'c3', 'x', '>', '<', '!', '!4', '!3', ' ', 'z', 'i33', 'bc0'],
]

class ScriptMaker {
  readonly #random: () => number

  constructor(seed: number) {
    this.#random = seededRandom(seed, 'scripts')
  }

  make(): string {
    const makers = [
      () => `return cjson.encode(${this.#value(0)})`,
      () =>
        `local ok, v = pcall(cjson.decode, '${this.#json(0)}') if not ok then return v end return {type(v), cjson.encode({v})}`,
      () => `return cmsgpack.pack(${this.#value(0)}, ${this.#value(0)})`,
      () =>
        `return cjson.encode({cmsgpack.unpack(cmsgpack.pack(${this.#value(0)}, ${this.#value(0)}))})`,
      () =>
        `local ok, v = pcall(cmsgpack.unpack, "${this.#bytes()}") return {tostring(ok), type(v)}`,
      () => `return struct.pack('${this.#format()}', ${this.#list(4, NUMBERS, STRINGS)})`,
      () => `return struct.size('${this.#format()}')`,
      () =>
        `local t = {struct.unpack('${this.#format()}', string.rep('\\3\\0\\129ab\\255', 10))} for i = 1, #t do t[i] = tostring(t[i]) end return t`,
      () =>
        `return bit.${this.#pick(['band', 'bor', 'bxor', 'lshift', 'rshift', 'arshift', 'rol', 'ror'])}(${this.#list(2, NUMBERS)})`,
      () => `return bit.tohex(${this.#list(2, NUMBERS)})`,
    ]
    return this.#pick(makers)()
  }

  #pick<T>(choices: readonly T[]): T {
    return choices[Math.floor(this.#random() * choices.length)]
  }

  #list(count: number, ...choices: readonly (readonly string[])[]): string {
    return Array.from({ length: count }, () => this.#pick(this.#pick(choices))).join(', ')
  }

  /** A table has one named field at most. */
  #value(depth: number): string {
    const kind = this.#random()
    if (kind < 0.35 || depth > DEPTH_MAX) return this.#pick(NUMBERS)
    if (kind < 0.6) return this.#pick(STRINGS)
    if (kind < 0.68) return this.#pick(['true', 'false', 'cjson.null'])
    if (kind < 0.85) {
      const count = Math.floor(this.#random() * 5)
      return `{${Array.from({ length: count }, () => this.#value(depth + 1)).join(', ')}}`
    }
    const key = this.#pick(['a', 'b', '[1]', '[2]', '[12]', '[1.5]', '[0]'])
    return `{${key} = ${this.#value(depth + 1)}}`
  }

  #json(depth: number): string {
    const kind = this.#random()
    if (kind < 0.5 || depth > DEPTH_MAX) return this.#pick(JSON_WORDS)
    const count = Math.floor(this.#random() * 4)
    if (kind < 0.75) {
      const items = Array.from({ length: count }, () => this.#json(depth + 1))
      return `[${items.join(this.#pick([',', ',', ' , ', ';']))}${this.#pick([']', ']', ']', '}', ''])}`
    }
    const key = this.#pick(['"k"', '"k"', 'k', '1'])
    return `{${key}${this.#pick([':', ':', '='])}${this.#json(depth + 1)}${this.#pick(['}', '}', ']', ''])}`
  }

  #bytes(): string {
    const count = 1 + Math.floor(this.#random() * 6)
    return Array.from({ length: count }, () => `\\${Math.floor(this.#random() * 256)}`).join('')
  }

  #format(): string {
    const count = 1 + Math.floor(this.#random() * 3)
    return Array.from({ length: count }, () => this.#pick(FORMATS)).join('')
  }
}

async function answers(client: Client, scripts: readonly string[]): Promise<string[]> {
  for (const script of scripts) client.send(['EVAL', script, '0'])
  const replies: string[] = []
  for (const _ of scripts) replies.push(notation(await client.next()))
  return replies
}

describe.if(redisServerPath !== '')(
  'beside redis-server (left out when it is not installed)',
  () => {
    test('libraries of scripts give the same bytes and errors', async () => {
      const servers = [await startRedbun(), await startRedis()]
      const [ours, theirs] = [await servers[0].connect(), await servers[1].connect()]
      const maker = new ScriptMaker(1)
      for (let done = 0; done < SCRIPT_COUNT; done += BATCH_COUNT) {
        const scripts = Array.from({ length: BATCH_COUNT }, () => maker.make())
        const [own, real] = [await answers(ours, scripts), await answers(theirs, scripts)]
        scripts.forEach((script, i) => {
          expect([script, own[i]]).toEqual([script, real[i]])
        })
      }
      for (const server of servers) await server.stop()
    }, 60_000)
  },
)
