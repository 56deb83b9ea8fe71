/**
 * Rows for ZADD, ZINCRBY, the removals, and what single members answer.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: looks inside the server.
 */
import { suite } from '../support/check.ts'

/** The same rows for a listpack and for a skiplist. */
function bothSizes(name: string, body: Parameters<typeof suite>[1]): void {
  suite(`${name}, small`, body)
  suite(`${name}, large`, body, { config: { 'zset-max-listpack-entries': '0' } })
}

bothSizes('ZADD counts the members that are new', (check) => {
  check('ZADD k 1 a', ':1')
  check('ZADD k 1 a 2 b 3 c 3 c', ':2')
  check('ZADD k 5 a', ':0')
  check('ZSCORE k a', '$5')
  check('ZCARD k', ':3')
  check('ZADD k CH 5 a 6 b 7 d', ':2')
  check('ZRANGE k 0 -1 WITHSCORES', '*8 $c $3 $a $5 $b $6 $d $7')
  check('ZADD k ch 7 d', ':0')
  check('TYPE k', '+zset')
})

bothSizes('ZADD conditions say whom it touches', (check) => {
  check('ZADD k XX 1 a', ':0')
  check('EXISTS k', ':0')
  check('ZADD k NX 1 a 2 b', ':2')
  check('ZADD k NX 9 a 3 c', ':1')
  check('ZADD k XX CH 4 a 4 d', ':1')
  check('ZSCORE k a', '$4')
  check('ZSCORE k d', '(nil)')
  check('ZADD k GT CH 3 a 5 b', ':1')
  check('ZADD k LT CH 3 a 6 b', ':1')
  check('ZADD k GT 1 new', ':1')
  check('ZADD k XX LT 0 none', ':0')
  check('ZADD k GT CH 3 a', ':0')
  check('ZRANGE k 0 -1 WITHSCORES', '*8 $new $1 $a $3 $c $3 $b $5')
})

bothSizes('ZADD INCR gives the sum, or nothing when a condition forbids it', (check) => {
  check('ZADD k INCR 1.5 a', '$1.5')
  check('ZADD k INCR 2 a', '$3.5')
  check('ZADD k NX INCR 2 a', '(nil)')
  check('ZADD k XX INCR 2 b', '(nil)')
  check('ZADD k GT INCR -2 a', '(nil)')
  check('ZADD k LT INCR -2 a', '$1.5')
  check('ZADD k INCR 0 a', '$1.5')
  check('ZADD k GT INCR 0 a', '(nil)')
  check('ZADD k INCR inf a', '$inf')
  check('ZADD k INCR -inf a', '-ERR resulting score is not a number (NaN)')
  check('ZSCORE k a', '$inf')
  check('ZADD k INCR 1 a 1 b', '-ERR INCR option supports a single increment-element pair')
  check.resp3('ZADD k INCR -5 z', ',-5')
  check.resp3('ZADD k NX INCR 2 a', '_')
})

suite('ZADD refuses before it changes anything', (check) => {
  check('ZADD k', "-ERR wrong number of arguments for 'zadd' command")
  check('ZADD k 1', "-ERR wrong number of arguments for 'zadd' command")
  check('ZADD k NX CH', '-ERR syntax error')
  check('ZADD k 1 a 2', '-ERR syntax error')
  check('ZADD k NX 1', '-ERR syntax error')
  check('ZADD k NX XX 1 a', '-ERR XX and NX options at the same time are not compatible')
  check('ZADD k NX GT 1 a', '-ERR GT, LT, and/or NX options at the same time are not compatible')
  check('ZADD k LT GT 1 a', '-ERR GT, LT, and/or NX options at the same time are not compatible')
  check('ZADD k 1 a x b', '-ERR value is not a valid float')
  check('ZADD k nan a', '-ERR value is not a valid float')
  check('ZADD k "" a', '-ERR value is not a valid float')
  check('ZADD k " 1" a', '-ERR value is not a valid float')
  check('EXISTS k', ':0')
  check('SET k x', '+OK')
  check('ZADD k x a', '-ERR value is not a valid float')
  check('ZADD k 1 a', '-WRONGTYPE Operation against a key holding the wrong kind of value')
  check('ZINCRBY k 1 a', '-WRONGTYPE Operation against a key holding the wrong kind of value')
})

bothSizes('ZINCRBY adds to a score, or to 0', (check) => {
  check('ZINCRBY k 1 a', '$1')
  check('ZINCRBY k 0.25 a', '$1.25')
  check('ZINCRBY k -3 a', '$-1.75')
  check('ZINCRBY k x a', '-ERR value is not a valid float')
  check('ZINCRBY k inf a', '$inf')
  check('ZINCRBY k -inf a', '-ERR resulting score is not a number (NaN)')
  check.resp3('ZINCRBY k 1 a', ',inf')
  check.resp3('ZINCRBY k 0.1 b', ',0.10000000000000001')
})

bothSizes('scores are told with 17 digits', (check) => {
  check('ZADD k 3.0 a 0.1 b 1e17 c 1e16 d 1e300 e -1e-300 f +inf g 0x10 h 1e3 i', ':9')
  check(
    'ZRANGE k 0 -1 WITHSCORES',
    '*18 $f $-1e-300 $b $0.10000000000000001 $a $3 $h $16 $i $1000 ' +
      '$d $10000000000000000 $c $1e+17 $e $1.0000000000000001e+300 $g $inf',
  )
  check.resp3('ZMSCORE k b c g none', '*4 ,0.10000000000000001 ,1e+17 ,inf _')
  check('ZMSCORE k a none', '*2 $3 (nil)')
  check('ZMSCORE none a b', '*2 (nil) (nil)')
  check('ZADD k 4503599627370497 m 9007199254740993 n -4611686018427387904 o', ':3')
  check('ZMSCORE k m n o', '*3 $4503599627370497 $9007199254740992 $-4.6116860184273879e+18')
})

