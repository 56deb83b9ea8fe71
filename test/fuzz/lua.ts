/**
 * Attacks EVAL: with snippets put together by chance, and scripts that work, changed. What runs for too
 * long is ended with SCRIPT KILL, or with SHUTDOWN where it has written.
 *
 * Thread: any.
 * Owns: one server, a new one after each that had to be ended.
 * Never: lets a script ask for gigabytes: Redis would give them.
 */
import { CommandTable } from '../../src/core/command/table.ts'
import { commandGroups } from '../../src/core/commands.ts'
import type { Dice } from '../conformance/dice.ts'
import { Generator } from '../conformance/generator.ts'
import { Client } from '../support/client.ts'
import { notation } from '../support/reply.ts'
import { type RunningServer, startRedbun } from '../support/server.ts'
import { BOUNDED, expectHealth, SERVED_WITHIN_MS, said } from './health.ts'
import { mutated, NUMBERS } from './mutate.ts'
import type { Attack, Target } from './target.ts'

const SCRIPTS_COUNT = 40
const STATEMENTS_MAX = 6
const DEPTH_MAX = 3
const BUSY_MS = 50
const POLL_MS = 20
const ARGS = [...BOUNDED, '--busy-reply-threshold', String(BUSY_MS)]

const { entries } = new CommandTable(commandGroups)

/** Scripts that work: each is a start for changes. */
const SOUND: readonly string[] = [
  "local t = redis.call('time') redis.call('set', KEYS[1], t[1]) return redis.call('get', KEYS[1])",
  "local ok, err = pcall(redis.call, 'lpush', 's', 'x') return {ok, tostring(err)}",
  "local t = {} for i = 1, 100 do t[i] = i .. '' end table.sort(t) return table.concat(t, ',', 1, 9)",
  "return cjson.encode({a = 1, b = {1, 2, {c = cjson.null}}, d = 'x\\0y'})",
  'return cjson.decode(\'{"a":[1,2.5,true,null,{"b":"\\\\u00e9"}]}\').a',
  "return cmsgpack.pack({1, 2, {a = 'b'}, 3.5, 2 ^ 53, false})",
  "return {cmsgpack.unpack('\\147\\001\\002\\163abc\\203\\161a\\001')}",
  'return {bit.band(255, 15), bit.tohex(65535, -4), bit.bswap(1), bit.rol(1, 33)}',
  "return struct.pack('>I2hbs', 1, -2, 3, 'text')",
  "return {struct.unpack('>I2hb', '\\0\\1\\255\\254\\3')}",
  "return string.format('%5.2f %d %q %s %x', 3.14159, 42, 'a\\nb', 'str', 255)",
  "return {string.find('hello world', '(o)%s(w)'), string.gsub('abc', '%w', '%0%0', 2)}",
  "return {string.match('key = value', '^(%w+)%s*=%s*(%w+)$'), ('x'):rep(#KEYS), #('a'):byte(1, -1)}",
  'redis.setresp(3) return {double = 3.5, map = {a = 1}}',
  "redis.setresp(3) return redis.call('hgetall', 'h')",
  "return redis.error_reply('MY error') or redis.status_reply('fine')",
  "local f = loadstring('return 1 + 1') return f and f()",
  'local c = coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i) end end) return {c(), c()}',
  'return setmetatable({1, 2}, {__index = function(t, k) return k end})[5]',
  "#!lua flags=no-writes\nreturn redis.call('get', 's')",
  "redis.log(redis.LOG_WARNING, 'said') redis.breakpoint() return redis.sha1hex('x')",
  'local function f(n) if n == 0 then return 0 end return 1 + f(n - 1) end return f(150)',
  "return redis.acl_check_cmd('set', 'k', 'v') and redis.REDIS_VERSION",
  'while true do end',
  'local function f() return f() end return f()',
  'local function f() return 1 + f() end return f()',
  "return select('#', unpack({}, 1, 7000))",
]

export const lua: Target = {
  name: 'lua',
  summary: 'random and changed scripts through EVAL, those that do not end killed',
  async begin() {
    return new Scripts(await startRedbun({ args: ARGS }))
  },
}

class Scripts implements Attack {
  #server: RunningServer

  constructor(server: RunningServer) {
    this.#server = server
  }

