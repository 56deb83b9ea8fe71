/**
 * Rows for XINFO: what streams and groups tell of themselves.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: looks inside the server.
 */
import { suite } from '../support/check.ts'

suite('The lag of a group is known while nothing is missing', (check) => {
  check('XGROUP CREATE s g 0 MKSTREAM', '+OK')
  check(
    'XINFO GROUPS s',
    '*1 *12 $name $g $consumers :0 $pending :0 $last-delivered-id $0-0 $entries-read (nil) $lag :0',
  )
  check('XADD s 1 a 1', '$1-0')
  check('XADD s 2 a 1', '$2-0')
  check('XADD s 3 a 1', '$3-0')
  check('XADD s 4 a 1', '$4-0')
  check(
    'XINFO GROUPS s',
    '*1 *12 $name $g $consumers :0 $pending :0 $last-delivered-id $0-0 $entries-read (nil) $lag :4',
  )
  check('XREADGROUP GROUP g a COUNT 1 STREAMS s >', '*1 *2 $s *1 *2 $1-0 *2 $a $1')
  check(
    'XINFO GROUPS s',
    '*1 *12 $name $g $consumers :1 $pending :1 $last-delivered-id $1-0 $entries-read :1 $lag :3',
  )
  check('XDEL s 3', ':1')
  check(
    'XINFO GROUPS s',
    '*1 *12 $name $g $consumers :1 $pending :1 $last-delivered-id $1-0 $entries-read :1 $lag (nil)',
  )
  check('XREADGROUP GROUP g a COUNT 1 STREAMS s >', '*1 *2 $s *1 *2 $2-0 *2 $a $1')
  check(
    'XINFO GROUPS s',
    '*1 *12 $name $g $consumers :1 $pending :2 $last-delivered-id $2-0 $entries-read (nil) $lag (nil)',
  )
  check('XREADGROUP GROUP g a COUNT 1 STREAMS s >', '*1 *2 $s *1 *2 $4-0 *2 $a $1')
  check(
    'XINFO GROUPS s',
    '*1 *12 $name $g $consumers :1 $pending :3 $last-delivered-id $4-0 $entries-read :4 $lag :0',
  )
  check('XGROUP CREATE s from-2 2', '+OK')
  check('XGROUP CREATE s from-first 0', '+OK')
  check('XGROUP CREATE s known 2 ENTRIESREAD 2', '+OK')
  check('XTRIM s MINID 4', ':2')
  check(
    'XINFO GROUPS s',
    '*4 *12 $name $from-2 $consumers :0 $pending :0 $last-delivered-id $2-0 $entries-read (nil) $lag :1 *12 $name $from-first $consumers :0 $pending :0 $last-delivered-id $0-0 $entries-read (nil) $lag :1 *12 $name $g $consumers :1 $pending :3 $last-delivered-id $4-0 $entries-read :4 $lag :0 *12 $name $known $consumers :0 $pending :0 $last-delivered-id $2-0 $entries-read :2 $lag :2',
  )
  check('XDEL s 4', ':1')
  check(
    'XINFO GROUPS s',
    '*4 *12 $name $from-2 $consumers :0 $pending :0 $last-delivered-id $2-0 $entries-read (nil) $lag :0 *12 $name $from-first $consumers :0 $pending :0 $last-delivered-id $0-0 $entries-read (nil) $lag :0 *12 $name $g $consumers :1 $pending :3 $last-delivered-id $4-0 $entries-read :4 $lag :0 *12 $name $known $consumers :0 $pending :0 $last-delivered-id $2-0 $entries-read :2 $lag :2',
  )
  check('XSETID s 9 ENTRIESADDED 9223372036854775807', '+OK')
  check(
    'XINFO GROUPS s',
    '*4 *12 $name $from-2 $consumers :0 $pending :0 $last-delivered-id $2-0 $entries-read (nil) $lag :0 *12 $name $from-first $consumers :0 $pending :0 $last-delivered-id $0-0 $entries-read (nil) $lag :0 *12 $name $g $consumers :1 $pending :3 $last-delivered-id $4-0 $entries-read :4 $lag :9223372036854775803 *12 $name $known $consumers :0 $pending :0 $last-delivered-id $2-0 $entries-read :2 $lag :9223372036854775805',
  )
})

