/**
 * Set commands.
 *
 * Thread: any.
 * Owns: rows.
 * Never: relies on the order of members.
 */
import { describe } from 'bun:test'
import { anyOf, suite, unordered } from '../support/check.ts'

const WRONG = '-WRONGTYPE Operation against a key holding the wrong kind of value'
const words = (count: number, from = 0) => Array.from({ length: count }, (_, i) => `m${from + i}`)
const numbers = (count: number, from = 0) => Array.from({ length: count }, (_, i) => `${from + i}`)

describe('SADD, SREM, SISMEMBER', () => {
  suite('change and ask', (check) => {
    check('SADD s a b a', ':2')
    check('SADD s b c', ':1')
    check('SCARD s', ':3')
    check('SCARD nokey', ':0')
    check('SISMEMBER s a', ':1')
    check('SISMEMBER s z', ':0')
    check('SISMEMBER nokey z', ':0')
    check('SMISMEMBER s a z c', '*3 :1 :0 :1')
    check('SMISMEMBER nokey a b', '*2 :0 :0')
    check('SMEMBERS s', unordered('*3 $a $b $c'))
    check('SMEMBERS nokey', '*0')
    check.resp3('SMEMBERS nokey', '~0')
    check.resp3('SMEMBERS s', unordered('~3 $a $b $c'))
    check('TYPE s', '+set')
    check('SREM s a z', ':1')
    check('SREM s b c c', ':2')
    check('EXISTS s', ':0')
    check('SREM s b', ':0')
    check(['SADD', 'b', '', '\x00\r\n', 'é'], ':3')
    check(['SISMEMBER', 'b', ''], ':1')
  })

  suite('refuse other types', (check) => {
    check('SET x 1', '+OK')
    for (const call of [
      ...['SADD x a', 'SREM x a', 'SISMEMBER x a', 'SMISMEMBER x a', 'SCARD x', 'SMEMBERS x'],
      ...['SPOP x', 'SPOP x 1', 'SRANDMEMBER x', 'SRANDMEMBER x 1', 'SSCAN x 0', 'SINTER x'],
      ...['SUNION nokey x', 'SDIFF nokey x', 'SINTER nokey x', 'SINTERSTORE d x', 'SMOVE x s a'],
      ...['SINTERCARD 1 x', 'SUNIONSTORE d nokey x', 'SDIFFSTORE d nokey x'],
    ]) {
      check(call, WRONG)
    }
    check('SADD s a', ':1')
    check('SMOVE s x a', WRONG)
    check('SMOVE nokey x a', ':0')
    check('HSET s a 1', WRONG)
  })
})

describe('encodings', () => {
  suite('are intset for integers only', (check) => {
    check('SADD s 1 2 3', ':3')
    check('OBJECT ENCODING s', '$intset')
    check('SMEMBERS s', '*3 $1 $2 $3')
    check('SADD s -32768 32767 32768 -2147483649 9223372036854775807 -9223372036854775808', ':6')
    check('OBJECT ENCODING s', '$intset')
    check(
      'SMEMBERS s',
      '*9 $-9223372036854775808 $-2147483649 $-32768 $1 $2 $3 $32767 $32768 $9223372036854775807',
    )
    check('SREM s 2 -2147483649 7', ':2')
    check('SADD s 9223372036854775808', ':1')
    check('OBJECT ENCODING s', '$hashtable')
    check('SISMEMBER s -32768', ':1')
    check('SISMEMBER s 9223372036854775808', ':1')
    check('SADD t 01', ':1')
    check('OBJECT ENCODING t', '$hashtable')
    check('SADD u 1', ':1')
    check('SADD u 01 +1 1', ':2')
    check('SCARD u', ':3')
  })

  suite('change with the number of members', (check) => {
    check(['SADD', 's', ...numbers(512)], ':512')
    check('OBJECT ENCODING s', '$intset')
    check('SADD s 5', ':0')
    check('OBJECT ENCODING s', '$intset')
    check('SADD s 1000', ':1')
    check('OBJECT ENCODING s', '$hashtable')
    check('SREM s 1000', ':1')
    check('OBJECT ENCODING s', '$hashtable')
  })

  suite(
    'follow the setting',
    (check) => {
      check('SADD s 1 2', ':2')
      check('OBJECT ENCODING s', '$intset')
      check('SADD s 3', ':1')
      check('OBJECT ENCODING s', '$hashtable')
    },
    { config: { 'set-max-intset-entries': '2' } },
  )
})

