/**
 * Sorted-set commands.
 *
 * Thread: any.
 * Owns: rows.
 * Never: leaves out an encoding: what is asked of a small set is asked of a large one.
 */
import { describe } from 'bun:test'
import { anyOf, save, suite, unordered } from '../support/check.ts'

const WRONG = '-WRONGTYPE Operation against a key holding the wrong kind of value'
const LONG = 'x'.repeat(65)
const many = (count: number) => Array.from({ length: count }, (_, i) => [`${i}`, `m${i}`]).flat()

describe('ZADD', () => {
  suite('adds and changes scores', (check) => {
    check('ZADD z 1 a 2 b 3 c', ':3')
    check('ZADD z 2 a 9 d', ':1')
    check('ZADD z CH 3 a 9 d', ':1')
    check('ZADD z NX 7 a 7 e', ':1')
    check('ZADD z XX 8 e 8 f', ':0')
    check('ZADD z GT CH 1 e 10 a', ':1')
    check('ZADD z LT CH 1 e 11 a', ':1')
    check('ZADD z INCR 2 e', '$3')
    check('ZADD z NX INCR 2 e', '(nil)')
    check('ZADD z XX INCR 2 nope', '(nil)')
    check('ZINCRBY z 1.5 e', '$4.5')
    check('ZINCRBY z NX 1', '-ERR syntax error')
    check('ZINCRBY z 5 new', '$5')
    check('ZSCORE z a', '$10')
    check('ZSCORE z nope', '(nil)')
    check('ZMSCORE z a nope e', '*3 $10 (nil) $4.5')
    check('ZMSCORE nokey a', '*1 (nil)')
    check('ZCARD z', ':6')
    check('ZCARD nokey', ':0')
    check('ZRANGE z 0 -1 WITHSCORES', '*12 $b $2 $c $3 $e $4.5 $new $5 $d $9 $a $10')
    check('ZREM z a nope', ':1')
    check('ZREM z b c d e new', ':5')
    check('EXISTS z', ':0')
    check('TYPE z', '+none')
  })

  suite('writes scores as Redis does', (check) => {
    for (const score of [
      '0.1',
      '1e20',
      '1e-7',
      '3.0',
      '-0',
      'inf',
      '-inf',
      '1e308',
      '17179869184',
    ]) {
      check(`ZADD z ${score} m`, (text) => text.startsWith(':'))
      check(
        'ZSCORE z m',
        save('score', () => true),
      )
      check.resp3(
        'ZSCORE z m',
        save('score3', () => true),
      )
    }
    check('ZADD z inf a', ':1')
    check('ZINCRBY z -inf a', '-ERR resulting score is not a number (NaN)')
    check('ZADD z nan a', '-ERR value is not a valid float')
    check('ZADD z x a', '-ERR value is not a valid float')
    check('ZADD z NX XX 1 a', '-ERR XX and NX options at the same time are not compatible')
    check('ZADD z GT LT 1 a', '-ERR GT, LT, and/or NX options at the same time are not compatible')
    check('ZADD z INCR 1 a 2 b', '-ERR INCR option supports a single increment-element pair')
    check('ZADD z 1', "-ERR wrong number of arguments for 'zadd' command")
    check('ZADD z 1 a 2', '-ERR syntax error')
    check('ZADD new XX 1 a', ':0')
    check('EXISTS new', ':0')
  })
})

for (const [size, members] of [
  ['a small set', 20],
  ['a large set', 300],
] as const) {
  const last = members - 1
  describe(size, () => {
    suite('has ranks and ranges', (check) => {
      check(['ZADD', 'z', ...many(members)], `:${members}`)
      check('OBJECT ENCODING z', members > 128 ? '$skiplist' : '$listpack')
      check('ZRANK z m7', ':7')
      check('ZREVRANK z m7', `:${last - 7}`)
      check('ZRANK z nope', '(nil)')
      check('ZRANK nokey nope', '(nil)')
      check.redbun('ZRANK z m7 WITHSCORE', '*2 :7 $7')
      check('ZRANGE z 1 3', '*3 $m1 $m2 $m3')
      check('ZRANGE z -2 -1 REV', '*2 $m1 $m0')
      check('ZREVRANGE z 0 1 WITHSCORES', `*4 $m${last} $${last} $m${last - 1} $${last - 1}`)
      check('ZRANGE z 5 1', '*0')
      check('ZRANGEBYSCORE z (1 3', '*2 $m2 $m3')
      check('ZRANGEBYSCORE z -inf +inf LIMIT 2 2', '*2 $m2 $m3')
      check('ZRANGEBYSCORE z -inf +inf WITHSCORES LIMIT 1 1', '*2 $m1 $1')
      check('ZREVRANGEBYSCORE z 3 (1', '*2 $m3 $m2')
      check('ZRANGE z 3 1 BYSCORE REV LIMIT 0 1', '*1 $m3')
      check('ZCOUNT z 1 (3', ':2')
      check('ZCOUNT z -inf inf', `:${members}`)
      check.resp3('ZRANGE z 0 1 WITHSCORES', '*2 *2 $m0 ,0 *2 $m1 ,1')
      check('ZRANGESTORE d z 2 4', ':3')
      check('ZRANGE d 0 -1', '*3 $m2 $m3 $m4')
      check('ZRANGESTORE d z 9 5', ':0')
      check('EXISTS d', ':0')
      check('ZRANGE z 0 1 LIMIT 0 1', /^-ERR syntax error, LIMIT is only supported/)
      check('ZRANGE z a b', '-ERR value is not an integer or out of range')
      check('ZRANGEBYSCORE z a b', '-ERR min or max is not a float')
      check('ZREMRANGEBYRANK z 0 1', ':2')
      check('ZREMRANGEBYSCORE z 2 (4', ':2')
      check('ZRANGE z 0 0', '*1 $m4')
      check('ZPOPMIN z', '*2 $m4 $4')
      check('ZPOPMAX z 2', `*4 $m${last} $${last} $m${last - 1} $${last - 1}`)
      check('ZCARD z', `:${members - 7}`)
      check('COPY z c', ':1')
      check('RENAME c e', '+OK')
      check('ZDIFF 2 z e', '*0')
      check('ZINTERCARD 2 z e', `:${members - 7}`)
      check('ZREMRANGEBYRANK z 0 -1', `:${members - 7}`)
      check('EXISTS z', ':0')
    })

    suite('has an order of names', (check) => {
      const names = Array.from({ length: members }, (_, i) => [
        '0',
        `n${String(i).padStart(3, '0')}`,
      ])
      check(['ZADD', 'z', ...names.flat()], `:${members}`)
      check('ZRANGEBYLEX z [n001 (n003', '*2 $n001 $n002')
      check('ZREVRANGEBYLEX z (n003 [n001', '*2 $n002 $n001')
      check('ZRANGE z [n001 + BYLEX LIMIT 1 2', '*2 $n002 $n003')
      check('ZLEXCOUNT z - +', `:${members}`)
      check('ZLEXCOUNT z (n000 [n002', ':2')
      check('ZREMRANGEBYLEX z - (n003', ':3')
      check('ZRANGE z 0 0', '*1 $n003')
      check('ZRANGEBYLEX z a b', '-ERR min or max not valid string range item')
    })
  })
}

