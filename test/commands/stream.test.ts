/**
 * Rows for XADD, XRANGE, XDEL, XTRIM, XSETID: entries come and go.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: looks inside the server.
 */
import { error, suite } from '../support/check.ts'

suite('XADD chooses ids that grow', (check) => {
  check('XADD s 1-1 a 1', '$1-1')
  check('XADD s 1-* b 2', '$1-2')
  check(
    'XADD s 1-1 a 1',
    '-ERR The ID specified in XADD is equal or smaller than the target stream top item',
  )
  check(
    'XADD s 0-5 a 1',
    '-ERR The ID specified in XADD is equal or smaller than the target stream top item',
  )
  check('XADD s 5 c 3', '$5-0')
  check(
    'XADD s 5 c 3',
    '-ERR The ID specified in XADD is equal or smaller than the target stream top item',
  )
  check('XADD s 5-* d 4', '$5-1')
  check('XADD s 0-0 a 1', '-ERR The ID specified in XADD must be greater than 0-0')
  check('XADD none 0-0 a 1', '-ERR The ID specified in XADD must be greater than 0-0')
  check('XADD none 0-* a 1', '$0-1')
  check('XADD none2 0 a 1', '-ERR The ID specified in XADD must be greater than 0-0')
  check('EXISTS none2', ':0')
  check('XADD s 6-18446744073709551615 e 5', '$6-18446744073709551615')
  // Redis chooses between two texts by what an earlier system call has left.
  check('XADD s 6-* e 5', error('ERR'))
  check('XADD s 7-* e 5', '$7-0')
  check(
    'XADD s 18446744073709551615-18446744073709551614 f 6',
    '$18446744073709551615-18446744073709551614',
  )
  check('XADD s 18446744073709551615-* g 7', '$18446744073709551615-18446744073709551615')
  check(
    'XADD s * h 8',
    '-ERR The stream has exhausted the last possible ID, unable to add more items',
  )
  check(
    'XADD s 18446744073709551615-18446744073709551615 h 8',
    '-ERR The stream has exhausted the last possible ID, unable to add more items',
  )
  check('XLEN s', ':8')
  check('XRANGE s - + COUNT 3', '*3 *2 $1-1 *2 $a $1 *2 $1-2 *2 $b $2 *2 $5-0 *2 $c $3')
  check(
    'XREVRANGE s + - COUNT 2',
    '*2 *2 $18446744073709551615-18446744073709551615 *2 $g $7 *2 $18446744073709551615-18446744073709551614 *2 $f $6',
  )
})

