/**
 * Rows for SORT and SORT_RO.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: asks for an order that is chance's in real Redis.
 */
import { suite } from '../support/check.ts'

const NOT_NUMBERS = "-ERR One or more scores can't be converted into double"
const WRONG_TYPE = '-WRONGTYPE Operation against a key holding the wrong kind of value'

suite('SORT sorts numbers and texts', (check) => {
  check('RPUSH l 3 10 2 -1 2.5 1e1 0x10 +4', ':8')
  check('SORT l', '*8 $-1 $2 $2.5 $3 $+4 $10 $1e1 $0x10')
  check('SORT l DESC', '*8 $0x10 $1e1 $10 $+4 $3 $2.5 $2 $-1')
  check('SORT l ALPHA', '*8 $+4 $-1 $0x10 $10 $1e1 $2 $2.5 $3')
  check('sort l alpha desc', '*8 $3 $2.5 $2 $1e1 $10 $0x10 $-1 $+4')
  check('SORT l DESC ASC LIMIT 1 2', '*2 $2 $2.5')
  check('SORT_RO l LIMIT 6 100', '*2 $1e1 $0x10')
  check('SADD s 3 1 2', ':3')
  check('SORT s', '*3 $1 $2 $3')
  check('SADD t c a b', ':3')
  check('SORT t ALPHA', '*3 $a $b $c')
  check('ZADD z 1 c 2 b 3 a', ':3')
  check('SORT z ALPHA DESC', '*3 $c $b $a')
  check('SORT none', '*0')
  check('SORT none LIMIT 0 5 GET #', '*0')
  check.resp3('SORT s', '*3 $1 $2 $3')
})

suite('SORT takes for a number what C does', (check) => {
  check(['RPUSH', 'l', '', ' 7', '\t5', '3\0x', 'inf', '-INFINITY', '1e-300', '1e300'], ':8')
  check('SORT l', '*8 $-INFINITY $"" $1e-300 $"3\\x00x" $"\\t5" $" 7" $1e300 $inf')
  for (const no of [
    'x',
    '1x',
    '7 ',
    ' ',
    'nan',
    '1e400',
    '-1e400',
    '1e-400',
    '1e-310',
    '0x',
    '--1',
  ]) {
    check(['RPUSH', 'm', '1', no, '2'], ':3')
    check('SORT m', NOT_NUMBERS)
    check('SORT m BY nosort', `*3 $1 ${JSON.stringify(`$${no}`).replace('"$', '$"')} $2`)
    check('SORT m STORE d', NOT_NUMBERS)
    check('DEL m', ':1')
  }
  check('EXISTS d', ':0')
  check('RPUSH b 9007199254740993 9007199254740992 -9223372036854775808 9223372036854775807', ':4')
  check(
    'SORT b',
    '*4 $-9223372036854775808 $9007199254740992 $9007199254740993 $9223372036854775807',
  )
})

suite('SORT BY sorts by what other keys hold', (check) => {
  check('RPUSH l a b c d', ':4')
  check('MSET w_a 3 w_b 1 w_c 2', '+OK')
  check('SORT l BY w_*', '*4 $d $b $c $a')
  check('SORT l BY w_* DESC', '*4 $a $c $b $d')
  check('SORT l BY w_* LIMIT 1 2', '*2 $b $c')
  check('SORT l BY *', '*4 $a $b $c $d')
  check('SORT l BY none_*', '*4 $a $b $c $d')
  check('SORT l BY none_* DESC', '*4 $d $c $b $a')
  check('HSET h_a f 1 g z', ':2')
  check('HSET h_b f 3 g y', ':2')
  check('HSET h_c f 2', ':1')
  check('SORT l BY h_*->f', '*4 $d $a $c $b')
  check('SORT l BY h_*->g ALPHA', '*4 $c $d $b $a')
  check('SORT l BY h_*->', '*4 $a $b $c $d')
  check('SORT l BY w_*->f', '*4 $a $b $c $d')
  check('SORT l BY h_*', '*4 $a $b $c $d')
  check('SET w_d x', '+OK')
  check('SORT l BY w_*', NOT_NUMBERS)
  check('SORT l BY w_* ALPHA', '*4 $b $c $a $d')
  check('SET a->b 1', '+OK')
  check('SET pa->x 9', '+OK')
  check('HSET pa x 1', ':1')
  check('SORT l BY p*->x GET p*->x', '*4 (nil) (nil) (nil) $1')
})

