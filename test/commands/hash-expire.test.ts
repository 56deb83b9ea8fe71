/**
 * Ends of fields, as Redis 7.4 has them.
 *
 * Thread: any.
 * Owns: rows.
 * Never: asks a real Redis 7.0, which does not know these commands.
 */
import { describe } from 'bun:test'
import { type Check, type SuiteOptions, suite, unordered } from '../support/check.ts'

const WRONG = '-WRONGTYPE Operation against a key holding the wrong kind of value'
const NO_FIELDS = '-ERR Mandatory argument FIELDS is missing or not at the right position'
const OTHER_COUNT = '-ERR The `numfields` parameter must match the number of arguments'
const NO_COUNT = '-ERR Parameter `numFields` should be greater than 0'
const NOT_POSITIVE = '-ERR Number of fields must be a positive integer'
const FAR = 70368744177663
const many = (count: number) => Array.from({ length: count }, (_, i) => [`f${i}`, `${i}`]).flat()

/** The same rows for the small and the large encoding. */
function both(name: string, body: (check: Check, encoding: string) => void): void {
  const since = '7.4.0'
  const large: SuiteOptions = { since, config: { 'hash-max-listpack-entries': '0' } }
  suite(`${name} (listpackex)`, (check) => body(check, 'listpackex'), { since })
  suite(`${name} (hashtable)`, (check) => body(check, 'hashtable'), large)
}