suite('XADD says what is wrong with its arguments', (check) => {
  check('XADD s', "-ERR wrong number of arguments for 'xadd' command")
  check('XADD s *', "-ERR wrong number of arguments for 'xadd' command")
  check('XADD s * f', "-ERR wrong number of arguments for 'xadd' command")
  check('XADD s 1-1 f v g', "-ERR wrong number of arguments for 'xadd' command")
  check('XADD s abc f v', '-ERR Invalid stream ID specified as stream command argument')
  check('XADD s 1-2-3 f v', '-ERR Invalid stream ID specified as stream command argument')
  check('XADD s - f v', '-ERR Invalid stream ID specified as stream command argument')
  check('XADD s + f v', '-ERR Invalid stream ID specified as stream command argument')
  check('XADD s 1- f v', '-ERR Invalid stream ID specified as stream command argument')
  check('XADD s -1 f v', '-ERR Invalid stream ID specified as stream command argument')
  check(
    'XADD s 18446744073709551616 f v',
    '-ERR Invalid stream ID specified as stream command argument',
  )
  check(
    'XADD s 1-18446744073709551616 f v',
    '-ERR Invalid stream ID specified as stream command argument',
  )
  check('XADD s MAXLEN 5', "-ERR wrong number of arguments for 'xadd' command")
  check(
    'XADD s MAXLEN 5 MINID 1 1-1 f v',
    '-ERR syntax error, MAXLEN and MINID options at the same time are not compatible',
  )
  check('XADD s MAXLEN x 1-1 f v', '-ERR value is not an integer or out of range')
  check('XADD s MAXLEN -1 1-1 f v', '-ERR The MAXLEN argument must be >= 0.')
  check('XADD s MINID x 1-1 f v', '-ERR Invalid stream ID specified as stream command argument')
  check('XADD s MINID ( 1-1 f v', '-ERR Invalid stream ID specified as stream command argument')
  check(
    'XADD s LIMIT 5 1-1 f v',
    '-ERR syntax error, LIMIT cannot be used without specifying a trimming strategy',
  )
  check(
    'XADD s LIMIT 0 1-1 f v',
    '-ERR syntax error, LIMIT cannot be used without the special ~ option',
  )
  check(
    'XADD s MAXLEN 5 LIMIT 5 1-1 f v',
    '-ERR syntax error, LIMIT cannot be used without the special ~ option',
  )
  check(
    'XADD s MAXLEN = 5 LIMIT 5 1-1 f v',
    '-ERR syntax error, LIMIT cannot be used without the special ~ option',
  )
  check('XADD s MAXLEN ~ 5 LIMIT -1 1-1 f v', '-ERR The LIMIT argument must be >= 0.')
  check('XADD s MAXLEN ~ 5 LIMIT x 1-1 f v', '-ERR value is not an integer or out of range')
  check('EXISTS s', ':0')
  check('SET str x', '+OK')
  check('XADD str * f v', '-WRONGTYPE Operation against a key holding the wrong kind of value')
  check('XADD str 0-0 f v', '-ERR The ID specified in XADD must be greater than 0-0')
  check('XADD s 0000000001-0000000002 f v', '$1-2')
  check('XADD s " 3-+4" f v', '$3-4')
  check('XADD s "5-6\\x00trailing" f v', '$5-6')
  check('XADD s NOMKSTREAM 9-9 f v', '$9-9')
  check('XADD other NOMKSTREAM 9-9 f v', '(nil)')
  check('XADD other nomkstream maxlen = 3 9-9 f v', '(nil)')
  check('EXISTS other', ':0')
  check('XLEN s', ':4')
})

suite('XADD trims', (check) => {
  check('XADD s 1 f v', '$1-0')
  check('XADD s 2 f v', '$2-0')
  check('XADD s 3 f v', '$3-0')
  check('XADD s MAXLEN 2 4 f v', '$4-0')
  check('XRANGE s - +', '*2 *2 $3-0 *2 $f $v *2 $4-0 *2 $f $v')
  check('XADD s MAXLEN = 0 5 f v', '$5-0')
  check('XLEN s', ':0')
  check('XADD s 6 f v', '$6-0')
  check('XADD s 7 f v', '$7-0')
  check('XADD s MINID 7 8 f v', '$8-0')
  check('XRANGE s - +', '*2 *2 $7-0 *2 $f $v *2 $8-0 *2 $f $v')
  check('XADD s MAXLEN ~ 1 9 f v', '$9-0')
  check('XLEN s', ':3')
  check('XADD s MAXLEN ~ 1 LIMIT 1 10 f v', '$10-0')
  check('XLEN s', ':4')
  check(
    'XINFO STREAM s',
    '*20 $length :4 $radix-tree-keys :1 $radix-tree-nodes :2 $last-generated-id $10-0 $max-deleted-entry-id $0-0 $entries-added :10 $recorded-first-entry-id $7-0 $groups :0 $first-entry *2 $7-0 *2 $f $v $last-entry *2 $10-0 *2 $f $v',
  )
})

