/**
 * How lists are cut into nodes, and what shows of it; lists at the borders of integers.
 *
 * Thread: any.
 * Owns: rows.
 * Never: names a compressed size: ours is another than Redis's.
 */
import { describe } from 'bun:test'
import { suite } from '../support/check.ts'

const LONG = 'x'.repeat(9000)
const nodes = (count: number, rest: string) => new RegExp(`ql_nodes:${count} ${rest}`)

describe('the nodes of a list', () => {
  suite(
    'hold so many elements as the setting says when the list is made',
    (check) => {
      check('RPUSH l 1 2 3 4 5 6 7', ':7')
      check(
        'DEBUG OBJECT l',
        nodes(3, 'ql_avg_node:2.33 ql_listpack_max:3 ql_compressed:0 ql_uncompressed_size:35'),
      )
      check('CONFIG SET list-max-listpack-size 100 list-compress-depth 2', '+OK')
      check('RPUSH l 8 9 10', ':10')
      check('RPUSH m 1 2 3 4 5 6 7', ':7')
      check('DEBUG OBJECT l', nodes(4, 'ql_avg_node:2.50 ql_listpack_max:3 ql_compressed:0'))
      check('DEBUG OBJECT m', nodes(1, 'ql_avg_node:7.00 ql_listpack_max:100 ql_compressed:1'))
      check('COPY l c', ':1')
      check('RENAME c d', '+OK')
      check('DEBUG OBJECT d', nodes(4, 'ql_avg_node:2.50 ql_listpack_max:3 ql_compressed:0'))
    },
    { config: { 'list-max-listpack-size': '3' } },
  )

  suite(
    'part and join around what is put in',
    (check) => {
      check('RPUSH l 1 2 3 4 5 6 7 8', ':8')
      check('LINSERT l AFTER 2 x', ':9')
      check('DEBUG OBJECT l', nodes(3, 'ql_avg_node:3.00'))
      check('LINSERT l BEFORE 5 y', ':10')
      check('DEBUG OBJECT l', nodes(3, 'ql_avg_node:3.33'))
      check('LINSERT l BEFORE 1 z', ':11')
      check('LINSERT l AFTER 8 w', ':12')
      check('LRANGE l 0 -1', '*12 $z $1 $2 $x $3 $4 $y $5 $6 $7 $8 $w')
      check('LREM l 0 3', ':1')
      check('LTRIM l 2 -3', '+OK')
      check('LRANGE l 0 -1', '*7 $2 $x $4 $y $5 $6 $7')
      check('DEBUG OBJECT l', (text) => /ql_nodes:\d+ /.test(text))
    },
    { config: { 'list-max-listpack-size': '4' } },
  )

  suite('hold one element that is large', (check) => {
    check('DEBUG QUICKLIST-PACKED-THRESHOLD 5b', '+OK')
    check('RPUSH l a b hello c', ':4')
    check('DEBUG OBJECT l', nodes(3, 'ql_avg_node:1.33'))
    check('LINSERT l BEFORE b world', ':5')
    check('DEBUG OBJECT l', nodes(5, 'ql_avg_node:1.00'))
    check('LSET l 0 large', '+OK')
    check('LSET l 1 d', '+OK')
    check('LSET l -1 larger', '+OK')
    check('LRANGE l 0 -1', '*5 $large $d $b $hello $larger')
    check('LPOS l hello', ':3')
    check('LREM l 0 hello', ':1')
    check('LMOVE l l RIGHT LEFT', '$larger')
    check('LPOP l 2', '*2 $larger $large')
    check('LRANGE l 0 -1', '*2 $d $b')
    check('DEBUG QUICKLIST-PACKED-THRESHOLD 0', '+OK')
    for (const size of ['x', '-1', '5gb', '4293918721']) {
      check(
        `DEBUG QUICKLIST-PACKED-THRESHOLD ${size}`,
        '-ERR argument must be a memory value bigger than 1 and smaller than 4gb',
      )
    }
    check('DEBUG QUICKLIST-PACKED-THRESHOLD 4293918720', '+OK')
    check('DEBUG QUICKLIST-PACKED-THRESHOLD 0', '+OK')
  })

  suite(
    'are compressed behind those at the ends, and nobody sees it',
    (check) => {
      const texts = Array.from({ length: 40 }, (_, i) => `${i} ${'same '.repeat(40)}`)
      check(['RPUSH', 'l', ...texts], ':40')
      check('DEBUG OBJECT l', nodes(20, 'ql_avg_node:2.00 ql_listpack_max:2 ql_compressed:1'))
      check(['LPOS', 'l', texts[19]], ':19')
      check('LINDEX l 20', (text) => text.includes('20 same'))
      check('LSET l 20 other', '+OK')
      check('LINSERT l BEFORE other before', ':41')
      check(['LREM', 'l', '-1', texts[10]], ':1')
      check('LRANGE l 18 21', (text) => text.startsWith('*4 $"19 same') && text.includes('$before'))
      check('LTRIM l 15 22', '+OK')
      check('RPOP l 8', (text) => text.startsWith('*8') && text.includes('$other $before'))
      check('EXISTS l', ':0')
    },
    { config: { 'list-max-listpack-size': '2', 'list-compress-depth': '1' } },
  )

  suite('may be larger than they are meant to be', (check) => {
    check(['RPUSH', 'l', 'a', LONG, 'b'], ':3')
    check('DEBUG OBJECT l', nodes(3, 'ql_avg_node:1.00 ql_listpack_max:-2'))
    check(['LSET', 'l', '0', LONG], '+OK')
    check('LSET l 1 c', '+OK')
    check('DEBUG OBJECT l', nodes(3, 'ql_avg_node:1.00 ql_listpack_max:-2'))
    check(`LRANGE l 0 -1`, `*3 $${LONG} $c $b`)
  })
})

describe('integers at their borders', () => {
  const least = '-9223372036854775808'
  const most = '9223372036854775807'

  suite('are places in a list like others', (check) => {
    check('RPUSH l a b c b', ':4')
    check(`LPOS l b RANK ${least}`, ':3')
    check(`LPOS l b RANK -9223372036854775807`, '(nil)')
    check(`LPOS l b COUNT ${most} MAXLEN ${most}`, '*2 :1 :3')
    check(`LINDEX l ${least}`, '(nil)')
    check(`LINDEX l ${most}`, '(nil)')
    check(`LRANGE l ${least} ${most}`, '*4 $a $b $c $b')
    check(`LRANGE l ${most} ${least}`, '*0')
    check(`LSET l ${least} x`, '-ERR index out of range')
    check(`LREM l ${least} b`, ':2')
    check(`LTRIM l ${least} ${most}`, '+OK')
    check(`RPOP l ${most}`, '*2 $c $a')
    check('RPUSH l a', ':1')
    check('LPOP l 9223372036854775808', '-ERR value is out of range, must be positive')
    check('LMPOP 1 l LEFT COUNT 9223372036854775808', '-ERR count should be greater than 0')
    check(`LTRIM l ${most} ${least}`, '+OK')
    check('EXISTS l', ':0')
  })
})