describe('HEXPIRE and its kin', () => {
  both('set ends and tell them', (check, encoding) => {
    check('HSET h a 1 b 2 c 3', ':3')
    check('HEXPIRE h 100 FIELDS 2 a nofield', '*2 :1 :-2')
    check('OBJECT ENCODING h', `$${encoding}`)
    check('HPEXPIRE h 200000 FIELDS 1 b', '*1 :1')
    check('HTTL h FIELDS 4 a b c d', '*4 :100 :200 :-1 :-2')
    check('HPTTL h FIELDS 1 a', (text) => Number(text.slice(4)) > 99000)
    check('HEXPIREAT h 33177117420 FIELDS 1 a', '*1 :1')
    check('HEXPIRETIME h FIELDS 1 a', '*1 :33177117420')
    check('HPEXPIREAT h 33177117420001 FIELDS 2 a b', '*2 :1 :1')
    check('HPEXPIRETIME h FIELDS 2 a b', '*2 :33177117420001 :33177117420001')
    check('HEXPIRETIME h FIELDS 3 a c x', '*3 :33177117421 :-1 :-2')
    check('HPERSIST h FIELDS 4 a b c x', '*4 :1 :1 :-1 :-2')
    check('HTTL h FIELDS 2 a b', '*2 :-1 :-1')
    check('HPERSIST h FIELDS 1 a', '*1 :-1')
    check('HGETALL h', unordered('*6 $a $1 $b $2 $c $3'))
    for (const call of ['HEXPIRE', 'HPEXPIRE', 'HEXPIREAT', 'HPEXPIREAT']) {
      check(`${call} nokey 100 FIELDS 2 a b`, '*2 :-2 :-2')
    }
    for (const call of ['HTTL', 'HPTTL', 'HEXPIRETIME', 'HPEXPIRETIME', 'HPERSIST']) {
      check(`${call} nokey FIELDS 2 a b`, '*2 :-2 :-2')
    }
    check('EXISTS nokey', ':0')
  })

  both('heed conditions', (check) => {
    check('HSET h a 1 b 2 c 3', ':3')
    check('HEXPIREAT h 5000000000 NX FIELDS 2 a b', '*2 :1 :1')
    check('HEXPIREAT h 6000000000 NX FIELDS 2 a c', '*2 :0 :1')
    check('HPERSIST h FIELDS 1 c', '*1 :1')
    check('HEXPIREAT h 6000000000 XX FIELDS 2 a c', '*2 :1 :0')
    check('HEXPIREAT h 5500000000 GT FIELDS 3 a b c', '*3 :0 :1 :0')
    check('HEXPIREAT h 5500000000 gt FIELDS 1 b', '*1 :0')
    check('HEXPIREAT h 5500000000 LT FIELDS 3 a b c', '*3 :1 :0 :1')
    check('HEXPIRETIME h FIELDS 3 a b c', '*3 :5500000000 :5500000000 :5500000000')
    check('HEXPIREAT h 1 GT FIELDS 1 a', '*1 :0')
    check('HEXPIREAT h 1 NX FIELDS 1 a', '*1 :0')
    check('HEXISTS h a', ':1')
  })

  both('delete at once what ends in the past', (check) => {
    check('HSET h a 1 b 2 c 3', ':3')
    check('HEXPIRE h 0 FIELDS 2 a x', '*2 :2 :-2')
    check('HPEXPIREAT h 1 FIELDS 2 b b', '*2 :2 :-2')
    check('HKEYS h', '*1 $c')
    check('HEXPIREAT h 1 FIELDS 3 c c x', '*3 :2 :-2 :-2')
    check('EXISTS h', ':0')
    check('DEBUG ARENA-CHECK', '+OK')
  })

  both('give a field one end of several', (check) => {
    check('HSET h a 1', ':1')
    check('HEXPIRE h 100 FIELDS 3 a a a', '*3 :1 :1 :1')
    check('HEXPIRE h 50 FIELDS 1 a', '*1 :1')
    check('HEXPIRE h 70 FIELDS 1 a', '*1 :1')
    check('HTTL h FIELDS 1 a', '*1 :70')
    check('HDEL h a', ':1')
    check('EXISTS h', ':0')
    check('DEBUG ARENA-CHECK', '+OK')
  })

  suite(
    'refuse what is wrong, in the order of Redis',
    (check) => {
      check('HSET h a 1', ':1')
      check('SET s x', '+OK')
      for (const call of ['HEXPIRE s 1 FIELDS 1 a', 'HEXPIRE s x y z 1 a', 'HTTL s FIELDS 1 a']) {
        check(call, WRONG)
      }
      check('HPERSIST s x 1 a', WRONG)
      check('HEXPIRE h 1 FIELDS 1', "-ERR wrong number of arguments for 'hexpire' command")
      check('HTTL h FIELDS 1', "-ERR wrong number of arguments for 'httl' command")
      check('HPERSIST h FIELDS 1', "-ERR wrong number of arguments for 'hpersist' command")
      check('HEXPIRE h x FIELDS 0 a', '-ERR value is not an integer or out of range')
      check('HEXPIRE h -1 FIELDS 1 a', '-ERR invalid expire time, must be >= 0')
      check('HEXPIRE nokey -1 FIELDS 1 a', '-ERR invalid expire time, must be >= 0')
      check('HEXPIRE h -9223372036854775808 x 1 a', '-ERR invalid expire time, must be >= 0')
      check(
        `HEXPIRE h ${Math.floor(FAR / 1000)} FIELDS 1 a`,
        "-ERR invalid expire time in 'hexpire' command",
      )
      check(
        `HEXPIREAT h ${Math.floor(FAR / 1000) + 1} FIELDS 1 a`,
        "-ERR invalid expire time in 'hexpireat' command",
      )
      check(`HPEXPIRE h ${FAR} x 1 a`, "-ERR invalid expire time in 'hpexpire' command")
      check(
        `HPEXPIREAT h ${FAR + 1} FIELDS 1 a`,
        "-ERR invalid expire time in 'hpexpireat' command",
      )
      check(
        'HPEXPIREAT h 9223372036854775807 FIELDS 1 a',
        "-ERR invalid expire time in 'hpexpireat' command",
      )
      check('HEXPIRE h 1 FOO 1 a', NO_FIELDS)
      check('HEXPIRE h 1 NX XX FIELDS 1 a', NO_FIELDS)
      check('HEXPIRE h 1 FIELDS 0 a', NO_COUNT)
      check('HEXPIRE h 1 FIELDS x a', NO_COUNT)
      check('HEXPIRE h 1 FIELDS -1 a', NO_COUNT)
      check('HEXPIRE h 1 FIELDS 2 a', OTHER_COUNT)
      check('HEXPIRE h 1 NX FIELDS 1', OTHER_COUNT)
      check('HEXPIRE h 1 FIELDS 1 a b', OTHER_COUNT)
      check('HEXPIRE h 1 FIELDS 4294967297 a', OTHER_COUNT)
      check('HTTL h x 1 a', NO_FIELDS)
      check('HTTL nokey x 1 a', NO_FIELDS)
      check('HPTTL h FIELDS 0 a', NOT_POSITIVE)
      check('HEXPIRETIME h FIELDS x a', NOT_POSITIVE)
      check('HPEXPIRETIME h FIELDS 2 a', OTHER_COUNT)
      check('HPERSIST h FIELD 1 a', NO_FIELDS)
      check('HPERSIST h FIELDS 0 a', NOT_POSITIVE)
      check('HPERSIST h FIELDS 1 a b', OTHER_COUNT)
      check(`HPEXPIREAT h ${FAR} FIELDS 1 a`, '*1 :1')
      check('HPEXPIRETIME h FIELDS 1 a', `*1 :${FAR}`)
    },
    { since: '7.4.0' },
  )
})