describe('SMOVE', () => {
  suite('moves', (check) => {
    check('SADD a x y 1', ':3')
    check('SADD b z', ':1')
    check('SMOVE a b x', ':1')
    check('SMOVE a b x', ':0')
    check('SMEMBERS b', unordered('*2 $z $x'))
    check('SMOVE a a y', ':1')
    check('SMOVE a a q', ':0')
    check('SMOVE a c 1', ':1')
    check('OBJECT ENCODING c', '$intset')
    check('SMOVE a c y', ':1')
    check('EXISTS a', ':0')
    check('SMEMBERS c', unordered('*2 $1 $y'))
    check('SADD d z', ':1')
    check('SMOVE d b z', ':1')
    check('EXISTS d', ':0')
    check('SCARD b', ':2')
  })
})

describe('SPOP and SRANDMEMBER', () => {
  suite('draw', (check) => {
    check('SPOP nokey', '(nil)')
    check('SPOP nokey 2', '*0')
    check('SRANDMEMBER nokey', '(nil)')
    check('SRANDMEMBER nokey 2', '*0')
    check('SADD s a b', ':2')
    check('SRANDMEMBER s', anyOf('$a', '$b'))
    check('SRANDMEMBER s 5', unordered('*2 $a $b'))
    check('SRANDMEMBER s -5', (text) => text.startsWith('*5 '))
    check('SRANDMEMBER s 0', '*0')
    check('SRANDMEMBER s x', '-ERR value is not an integer or out of range')
    check('SRANDMEMBER s 1 1', '-ERR syntax error')
    check('SPOP s -1', '-ERR value is out of range, must be positive')
    check('SPOP s x', '-ERR value is out of range, must be positive')
    check('SPOP s 1 1', '-ERR syntax error')
    check('SPOP s 0', '*0')
    check('SPOP s', anyOf('$a', '$b'))
    check('SCARD s', ':1')
    check('SPOP s', anyOf('$a', '$b'))
    check('EXISTS s', ':0')
    for (const members of [words(1000), numbers(400)]) {
      const size = members.length
      check(['SADD', 'big', ...members], `:${size}`)
      check('SPOP big 100', (text) => text.startsWith('*100 '))
      check('SCARD big', `:${size - 100}`)
      check(`SPOP big ${size - 105}`, (text) => text.startsWith(`*${size - 105} `))
      check('SCARD big', ':5')
      check('SPOP big 9', (text) => text.startsWith('*5 '))
      check('EXISTS big', ':0')
    }
    check('SADD r a', ':1')
    check.resp3('SPOP r 1', '~1 $a')
    check('SADD r a', ':1')
    check.resp3('SRANDMEMBER r 1', '*1 $a')
  })
})