suite('XRANGE and XREVRANGE take open and closed bounds', (check) => {
  check('XADD s 1-1 a 1', '$1-1')
  check('XADD s 1-2 a 2', '$1-2')
  check('XADD s 2-1 a 3', '$2-1')
  check('XADD s 3-0 a 4', '$3-0')
  check('XRANGE s 1 1', '*2 *2 $1-1 *2 $a $1 *2 $1-2 *2 $a $2')
  check('XRANGE s 1-2 2', '*2 *2 $1-2 *2 $a $2 *2 $2-1 *2 $a $3')
  check('XRANGE s (1-1 (3', '*3 *2 $1-2 *2 $a $2 *2 $2-1 *2 $a $3 *2 $3-0 *2 $a $4')
  check('XRANGE s (1 +', '*4 *2 $1-1 *2 $a $1 *2 $1-2 *2 $a $2 *2 $2-1 *2 $a $3 *2 $3-0 *2 $a $4')
  check('XRANGE s - (1-2', '*1 *2 $1-1 *2 $a $1')
  check('XREVRANGE s + (1-2', '*2 *2 $3-0 *2 $a $4 *2 $2-1 *2 $a $3')
  check('XREVRANGE s 2 1-2', '*2 *2 $2-1 *2 $a $3 *2 $1-2 *2 $a $2')
  check('XRANGE s 3 1', '*0')
  check('XRANGE s (3-0 +', '*0')
  check('XRANGE s - (0-0', '-ERR invalid end ID for the interval')
  check(
    'XRANGE s (18446744073709551615-18446744073709551615 +',
    '-ERR invalid start ID for the interval',
  )
  check('XRANGE s (- +', '-ERR Invalid stream ID specified as stream command argument')
  check('XRANGE s - (+', '-ERR Invalid stream ID specified as stream command argument')
  check('XRANGE s x +', '-ERR Invalid stream ID specified as stream command argument')
  check('XRANGE s - +x', '-ERR Invalid stream ID specified as stream command argument')
  check('XRANGE s ( +', '-ERR Invalid stream ID specified as stream command argument')
  check('XRANGE s - + COUNT 1', '*1 *2 $1-1 *2 $a $1')
  check('XRANGE s - + COUNT 0', '*nil')
  check('XRANGE s - + COUNT -5', '*nil')
  check('XRANGE s - + COUNT x', '-ERR value is not an integer or out of range')
  check('XRANGE s - + COUNT', '-ERR syntax error')
  check('XRANGE s - + FOO 1', '-ERR syntax error')
  check('XRANGE s - + COUNT 2 COUNT 1', '*1 *2 $1-1 *2 $a $1')
  check('XRANGE none - +', '*0')
  check('XRANGE none - + COUNT 0', '*0')
  check('XREVRANGE none + -', '*0')
  check('XREVRANGE s - +', '*0')
  check.resp3('XRANGE s 1-1 1-1', '*1 *2 $1-1 *2 $a $1')
  check.resp3('XRANGE s - + COUNT 0', '_')
  check('SET str x', '+OK')
  check('XRANGE str - +', '-WRONGTYPE Operation against a key holding the wrong kind of value')
  check('XLEN str', '-WRONGTYPE Operation against a key holding the wrong kind of value')
  check('XLEN none', ':0')
  check('XRANGE s', "-ERR wrong number of arguments for 'xrange' command")
})

suite('XDEL deletes what is there', (check) => {
  check('XADD s 1 a 1', '$1-0')
  check('XADD s 2 a 2', '$2-0')
  check('XADD s 3 b 3 c 4', '$3-0')
  check('XADD s 4 a 5', '$4-0')
  check('XDEL s 2 2 9', ':1')
  check('XDEL s 2', ':0')
  check('XRANGE s - +', '*3 *2 $1-0 *2 $a $1 *2 $3-0 *4 $b $3 $c $4 *2 $4-0 *2 $a $5')
  check('XREVRANGE s + -', '*3 *2 $4-0 *2 $a $5 *2 $3-0 *4 $b $3 $c $4 *2 $1-0 *2 $a $1')
  check('XDEL s 1 x', '-ERR Invalid stream ID specified as stream command argument')
  check('XLEN s', ':3')
  check('XDEL s 1 3 4', ':3')
  check('XLEN s', ':0')
  check('EXISTS s', ':1')
  check('XRANGE s - +', '*0')
  check(
    'XADD s 4 a 1',
    '-ERR The ID specified in XADD is equal or smaller than the target stream top item',
  )
  check('XADD s 5 a 1', '$5-0')
  check(
    'XINFO STREAM s',
    '*20 $length :1 $radix-tree-keys :1 $radix-tree-nodes :2 $last-generated-id $5-0 $max-deleted-entry-id $4-0 $entries-added :5 $recorded-first-entry-id $5-0 $groups :0 $first-entry *2 $5-0 *2 $a $1 $last-entry *2 $5-0 *2 $a $1',
  )
  check('XDEL none 1', ':0')
  check('XDEL none x', ':0')
  check('XDEL s', "-ERR wrong number of arguments for 'xdel' command")
  check('SET str x', '+OK')
  check('XDEL str 1', '-WRONGTYPE Operation against a key holding the wrong kind of value')
  check('XDEL str x', '-WRONGTYPE Operation against a key holding the wrong kind of value')
})