describe('a field with an end', () => {
  both('goes on time, and the key with its last field', (check) => {
    check('HSET h a 1 b 2 c 3', ':3')
    check('HPEXPIRE h 200 FIELDS 1 a', '*1 :1')
    // In-process, time passes twice: by itself and at the test's word.
    check('HPEXPIRE h 900 FIELDS 2 b c', '*2 :1 :1')
    check('HMGET h a b c', '*3 $1 $2 $3')
    check.wait(250)
    check('HMGET h a b c', '*3 (nil) $2 $3')
    check('HLEN h', ':2')
    check('HGETALL h', unordered('*4 $b $2 $c $3'))
    check('HEXISTS h a', ':0')
    check('HSTRLEN h a', ':0')
    check('HTTL h FIELDS 1 a', '*1 :-2')
    check('HPERSIST h FIELDS 1 a', '*1 :-2')
    check('DBSIZE', ':1')
    check.wait(700)
    check('DBSIZE', ':0')
    check('EXISTS h', ':0')
    check('DEBUG ARENA-CHECK', '+OK')
  })

  both('loses it when it is set, keeps it when it is added to', (check) => {
    check('HSET h a 1 b 2 c 3.5', ':3')
    check('HEXPIRE h 100 FIELDS 3 a b c', '*3 :1 :1 :1')
    check('HINCRBY h a 12345678901', ':12345678902')
    check('HINCRBYFLOAT h c 1', '$4.5')
    check('HSETNX h a 9', ':0')
    check('HTTL h FIELDS 3 a b c', '*3 :100 :100 :100')
    check('HSET h b 7 d 8', ':1')
    check('HTTL h FIELDS 4 a b c d', '*4 :100 :-1 :100 :-1')
    check('HMSET h a 2', '+OK')
    check('HTTL h FIELDS 1 a', '*1 :-1')
    check('HGETALL h', unordered('*8 $a $2 $b $7 $c $4.5 $d $8'))
    check(['HINCRBYFLOAT', 'h', 'c', '1e60'], /^\$9/)
    check('HTTL h FIELDS 1 c', '*1 :100')
    check(['HSET', 'h', 'c', 'x'.repeat(300)], ':0')
    check('HTTL h FIELDS 1 c', '*1 :-1')
    check('DEBUG ARENA-CHECK', '+OK')
  })

  both('is copied, renamed, moved and dumped with it', (check, encoding) => {
    check('HSET h a 1 b 2', ':2')
    check('HEXPIREAT h 33177117420 FIELDS 1 a', '*1 :1')
    for (const [call, key] of [
      ['COPY h c', 'c'],
      ['RENAME c d', 'd'],
      ['RENAME d elsewhere', 'elsewhere'],
      ['PEXPIRE elsewhere 1000000', 'elsewhere'],
      ['PERSIST elsewhere', 'elsewhere'],
      ['COPY elsewhere h REPLACE', 'h'],
    ]) {
      check(call, call.startsWith('RENAME') ? '+OK' : ':1')
      check(`HEXPIRETIME ${key} FIELDS 2 a b`, '*2 :33177117420 :-1')
      check(`OBJECT ENCODING ${key}`, `$${encoding}`)
    }
    check('MOVE h 5', ':1')
    check('SELECT 5', '+OK')
    check('HEXPIRETIME h FIELDS 2 a b', '*2 :33177117420 :-1')
    check('SWAPDB 5 0', '+OK')
    check('HEXPIRETIME elsewhere FIELDS 2 a b', '*2 :33177117420 :-1')
    check('SELECT 0', '+OK')
    check('HPEXPIRE h 100 FIELDS 1 b', '*1 :1')
    check.wait(150)
    check('HGETALL h', '*2 $a $1')
    check('HPEXPIRE h 100 FIELDS 1 a', '*1 :1')
    check('RENAME h again', '+OK')
    check.wait(150)
    check('EXISTS again', ':0')
    check('DEBUG ARENA-CHECK', '+OK')
  })

  both('is drawn and scanned only while it is there', (check) => {
    check('HSET h a 1 b 2 c 3', ':3')
    check('HPEXPIRE h 100 FIELDS 2 a b', '*2 :1 :1')
    check('HRANDFIELD h 3', unordered('*3 $a $b $c'))
    check('HSCAN h 0 COUNT 100', (text) => text.startsWith('*2 $0 *6'))
    check.wait(150)
    check('HRANDFIELD h 3 WITHVALUES', '*2 $c $3')
    check('HRANDFIELD h', '$c')
    check('HRANDFIELD h -2', '*2 $c $c')
    check('HSCAN h 0 COUNT 100', '*2 $0 *2 $c $3')
  })
})

