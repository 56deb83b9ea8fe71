/**
 * Rows for ZRANGE and its relations, counts, scans and draws.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: looks inside the server.
 */
import { suite } from '../support/check.ts'

function bothSizes(name: string, body: Parameters<typeof suite>[1]): void {
  suite(`${name}, small`, body)
  suite(`${name}, large`, body, { config: { 'zset-max-listpack-entries': '0' } })
}

bothSizes('ZRANGE goes by rank from either end', (check) => {
  check('ZADD k 1 a 2 b 3 c 4 d', ':4')
  check('ZRANGE k 0 -1', '*4 $a $b $c $d')
  check('ZRANGE k 1 2', '*2 $b $c')
  check('ZRANGE k -2 100', '*2 $c $d')
  check('ZRANGE k -100 0', '*1 $a')
  check('ZRANGE k 2 1', '*0')
  check('ZRANGE k 4 9', '*0')
  check('ZRANGE k 0 -5', '*0')
  check('ZRANGE k 0 1 REV', '*2 $d $c')
  check('ZREVRANGE k 1 -1', '*3 $c $b $a')
  check('ZRANGE k 0 1 WITHSCORES', '*4 $a $1 $b $2')
  check('ZREVRANGE k 0 0 withscores', '*2 $d $4')
  check.resp3('ZRANGE k 0 1 REV WITHSCORES', '*2 *2 $d ,4 *2 $c ,3')
  check.resp3('ZRANGE k 0 1', '*2 $a $b')
  check('ZRANGE none 0 -1', '*0')
  check('ZRANGE k 9223372036854775807 -9223372036854775808', '*0')
  check('ZRANGE k -9223372036854775808 9223372036854775807', '*4 $a $b $c $d')
})

bothSizes('ranges by score have limits that may be left out', (check) => {
  check('ZADD k 1 a 2 b 2 c 3 d inf e -inf f', ':6')
  check('ZRANGE k 1 2 BYSCORE', '*3 $a $b $c')
  check('ZRANGE k (1 2 BYSCORE', '*2 $b $c')
  check('ZRANGE k 1 (2 BYSCORE', '*1 $a')
  check('ZRANGE k (2 (2 BYSCORE', '*0')
  check('ZRANGE k 3 1 BYSCORE', '*0')
  check('ZRANGE k 3 1 BYSCORE REV', '*4 $d $c $b $a')
  check('ZRANGE k -inf +inf BYSCORE LIMIT 1 2', '*2 $a $b')
  check('ZRANGE k +inf -inf BYSCORE REV LIMIT 1 2', '*2 $d $c')
  check('ZRANGE k (-inf (+inf BYSCORE', '*4 $a $b $c $d')
  check('ZRANGE k "" 2 BYSCORE', '*3 $a $b $c')
  check('ZRANGEBYSCORE k 2 3 WITHSCORES', '*6 $b $2 $c $2 $d $3')
  check('ZRANGEBYSCORE k -inf inf LIMIT 2 -1', '*4 $b $c $d $e')
  check('ZRANGEBYSCORE k -inf inf LIMIT -1 2', '*0')
  check('ZRANGEBYSCORE k -inf inf LIMIT 0 0', '*0')
  check('ZRANGEBYSCORE k -inf inf LIMIT 9 1', '*0')
  check('ZREVRANGEBYSCORE k 3 1 WITHSCORES LIMIT 1 2', '*4 $c $2 $b $2')
  check.resp3('ZREVRANGEBYSCORE k 3 1 WITHSCORES LIMIT 1 2', '*2 *2 $c ,2 *2 $b ,2')
  check('ZCOUNT k -inf +inf', ':6')
  check('ZCOUNT k (1 (3', ':2')
  check('ZCOUNT k 5 1', ':0')
  check('ZCOUNT none 0 1', ':0')
  check('ZCOUNT k a 1', '-ERR min or max is not a float')
  check('ZCOUNT k nan 1', '-ERR min or max is not a float')
  check('ZCOUNT k 1 ((2', '-ERR min or max is not a float')
})