suite('XTRIM takes the oldest', (check) => {
  check('XADD s 1 a 1', '$1-0')
  check('XADD s 2 a 2', '$2-0')
  check('XADD s 3 a 3', '$3-0')
  check('XADD s 4 a 4', '$4-0')
  check('XTRIM s MAXLEN 3', ':1')
  check('XTRIM s MAXLEN 3', ':0')
  check('XTRIM s MAXLEN ~ 1', ':0')
  check('XTRIM s MINID 3', ':1')
  check('XRANGE s - +', '*2 *2 $3-0 *2 $a $3 *2 $4-0 *2 $a $4')
  check('XTRIM s MINID = 3-1', ':1')
  check('XTRIM s MAXLEN 0', ':1')
  check('EXISTS s', ':1')
  check('XTRIM s MAXLEN', "-ERR wrong number of arguments for 'xtrim' command")
  check('XTRIM s MAXLEN x', '-ERR value is not an integer or out of range')
  check('XTRIM s MAXLEN -1', '-ERR The MAXLEN argument must be >= 0.')
  check('XTRIM s MINID x', '-ERR Invalid stream ID specified as stream command argument')
  check('XTRIM s FOO 1', '-ERR syntax error')
  check(
    'XTRIM s LIMIT 1',
    '-ERR syntax error, LIMIT cannot be used without specifying a trimming strategy',
  )
  check(
    'XTRIM s MAXLEN 1 LIMIT 1',
    '-ERR syntax error, LIMIT cannot be used without the special ~ option',
  )
  check('XTRIM s MAXLEN ~ 1 LIMIT -1', '-ERR The LIMIT argument must be >= 0.')
  check(
    'XTRIM s MAXLEN ~ 1 MAXLEN 2',
    '-ERR syntax error, MAXLEN and MINID options at the same time are not compatible',
  )
  check('XTRIM s MAXLEN ~ 1 LIMIT', '-ERR syntax error')
  check('XTRIM none MAXLEN 1', ':0')
  check('SET str x', '+OK')
  check('XTRIM str MAXLEN 1', '-WRONGTYPE Operation against a key holding the wrong kind of value')
})