describe('encodings of timed hashes', () => {
  suite(
    'change with size, never back while small',
    (check) => {
      check('HSET h a 1', ':1')
      check('HEXPIRE h 100 NX FIELDS 1 nofield', '*1 :-2')
      check('OBJECT ENCODING h', '$listpack')
      check('HEXPIRE h 100 FIELDS 1 a', '*1 :1')
      check('OBJECT ENCODING h', '$listpackex')
      check('HPERSIST h FIELDS 1 a', '*1 :1')
      check('OBJECT ENCODING h', '$listpackex')
      check('HEXPIRE h 100 FIELDS 1 a', '*1 :1')
      check(['HSET', 'h', ...many(511)], ':511')
      check('OBJECT ENCODING h', '$listpackex')
      check('HSET h more 1', ':1')
      check('OBJECT ENCODING h', '$hashtable')
      check('HTTL h FIELDS 2 a more', '*2 :100 :-1')
      check('HSET l a 1', ':1')
      check('HEXPIRE l 100 FIELDS 1 a', '*1 :1')
      check(['HSET', 'l', 'b', 'x'.repeat(65)], ':1')
      check('OBJECT ENCODING l', '$hashtable')
      check('HTTL l FIELDS 2 a b', '*2 :100 :-1')
      check('DEBUG ARENA-CHECK', '+OK')
    },
    { since: '7.4.0' },
  )

  suite(
    'keep fields in the order of their ends, then the others',
    (check) => {
      check('HSET h a 1 b 2 c 3 d 4', ':4')
      check('HEXPIRE h 300 FIELDS 1 d', '*1 :1')
      check('HKEYS h', '*4 $d $a $b $c')
      check('HEXPIRE h 200 FIELDS 1 b', '*1 :1')
      check('HKEYS h', '*4 $b $d $a $c')
      check('HEXPIRE h 400 FIELDS 1 b', '*1 :1')
      check('HKEYS h', '*4 $d $b $a $c')
      check('HPERSIST h FIELDS 1 d', '*1 :1')
      check('HKEYS h', '*4 $b $a $c $d')
      check('HSET h b x', ':0')
      check('HKEYS h', '*4 $a $c $d $b')
      check('HSET h a x e y', ':1')
      check('HKEYS h', '*5 $a $c $d $b $e')
    },
    { since: '7.4.0' },
  )
})