bothSizes('ranges by member are for members of one score', (check) => {
  check('ZADD k 0 a 0 b 0 bb 0 c 0 d', ':5')
  check('ZRANGE k - + BYLEX', '*5 $a $b $bb $c $d')
  check('ZRANGE k [b [c BYLEX', '*3 $b $bb $c')
  check('ZRANGE k (b (c BYLEX', '*1 $bb')
  check('ZRANGE k [ba + BYLEX', '*3 $bb $c $d')
  check('ZRANGE k - ( BYLEX', '*0')
  check('ZRANGE k + - BYLEX', '*0')
  check('ZRANGE k + + BYLEX', '*0')
  check('ZRANGE k + - BYLEX REV', '*5 $d $c $bb $b $a')
  check('ZRANGE k [c [b BYLEX REV LIMIT 1 1', '*1 $bb')
  check('ZRANGEBYLEX k - [bb LIMIT 1 9', '*2 $b $bb')
  check('ZREVRANGEBYLEX k (d [b', '*3 $c $bb $b')
  check('ZLEXCOUNT k - +', ':5')
  check('ZLEXCOUNT k [b (d', ':3')
  check('ZLEXCOUNT k (d [b', ':0')
  check('ZLEXCOUNT none - +', ':0')
  check('ZLEXCOUNT k a +', '-ERR min or max not valid string range item')
  check('ZRANGEBYLEX k - ++', '-ERR min or max not valid string range item')
  check('ZRANGEBYLEX k "" +', '-ERR min or max not valid string range item')
  check('ZRANGEBYLEX k "-\\x00x" "+\\x00"', '*5 $a $b $bb $c $d')
})

suite('members of different scores are walked until one is out of range', (check) => {
  check('ZADD k 1 b 2 a 3 c', ':3')
  check('ZRANGEBYLEX k [b +', '*3 $b $a $c')
  check('ZRANGEBYLEX k [a [b', '*2 $b $a')
  check('ZREVRANGEBYLEX k [b [a', '*2 $a $b')
  check('ZRANGEBYLEX k [d +', '*0')
})

bothSizes('members of different scores have no range beyond both ends', (check) => {
  check('ZADD k 1 b 2 c 3 a', ':3')
  check('ZLEXCOUNT k (a +', ':0')
  check('ZLEXCOUNT k - (b', ':0')
  check('ZLEXCOUNT k - +', ':3')
})

suite('ZRANGE and its relations refuse what does not go together', (check) => {
  check('ZADD k 1 a', ':1')
  check(
    'ZRANGE k 0 -1 LIMIT 0 1',
    '-ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX',
  )
  check(
    'ZREVRANGE k 0 -1 LIMIT 0 1',
    '-ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX',
  )
  check('ZRANGE k 0 -1 LIMIT 0 -1', '*1 $a')
  check(
    'ZRANGE k - + BYLEX WITHSCORES',
    '-ERR syntax error, WITHSCORES not supported in combination with BYLEX',
  )
  check('ZRANGEBYLEX k - + REV', '-ERR syntax error')
  check('ZREVRANGE k 0 -1 REV', '-ERR syntax error')
  check('ZRANGEBYSCORE k 0 1 BYSCORE', '-ERR syntax error')
  check('ZRANGEBYSCORE k 0 1 LIMIT 1', '-ERR syntax error')
  check('ZRANGEBYSCORE k 0 1 LIMIT x 1', '-ERR value is not an integer or out of range')
  check('ZRANGESTORE d k 0 1 WITHSCORES', '-ERR syntax error')
  check('ZRANGE k a 1', '-ERR value is not an integer or out of range')
  check('ZRANGE k a 1 BYSCORE', '-ERR min or max is not a float')
  check('ZRANGE k a 1 BYLEX', '-ERR min or max not valid string range item')
  check('ZRANGE k 0 1 BYSCORE BYLEX', '-ERR syntax error')
  check('ZRANGE k 0 1 BYSCORE REV REV', '-ERR syntax error')
  check('SET s x', '+OK')
  check('ZRANGE s a 1', '-ERR value is not an integer or out of range')
  check('ZRANGE s 0 1', '-WRONGTYPE Operation against a key holding the wrong kind of value')
})

