/**
 * Attacks FUNCTION LOAD, FUNCTION RESTORE and FCALL: with libraries put together by chance, libraries
 * that work, changed, and dumps that were changed and sealed with a right checksum. What a server dumps
 * it restores; a snapshot brings all libraries back.
 *
 * Thread: any.
 * Owns: the libraries that work.
 * Never: leaves a library to the next round.
 */
import { CommandTable } from '../../src/core/command/table.ts'
import { commandGroups } from '../../src/core/commands.ts'
import { OPCODE_FUNCTION } from '../../src/lib/rdb/format.ts'
import type { Dice } from '../conformance/dice.ts'
import { Generator } from '../conformance/generator.ts'
import type { CommandText } from '../support/argv.ts'
import { forged, payload, plain, sealed } from '../support/payload.ts'
import { notation } from '../support/reply.ts'
import { EndlessServer } from './endless.ts'
import { expression, quoted, snippet, statement } from './lua-code.ts'
import { mutated } from './mutate.ts'
import { attackOn, type Target } from './target.ts'

const CALLS_COUNT = 40
const FUNCTIONS_MAX = 4
const LIBRARIES_MAX = 3
const FOOTER_SIZE = 10
const NAMES = 'f g h F f_1 nosuch'
const LIBRARIES = 'one two One'
const FLAGS =
  'no-writes allow-oom allow-stale no-cluster allow-cross-slot-keys raw-arguments No-Writes'
/** What FUNCTION LOAD and FUNCTION RESTORE may say. */
const REPLIES = /^(\+OK|\$\w+|-"?(ERR|OOM) )/

const { entries } = new CommandTable(commandGroups)

/** Libraries that work: each is a start for changes. */
const SOUND: readonly string[] = [
  "#!lua name=one\nredis.register_function('f', function(keys, args) return {keys, args} end)",
  "#!lua name=two\nlocal n = 0\nredis.register_function('g', function() n = n + 1 return n end)",
  "#!lua name=one\nredis.register_function{function_name='f', callback=function(k) return redis.call('get', k[1]) end, flags={'no-writes'}, description='reads'}",
  "#!lua name=one\nlocal function h(k, a) return redis.call('set', k[1], a[1]) end\nredis.register_function('h', h)\nredis.register_function('f', h)",
  "#!lua name=two\nredis.register_function('g', function() while true do end end)",
  "#!lua name=two\nredis.register_function('g', function() while true do pcall(redis.call, 'incr', 's') end end)",
  "#!lua name=one\nwhile true do end\nredis.register_function('f', function() end)",
  "#!lua name=one\nlocal t = {} for i = 1, 300 do t[i] = ('x'):rep(i) end\nredis.register_function('f', function() return t end)",
  "#!lua name=one\nredis.log(redis.LOG_NOTICE, 'loaded') for i = 1, 40 do redis.register_function('f' .. i, function() return i end) end",
  "#!lua name=one\nlocal function deep(n) return n == 0 and 0 or 1 + deep(n - 1) end\nredis.register_function('f', function() return deep(150) end)",
  '#!lua name=one\nlocal function deep() return 1 + deep() end\ndeep()',
  "#!lua name=one\nlocal s = 'x' for i = 1, 40 do s = s .. s end",
  "#!lua name=one\nredis.register_function('f', function() error({err = 'MINE of my own'}) end)",
  "#!lua name=one\nlocal f = redis.register_function\nf('f', function() f('g', function() end) end)",
]

export const functions: Target = {
  name: 'functions',
  summary: 'random and changed libraries and dumps of them through FUNCTION, then FCALL',
  async begin() {
    const server = await EndlessServer.start()
    const libraries = new Libraries(server)
    return attackOn(server, (dice) => libraries.round(dice))
  },
}

class Libraries {
  readonly #server: EndlessServer

  constructor(server: EndlessServer) {
    this.#server = server
  }

  async round(dice: Dice): Promise<void> {
    const generator = new Generator(dice, entries)
    await this.#ask(['FUNCTION', 'FLUSH'])
    for (let i = 0; i < CALLS_COUNT; i++) await this.#call(dice, generator)
    await this.#expectRestored()
    await this.#server.expectHealth()
  }

  async #call(dice: Dice, generator: Generator): Promise<void> {
    switch (dice.below(8)) {
      case 0:
      case 1: {
        const code = dice.chance(50) ? library(dice, generator) : changedLibrary(dice)
        const option = dice.chance(60) ? ['REPLACE'] : []
        return await this.#expect(['FUNCTION', 'LOAD', ...option, code])
      }
      case 2: {
        const bytes = changedDump(dice, generator)
        const policy = dice.chance(70) ? [dice.word('FLUSH APPEND REPLACE replace x')] : []
        return await this.#expect(['FUNCTION', 'RESTORE', bytes, ...policy])
      }
      case 3: {
        const line = dice.pick(['DELETE one', 'DELETE two', 'LIST', 'LIST WITHCODE', 'STATS'])
        await this.#ask(['FUNCTION', ...line.split(' ')])
        return
      }
      default: {
        const name = dice.pick(['FCALL', 'FCALL', 'FCALL_RO'])
        const keyCount = dice.word('2 2 2 0 1 5 -1 x')
        await this.#ask([name, dice.word(NAMES), keyCount, 'k', 's', 'a', '\xff\0'])
      }
    }
  }

  /** A dump of all libraries puts them back, and so does a snapshot. */
  async #expectRestored(): Promise<void> {
    const before = await this.#listed()
    const dumped = (await this.#server.ask('FUNCTION DUMP'))?.bytes ?? Buffer.alloc(0)
    const restored = await this.#ask(['FUNCTION', 'RESTORE', dumped, 'FLUSH'])
    if (restored !== '+OK') throw new Error(`its own dump ${dumped.toString('hex')}: ${restored}`)
    const reloaded = await this.#ask('DEBUG RELOAD')
    if (reloaded !== '+OK') throw new Error(`a reload with ${before}: ${reloaded}`)
    const after = await this.#listed()
    if (after !== before) throw new Error(`before a reload: ${before}, after it: ${after}`)
  }

  /** All libraries with their code. */
  async #listed(): Promise<string> {
    const { items } = (await this.#server.ask('FUNCTION LIST WITHCODE')) ?? {}
    return JSON.stringify((items ?? []).map(notation).sort())
  }

  async #expect(command: readonly (string | Buffer)[]): Promise<void> {
    const reply = await this.#ask(command)
    if (reply !== '' && !REPLIES.test(reply)) throw new Error(`${shown(command)} says ${reply}`)
  }

  /** Empty when the server had to be ended. */
  async #ask(command: CommandText): Promise<string> {
    try {
      const reply = await this.#server.ask(command)
      return reply === undefined ? '' : notation(reply)
    } catch (error) {
      throw new Error(`${shown(command)}: ${(error as Error).message}`)
    }
  }
}