describe('what is told of timed hashes', () => {
  both('is subexpiry in INFO, while there are some', (check) => {
    check('HSET h a 1 b 2', ':2')
    check('SET k v', '+OK')
    check('INFO keyspace', /db0:keys=2,expires=0,avg_ttl=0\\r\\n/)
    check('HEXPIRE h 100 FIELDS 1 a', '*1 :1')
    check('INFO keyspace', /db0:keys=2,expires=0,avg_ttl=0,subexpiry=1\\r\\n/)
    check('HPERSIST h FIELDS 1 a', '*1 :1')
    check('INFO keyspace', /db0:keys=2,expires=0,avg_ttl=0\\r\\n/)
    check('HEXPIRE h 0 FIELDS 1 a', '*1 :2')
    check('INFO stats', /expired_subkeys:[1-9]/)
  })

  both('is its exact size', (check, encoding) => {
    check('HSET h a 1 b 2', ':2')
    check('MEMORY USAGE h', encoding === 'hashtable' ? ':176' : ':40')
    check('HEXPIRE h 100 FIELDS 1 a', '*1 :1')
    check('MEMORY USAGE h', encoding === 'hashtable' ? ':296' : ':72')
    check('HPERSIST h FIELDS 1 a', '*1 :1')
    check('DEL h', ':1')
    check('INFO memory', /used_memory_dataset/)
  })

  both('is another digest', (check) => {
    check('HSET h a 1', ':1')
    check('HSET g a 1', ':1')
    check('DEBUG DIGEST-VALUE h g', (text) => text.split(' ')[1] === text.split(' ')[2])
    check('HEXPIRE h 100 FIELDS 1 a', '*1 :1')
    check('DEBUG DIGEST-VALUE h g', (text) => text.split(' ')[1] !== text.split(' ')[2])
    check('HPERSIST h FIELDS 1 a', '*1 :1')
    check('DEBUG DIGEST-VALUE h g', (text) => text.split(' ')[1] === text.split(' ')[2])
  })
})

describe('without active expiry', () => {
  both('a field goes when somebody looks for it, and counts until then', (check) => {
    check('DEBUG SET-ACTIVE-EXPIRE 0', '+OK')
    check('HSET h a 1 b 2 c 3', ':3')
    check('HPEXPIRE h 1 FIELDS 3 a b c', '*3 :1 :1 :1')
    check.wait(10)
    check('EXISTS h', ':1')
    check('HLEN h', ':3')
    check('HGETALL h', '*0')
    check('HKEYS h', '*0')
    check('HSCAN h 0 COUNT 10', '*2 $0 *0')
    check('HEXISTS h a', ':0')
    check('HLEN h', ':2')
    check('HGET h b', '(nil)')
    check('HLEN h', ':1')
    check('HSTRLEN h c', ':0')
    check('EXISTS h', ':0')
    check('HSET h a 1 b 2', ':2')
    check('HPEXPIRE h 1 FIELDS 2 a b', '*2 :1 :1')
    check.wait(10)
    check('HMGET h a b a', '*3 (nil) (nil) (nil)')
    check('EXISTS h', ':0')
    check('HSET h a 1', ':1')
    check('HPEXPIRE h 1 FIELDS 1 a', '*1 :1')
    check.wait(10)
    check('HINCRBY h a 5', ':5')
    check('HTTL h FIELDS 1 a', '*1 :-1')
    check('HPEXPIRE h 1 FIELDS 1 a', '*1 :1')
    check.wait(10)
    check('HSETNX h a 7', ':1')
    check('HPEXPIRE h 1 FIELDS 1 a', '*1 :1')
    check.wait(10)
    check('HINCRBYFLOAT h a 1.5', '$1.5')
    check('HPEXPIRE h 1 FIELDS 1 a', '*1 :1')
    check.wait(10)
    check('HRANDFIELD h', '(nil)')
    check('EXISTS h', ':0')
    check('HSET h a 1 b 2', ':2')
    check('HPEXPIRE h 1 FIELDS 1 a', '*1 :1')
    check.wait(10)
    check('DEBUG SET-ACTIVE-EXPIRE 1', '+OK')
    check('HLEN h', ':1')
    check('DEBUG ARENA-CHECK', '+OK')
  })
})

describe('a field whose time is over', () => {
  both('is a change for who watches the key, and nothing to SORT', (check) => {
    check('HSET h a 1 b 2', ':2')
    check('HPEXPIRE h 100 FIELDS 1 a', '*1 :1')
    check('RPUSH l h', ':1')
    check('SORT l BY nosort GET *->a GET *->b', '*2 $1 $2')
    check('WATCH h', '+OK')
    check.wait(150)
    check('MULTI', '+OK')
    check('HGET h b', '+QUEUED')
    check('EXEC', '*nil')
    check('SORT l BY nosort GET *->a GET *->b', '*2 (nil) $2')
  })

  both('is gone in a transaction that was there before', (check) => {
    check('MULTI', '+OK')
    check('HSET h a 1 b 2', '+QUEUED')
    check('HPEXPIRE h 0 FIELDS 2 a b', '+QUEUED')
    check('HSET h c 3', '+QUEUED')
    check('HGETALL h', '+QUEUED')
    check('EXEC', '*4 :2 *2 :2 :2 :1 *2 $c $3')
  })
})
