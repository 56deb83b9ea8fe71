/**
 * Rows for the commands that pop members, at once or after waiting.
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

bothSizes('ZPOPMIN and ZPOPMAX take from either end', (check) => {
  check('ZADD k 1 a 2 b 3 c 4 d 5 e 6 f', ':6')
  check('ZPOPMIN k', '*2 $a $1')
  check('ZPOPMAX k', '*2 $f $6')
  check('ZPOPMIN k 2', '*4 $b $2 $c $3')
  check.resp3('ZPOPMAX k 1', '*1 *2 $e ,5')
  check.resp3('ZPOPMAX k', '*2 $d ,4')
  check('EXISTS k', ':0')
  check('ZADD k 1 a 2 b', ':2')
  check('ZPOPMAX k 10', '*4 $b $2 $a $1')
  check('EXISTS k', ':0')
  check('ZPOPMIN none', '*0')
  check('ZPOPMIN none 3', '*0')
  check('ZADD k 1 a', ':1')
  check('ZPOPMIN k 0', '*0')
  check('ZPOPMIN k -1', '-ERR value is out of range, must be positive')
  check('ZPOPMIN k x', '-ERR value is out of range, must be positive')
  check('ZPOPMIN k 1 2', '-ERR syntax error')
  check('SET s x', '+OK')
  check('ZPOPMIN s', WRONG_TYPE)
  check('ZPOPMIN s 0', WRONG_TYPE)
})

bothSizes('ZMPOP pops from the first key that is there', (check) => {
  check('ZADD b 1 x 2 y 3 z', ':3')
  check('ZMPOP 2 a b MIN', '*2 $b *1 *2 $x $1')
  check('ZMPOP 2 a b max COUNT 5', '*2 $b *2 *2 $z $3 *2 $y $2')
  check('ZMPOP 2 a b MIN', '*nil')
  check.resp3('ZMPOP 1 a MIN', '_')
  check('ZADD b 1.5 x', ':1')
  check.resp3('ZMPOP 1 b MIN COUNT 2', '*2 $b *1 *2 $x ,1.5')
  check('ZMPOP 0 a MIN', '-ERR numkeys should be greater than 0')
  check('ZMPOP x a MIN', '-ERR numkeys should be greater than 0')
  check('ZMPOP 1 a', "-ERR wrong number of arguments for 'zmpop' command")
  check('ZMPOP 2 a MIN', '-ERR syntax error')
  check('ZMPOP 1 a MID', '-ERR syntax error')
  check('ZMPOP 1 a MIN COUNT', '-ERR syntax error')
  check('ZMPOP 1 a MIN COUNT 0', '-ERR count should be greater than 0')
  check('ZMPOP 1 a MIN COUNT 1 COUNT 1', '-ERR syntax error')
  check('ZMPOP 1 a MIN X 1', '-ERR syntax error')
  check('SET s x', '+OK')
  check('ZMPOP 2 s a MIN', WRONG_TYPE)
})

bothSizes('blocking pops answer at once when they can', (check) => {
  check('ZADD b 1 x 2 y 3 z', ':3')
  check('BZPOPMIN a b 0', '*3 $b $x $1')
  check.resp3('BZPOPMAX b a 0', '*3 $b $z ,3')
  check('BZMPOP 0 2 a b MIN COUNT 9', '*2 $b *1 *2 $y $2')
  check('EXISTS b', ':0')
  check('BZPOPMIN a x', '-ERR timeout is not a float or out of range')
  check('BZPOPMIN a -1', '-ERR timeout is negative')
  check('BZMPOP x 1 a MIN', '-ERR timeout is not a float or out of range')
  check('BZMPOP 0 0 a MIN', '-ERR numkeys should be greater than 0')
  check('SET s x', '+OK')
  check('BZPOPMIN a s 0', WRONG_TYPE)
})

suite('blocking pops wait for a sorted set', (check) => {
  const one = check.on('one')
  const two = check.on('two')
  one.sends('BZPOPMIN a b 0')
  one.receivesNothing()
  two.sends('BZPOPMAX b 0')
  two.receivesNothing()
  check('SADD b x', ':1')
  one.receivesNothing()
  check('DEL b', ':1')
  check('ZADD b 1 x 2 y 3 z', ':3')
  one.receives('*3 $b $x $1')
  two.receives('*3 $b $z $3')
  check('ZRANGE b 0 -1', '*1 $y')
  one.sends('BZMPOP 0 2 c d MAX COUNT 2')
  one.receivesNothing()
  check('ZADD d 1 x 2 y 3 z', ':3')
  one.receives('*2 $d *2 *2 $z $3 *2 $y $2')
  one.sends('BZPOPMIN c 0')
  one.receivesNothing()
  check('ZUNIONSTORE c 1 d', ':1')
  one.receives('*3 $c $x $1')
  check('EXISTS c', ':0')
  one.sends('BZPOPMIN c 0')
  one.receivesNothing()
  check('RENAME d c', '+OK')
  one.receives('*3 $c $x $1')
})

suite('blocking pops give up when their time is over', (check) => {
  const one = check.on('one')
  one.sends('BZPOPMIN a 0.05')
  check.wait(100)
  one.receives('*nil')
  one.sends('BZMPOP 0.05 1 a MIN')
  check.wait(100)
  one.receives('*nil')
  check('MULTI', '+OK')
  check('BZPOPMIN a 0', '+QUEUED')
  check('EXEC', '*1 *nil')
})