suite('-0 keeps its sign in a skiplist and loses it in a listpack', (check) => {
  check('ZADD small -0 a', ':1')
  check('ZSCORE small a', '$0')
  check('CONFIG SET zset-max-listpack-entries 0', '+OK')
  check('ZADD large -0 a', ':1')
  check('ZSCORE large a', '$-0')
  check('ZADD large CH 0 a', ':0')
  check('ZSCORE large a', '$-0')
  check('ZRANK large a', ':0')
  check('ZSCAN large 0', '*2 $0 *2 $a $-0')
  check('CONFIG SET zset-max-listpack-entries 128', '+OK')
  check('ZUNIONSTORE stored 1 large', ':1')
  check('ZSCORE stored a', '$0')
})

bothSizes('ZREM counts what was there, and the last one takes the key along', (check) => {
  check('ZADD k 1 a 2 b 3 c', ':3')
  check('ZREM k x', ':0')
  check('ZREM k a a x', ':1')
  check('ZREM none a', ':0')
  check('ZREM k c b a', ':2')
  check('EXISTS k', ':0')
  check('ZREM k', "-ERR wrong number of arguments for 'zrem' command")
})

bothSizes('ranks count from either end', (check) => {
  check('ZADD k 1 a 2 b 2 bb 3 c -inf low', ':5')
  check('ZRANK k low', ':0')
  check('ZRANK k bb', ':3')
  check('ZREVRANK k low', ':4')
  check('ZREVRANK k c', ':0')
  check('ZRANK k none', '(nil)')
  check('ZREVRANK none a', '(nil)')
  check.resp3('ZRANK k none', '_')
})

suite(
  'ZRANK tells the score too',
  (check) => {
    check('ZADD k 1 a 2.5 b', ':2')
    check('ZRANK k b WITHSCORE', '*2 :1 $2.5')
    check('ZREVRANK k b withscore', '*2 :0 $2.5')
    check.resp3('ZRANK k b WITHSCORE', '*2 :1 ,2.5')
    check('ZRANK k none WITHSCORE', '*nil')
    check('ZRANK none a WITHSCORE', '*nil')
    check('ZRANK k a WITHSCORES', "-ERR wrong number of arguments for 'zrank' command")
    check('ZREVRANK k a WITHSCORE x', "-ERR wrong number of arguments for 'zrevrank' command")
  },
  { since: '7.2.0' },
)

suite('a set becomes a skiplist by a member too many or too long, and stays one', (check) => {
  check('CONFIG SET zset-max-listpack-entries 3', '+OK')
  check('ZADD k 1 a 2 b 3 c', ':3')
  check('OBJECT ENCODING k', '$listpack')
  check('ZADD k 4 d', ':1')
  check('OBJECT ENCODING k', '$skiplist')
  check('ZREM k d c', ':2')
  check('OBJECT ENCODING k', '$skiplist')
  check('CONFIG SET zset-max-listpack-value 4', '+OK')
  check('ZADD l 1 abcd', ':1')
  check('OBJECT ENCODING l', '$listpack')
  check('ZADD l 1 abcde', ':1')
  check('OBJECT ENCODING l', '$skiplist')
  check('ZADD m 1 abcde', ':1')
  check('OBJECT ENCODING m', '$skiplist')
  check('ZRANGESTORE n k 0 -1', ':2')
  check('OBJECT ENCODING n', '$listpack')
  check('ZUNIONSTORE o 2 k l', ':4')
  check('OBJECT ENCODING o', '$skiplist')
  check('CONFIG SET zset-max-listpack-value 64', '+OK')
  check('CONFIG SET zset-max-listpack-entries 128', '+OK')
})

bothSizes('members of one score lie in the order of their bytes', (check) => {
  check(['ZADD', 'k', 0, 'b', 0, Buffer.of(255), 0, '', 0, 'a', 0, 'ab', 0, '10', 0, '9'], ':7')
  check('ZRANGE k 0 -1', '*7 $"" $10 $9 $a $ab $b $"\\xff"')
  check('ZADD k 0 -5', ':1')
  check('ZRANK k -5', ':1')
})

bothSizes('ranges are removed by rank, score and member', (check) => {
  check('ZADD k 1 a 2 b 3 c 4 d 5 e 6 f', ':6')
  check('ZREMRANGEBYRANK k 0 0', ':1')
  check('ZREMRANGEBYRANK k -1 -1', ':1')
  check('ZREMRANGEBYRANK k 5 9', ':0')
  check('ZREMRANGEBYRANK k 3 1', ':0')
  check('ZREMRANGEBYSCORE k (2 3', ':1')
  check('ZREMRANGEBYSCORE k 9 8', ':0')
  check('ZRANGE k 0 -1', '*3 $b $d $e')
  check('ZREMRANGEBYSCORE k -inf +inf', ':3')
  check('EXISTS k', ':0')
  check('ZADD k 0 a 0 b 0 c 0 d', ':4')
  check('ZREMRANGEBYLEX k [b (d', ':2')
  check('ZREMRANGEBYLEX k + -', ':0')
  check('ZREMRANGEBYLEX k - +', ':2')
  check('EXISTS k', ':0')
  check('ZREMRANGEBYRANK none 0 -1', ':0')
  check('ZREMRANGEBYRANK none a 0', '-ERR value is not an integer or out of range')
  check('ZREMRANGEBYSCORE none a 0', '-ERR min or max is not a float')
  check('ZREMRANGEBYLEX none a 0', '-ERR min or max not valid string range item')
})