bothSizes('ZRANGESTORE stores what ZRANGE gives', (check) => {
  check('ZADD k 1 a 2 b 3 c', ':3')
  check('ZRANGESTORE d k 0 1', ':2')
  check('ZRANGE d 0 -1 WITHSCORES', '*4 $a $1 $b $2')
  check('ZRANGESTORE d k 3 (1 BYSCORE REV LIMIT 0 1', ':1')
  check('ZRANGE d 0 -1 WITHSCORES', '*2 $c $3')
  check('ZRANGESTORE k k 1 -1', ':2')
  check('ZRANGE k 0 -1', '*2 $b $c')
  check('SET s x', '+OK')
  check('ZRANGESTORE s k 0 0', ':1')
  check('TYPE s', '+zset')
  check('ZRANGESTORE s k 5 6', ':0')
  check('EXISTS s', ':0')
  check('ZRANGESTORE d none 0 -1', ':0')
  check('EXISTS d', ':0')
  check('SET t x', '+OK')
  check(
    'ZRANGESTORE d t 0 -1',
    '-WRONGTYPE Operation against a key holding the wrong kind of value',
  )
  check('EXPIRE k 100', ':1')
  check('ZRANGESTORE k k 0 -1', ':2')
  check('TTL k', ':-1')
})

bothSizes('ZSCAN gives members and scores as bulk strings', (check) => {
  check('ZADD k 1.5 a', ':1')
  check('ZSCAN k 0', '*2 $0 *2 $a $1.5')
  check.resp3('ZSCAN k 0', '*2 $0 *2 $a $1.5')
  check('ZSCAN k 0 MATCH b*', '*2 $0 *0')
  check('ZSCAN k 0 MATCH a* COUNT 100', '*2 $0 *2 $a $1.5')
  check('ZSCAN none 0', '*2 $0 *0')
  check('ZSCAN none 0 COUNT x', '*2 $0 *0')
  check('ZSCAN k 0 COUNT x', '-ERR value is not an integer or out of range')
  check('ZSCAN k 0 COUNT 0', '-ERR syntax error')
  check('ZSCAN k 0 TYPE zset', '-ERR syntax error')
  check('ZSCAN k a', '-ERR invalid cursor')
})

bothSizes('ZRANDMEMBER draws without and with repetition', (check) => {
  check('ZADD k 1 a 1 b 1 c', ':3')
  check('ZRANDMEMBER k', /^\$[abc]$/)
  check('ZRANDMEMBER none', '(nil)')
  check('ZRANDMEMBER k 2', /^\*2 (?!(\S+) \1)\$[abc] \$[abc]$/)
  check('ZRANDMEMBER k 9', (text) => text.split(' ').sort().join(' ') === '$a $b $c *3')
  check('ZRANDMEMBER k -5', /^\*5( \$[abc]){5}$/)
  check('ZRANDMEMBER k -2 WITHSCORES', /^\*4( \$[abc] \$1){2}$/)
  check.resp3('ZRANDMEMBER k -2 WITHSCORES', /^\*2( \*2 \$[abc] ,1){2}$/)
  check('ZRANDMEMBER k 0', '*0')
  check('ZRANDMEMBER none 5', '*0')
  check('ZRANDMEMBER k 1 x', '-ERR syntax error')
  check('ZRANDMEMBER k 1 WITHSCORES x', '-ERR syntax error')
  check('ZRANDMEMBER k x', '-ERR value is not an integer or out of range')
  check(
    'ZRANDMEMBER k -9223372036854775808',
    '-ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807',
  )
  check('ZRANDMEMBER k -9223372036854775807 WITHSCORES', '-ERR value is out of range')
})
