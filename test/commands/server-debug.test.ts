/**
 * DEBUG.
 *
 * Thread: any.
 * Owns: rows.
 * Never: kills a server.
 */
import { describe } from 'bun:test'
import { suite } from '../support/check.ts'

/** The digest of no data. */
const ZEROS = '0'.repeat(40)

describe('DEBUG DIGEST', () => {
  suite('is that of Redis for strings', (check) => {
    check('DEBUG DIGEST', `+${ZEROS}`)
    check('SET a 1', '+OK')
    check('DEBUG DIGEST', '+943d800368fb9c0e951138f1bc0e313ac769d91f')
    check('DEBUG DIGEST-VALUE a b', `*2 +b4fc66738120fba0b5aa500ab5c2bf89cea1c5da +${ZEROS}`)
    check('DEBUG DIGEST-VALUE', '*0')
    check('FLUSHALL', '+OK')
    check('DEBUG POPULATE 3', '+OK')
    check('DEBUG DIGEST', '+f25db52166a7d712fb7362fd197165342e2b7442')
  })

  suite('says whether a key expires, not when', (check) => {
    check('SET a xyz', '+OK')
    check('DEBUG DIGEST-VALUE a', '*1 +b04db56b32ff9335e14da7729d0eeb1a8915c3cf')
    check('EXPIRE a 100', ':1')
    check('DEBUG DIGEST-VALUE a', '*1 +56c84b94eec67961205b4c8ad864248193bb824c')
    check('EXPIRE a 200', ':1')
    check('DEBUG DIGEST-VALUE a', '*1 +56c84b94eec67961205b4c8ad864248193bb824c')
    check('PERSIST a', ':1')
    check('DEBUG DIGEST-VALUE a', '*1 +b04db56b32ff9335e14da7729d0eeb1a8915c3cf')
  })

  suite('counts the database in', (check) => {
    check('SELECT 3', '+OK')
    check('SET a 1', '+OK')
    check('DEBUG DIGEST', '+bc8f01911f375369cc100f32d768813c62974af0')
    check('SWAPDB 3 0', '+OK')
    check('DEBUG DIGEST', '+943d800368fb9c0e951138f1bc0e313ac769d91f')
  })

  suite('does not depend on how a string is kept', (check) => {
    check('SET a 12345', '+OK')
    check('SET b 1234', '+OK')
    check('APPEND b 5', ':5')
    check('DEBUG DIGEST-VALUE a b', (text) => /^\*2 \+(\w{40}) \+\1$/.test(text))
  })
})

describe('DEBUG POPULATE', () => {
  suite('makes the keys that are not there', (check) => {
    check('SET key:1 mine', '+OK')
    check('DEBUG POPULATE 3', '+OK')
    check('MGET key:0 key:1 key:2 key:3', '*4 $value:0 $mine $value:2 (nil)')
    check('DEBUG POPULATE 1 cut 3', '+OK')
    check('DEBUG POPULATE 1 long 9', '+OK')
    check('DEBUG POPULATE 1 "" 0', '+OK')
    check('MGET cut:0 long:0 :0', '*3 $val $"value:0\\x00\\x00" $value:0')
    check('OBJECT ENCODING long:0', '$embstr')
    check('DEBUG POPULATE 2 large 1000', '+OK')
    check('OBJECT ENCODING large:1', '$raw')
    check('STRLEN large:1', ':1000')
    check('DEBUG POPULATE 0', '+OK')
    check('DEBUG POPULATE -1', '-ERR value is out of range, must be positive')
    check('DEBUG POPULATE x', '-ERR value is out of range, must be positive')
    check('DEBUG POPULATE 1 p x', '-ERR value is out of range, must be positive')
    check.redbun('DEBUG ARENA-CHECK', '+OK')
  })
})

describe('DEBUG OBJECT', () => {
  suite('shows how a value is kept', (check) => {
    check('SET a 1', '+OK')
    check(
      'DEBUG OBJECT a',
      /^\+Value at:0x[0-9a-f]+ refcount:2147483647 encoding:int serializedlength:2 lru:\d+ lru_seconds_idle:\d$/,
    )
    check('SET a hello', '+OK')
    check(
      'DEBUG OBJECT a',
      /^\+Value at:0x[0-9a-f]+ refcount:1 encoding:embstr serializedlength:6 lru:\d+ lru_seconds_idle:\d$/,
    )
    check(['SET', 'a', 'x'.repeat(1000)], '+OK')
    check('DEBUG OBJECT a', / encoding:raw serializedlength:(1\d|2\d) /)
    check('DEBUG OBJECT nosuch', '-ERR no such key')
  })
})