describe('SINTER, SUNION, SDIFF', () => {
  suite('combine', (check) => {
    check('SADD a 1 2 3 x', ':4')
    check('SADD b 2 3 4', ':3')
    check('SADD c x 3', ':2')
    check('SINTER a b', unordered('*2 $2 $3'))
    check('SINTER a b c', '*1 $3')
    check('SINTER a nokey', '*0')
    check('SINTER a', unordered('*4 $1 $2 $3 $x'))
    check('SUNION a b c', unordered('*5 $1 $2 $3 $4 $x'))
    check('SUNION nokey nope', '*0')
    check('SDIFF a b', unordered('*2 $1 $x'))
    check('SDIFF b a', '*1 $4')
    check('SDIFF a a', '*0')
    check('SDIFF nokey a', '*0')
    check('SDIFF a nokey', unordered('*4 $1 $2 $3 $x'))
    check.resp3('SINTER a b c', '~1 $3')
    check('SINTERCARD 2 a b', ':2')
    check('SINTERCARD 2 a b LIMIT 1', ':1')
    check('SINTERCARD 2 a b LIMIT 0', ':2')
    check('SINTERCARD 2 a nokey', ':0')
    check('SINTERCARD 0 a', '-ERR numkeys should be greater than 0')
    check('SINTERCARD x a', '-ERR numkeys should be greater than 0')
    check('SINTERCARD 1 a LIMIT -1', "-ERR LIMIT can't be negative")
    check('SINTERCARD 1 a LIMIT x', "-ERR LIMIT can't be negative")
    check('SINTERCARD 2 a', "-ERR Number of keys can't be greater than number of args")
    check('SINTERCARD 1 a FOO 1', '-ERR syntax error')
    check('SINTERCARD 1 a LIMIT', '-ERR syntax error')
  })

  suite('give the same whichever way is less work', (check) => {
    check(['SADD', 'big', ...words(300), ...numbers(100)], ':400')
    check('SADD s1 m0 m1 3', ':3')
    check('SADD s2 m0 z 4 5', ':4')
    check('SADD s3 6 7 8', ':3')
    check('SADD s4 m299 nobody', ':2')
    check('SDIFFSTORE d big s1 s2 s3 s4', ':391')
    check('SINTERCARD 2 d s1', ':0')
    check('SINTERCARD 2 d s2', ':0')
    check('SINTERCARD 2 d s3', ':0')
    check('SINTERCARD 2 d s4', ':0')
    check('SINTERCARD 2 d big', ':391')
    check('SDIFFSTORE d big s1 s2 s3 s4 nokey big', ':0')
    check('SDIFFSTORE d big s1 big s3 s4', ':0')
    check(['SADD', 'small', ...words(3), '1'], ':4')
    check('SDIFF small big s1 s2', '*0')
    check('SDIFF small s1 s2 s3 s4', unordered('*2 $m2 $1'))
    check(
      'SUNION small s1 s2 s3 s4',
      unordered('*13 $m0 $m1 $m2 $1 $3 $z $4 $5 $6 $7 $8 $m299 $nobody'),
    )
    check(
      'SUNION s1 s1 s2 s3 s3 s4 s4 nokey small s2',
      unordered('*13 $m0 $m1 $m2 $1 $3 $z $4 $5 $6 $7 $8 $m299 $nobody'),
    )
    check('SINTER big small', unordered('*4 $m0 $m1 $m2 $1'))
    check('SINTER small small big big', unordered('*4 $m0 $m1 $m2 $1'))
    check('SUNIONSTORE u small s1 s2 s3 s4 big', ':402')
    check('SINTERCARD 2 u big', ':400')
  })

  suite('store', (check) => {
    check('SADD a 1 2 3 x', ':4')
    check('SADD b 2 3 4', ':3')
    check('SINTERSTORE d a b', ':2')
    check('SMEMBERS d', '*2 $2 $3')
    check('OBJECT ENCODING d', '$intset')
    check('SUNIONSTORE d a b', ':5')
    check('OBJECT ENCODING d', '$hashtable')
    check('SDIFFSTORE a a b', ':2')
    check('SMEMBERS a', unordered('*2 $1 $x'))
    check('SINTERSTORE d a nokey', ':0')
    check('EXISTS d', ':0')
    check('SET d text', '+OK')
    check('SUNIONSTORE d b nokey', ':3')
    check('TYPE d', '+set')
    check('PEXPIRE d 100000', ':1')
    check('SDIFFSTORE d b nokey', ':3')
    check('PTTL d', ':-1')
    check(['SADD', 'big', ...words(2000)], ':2000')
    check(['SADD', 'other', ...words(2000, 1000)], ':2000')
    check('SINTERSTORE d big other', ':1000')
    check('SUNIONSTORE d big other', ':3000')
    check('SDIFFSTORE d big other', ':1000')
    check('SINTERCARD 2 big other', ':1000')
  })
})

describe('SSCAN', () => {
  suite('gives everything', (check) => {
    check('SSCAN nokey 0', '*2 $0 *0')
    check('SSCAN nokey 0 FOO', '*2 $0 *0')
    check('SADD s 1 2 30', ':3')
    check('SSCAN s 0', '*2 $0 *3 $1 $2 $30')
    check('SSCAN s 0 MATCH 3* COUNT 1', '*2 $0 *1 $30')
    check('SSCAN s x', '-ERR invalid cursor')
    check('SSCAN s 0 FOO', '-ERR syntax error')
    check('SSCAN s 0 COUNT 0', '-ERR syntax error')
    check(['SADD', 'big', ...words(600)], ':600')
    check('SSCAN big 0 COUNT 100000', (text) => text.startsWith('*2 $0 *600 '))
  })
})

describe('a set as a key', () => {
  suite('is copied, renamed, moved', (check) => {
    for (const members of [numbers(5), words(5), words(600)]) {
      const size = members.length
      check('FLUSHALL', '+OK')
      check(['SADD', 's', ...members], `:${size}`)
      check('COPY s c', ':1')
      check('RENAME c d', '+OK')
      check('SCARD d', `:${size}`)
      check(`SINTERCARD 2 d s`, `:${size}`)
      check('MOVE d 3', ':1')
      check('EXISTS d', ':0')
    }
  })
})