suite('SORT keeps the order of equals where Redis does', (check) => {
  check('RPUSH l b a d c f e', ':6')
  check('SORT l BY none_* ALPHA', '*6 $b $a $d $c $f $e')
  check('SORT l BY none_* ALPHA DESC', '*6 $b $a $d $c $f $e')
  check('MSET w_a 1 w_c 1 w_e 1', '+OK')
  check('SORT l BY w_* ALPHA', '*6 $b $d $f $a $c $e')
  check('SORT l BY w_* ALPHA DESC', '*6 $a $c $e $b $d $f')
  check('SORT l BY w_* ALPHA LIMIT 1 4', '*4 $d $f $a $c')
  check(['RPUSH', 'm', ...Array.from({ length: 60 }, (_, i) => `${(i * 37) % 60}`)], ':60')
  check(['MSET', ...Array.from({ length: 30 }, (_, i) => [`v_${i}`, `${i % 3}`]).flat()], '+OK')
  check('SORT m BY v_* ALPHA LIMIT 25 10', '*10 $54 $40 $39 $49 $30 $0 $24 $15 $6 $21')
  check('SORT m BY v_* ALPHA DESC LIMIT 0 5', '*5 $20 $17 $23 $2 $26')
  check('SORT m BY v_* LIMIT 28 5', '*5 $50 $51 $52 $53 $54')
})

suite('SORT BY a constant sorts nothing', (check) => {
  check('RPUSH l c a b d', ':4')
  check('SORT l BY nosort', '*4 $c $a $b $d')
  check('SORT l BY nosort DESC', '*4 $d $b $a $c')
  check('SORT l BY nosort LIMIT 1 2', '*2 $a $b')
  check('SORT l BY nosort DESC LIMIT 1 2', '*2 $b $a')
  check('SORT l BY nosort LIMIT -5 2', '*2 $c $a')
  check('SORT l BY nosort LIMIT 1 -1', '*3 $a $b $d')
  check('SORT l BY nosort LIMIT 4 1', '*0')
  check('SORT l BY nosort LIMIT 1 0', '*0')
  check('SORT l BY nosort LIMIT 9223372036854775807 9223372036854775807', '*0')
  check('SORT l BY nosort LIMIT -9223372036854775808 9223372036854775807', '*4 $c $a $b $d')
  check('ZADD z 1 x 2 w 3 v 4 u', ':4')
  check('OBJECT ENCODING z', '$listpack')
  check('SORT z BY nosort', '*4 $x $w $v $u')
  check('OBJECT ENCODING z', '$skiplist')
  check('SORT z BY nosort DESC LIMIT 1 2', '*2 $v $w')
  check('SORT z BY nosort ASC LIMIT 1 1', '*1 $w')
  check('SORT z BY nosort GET # STORE d', ':4')
  check('LRANGE d 0 -1', '*4 $x $w $v $u')
  check('SADD s b a 10 9', ':4')
  check('SORT s BY nosort STORE d', ':4')
  check('LRANGE d 0 -1', '*4 $10 $9 $a $b')
  check('SORT s BY nosort DESC LIMIT 0 2 STORE d', ':2')
  check('LRANGE d 0 -1', '*2 $b $a')
  check('SORT l BY nosort BY w_*', '*4 $c $a $b $d')
})

suite('SORT GET answers what belongs to the elements', (check) => {
  check('RPUSH l 2 1 3', ':3')
  check('MSET name_1 one name_2 two x 1', '+OK')
  check('HSET obj_1 name uno', ':1')
  check('SORT l GET name_*', '*3 $one $two (nil)')
  check(
    'SORT l GET # GET name_* GET obj_*->name GET constant',
    '*12 $1 $one $uno (nil) $2 $two (nil) (nil) $3 (nil) (nil) (nil)',
  )
  check.resp3('SORT l GET name_*', '*3 $one $two _')
  check('SORT l LIMIT 1 1 GET #', '*1 $2')
  check('SORT l GET # GET name_* STORE d', ':6')
  check('LRANGE d 0 -1', '*6 $1 $one $2 $two $3 $""')
  check('SORT l GET obj_*', '*3 (nil) (nil) (nil)')
  check('SORT l GET', '-ERR syntax error')
})

