/**
 * Scripts in Lua: some that work, as a start for changes, and others put together by chance.
 *
 * Thread: any.
 * Owns: the pools of both.
 * Never: lets a script ask for gigabytes: Redis would give them.
 */
import type { Dice } from '../conformance/dice.ts'
import type { Generator } from '../conformance/generator.ts'
import { mutated, NUMBERS } from './mutate.ts'

const STATEMENTS_MAX = 6
const DEPTH_MAX = 3

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

/** A script that works, changed as a rule. */
export function changedScript(dice: Dice): Buffer {
  const sound = Buffer.from(dice.pick(SOUND), 'latin1')
  return dice.chance(10) ? sound : mutated(sound, dice)
}

/** One put together by chance. */
export function snippet(dice: Dice, generator: Generator): Buffer {
  const statements: string[] = []
  for (let count = 1 + dice.below(STATEMENTS_MAX); count > 0; count--) {
    statements.push(statement(dice, generator))
  }
  return Buffer.from(
    `local a, b, c\n${statements.join('\n')}\nreturn ${expression(dice, 0)}`,
    'latin1',
  )
}

export function statement(dice: Dice, generator: Generator): string {
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

/** A string of Lua's. */
export function quoted(word: string): string {
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

export function expression(dice: Dice, depth: number): string {
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
