/**
 * EVAL and its kin: values and errors on their way to Lua and back, the libraries, the sandbox.
 *
 * Thread: any.
 * Owns: rows; most of them lie in scripting-rows.json, as a real Redis answered them.
 * Never: depends on an address of Lua's memory.
 */
import { describe } from 'bun:test'
import { error, suite } from '../support/check.ts'
import rows from './scripting-rows.json'

const SHA = 'e0e1f9fabfc9d4800c877a703b823ac0578ff8db'
const UNKNOWN_SHA = 'e0e1f9fabfc9d4800c877a703b823ac0578ff8dc'
const NO_SCRIPT = '-NOSCRIPT No matching script. Please use EVAL.'

describe('scripts', () => {
  suite('give and take values, and tell errors, as Redis does', (check) => {
    for (const [script, reply] of rows.scripts) check(['EVAL', script, '0'], reply)
    // Its sign is the processor's.
    const nan = process.arch === 'arm64' ? '$nan' : '$-nan'
    check('EVAL "return tostring(0/0)" 0', nan)
  })

  suite('take numbers beyond 32 bits as Redis does', (check) => {
    const shows = (text: string, reply: string) => check(['EVAL', `return ${text}`, '0'], reply)
    shows("string.format('%d %i', 1700000000000, -2^40)", '$1700000000000 -1099511627776')
    shows(
      "string.format('%u %x %X %o', 2^40, 2^40 + 10, -1, 2^35)",
      '$1099511627776 1000000000a FFFFFFFFFFFFFFFF 400000000000',
    )
    shows(
      "string.format('%+015d|%-14d|%.14d', 2^40, 2^41, 2^42)",
      '$+01099511627776|2199023255552 |04398046511104',
    )
    shows("string.format('%5d|%-5d|%05d|%#x|% d', 1, 2, 3, 255, 5)", '$"    1|2    |00003|0xff| 5"')
    const least = '-9223372036854775808'
    shows("string.format('%d %d %d', 1/0, 0/0, 2^63)", `$${least} ${least} ${least}`)
    shows("string.format('%u %x %u', 0/0, -1/0, 2^64)", '$9223372036854775808 8000000000000000 0')
    shows(
      "string.format('%u %u', 2^63 + 2048, 2^64 - 2048)",
      '$9223372036854777856 18446744073709549568',
    )
    shows("string.rep('a', 2^32 + 3)", '$aaa')
    shows("table.concat({1, 2, 3}, ',', 2^32 + 1, 2^32 + 2)", '$1,2')
    shows("select('#', select(2^32 + 2, 1, 2, 3))", ':2')
    shows("string.sub('abcdef', 2, 1/0)", '$""')
    // What fits nowhere is position 0, and a table's length ends before 1.
    for (const position of ['1/0', '-1/0', '0/0'])
      check(['EVAL', `local t = {1} table.insert(t, ${position}, 2) return #t`, '0'], ':0')
    const insert = 'local t = {5, 6} table.insert(t, 2^32 + 1, 1) return t'
    check(['EVAL', insert, '0'], '*3 :1 :5 :6')
  })

  suite('answer in RESP3 what RESP3 has', (check) => {
    for (const [script, reply] of rows.resp3) check.resp3(['EVAL', script, '0'], reply)
  })

  suite('find cjson, cmsgpack, struct and bit as Redis has them', (check) => {
    for (const [script, reply] of rows.libraries) check(['EVAL', script, '0'], reply)
  })

  suite('are given keys and arguments', (check) => {
    check(['EVAL', 'return {KEYS,ARGV}', '2', 'a', 'b', 'c'], '*2 *2 $a $b *1 $c')
    check(['EVAL', 'return {#KEYS,#ARGV}', '0'], '*2 :0 :0')
    check(['EVAL', 'return ARGV[1]', '0', Buffer.of(0, 255, 13, 10)], '$"\\x00\\xff\\r\\n"')
    check(['EVAL', 'return #ARGV[1]', '0', 'x'.repeat(200_000)], ':200000')
    check(['EVAL', 'return ARGV[1]', '0', 'y'.repeat(70_000)], `$${'y'.repeat(70_000)}`)
    check(['EVAL', 'return 1', 'x'], '-ERR value is not an integer or out of range')
    check(['EVAL', 'return 1', '-1'], "-ERR Number of keys can't be negative")
    check(['EVAL', 'return 1', '1'], "-ERR Number of keys can't be greater than number of args")
    check('EVAL x', "-ERR wrong number of arguments for 'eval' command")
  })

  suite('are remembered by their SHA-1', (check) => {
    check('SCRIPT FLUSH', '+OK')
    check(`EVALSHA ${SHA} 0`, NO_SCRIPT)
    check('EVALSHA abc x', NO_SCRIPT)
    check(['EVAL', 'return 1', '0'], ':1')
    check(`EVALSHA ${SHA} 0`, ':1')
    check(`EVALSHA ${SHA.toUpperCase()} 0`, ':1')
    check(`EVALSHA_RO ${SHA} 0`, ':1')
    check(`EVALSHA ${SHA} x`, '-ERR value is not an integer or out of range')
    check(['SCRIPT', 'LOAD', 'return 1'], `$${SHA}`)
    check(`SCRIPT EXISTS ${SHA} ${UNKNOWN_SHA} ${SHA.toUpperCase()} abc`, '*4 :1 :0 :1 :0')
    check('SCRIPT FLUSH ASYNC', '+OK')
    check(`SCRIPT EXISTS ${SHA}`, '*1 :0')
    check(['SCRIPT', 'LOAD', 'return 1'], `$${SHA}`)
    check('SCRIPT FLUSH SYNC', '+OK')
    check(`EVALSHA ${SHA} 0`, NO_SCRIPT)
    check('SCRIPT FLUSH NOW', '-ERR SCRIPT FLUSH only support SYNC|ASYNC option')
    check('SCRIPT FLUSH SYNC x', '-ERR SCRIPT FLUSH only support SYNC|ASYNC option')
    check(['SCRIPT', 'LOAD', 'return ('], error('ERR Error compiling script (new function)'))
    check('SCRIPT KILL', '-NOTBUSY No scripts in execution right now.')
    check('SCRIPT DEBUG NO', '+OK')
    check('SCRIPT DEBUG MAYBE', '-ERR Use SCRIPT DEBUG YES/SYNC/NO')
    check.redbun('SCRIPT DEBUG YES', error('ERR SCRIPT DEBUG YES is not possible in this server'))
    check('SCRIPT NOSUCH', "-ERR unknown subcommand 'NOSUCH'. Try SCRIPT HELP.")
  })

  suite('that may only read do not write', (check) => {
    check('SET k v', '+OK')
    check(['EVAL_RO', 'return redis.call("get",KEYS[1])', '1', 'k'], '$v')
    check(
      ['EVAL_RO', 'return redis.pcall("set",KEYS[1],"x")', '1', 'k'],
      '-ERR Write commands are not allowed from read-only scripts.',
    )
    check(
      ['EVAL_RO', 'return redis.pcall("publish","c","x")', '0'],
      '-ERR Write commands are not allowed from read-only scripts.',
    )
    check(
      ['EVAL_RO', '#!lua\nreturn 1', '0'],
      '-ERR Can not execute a script with write flag using *_ro command.',
    )
    check(['EVAL_RO', '#!lua flags=no-writes\nreturn 1', '0'], ':1')
    check('GET k', '$v')
  })

  suite('use the database of their caller, and leave it as it is', (check) => {
    check('SELECT 3', '+OK')
    check(
      [
        'EVAL',
        'redis.call("set","k","three") redis.call("select",4) return redis.call("set","k","four")',
        '0',
      ],
      '+OK',
    )
    check('GET k', '$three')
    check('SELECT 4', '+OK')
    check('GET k', '$four')
    check(['EVAL', 'return redis.call("get","k")', '0'], '$four')
  })

  suite('run inside a transaction', (check) => {
    check('MULTI', '+OK')
    check(['EVAL', 'redis.call("set","k","v") return redis.call("get","k")', '0'], '+QUEUED')
    check('GET k', '+QUEUED')
    check(['EVAL', 'return redis.call("nosuch")', '0'], '+QUEUED')
    check('EXEC', /^\*3 \$v \$v -"ERR Unknown Redis command called from script script: /)
  })

  suite('say which keys they use', (check) => {
    check('COMMAND GETKEYS EVAL x 2 a b c', '*2 $a $b')
    check('COMMAND GETKEYS EVALSHA x 0 a', '*0')
    check('COMMAND GETKEYS FCALL f 1 a c', '*1 $a')
    check('COMMAND GETKEYSANDFLAGS EVAL_RO x 1 a', '*1 *2 $a *2 +RO +access')
  })

  suite('answer long replies and many values', (check) => {
    check(
      [
        'EVAL',
        'local t={} for i=1,3000 do t[i]=string.rep("v",40) end redis.call("rpush","l",unpack(t)) local r=redis.call("lrange","l",0,-1) return {#r,r[1],r[3000]}',
        '0',
      ],
      `*3 :3000 $${'v'.repeat(40)} $${'v'.repeat(40)}`,
    )
    check(
      [
        'EVAL',
        'redis.call("set","big",string.rep("b",300000)) return #redis.call("get","big")',
        '0',
      ],
      ':300000',
    )
    check('STRLEN big', ':300000')
    check(['EVAL', 'local t={} for i=1,100 do t[i]={i} end return #t', '0'], ':100')
  })

  suite('are shown by MONITOR with what they call, and logged when they are slow', (check) => {
    const watcher = check.on('watcher')
    check('SLOWLOG RESET', '+OK')
    check('CONFIG SET slowlog-log-slower-than 0', '+OK')
    check(['EVAL', 'return redis.call("incr",KEYS[1])', '1', 'n'], ':1')
    check('CONFIG SET slowlog-log-slower-than 10000', '+OK')
    check(
      'SLOWLOG GET 2',
      /^\*2 \*6 :\d+ :\d+ :\d+ \*4 \$EVAL .* \*6 :\d+ :\d+ :\d+ \*2 \$incr \$n \$\?:0 \$""$/,
    )
    watcher('MONITOR', '+OK')
    check(['EVAL', 'redis.call("select",4) return redis.call("incr",KEYS[1])', '1', 'n'], ':1')
    watcher.receives(/^\+"?\d+\.\d+ \[0 \S+\] .*EVAL/)
    watcher.receives(/^\+"?\d+\.\d+ \[4 lua\] .*select/)
    watcher.receives(/^\+"?\d+\.\d+ \[4 lua\] .*incr/)
    check(['EVALSHA', '0'.repeat(40), '0'], NO_SCRIPT)
    watcher.receives(/EVALSHA/)
  })

  suite('count errors once, where they came up', (check) => {
    check('CONFIG RESETSTAT', '+OK')
    check(['EVAL', 'redis.pcall("incr","k","x") redis.pcall("nosuch") return 1', '0'], ':1')
    check(
      ['EVAL', 'redis.call("set","a",1) return redis.call("lpush","a",1)', '0'],
      error('WRONGTYPE'),
    )
    check(['EVAL', "return {err='FOO bar'}", '0'], '-FOO bar')
    check(
      'INFO errorstats',
      /errorstat_ERR:count=2\\r\\nerrorstat_FOO:count=1\\r\\nerrorstat_WRONGTYPE:count=1/,
    )
    check('INFO commandstats', /cmdstat_eval:calls=3,[^\\]*failed_calls=2/)
    check('INFO commandstats', /cmdstat_incr:calls=0,[^\\]*rejected_calls=1,failed_calls=0/)
    check('INFO commandstats', /cmdstat_lpush:calls=1,[^\\]*rejected_calls=0,failed_calls=1/)
  })
})