describe('DEBUG SET-ACTIVE-EXPIRE', () => {
  suite('leaves expired keys where they are', (check) => {
    check('DEBUG SET-ACTIVE-EXPIRE 0', '+OK')
    check('SET a 1 PX 20', '+OK')
    check.wait(300)
    check('DBSIZE', ':1')
    check('DEBUG SET-ACTIVE-EXPIRE 1', '+OK')
    check.wait(300)
    check('DBSIZE', ':0')
  })
})

describe('DEBUG PROTOCOL', () => {
  suite('answers in every type', (check) => {
    check('DEBUG PROTOCOL string', '$Hello World')
    check('DEBUG PROTOCOL integer', ':12345')
    check('DEBUG PROTOCOL double', '$3.141')
    check('DEBUG PROTOCOL bignum', '$1234567999999999999999999999999999999')
    check('DEBUG PROTOCOL null', '(nil)')
    check('DEBUG PROTOCOL array', '*3 :0 :1 :2')
    check('DEBUG PROTOCOL set', '*3 :0 :1 :2')
    check('DEBUG PROTOCOL map', '*6 :0 :0 :1 :1 :2 :0')
    check('DEBUG PROTOCOL attrib', '$Some real reply following the attribute')
    check('DEBUG PROTOCOL push', '-ERR RESP2 is not supported by this command')
    check('DEBUG PROTOCOL verbatim', '$"This is a verbatim\\nstring"')
    check('DEBUG PROTOCOL true', ':1')
    check('DEBUG PROTOCOL false', ':0')
    check(
      'DEBUG PROTOCOL foo',
      '-ERR Wrong protocol type name. Please use one of the following: string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false',
    )
    check.resp3('DEBUG PROTOCOL double', ',3.141')
    check.resp3('DEBUG PROTOCOL bignum', '(1234567999999999999999999999999999999')
    check.resp3('DEBUG PROTOCOL null', '_')
    check.resp3('DEBUG PROTOCOL set', '~3 :0 :1 :2')
    check.resp3('DEBUG PROTOCOL map', '%3 :0 #f :1 #t :2 #f')
    check.resp3('DEBUG PROTOCOL verbatim', '="txt:This is a verbatim\\nstring"')
    check.resp3('DEBUG PROTOCOL true', '#t')
    check.resp3('DEBUG PROTOCOL false', '#f')
    check.resp3('DEBUG PROTOCOL push', '>2 $server-cpu-usage :42')
    check.resp3.receives('$Some real reply following the push reply')
  })
})

describe('DEBUG', () => {
  suite('answers its other subcommands', (check) => {
    check('DEBUG SLEEP 0', '+OK')
    check('DEBUG SLEEP x', '+OK')
    check('DEBUG LOG hello', '+OK')
    check(['DEBUG', 'ERROR', 'FOO a\r\nb'], '-FOO a  b')
    check('DEBUG HTSTATS 0', /^\$"\[Dictionary HT\]\\n/)
    check('DEBUG HTSTATS x', '-ERR value is not an integer or out of range')
    check('DEBUG HTSTATS 99', '-ERR Out of range database')
    check('DEBUG HTSTATS-KEY nosuch', '-ERR no such key')
    check('SET a 1', '+OK')
    check(
      'DEBUG HTSTATS-KEY a',
      '-ERR The value stored at the specified key is not represented using an hash table',
    )
    check('DEBUG HELP', /^\*\d+ /)
  })

  suite('refuses what it does not understand', (check) => {
    check('DEBUG', "-ERR wrong number of arguments for 'debug' command")
    check(
      'DEBUG foo',
      "-ERR unknown subcommand or wrong number of arguments for 'foo'. Try DEBUG HELP.",
    )
    check(
      'DEBUG SLEEP',
      "-ERR unknown subcommand or wrong number of arguments for 'SLEEP'. Try DEBUG HELP.",
    )
    check(
      'DEBUG DIGEST x',
      "-ERR unknown subcommand or wrong number of arguments for 'DIGEST'. Try DEBUG HELP.",
    )
    check(
      'DEBUG POPULATE 1 a 1 1',
      "-ERR unknown subcommand or wrong number of arguments for 'POPULATE'. Try DEBUG HELP.",
    )
    check.redbun(
      'DEBUG PANIC',
      '-ERR DEBUG PANIC is refused: this server is not crashed on request',
    )
    check.redbun('PING', '+PONG')
  })
})