function shown(command: CommandText): string {
  if (typeof command === 'string') return command
  return JSON.stringify(command.map((part) => Buffer.from(part as string).toString('latin1')))
}

function changedLibrary(dice: Dice): Buffer {
  const sound = Buffer.from(dice.pick(SOUND), 'latin1')
  return dice.chance(30) ? sound : mutated(sound, dice)
}

function library(dice: Dice, generator: Generator): Buffer {
  const lines = [dice.chance(95) ? `#!lua name=${dice.word(LIBRARIES)}` : firstLine(dice)]
  for (let count = 1 + dice.below(FUNCTIONS_MAX); count > 0; count--) {
    lines.push(dice.chance(10) ? statement(dice, generator) : registration(dice, generator))
  }
  return Buffer.from(lines.join('\n'), 'latin1')
}

function firstLine(dice: Dice): string {
  const words = Array.from({ length: dice.below(4) }, () => {
    return dice.pick(['name=one', 'NAME=two', 'name=', 'name="one"', 'name=a-b', 'flags=x', "'"])
  })
  return [dice.pick(['#!lua', '#!', '#!LUA', '#!js', '# lua']), ...words].join(' ')
}

function registration(dice: Dice, generator: Generator): string {
  const body = snippet(dice, generator).toString('latin1')
  const callback = `function(KEYS, ARGV) ${body} end`
  const name = dice.chance(90) ? quoted(dice.word(NAMES)) : expression(dice, 0)
  if (dice.chance(50)) return `redis.register_function(${name}, ${callback})`
  const fields = [`function_name = ${name}`, `callback = ${callback}`]
  if (dice.chance(30)) fields.push(`description = ${expression(dice, 0)}`)
  if (dice.chance(60)) fields.push(`flags = {${flags(dice)}}`)
  if (dice.chance(5)) fields.push(`[${expression(dice, 0)}] = ${expression(dice, 0)}`)
  if (dice.chance(5)) fields.push(`CALLBACK = ${callback}`)
  if (dice.chance(5)) fields.splice(dice.below(fields.length), 1)
  return `redis.register_function{${fields.join(', ')}}`
}

function flags(dice: Dice): string {
  return Array.from({ length: dice.below(3) }, () => {
    return dice.chance(95) ? quoted(dice.word(FLAGS)) : expression(dice, 0)
  }).join(', ')
}

/** Libraries as FUNCTION DUMP gives them, some of them packed; then changed. */
function changedDump(dice: Dice, generator: Generator): Buffer {
  const bytes = payload(OPCODE_FUNCTION, (writer) => {
    for (let count = dice.below(LIBRARIES_MAX); ; count--) {
      const code = dice.chance(50) ? library(dice, generator) : Buffer.from(dice.pick(SOUND))
      writer.compress = dice.chance(50)
      if (writer.compress) writer.string(code, 0, code.length)
      else plain(writer, code)
      if (count === 0) return
      writer.byte(OPCODE_FUNCTION)
    }
  })
  if (dice.chance(30)) return bytes
  if (dice.chance(50)) return forged(bytes, () => dice.next())
  const body = mutated(bytes.subarray(0, -FOOTER_SIZE), dice)
  return sealed(Buffer.concat([body, bytes.subarray(-FOOTER_SIZE)]))
}