describe('algebra', () => {
  suite('unites, intersects, subtracts', (check) => {
    check('ZADD a 1 x 2 y 3 z', ':3')
    check('ZADD b 10 y 20 z 30 w', ':3')
    check('SADD s y q', ':2')
    check('ZUNION 2 a b WITHSCORES', '*8 $x $1 $y $12 $z $23 $w $30')
    check('ZINTER 2 a b WITHSCORES', '*4 $y $12 $z $23')
    check('ZDIFF 2 a b WITHSCORES', '*2 $x $1')
    check('ZINTER 2 a s WITHSCORES', '*2 $y $3')
    check('ZUNION 2 a b WEIGHTS 2 0.5 AGGREGATE MAX WITHSCORES', '*8 $x $2 $y $5 $z $10 $w $15')
    check('ZUNIONSTORE d 2 a b AGGREGATE MIN', ':4')
    check('ZRANGE d 0 -1 WITHSCORES', '*8 $x $1 $y $2 $z $3 $w $30')
    check('ZINTERSTORE d 2 a nokey', ':0')
    check('EXISTS d', ':0')
    check('ZDIFFSTORE a 2 a b', ':1')
    check('ZRANGE a 0 -1', '*1 $x')
    check('ZINTERCARD 2 b s LIMIT 1', ':1')
    check('ZUNION 0 a', "-ERR at least 1 input key is needed for 'zunion' command")
    check('ZUNION 3 a b', '-ERR syntax error')
    check('ZUNION 1 a WEIGHTS x', '-ERR weight value is not a float')
  })
})

describe('popping and drawing', () => {
  suite('waits for members', (check) => {
    const waits = check.on('waits')
    check('BZPOPMIN z 0.01', '*nil')
    waits.sends('BZPOPMIN y z 0')
    check.wait(20)
    check('ZADD z 1 a 2 b', ':2')
    waits.receives('*3 $z $a $1')
    check('BZPOPMAX z 0', '*3 $z $b $2')
    waits.sends('BZMPOP 0 2 y z MAX COUNT 2')
    check.wait(20)
    check('ZADD z 1 a 2 b 3 c', ':3')
    waits.receives('*2 $z *2 *2 $c $3 *2 $b $2')
    check('ZMPOP 2 y z MIN', '*2 $z *1 *2 $a $1')
    check('ZMPOP 1 z MIN', '*nil')
    check('ZPOPMIN z', '*0')
    check('ZPOPMIN z -1', '-ERR value is out of range, must be positive')
  })

  suite('draws', (check) => {
    check('ZRANDMEMBER nokey', '(nil)')
    check('ZRANDMEMBER nokey 2', '*0')
    check('ZADD z 1 a 2 b', ':2')
    check('ZRANDMEMBER z', anyOf('$a', '$b'))
    check('ZRANDMEMBER z 5', unordered('*2 $a $b'))
    check('ZRANDMEMBER z -5', (text) => text.startsWith('*5 '))
    check('ZSCAN z 0', '*2 $0 *4 $a $1 $b $2')
    check(`ZADD z 3 ${LONG}`, ':1')
    check('OBJECT ENCODING z', '$skiplist')
  })

  suite('refuses other types', (check) => {
    check('SET s x', '+OK')
    for (const call of [
      ...[
        'ZADD s 1 a',
        'ZREM s a',
        'ZSCORE s a',
        'ZRANGE s 0 1',
        'ZCARD s',
        'ZPOPMIN s',
        'ZRANK s a',
      ],
      ...[
        'ZUNION 1 s',
        'ZINCRBY s 1 a',
        'ZCOUNT s 0 1',
        'BZPOPMIN s 0',
        'ZMPOP 1 s MIN',
        'ZSCAN s 0',
      ],
    ]) {
      check(call, WRONG)
    }
  })
})
