/**
 * Hash commands.
 *
 * Thread: any.
 * Owns: rows.
 * Never: relies on the order of fields in a large hash.
 */
import { describe } from 'bun:test'
import { anyOf, between, suite, unordered } from '../support/check.ts'

const WRONG = '-WRONGTYPE Operation against a key holding the wrong kind of value'
const LONG = 'x'.repeat(65)
const many = (count: number) => Array.from({ length: count }, (_, i) => [`f${i}`, `${i}`]).flat()

describe('HSET and HGET', () => {
  suite('set and give fields', (check) => {
    check('HSET h a 1 b 2', ':2')
    check('HSET h a 3 c 4', ':1')
    check('HGET h a', '$3')
    check('HGET h z', '(nil)')
    check('HGET nokey a', '(nil)')
    check('HMGET h a z c', '*3 $3 (nil) $4')
    check('HMGET nokey a b', '*2 (nil) (nil)')
    check('HLEN h', ':3')
    check('HLEN nokey', ':0')
    check('HEXISTS h a', ':1')
    check('HEXISTS h z', ':0')
    check('HSTRLEN h a', ':1')
    check('HSTRLEN h z', ':0')
    check('HSETNX h a 9', ':0')
    check('HSETNX h d 9', ':1')
    check('HSETNX n d 9', ':1')
    check('HMSET h a x y z', '+OK')
    check('HGETALL h', '*10 $a $x $b $2 $c $4 $d $9 $y $z')
    check('HKEYS h', '*5 $a $b $c $d $y')
    check('HVALS h', '*5 $x $2 $4 $9 $z')
    check('HGETALL nokey', '*0')
    check('TYPE h', '+hash')
    check(['HSET', 'h', '', '', '\x00\r\n', 'é'], ':2')
    check(['HGET', 'h', ''], '$""')
    check.resp3('HGETALL n', '%1 $d $9')
    check.resp3('HGETALL nokey', '%0')
  })

  suite('refuse what is wrong', (check) => {
    check('HSET h a', "-ERR wrong number of arguments for 'hset' command")
    check('HSET h a 1 b', "-ERR wrong number of arguments for 'hset' command")
    check('HMSET h a 1 b', "-ERR wrong number of arguments for 'hmset' command")
    check('EXISTS h', ':0')
    check('SET s x', '+OK')
    for (const call of [
      ...[
        'HSET s a 1',
        'HSETNX s a 1',
        'HGET s a',
        'HMGET s a',
        'HDEL s a',
        'HLEN s',
        'HEXISTS s a',
      ],
      ...['HSTRLEN s a', 'HGETALL s', 'HKEYS s', 'HVALS s', 'HINCRBY s a 1', 'HINCRBYFLOAT s a 1'],
      ...['HSCAN s 0', 'HRANDFIELD s', 'HRANDFIELD s 3', 'HMSET s a 1'],
    ]) {
      check(call, WRONG)
    }
    check('HSET h a 1', ':1')
    for (const call of [
      'GET h',
      'INCR h',
      'APPEND h x',
      'SETRANGE h 0 x',
      'GETBIT h 0',
      'LCS h s',
    ]) {
      check(
        call,
        call.startsWith('LCS') ? /^-ERR The specified keys must contain string values/ : WRONG,
      )
    }
  })
})

describe('HDEL', () => {
  suite('takes fields out, and the key with the last', (check) => {
    check('HSET h a 1 b 2 c 3', ':3')
    check('HDEL h a z b', ':2')
    check('HDEL h c c c', ':1')
    check('EXISTS h', ':0')
    check('HDEL h c', ':0')
    check(['HSET', 'h', ...many(600)], ':600')
    check(['HDEL', 'h', ...many(600)], ':600')
    check('EXISTS h', ':0')
  })
})

describe('HINCRBY and HINCRBYFLOAT', () => {
  suite('count', (check) => {
    check('HINCRBY h a 5', ':5')
    check('HINCRBY h a -7', ':-2')
    check('HINCRBY h a 9223372036854775807', ':9223372036854775805')
    check('HINCRBY h a 9223372036854775807', '-ERR increment or decrement would overflow')
    check('HINCRBY h a x', '-ERR value is not an integer or out of range')
    check('HSET h t text', ':1')
    check('HINCRBY h t 1', '-ERR hash value is not an integer')
    check(['HSET', 'h', 'blank', ' 1'], ':1')
    check('HINCRBY h blank 1', '-ERR hash value is not an integer')
    check('HINCRBYFLOAT h f 10.50', '$10.5')
    check('HINCRBYFLOAT h f 0.1', '$10.6')
    check('HINCRBYFLOAT h f -5', '$5.6')
    check('HINCRBYFLOAT h f 5.0e3', '$5005.60000000000000009')
    check('HINCRBYFLOAT h t 1', '-ERR hash value is not a float')
    check('HINCRBYFLOAT h f x', '-ERR value is not a valid float')
    check('HINCRBYFLOAT h f inf', '-ERR value is NaN or Infinity')
    check('HINCRBYFLOAT n f inf', '-ERR value is NaN or Infinity')
    check('EXISTS n', ':0')
    check('OBJECT ENCODING h', '$listpack')
  })
})