  async round(dice: Dice): Promise<void> {
    const generator = new Generator(dice, entries)
    for (let i = 0; i < SCRIPTS_COUNT; i++) {
      const script = dice.chance(50) ? snippet(dice, generator) : changed(dice)
      try {
        await this.#run(script, dice)
      } catch (error) {
        const text = JSON.stringify(script.toString('latin1'))
        throw new Error(`EVAL ${text}: ${(error as Error).message}`)
      }
    }
    await expectHealth(this.#server)
  }

  async end(): Promise<void> {
    await this.#server.stop('SIGKILL')
  }

  async #run(script: Buffer, dice: Dice): Promise<void> {
    const client = await Client.connect(this.#server.address)
    const name = dice.pick(['EVAL', 'EVAL', 'EVAL_RO'])
    client.send([name, script, '2', 'k', 's', 'a', '12', '\xff\0'])
    const state = { isDone: false }
    const reply = client.next(SERVED_WITHIN_MS).then(
      () => true,
      () => false,
    )
    void reply.then(() => {
      state.isDone = true
    })
    await Promise.race([reply, Bun.sleep(2 * BUSY_MS)])
    while (!state.isDone && this.#server.isRunning) await this.#kill(reply)
    client.terminate()
    if (!(await reply)) await expectHealth(this.#server)
  }

  /** Ends what runs, and the server with it where nothing else can. */
  async #kill(reply: Promise<boolean>): Promise<void> {
    const killer = await Client.connect(this.#server.address)
    const said = notation(await killer.call('SCRIPT KILL', SERVED_WITHIN_MS))
    if (said.startsWith('-UNKILLABLE')) {
      killer.send('SHUTDOWN NOSAVE')
      await this.#restart()
    }
    killer.terminate()
    await Promise.race([reply, Bun.sleep(POLL_MS)])
  }

  async #restart(): Promise<void> {
    const { child } = this.#server
    const status = await Promise.race([child.exited, Bun.sleep(SERVED_WITHIN_MS)])
    const text = said(this.#server)
    await this.#server.stop('SIGKILL')
    this.#server = await startRedbun({ args: ARGS })
    if (status !== 0) throw new Error(`SHUTDOWN NOSAVE ends it with ${status}:\n${text}`)
  }
}

function changed(dice: Dice): Buffer {
  const sound = Buffer.from(dice.pick(SOUND), 'latin1')
  return dice.chance(10) ? sound : mutated(sound, dice)
}

function snippet(dice: Dice, generator: Generator): Buffer {
  const statements: string[] = []
  for (let count = 1 + dice.below(STATEMENTS_MAX); count > 0; count--) {
    statements.push(statement(dice, generator))
  }
  return Buffer.from(
    `local a, b, c\n${statements.join('\n')}\nreturn ${expression(dice, 0)}`,
    'latin1',
  )
}

function statement(dice: Dice, generator: Generator): string {
  const value = () => expression(dice, 0)
  switch (dice.below(9)) {
    case 0:
      return `${dice.word('a b c KEYS ARGV _G.x redis.x string.x')} = ${value()}`
    case 1:
      return `for i = 1, ${dice.below(50)} do ${dice.word('a b c')} = ${value()} end`
    case 2:
      return `if ${value()} then ${statement(dice, generator)} else b = ${value()} end`
    case 3:
      return `pcall(function() ${statement(dice, generator)} end)`
    case 4:
      return `a = {redis.${dice.word('call pcall')}(${value()}, ${value()}, ${value()})}`
    default: {
      const words = generator.next().map(quoted)
      return `${dice.word('a b c')} = redis.${dice.word('call pcall')}(${words.join(', ')})`
    }
  }
}

function quoted(word: string): string {
  const text = word.replaceAll(/[^\x20-\x7e]|["\\]/g, (character) => {
    return `\\${String(character.charCodeAt(0) & 255).padStart(3, '0')}`
  })
  return `"${text}"`
}

/**
 * Without string.rep, which gives gigabytes when asked for them, and table.insert, which moves two
 * thousand million elements at position -2^31, in Redis too: neither can be ended.
 */
const FUNCTIONS: readonly string[] = [
  ...[
    'tostring',
    'tonumber',
    'type',
    'unpack',
    'next',
    'select',
    'rawget',
    'rawset',
    'getmetatable',
  ],
  ...[
    'setmetatable',
    'loadstring',
    'load',
    'error',
    'assert',
    'pcall',
    'xpcall',
    'ipairs',
    'pairs',
  ],
  ...['string.sub', 'string.format', 'string.find', 'string.gsub', 'string.byte', 'string.char'],
  ...[
    'string.gmatch',
    'string.match',
    'string.reverse',
    'string.dump',
    'math.random',
    'math.floor',
  ],
  ...['math.fmod', 'math.randomseed', 'table.concat', 'table.remove', 'table.sort'],
  ...['cjson.encode', 'cjson.decode', 'cjson.encode_max_depth', 'cjson.encode_sparse_array'],
  ...['cjson.decode_invalid_numbers', 'cmsgpack.pack', 'cmsgpack.unpack', 'cmsgpack.unpack_one'],
  ...[
    'cmsgpack.unpack_limit',
    'struct.pack',
    'struct.unpack',
    'struct.size',
    'bit.bor',
    'bit.tohex',
  ],
  ...['bit.lshift', 'bit.arshift', 'redis.sha1hex', 'redis.error_reply', 'redis.status_reply'],
  ...['redis.log', 'redis.setresp', 'redis.set_repl', 'redis.acl_check_cmd', 'redis.debug'],
  ...[
    'redis.replicate_commands',
    'redis.register_function',
    'os.clock',
    'coroutine.wrap',
    'collectgarbage',
  ],
]

function expression(dice: Dice, depth: number): string {
  const inner = () => expression(dice, depth + 1)
  switch (dice.below(depth < DEPTH_MAX ? 10 : 4)) {
    case 0:
      return dice.pick(NUMBERS.filter((number) => /^-?\d/.test(number)))
    case 1:
      return quoted(
        dice.pick(['', 'x', '%s%d', '>I4i8s', '{"a":[1]}', '\x93\x01\xdc\xff', '%b()(']),
      )
    case 2:
      return dice.word('a b c nil true false KEYS ARGV[1] redis _G 1/0 0/0 cjson.null')
    case 3:
      return dice.pick([
        '{}',
        'function(...) return ... end',
        '{err = 1}',
        '{ok = {}}',
        '{double = 1}',
      ])
    case 4:
      return `(${inner()} ${dice.word('+ - * / % ^ .. == < and or')} ${inner()})`
    case 5:
      return `{${inner()}, ${inner()}, x = ${inner()}}`
    case 6:
      return `${dice.word('not - #')} (${inner()})`
    default: {
      const values = Array.from({ length: dice.below(4) }, inner)
      return `${dice.pick(FUNCTIONS)}(${values.join(', ')})`
    }
  }
}