suite('XINFO tells what a stream is made of', (check) => {
  check('XINFO STREAM none', '-ERR no such key')
  check('XADD s 1-1 a 1', '$1-1')
  check(
    'XINFO STREAM s',
    '*20 $length :1 $radix-tree-keys :1 $radix-tree-nodes :2 $last-generated-id $1-1 $max-deleted-entry-id $0-0 $entries-added :1 $recorded-first-entry-id $1-1 $groups :0 $first-entry *2 $1-1 *2 $a $1 $last-entry *2 $1-1 *2 $a $1',
  )
  check.resp3(
    'XINFO STREAM s',
    '%10 $length :1 $radix-tree-keys :1 $radix-tree-nodes :2 $last-generated-id $1-1 $max-deleted-entry-id $0-0 $entries-added :1 $recorded-first-entry-id $1-1 $groups :0 $first-entry *2 $1-1 *2 $a $1 $last-entry *2 $1-1 *2 $a $1',
  )
  check(
    'XINFO STREAM s FULL',
    '*18 $length :1 $radix-tree-keys :1 $radix-tree-nodes :2 $last-generated-id $1-1 $max-deleted-entry-id $0-0 $entries-added :1 $recorded-first-entry-id $1-1 $entries *1 *2 $1-1 *2 $a $1 $groups *0',
  )
  check('XADD s 2-1 b 1', '$2-1')
  check('XADD s 3-1 c 1', '$3-1')
  check(
    'XINFO STREAM s FULL COUNT 2',
    '*18 $length :3 $radix-tree-keys :1 $radix-tree-nodes :2 $last-generated-id $3-1 $max-deleted-entry-id $0-0 $entries-added :3 $recorded-first-entry-id $1-1 $entries *2 *2 $1-1 *2 $a $1 *2 $2-1 *2 $b $1 $groups *0',
  )
  check(
    'XINFO STREAM s FULL COUNT 0',
    '*18 $length :3 $radix-tree-keys :1 $radix-tree-nodes :2 $last-generated-id $3-1 $max-deleted-entry-id $0-0 $entries-added :3 $recorded-first-entry-id $1-1 $entries *3 *2 $1-1 *2 $a $1 *2 $2-1 *2 $b $1 *2 $3-1 *2 $c $1 $groups *0',
  )
  check(
    'XINFO STREAM s FULL COUNT -1',
    '*18 $length :3 $radix-tree-keys :1 $radix-tree-nodes :2 $last-generated-id $3-1 $max-deleted-entry-id $0-0 $entries-added :3 $recorded-first-entry-id $1-1 $entries *3 *2 $1-1 *2 $a $1 *2 $2-1 *2 $b $1 *2 $3-1 *2 $c $1 $groups *0',
  )
  check('XINFO STREAM s FULL COUNT x', '-ERR value is not an integer or out of range')
  check(
    'XINFO STREAM s FULL COUNT',
    "-ERR unknown subcommand or wrong number of arguments for 'STREAM'. Try XINFO HELP.",
  )
  check(
    'XINFO STREAM s FULL FOO 1',
    "-ERR unknown subcommand or wrong number of arguments for 'STREAM'. Try XINFO HELP.",
  )
  check(
    'XINFO STREAM s FOO',
    "-ERR unknown subcommand or wrong number of arguments for 'STREAM'. Try XINFO HELP.",
  )
  check(
    'XINFO STREAM s COUNT 1',
    "-ERR unknown subcommand or wrong number of arguments for 'STREAM'. Try XINFO HELP.",
  )
  check('XGROUP CREATE s g 0 ENTRIESREAD 0', '+OK')
  check.resp3(
    'XINFO STREAM s FULL COUNT 1',
    '%9 $length :3 $radix-tree-keys :1 $radix-tree-nodes :2 $last-generated-id $3-1 $max-deleted-entry-id $0-0 $entries-added :3 $recorded-first-entry-id $1-1 $entries *1 *2 $1-1 *2 $a $1 $groups *1 %7 $name $g $last-delivered-id $0-0 $entries-read :0 $lag :3 $pel-count :0 $pending *0 $consumers *0',
  )
  check('XINFO GROUPS none', '-ERR no such key')
  check('XINFO CONSUMERS none g', '-ERR no such key')
  check('XINFO CONSUMERS s none', "-NOGROUP No such consumer group 'none' for key name 's'")
  check('XINFO CONSUMERS s g', '*0')
  check('XINFO CONSUMERS s', "-ERR wrong number of arguments for 'xinfo|consumers' command")
  check('XINFO FOO s', "-ERR unknown subcommand 'FOO'. Try XINFO HELP.")
  check('XINFO', "-ERR wrong number of arguments for 'xinfo' command")
  check('XINFO STREAM', "-ERR wrong number of arguments for 'xinfo|stream' command")
  check('XDEL s 1-1 2-1 3-1', ':3')
  check(
    'XINFO STREAM s',
    '*20 $length :0 $radix-tree-keys :0 $radix-tree-nodes :1 $last-generated-id $3-1 $max-deleted-entry-id $3-1 $entries-added :3 $recorded-first-entry-id $0-0 $groups :1 $first-entry (nil) $last-entry (nil)',
  )
  check('SET str x', '+OK')
  check('XINFO STREAM str', '-WRONGTYPE Operation against a key holding the wrong kind of value')
  check('XINFO GROUPS str', '-WRONGTYPE Operation against a key holding the wrong kind of value')
  check(
    'XINFO CONSUMERS str g',
    '-WRONGTYPE Operation against a key holding the wrong kind of value',
  )
})

