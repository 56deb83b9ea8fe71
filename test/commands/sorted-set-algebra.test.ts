/**
 * Rows for ZUNION, ZINTER, ZDIFF and their STORE and counting forms.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: looks inside the server.
 */
import { suite } from '../support/check.ts'

const WRONG_TYPE = '-WRONGTYPE Operation against a key holding the wrong kind of value'

function bothSizes(name: string, body: Parameters<typeof suite>[1]): void {
  suite(`${name}, small`, body)
  suite(`${name}, large`, body, { config: { 'zset-max-listpack-entries': '0' } })
}

bothSizes('unions add up, intersections too, differences keep', (check) => {
  check('ZADD a 1 x 2 y 3 z', ':3')
  check('ZADD b 10 y 20 z 30 w', ':3')
  check('ZUNION 2 a b WITHSCORES', '*8 $x $1 $y $12 $z $23 $w $30')
  check.resp3('ZUNION 2 a b WITHSCORES', '*4 *2 $x ,1 *2 $y ,12 *2 $z ,23 *2 $w ,30')
  check('ZUNION 2 a b', '*4 $x $y $z $w')
  check('ZINTER 2 a b WITHSCORES', '*4 $y $12 $z $23')
  check('ZDIFF 2 a b WITHSCORES', '*2 $x $1')
  check('ZDIFF 2 b a', '*1 $w')
  check('ZDIFF 2 a a', '*0')
  check('ZDIFF 1 a', '*3 $x $y $z')
  check('ZINTER 2 a none', '*0')
  check('ZUNION 2 a none', '*3 $x $y $z')
  check('ZINTER 2 a a WITHSCORES', '*6 $x $2 $y $4 $z $6')
  check('ZINTERCARD 2 a b', ':2')
  check('ZINTERCARD 2 a b LIMIT 1', ':1')
  check('ZINTERCARD 2 a b LIMIT 0', ':2')
  check('ZINTERCARD 1 a LIMIT 9', ':3')
  check('ZINTERCARD 2 a none', ':0')
})

bothSizes('weights and aggregates say what becomes of scores', (check) => {
  check('ZADD a 1 x 2 y', ':2')
  check('ZADD b 3 x -4 y', ':2')
  check('ZUNION 2 a b WEIGHTS 2 0.5 WITHSCORES', '*4 $y $2 $x $3.5')
  check('ZUNION 2 a b AGGREGATE MIN WITHSCORES', '*4 $y $-4 $x $1')
  check('ZUNION 2 a b AGGREGATE max WITHSCORES', '*4 $y $2 $x $3')
  check('ZINTER 2 a b WEIGHTS -1 1 AGGREGATE SUM WITHSCORES', '*4 $y $-6 $x $2')
  check('ZADD i inf x -inf y', ':2')
  check('ZUNION 2 a i WEIGHTS 1 0 WITHSCORES', '*4 $x $1 $y $2')
  check('ZADD j -inf x inf y', ':2')
  check('ZUNION 2 i j WITHSCORES', '*4 $x $0 $y $0')
  check('ZINTER 2 i j AGGREGATE MAX WITHSCORES', '*4 $x $inf $y $inf')
})

bothSizes('members of plain sets count 1', (check) => {
  check('SADD s a b 5', ':3')
  check('SADD n 1 5', ':2')
  check('ZADD z 2 a 3 5', ':2')
  check('ZUNION 2 s z WITHSCORES', '*6 $b $1 $a $3 $5 $4')
  check('ZINTER 3 s z n WITHSCORES', '*2 $5 $5')
  check('ZINTER 2 s z WEIGHTS 10 1 WITHSCORES', '*4 $a $12 $5 $13')
  check('ZDIFF 2 z n WITHSCORES', '*2 $a $2')
  check('ZUNIONSTORE d 1 s', ':3')
  check('ZRANGE d 0 -1 WITHSCORES', '*6 $5 $1 $a $1 $b $1')
  check('ZINTERCARD 2 s n', ':1')
})

bothSizes('results are stored, also over their sources', (check) => {
  check('ZADD a 1 x 2 y', ':2')
  check('ZADD b 3 y 4 z', ':2')
  check('SET d text', '+OK')
  check('ZUNIONSTORE d 2 a b', ':3')
  check('ZRANGE d 0 -1 WITHSCORES', '*6 $x $1 $z $4 $y $5')
  check('ZINTERSTORE a 2 a b WEIGHTS 2 1', ':1')
  check('ZRANGE a 0 -1 WITHSCORES', '*2 $y $7')
  check('ZDIFFSTORE b 2 b a', ':1')
  check('ZRANGE b 0 -1 WITHSCORES', '*2 $z $4')
  check('ZINTERSTORE d 2 a b', ':0')
  check('EXISTS d', ':0')
  check('ZINTERSTORE d 2 a b', ':0')
  check('ZDIFFSTORE d 1 none', ':0')
})

suite('the algebra refuses', (check) => {
  check('ZADD a 1 x', ':1')
  check('SET s x', '+OK')
  check('ZUNION 0 a', "-ERR at least 1 input key is needed for 'zunion' command")
  check('ZINTERSTORE d -1 a', "-ERR at least 1 input key is needed for 'zinterstore' command")
  check('ZINTERCARD 0 a', "-ERR at least 1 input key is needed for 'zintercard' command")
  check('ZUNION x a', '-ERR value is not an integer or out of range')
  check('ZUNION 2 a', '-ERR syntax error')
  check('ZUNION 2 a s', WRONG_TYPE)
  check('ZUNION 2 a s BAD', WRONG_TYPE)
  check('ZUNION 1 a WEIGHTS', '-ERR syntax error')
  check('ZUNION 2 a a WEIGHTS 1', '-ERR syntax error')
  check('ZUNION 1 a WEIGHTS x', '-ERR weight value is not a float')
  check('ZUNION 1 a AGGREGATE', '-ERR syntax error')
  check('ZUNION 1 a AGGREGATE AVG', '-ERR syntax error')
  check('ZDIFF 1 a WEIGHTS 1', '-ERR syntax error')
  check('ZUNIONSTORE d 1 a WITHSCORES', '-ERR syntax error')
  check('ZINTERCARD 1 a LIMIT', '-ERR syntax error')
  check('ZINTERCARD 1 a LIMIT -1', "-ERR LIMIT can't be negative")
  check('ZINTERCARD 1 a LIMIT x', "-ERR LIMIT can't be negative")
  check('ZINTERCARD 1 a WITHSCORES', '-ERR syntax error')
})
