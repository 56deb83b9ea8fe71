/**
 * FUNCTION and FCALL: libraries, what they register, their life, their bytes.
 *
 * Thread: any.
 * Owns: rows.
 * Never: leaves a library behind.
 */
import { describe } from 'bun:test'
import { type Check, error, suite } from '../support/check.ts'
import { notation } from '../support/reply.ts'

const NAME_RULE =
  'Library names can only contain letters, numbers, or underscores(_) and must be at least one character long'

/** Loads a library with this code behind its first line. */
const library = (name: string, code: string) => `#!lua name=${name}\n${code}`
const register = (name: string, body: string) =>
  `redis.register_function('${name}', function(keys, args) ${body} end)`

/** The code must not load, and this is said. */
function refuses(check: Check, code: string, text: string): void {
  check(['FUNCTION', 'LOAD', code], `-ERR ${text}`)
}

describe('functions', () => {
  suite('are loaded, called, replaced and deleted', (check) => {
    check('FUNCTION FLUSH', '+OK')
    check(['FUNCTION', 'LOAD', library('a', register('f', 'return {keys,args}'))], '$a')
    check('FCALL f 1 k x y', '*2 *1 $k *2 $x $y')
    check('FCALL F 0', '*2 *0 *0')
    check('FCALL_RO f 0', '-ERR Can not execute a script with write flag using *_ro command.')
    check('FCALL nosuch 0', '-ERR Function not found')
    check('FCALL f x', '-ERR Bad number of keys provided')
    check('FCALL f 2 k', "-ERR Number of keys can't be greater than number of args")
    check('FCALL f -1', "-ERR Number of keys can't be negative")
    check(
      ['FUNCTION', 'LOAD', library('a', register('g', 'return 1'))],
      "-ERR Library 'a' already exists",
    )
    check(
      ['FUNCTION', 'LOAD', library('b', register('f', 'return 1'))],
      '-ERR Function f already exists',
    )
    check(
      ['FUNCTION', 'LOAD', library('b', register('F', 'return 1'))],
      '-ERR Function F already exists',
    )
    check(['FUNCTION', 'LOAD', 'REPLACE', library('a', register('g', 'return 7'))], '$a')
    check('FCALL f 0', '-ERR Function not found')
    check('FCALL g 0', ':7')
    check(['FUNCTION', 'LOAD', 'REPLACE', library('a', 'return 1')], '-ERR No functions registered')
    check('FCALL g 0', ':7')
    check('FUNCTION DELETE a', '+OK')
    check('FUNCTION DELETE a', '-ERR Library not found')
    check('FCALL g 0', '-ERR Function not found')
    check('FUNCTION KILL', '-NOTBUSY No scripts in execution right now.')
    check('FUNCTION FLUSH LATER', '-ERR FUNCTION FLUSH only supports SYNC|ASYNC option')
    check('FUNCTION LOAD NOW x', '-ERR Unknown option given: NOW')
  })

  suite('are refused for what their code says', (check) => {
    check('FUNCTION FLUSH ASYNC', '+OK')
    const failed = (code: string, text: string) =>
      refuses(check, library('l', code), `Error registering functions: ERR ${text}`)
    const at = (text: string) => `user_function:2: ${text}`
    const unknown = (name: string) =>
      at(`Script attempted to access nonexistent global variable '${name}'`)
    refuses(check, 'return 1', 'Missing library metadata')
    refuses(check, '#!lua name=l', 'Invalid library metadata')
    refuses(check, '#!lua\nx', 'Library name was not given')
    refuses(check, '#!lua foo=bar\nx', 'Invalid metadata value given: foo=bar')
    refuses(
      check,
      '#!lua name=a name=b\nx',
      'Invalid metadata value, name argument was given multiple times',
    )
    refuses(check, '#!lua name=a-b\nx', NAME_RULE)
    refuses(check, '#!lua name=\nx', NAME_RULE)
    refuses(check, '#!js name=l\nx', "Engine 'js' not found")
    check(
      ['FUNCTION', 'LOAD', library('l', 'local function')],
      error('ERR Error compiling function: user_function:2: '),
    )
    failed("error('x')", unknown('error'))
    failed('x = 1', at('Attempt to modify a readonly table'))
    failed("redis.call('ping')", unknown('call'))
    failed('return string', unknown('string'))
    failed('redis.register_function()', 'wrong number of arguments to redis.register_function')
    failed(
      "redis.register_function('f')",
      'calling redis.register_function with a single argument is only applicable to Lua table (representing named arguments).',
    )
    failed(
      "redis.register_function('f', 1)",
      'second argument to redis.register_function must be a function',
    )
    failed(
      'redis.register_function({}, 1)',
      'first argument to redis.register_function must be a string',
    )
    failed(register('a b', ''), NAME_RULE)
    failed(`${register('f', '')} ${register('f', '')}`, 'Function already exists in the library')
    const named = (fields: string, text: string) =>
      failed(`redis.register_function{${fields}}`, text)
    named("function_name='f'", 'redis.register_function must get a callback argument')
    named('callback=function() end', 'redis.register_function must get a function name argument')
    named(
      "function_name='f',callback=1",
      'callback argument given to redis.register_function must be a function',
    )
    named(
      'function_name={}',
      'function_name argument given to redis.register_function must be a string',
    )
    named(
      'description={}',
      'description argument given to redis.register_function must be a string',
    )
    named(
      'flags=1',
      'flags argument to redis.register_function must be a table representing function flags',
    )
    named("flags={'x'}", 'unknown flag given')
    named('foo=1', 'unknown argument given to redis.register_function')
    named('[{}]=1', 'named argument key given to redis.register_function is not a string')
    failed('while true do end', 'FUNCTION LOAD timeout')
    check('FUNCTION LIST', '*0')
  })

  suite('live in the world of scripts, without keys and arguments as variables', (check) => {
    check('FUNCTION FLUSH', '+OK')
    const bodies: readonly (readonly [body: string, reply: string])[] = [
      [
        "return reg('x', function() end)",
        'redis.register_function can only be called on FUNCTION LOAD command script: f0, on @user_function:2.',
      ],
      [
        'return KEYS',
        "user_function:2: Script attempted to access nonexistent global variable 'KEYS' script: f1, on @user_function:2.",
      ],
      [
        'y = 1',
        'user_function:2: Attempt to modify a readonly table script: f2, on @user_function:2.',
      ],
      [
        'string.x = 1',
        'user_function:2: Attempt to modify a readonly table script: f3, on @user_function:2.',
      ],
      [
        'getmetatable(_G).__index = 1',
        'user_function:2: Attempt to modify a readonly table script: f4, on @user_function:2.',
      ],
      ["error('boom')", 'user_function:2: boom script: f5, on @user_function:2.'],
      [
        'return redis.breakpoint()',
        "user_function:2: attempt to call field 'breakpoint' (a nil value) script: f6, on @user_function:2.",
      ],
      [
        'return __redis__err__handler',
        "user_function:2: Script attempted to access nonexistent global variable '__redis__err__handler' script: f7, on @user_function:2.",
      ],
    ]
    const registered = bodies.map(([body], i) => register(`f${i}`, body)).join(' ')
    const counter = `local n = 0 ${register('count', 'n = n + 1 return n')}`
    const code = `local reg = redis.register_function ${registered} ${counter} ${register('ping', "return loadstring('return redis.call([[ping]])')()")}`
    check(['FUNCTION', 'LOAD', library('world', code)], '$world')
    for (const [i, [, reply]] of bodies.entries()) check(`FCALL f${i} 0`, `-ERR ${reply}`)
    check('FCALL count 0', ':1')
    check('FCALL count 0', ':2')
    check('FCALL ping 0', '+PONG')
    check('FUNCTION FLUSH', '+OK')
  })

  suite('are listed with what was said of them', (check) => {
    check('FUNCTION FLUSH', '+OK')
    const named =
      "redis.register_function{function_name='ro', callback=function() return redis.call('set','k','v') end, flags={'no-writes','ALLOW-OOM'}, description='reads'}"
    const code = library('Lib1', named)
    check(['FUNCTION', 'LOAD', code], '$Lib1')
    check(['FUNCTION', 'LOAD', library('other', register('rw', 'return 1'))], '$other')
    const entry =
      '*6 $library_name $Lib1 $engine $LUA $functions *1 *6 $name $ro $description $reads $flags *2 +no-writes +allow-oom'
    check('FUNCTION LIST LIBRARYNAME lib*', `*1 ${entry}`)
    check(
      'FUNCTION LIST WITHCODE LIBRARYNAME LIB1',
      /^\*1 \*8 \$library_name \$Lib1 .* \$library_code \$"#!lua name=Lib1\\nredis\.register/,
    )
    check.resp3(
      'FUNCTION LIST LIBRARYNAME other',
      '*1 %3 $library_name $other $engine $LUA $functions *1 %3 $name $rw $description _ $flags ~0',
    )
    check('FUNCTION LIST LIBRARYNAME', '-ERR library name argument was not given')
    check('FUNCTION LIST ALL', '-ERR Unknown argument ALL')
    check('FUNCTION LIST WITHCODE WITHCODE', '-ERR Unknown argument WITHCODE')
    check(
      'FUNCTION STATS',
      '*4 $running_script (nil) $engines *2 $LUA *4 $libraries_count :2 $functions_count :2',
    )
    check.resp3(
      'FUNCTION STATS',
      '%2 $running_script _ $engines %1 $LUA %2 $libraries_count :2 $functions_count :2',
    )
    check(
      'FCALL ro 0',
      '-ERR Write commands are not allowed from read-only scripts. script: ro, on @user_function:2.',
    )
    check('FCALL_RO ro 0', error('ERR Write commands are not allowed'))
    check('FUNCTION FLUSH SYNC', '+OK')
  })

  suite('are dumped as Redis dumps them, and restored by three policies', (check) => {
    check('FUNCTION FLUSH', '+OK')
    check('FUNCTION DUMP', /^\$"\\n\\x00/)
    const dump = Buffer.from(DUMP, 'base64')
    check(['FUNCTION', 'RESTORE', dump], '+OK')
    check('FCALL one 0', ':1')
    check('FUNCTION DUMP', notation({ kind: '$', bytes: dump, items: undefined }))
    check(['FUNCTION', 'RESTORE', dump], '-ERR Library one already exists')
    check(['FUNCTION', 'RESTORE', dump, 'APPEND'], '-ERR Library one already exists')
    check(['FUNCTION', 'RESTORE', dump, 'REPLACE'], '+OK')
    check('FUNCTION DELETE one', '+OK')
    check(['FUNCTION', 'LOAD', library('mine', register('one', 'return 2'))], '$mine')
    check(['FUNCTION', 'RESTORE', dump, 'REPLACE'], '-ERR Function one already exists')
    check('FCALL one 0', ':2')
    check(['FUNCTION', 'RESTORE', dump, 'FLUSH'], '+OK')
    check('FCALL one 0', ':1')
    check('FUNCTION LIST LIBRARYNAME mine', '*0')
    check(
      ['FUNCTION', 'RESTORE', dump.subarray(1)],
      '-ERR DUMP payload version or checksum are wrong',
    )
    check('FUNCTION RESTORE x', '-ERR DUMP payload version or checksum are wrong')
    check(
      'FUNCTION RESTORE x LATER',
      '-ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE.',
    )
    check('FUNCTION FLUSH', '+OK')
  })

  suite('and scripts are told by INFO', (check) => {
    check('FUNCTION FLUSH', '+OK')
    check('SCRIPT FLUSH', '+OK')
    check(
      'INFO memory',
      /number_of_cached_scripts:0\\r\\nnumber_of_functions:0\\r\\nnumber_of_libraries:0/,
    )
    check(['SCRIPT', 'LOAD', 'return 1'], '$e0e1f9fabfc9d4800c877a703b823ac0578ff8db')
    check(['FUNCTION', 'LOAD', library('l', register('a', '') + register('b', ''))], '$l')
    check(
      'INFO memory',
      /number_of_cached_scripts:1\\r\\nnumber_of_functions:2\\r\\nnumber_of_libraries:1/,
    )
    check('FUNCTION FLUSH', '+OK')
    check('SCRIPT FLUSH', '+OK')
  })
})

/** What FUNCTION DUMP of a real Redis gave for the library `one`. */
const DUMP =
  '9UBGIyFsdWEgbmFtZT1vbmUKcmVkaXMucmVnaXN0ZXJfZnVuY3Rpb24oJ29uZScsIGZ1bmN0aW9uKCkgcmV0dXJuIDEgZW5kKQoAdlkylYsWEt4='