suite(
  'SORT STORE makes a list',
  (check) => {
    check('RPUSH l 3 1 2', ':3')
    check('SET d old EX 100', '+OK')
    check('SORT l STORE d', ':3')
    check('LRANGE d 0 -1', '*3 $1 $2 $3')
    check('TTL d', ':-1')
    check('SORT l DESC STORE l', ':3')
    check('LRANGE l 0 -1', '*3 $3 $2 $1')
    check('SORT l LIMIT 5 1 STORE d', ':0')
    check('EXISTS d', ':0')
    check('SORT none STORE l', ':0')
    check('EXISTS l', ':0')
    check('RPUSH l 1 2', ':2')
    check('SORT l STORE d STORE e', ':2')
    check('EXISTS d', ':0')
    check('SORT_RO l STORE d', '-ERR syntax error')
    check('CONFIG SET list-max-listpack-size 1', '+OK')
    check('SORT l STORE d', ':2')
    check('RPUSH f 1 2', ':2')
    check('DEBUG OBJECT d', /ql_nodes:1 /)
    check('DEBUG OBJECT f', /ql_nodes:2 /)
  },
  { config: { 'list-max-listpack-size': '-2' } },
)

suite('SORT refuses what it does not know', (check) => {
  check('RPUSH l 1', ':1')
  check('SET s 1', '+OK')
  check('HSET h f v', ':1')
  check('SORT s', WRONG_TYPE)
  check('SORT h BY nosort', WRONG_TYPE)
  check('SORT_RO s', WRONG_TYPE)
  check('SORT s LIMIT', '-ERR syntax error')
  check('SORT l LIMIT 1', '-ERR syntax error')
  check('SORT l LIMIT a 1', '-ERR value is not an integer or out of range')
  check('SORT l LIMIT 1 1.5', '-ERR value is not an integer or out of range')
  check('SORT l BY', '-ERR syntax error')
  check('SORT l STORE', '-ERR syntax error')
  check('SORT l WITHSCORES', '-ERR syntax error')
  check('SORT', "-ERR wrong number of arguments for 'sort' command")
})

suite('SORT looks up what it finds as a read does', (check) => {
  check('RPUSH l 1 2', ':2')
  check('SET w_1 5', '+OK')
  check('CONFIG RESETSTAT', '+OK')
  check('SORT l BY w_*', '*2 $2 $1')
  check('INFO stats', /keyspace_hits:2\\r\\nkeyspace_misses:1/)
  check('SET w_2 9 PX 1', '+OK')
  check.wait(10)
  check('SORT l BY w_* GET w_*', '*2 (nil) $5')
  check('COMMAND GETKEYS SORT l BY w_* GET x STORE d', '*2 $l $d')
  check('COMMAND GETKEYS SORT l', '*1 $l')
})

suite('SORT finds keys by patterns for those only who may read all', (check) => {
  check('ACL SETUSER sorter reset on nopass +@all ~l* ~d', '+OK')
  check('RPUSH l 2 1', ':2')
  const sorter = check.on('sorter')
  sorter('AUTH sorter x', '+OK')
  sorter('SORT l', '*2 $1 $2')
  sorter('SORT l BY nosort STORE d', ':2')
  const denied = 'denied due to insufficient ACL permissions.'
  sorter('SORT l BY w_*', `-ERR BY option of SORT ${denied}`)
  sorter('SORT l GET #', `-ERR GET option of SORT ${denied}`)
  sorter('SORT_RO l GET #', `-ERR GET option of SORT ${denied}`)
  check('ACL SETUSER sorter %R~*', '+OK')
  sorter('SORT l BY w_* GET #', '*2 $1 $2')
  check('ACL DELUSER sorter', ':1')
})

suite('SORT of a set by nothing is sorted in scripts', (check) => {
  check('SADD s b a 10 9', ':4')
  check(['EVAL', "return redis.call('sort', KEYS[1], 'by', 'nosort')", '1', 's'], '*4 $10 $9 $a $b')
  check('ZADD z 1 c 2 b 3 a', ':3')
  const limited = "return redis.call('sort', 'z', 'by', 'x', 'desc', 'limit', '0', '2')"
  check(['EVAL', limited, '1', 'z'], '*2 $a $b')
})