describe('encodings', () => {
  suite('change with the number of fields', (check) => {
    check(['HSET', 'h', ...many(512)], ':512')
    check('OBJECT ENCODING h', '$listpack')
    check('HSET h f511 x', ':0')
    check('OBJECT ENCODING h', '$listpack')
    check('HSET h more x', ':1')
    check('OBJECT ENCODING h', '$hashtable')
    check('HDEL h more f1', ':2')
    check('OBJECT ENCODING h', '$hashtable')
    check('HGET h f500', '$500')
    check('HLEN h', ':511')
  })

  suite('change with the length of a field or a value', (check) => {
    check(`HSET a ${LONG} 1`, ':1')
    check('OBJECT ENCODING a', '$hashtable')
    check(`HSET b f ${LONG}`, ':1')
    check('OBJECT ENCODING b', '$hashtable')
    check(`HSET c f ${LONG.slice(1)}`, ':1')
    check('OBJECT ENCODING c', '$listpack')
    check(`HINCRBY d ${LONG} 1`, ':1')
    check('OBJECT ENCODING d', '$hashtable')
    check(`HSETNX e f ${LONG}`, ':1')
    check('OBJECT ENCODING e', '$hashtable')
    check(`HSET c g ${LONG}`, ':1')
    check('HGETALL c', unordered(`*4 $f $${LONG.slice(1)} $g $${LONG}`))
  })

  suite(
    'follow the settings',
    (check) => {
      check('HSET h a 1 b 2', ':2')
      check('OBJECT ENCODING h', '$listpack')
      check('HSET h c 3', ':1')
      check('OBJECT ENCODING h', '$hashtable')
      check('HSET v abcd 3', ':1')
      check('OBJECT ENCODING v', '$hashtable')
    },
    { config: { 'hash-max-listpack-entries': '2', 'hash-max-ziplist-value': '3' } },
  )
})

describe('HSCAN', () => {
  suite('gives everything', (check) => {
    check('HSCAN nokey 0', '*2 $0 *0')
    check('HSET h aa 1 ab 2 b 3', ':3')
    check('HSCAN h 0', '*2 $0 *6 $aa $1 $ab $2 $b $3')
    check('HSCAN h 0 MATCH a* COUNT 1', '*2 $0 *4 $aa $1 $ab $2')
    check.redbun('HSCAN h 0 NOVALUES', '*2 $0 *3 $aa $ab $b')
    check('HSCAN h x', '-ERR invalid cursor')
    check('HSCAN h 0 COUNT 0', '-ERR syntax error')
    check('HSCAN h 0 COUNT x', '-ERR value is not an integer or out of range')
    check('HSCAN h 0 FOO', '-ERR syntax error')
    check('HSCAN h 0 MATCH', '-ERR syntax error')
    check(['HSET', 'big', ...many(600)], ':600')
    check('HSCAN big 0 COUNT 100000', (text) => text.startsWith('*2 $0 *1200 '))
    check('HSCAN big 0 MATCH f59? COUNT 100000', (text) => text.startsWith('*2 $0 *20 '))
  })
})

describe('HRANDFIELD', () => {
  suite('draws', (check) => {
    check('HRANDFIELD nokey', '(nil)')
    check('HRANDFIELD nokey 3', '*0')
    check('HSET h a 1 b 2', ':2')
    check('HRANDFIELD h', anyOf('$a', '$b'))
    check('HRANDFIELD h 0', '*0')
    check('HRANDFIELD h 5', unordered('*2 $a $b'))
    check('HRANDFIELD h 5 WITHVALUES', anyOf('*4 $a $1 $b $2', '*4 $b $2 $a $1'))
    check('HRANDFIELD h -5', (text) => text.startsWith('*5 '))
    check('HRANDFIELD h -5 WITHVALUES', (text) => text.startsWith('*10 '))
    check.resp3('HRANDFIELD h 1 WITHVALUES', anyOf('*1 *2 $a $1', '*1 *2 $b $2'))
    check('HRANDFIELD h x', '-ERR value is not an integer or out of range')
    check('HRANDFIELD h 1 FOO', '-ERR syntax error')
    check('HRANDFIELD h 1 WITHVALUES x', '-ERR syntax error')
    check('HRANDFIELD h 9223372036854775807 WITHVALUES', '-ERR value is out of range')
    check(['HSET', 'big', ...many(600)], ':600')
    check('HRANDFIELD big 100', (text) => text.startsWith('*100 '))
    check('HRANDFIELD big 500', (text) => text.startsWith('*500 '))
    check('HRANDFIELD big -700 WITHVALUES', (text) => text.startsWith('*1400 '))
  })
})

describe('a hash as a key', () => {
  suite('is copied, renamed, moved, dumped and restored', (check) => {
    for (const fields of [many(3), many(600)]) {
      const count = fields.length / 2
      check('FLUSHALL', '+OK')
      check(['HSET', 'h', ...fields], `:${count}`)
      check('COPY h c', ':1')
      check('RENAME c d', '+OK')
      check('HLEN d', `:${count}`)
      check('HGET d f2', '$2')
      check('PEXPIRE d 100000', ':1')
      check('HSET d f2 y', ':0')
      check('PTTL d', between(1, 100000))
      check('PERSIST d', ':1')
      check('HGET d f2', '$y')
      check('MOVE d 3', ':1')
      check('EXISTS d', ':0')
      check('MEMORY USAGE h', (text) => text.startsWith(':'))
    }
  })
})