suite(
  'XINFO tells how many nodes a radix tree would have',
  (check) => {
    check('XADD s 1-1 f v', '$1-1')
    check(
      'XINFO STREAM s',
      '*20 $length :1 $radix-tree-keys :1 $radix-tree-nodes :2 $last-generated-id $1-1 $max-deleted-entry-id $0-0 $entries-added :1 $recorded-first-entry-id $1-1 $groups :0 $first-entry *2 $1-1 *2 $f $v $last-entry *2 $1-1 *2 $f $v',
    )
    check('XADD s 1-2 f v', '$1-2')
    check('XADD s 1-300 f v', '$1-300')
    check('XADD s 2-0 f v', '$2-0')
    check('XADD s 70000-0 f v', '$70000-0')
    check('XADD s 70001-0 f v', '$70001-0')
    check('XADD s 1700000000000-0 f v', '$1700000000000-0')
    check(
      'XINFO STREAM s',
      '*20 $length :7 $radix-tree-keys :7 $radix-tree-nodes :23 $last-generated-id $1700000000000-0 $max-deleted-entry-id $0-0 $entries-added :7 $recorded-first-entry-id $1-1 $groups :0 $first-entry *2 $1-1 *2 $f $v $last-entry *2 $1700000000000-0 *2 $f $v',
    )
    check('XADD s 1700000000001-5 f v', '$1700000000001-5')
    check('XTRIM s MAXLEN 4', ':4')
    check(
      'XINFO STREAM s',
      '*20 $length :4 $radix-tree-keys :4 $radix-tree-nodes :14 $last-generated-id $1700000000001-5 $max-deleted-entry-id $0-0 $entries-added :8 $recorded-first-entry-id $70000-0 $groups :0 $first-entry *2 $70000-0 *2 $f $v $last-entry *2 $1700000000001-5 *2 $f $v',
    )
    check('XDEL s 70001-0', ':1')
    check(
      'XINFO STREAM s',
      '*20 $length :3 $radix-tree-keys :3 $radix-tree-nodes :10 $last-generated-id $1700000000001-5 $max-deleted-entry-id $70001-0 $entries-added :8 $recorded-first-entry-id $70000-0 $groups :0 $first-entry *2 $70000-0 *2 $f $v $last-entry *2 $1700000000001-5 *2 $f $v',
    )
  },
  { config: { 'stream-node-max-entries': '1' } },
)