suite('XSETID moves the last id on', (check) => {
  check('XSETID none 1-1', '-ERR no such key')
  check('XADD s 1-1 a 1', '$1-1')
  check('XADD s 2-1 a 2', '$2-1')
  check(
    'XSETID s 1-5',
    '-ERR The ID specified in XSETID is smaller than the target stream top item',
  )
  check('XSETID s 5-5', '+OK')
  check(
    'XADD s 5-5 a 1',
    '-ERR The ID specified in XADD is equal or smaller than the target stream top item',
  )
  check('XADD s 5-6 a 1', '$5-6')
  check(
    'XSETID s 6 ENTRIESADDED 2',
    '-ERR The entries_added specified in XSETID is smaller than the target stream length',
  )
  check('XSETID s 6 ENTRIESADDED 100 MAXDELETEDID 3-3', '+OK')
  check(
    'XINFO STREAM s',
    '*20 $length :3 $radix-tree-keys :1 $radix-tree-nodes :2 $last-generated-id $6-0 $max-deleted-entry-id $3-3 $entries-added :100 $recorded-first-entry-id $1-1 $groups :0 $first-entry *2 $1-1 *2 $a $1 $last-entry *2 $5-6 *2 $a $1',
  )
  check(
    'XSETID s 6 MAXDELETEDID 7',
    '-ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id',
  )
  check('XSETID s 6 ENTRIESADDED -1', '-ERR entries_added must be positive')
  check('XSETID s 6 ENTRIESADDED x', '-ERR value is not an integer or out of range')
  check('XSETID s 6 ENTRIESADDED', '-ERR syntax error')
  check('XSETID s 6 MAXDELETEDID x', '-ERR Invalid stream ID specified as stream command argument')
  check('XSETID s x', '-ERR Invalid stream ID specified as stream command argument')
  check('XSETID s +', '-ERR Invalid stream ID specified as stream command argument')
  check('XSETID s 6 FOO 1', '-ERR syntax error')
  check('XSETID s 7 maxdeletedid 0-0', '+OK')
  check(
    'XINFO STREAM s',
    '*20 $length :3 $radix-tree-keys :1 $radix-tree-nodes :2 $last-generated-id $7-0 $max-deleted-entry-id $3-3 $entries-added :100 $recorded-first-entry-id $1-1 $groups :0 $first-entry *2 $1-1 *2 $a $1 $last-entry *2 $5-6 *2 $a $1',
  )
  check('SET str x', '+OK')
  check('XSETID str 1-1', '-WRONGTYPE Operation against a key holding the wrong kind of value')
})

suite('A stream is a key like others', (check) => {
  check('XADD s 1-1 a 1 b 2', '$1-1')
  check('XADD s 1-2 a 3 b 4', '$1-2')
  check('XADD s 2-0 c 5', '$2-0')
  check('TYPE s', '+stream')
  check('OBJECT ENCODING s', '$stream')
  check('COPY s t', ':1')
  check('DEBUG DIGEST-VALUE s', '*1 +51a4dcc57824cac9a1597141c3aa80b8d7e81cd5')
  check('RENAME t u', '+OK')
  check('XRANGE u - +', '*3 *2 $1-1 *4 $a $1 $b $2 *2 $1-2 *4 $a $3 $b $4 *2 $2-0 *2 $c $5')
  check('EXPIRE u 100', ':1')
  check('XADD u 3-0 d 6', '$3-0')
  check('TTL u', ':100')
  check('XLEN s', ':3')
  check('DEL s u', ':2')
  check('DBSIZE', ':0')
})

suite(
  'An approximate trim takes whole nodes only',
  (check) => {
    check('XADD s 1 f v', '$1-0')
    check('XADD s 2 f v', '$2-0')
    check('XADD s 3 f v', '$3-0')
    check('XDEL s 2', ':1')
    check('XTRIM s MINID ~ 2', ':0')
    check('XTRIM s MINID ~ 3', ':1')
    check('XTRIM s MAXLEN ~ 0', ':1')
    check('XLEN s', ':0')
  },
  { config: { 'stream-node-max-entries': '2' } },
)

suite('A node goes with its last live entry, also where a deleted one follows', (check) => {
  check('XADD s 1 f v', '$1-0')
  check('XADD s 2 f v', '$2-0')
  check('XDEL s 2', ':1')
  check('XTRIM s MINID 2', ':1')
  check.redbun('XINFO STREAM s', /^\*20 \$length :0 \$radix-tree-keys :0 /)
  check.redis('XINFO STREAM s', /^\*20 \$length :0 \$radix-tree-keys :1 /)
  // So that what is added after an id was set back lies behind the key of its node.
  check('XSETID s 1-5', '+OK')
  check('XADD s 1-* f v', '$1-6')
  check('XRANGE s - +', '*1 *2 $1-6 *2 $f $v')
  check('COPY s t', ':1')
  check('XRANGE t - +', '*1 *2 $1-6 *2 $f $v')
})
