/**
 * Rows for XGROUP, XREADGROUP, XACK, XPENDING, XCLAIM, XAUTOCLAIM.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: looks inside the server.
 */
import { suite } from '../support/check.ts'
import { timed } from '../support/times.ts'

suite('XGROUP makes and ends groups', (check) => {
  check(
    'XGROUP CREATE s g $',
    '-ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option to create an empty stream automatically.',
  )
  check('XGROUP CREATE s g 0 MKSTREAM', '+OK')
  check('XGROUP CREATE s g 0', '-BUSYGROUP Consumer Group name already exists')
  check('XGROUP CREATE s g 0 MKSTREAM', '-BUSYGROUP Consumer Group name already exists')
  check('TYPE s', '+stream')
  check('XLEN s', ':0')
  check('XADD s 5-5 a 1', '$5-5')
  check('XGROUP CREATE s h $ ENTRIESREAD 1', '+OK')
  check('XGROUP CREATE s i 5 ENTRIESREAD -1', '+OK')
  check('XGROUP CREATE s j x', '-ERR Invalid stream ID specified as stream command argument')
  check('XGROUP CREATE s j -', '-ERR Invalid stream ID specified as stream command argument')
  check('XGROUP CREATE s j 0 ENTRIESREAD -2', '-ERR value for ENTRIESREAD must be positive or -1')
  check('XGROUP CREATE s j 0 ENTRIESREAD x', '-ERR value is not an integer or out of range')
  check(
    'XGROUP CREATE s j 0 ENTRIESREAD',
    "-ERR unknown subcommand or wrong number of arguments for 'CREATE'. Try XGROUP HELP.",
  )
  check(
    'XGROUP CREATE s j 0 FOO',
    "-ERR unknown subcommand or wrong number of arguments for 'CREATE'. Try XGROUP HELP.",
  )
  check(
    'XGROUP CREATE s j 0 MKSTREAM MKSTREAM ENTRIESREAD 1 MKSTREAM',
    "-ERR unknown subcommand or wrong number of arguments for 'CREATE'. Try XGROUP HELP.",
  )
  check('XGROUP CREATE s j', "-ERR wrong number of arguments for 'xgroup|create' command")
  check('XGROUP SETID s g 3-3', '+OK')
  check('XGROUP SETID s h - ENTRIESREAD 7', '+OK')
  check('XGROUP SETID s i +', '+OK')
  check(
    'XGROUP SETID s h $ MKSTREAM',
    "-ERR unknown subcommand or wrong number of arguments for 'SETID'. Try XGROUP HELP.",
  )
  check('XGROUP SETID s none 0', "-NOGROUP No such consumer group 'none' for key name 's'")
  check(
    'XGROUP SETID none g 0',
    '-ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option to create an empty stream automatically.',
  )
  check('XGROUP SETID s g x', '-ERR Invalid stream ID specified as stream command argument')
  check(
    'XGROUP SETID s g 0 ENTRIESREAD 1 ENTRIESREAD 2',
    "-ERR unknown subcommand or wrong number of arguments for 'SETID'. Try XGROUP HELP.",
  )
  check(
    'XINFO GROUPS s',
    '*3 *12 $name $g $consumers :0 $pending :0 $last-delivered-id $3-3 $entries-read (nil) $lag :1 *12 $name $h $consumers :0 $pending :0 $last-delivered-id $0-0 $entries-read :7 $lag :-6 *12 $name $i $consumers :0 $pending :0 $last-delivered-id $18446744073709551615-18446744073709551615 $entries-read (nil) $lag (nil)',
  )
  check('XGROUP CREATECONSUMER s g alice', ':1')
  check('XGROUP CREATECONSUMER s g alice', ':0')
  check('XGROUP CREATECONSUMER s g bob', ':1')
  check(
    'XGROUP CREATECONSUMER s none alice',
    "-NOGROUP No such consumer group 'none' for key name 's'",
  )
  check(
    'XGROUP CREATECONSUMER none g alice',
    '-ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option to create an empty stream automatically.',
  )
  check('XGROUP DELCONSUMER s g nobody', ':0')
  check('XGROUP DELCONSUMER s g bob', ':0')
  check('XGROUP DELCONSUMER s none bob', "-NOGROUP No such consumer group 'none' for key name 's'")
  check(
    'XGROUP DELCONSUMER none g bob',
    '-ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option to create an empty stream automatically.',
  )
  check('XGROUP DESTROY s none', ':0')
  check('XGROUP DESTROY s g', ':1')
  check('XGROUP DESTROY s g', ':0')
  check(
    'XGROUP DESTROY none g',
    '-ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option to create an empty stream automatically.',
  )
  check('XGROUP FOO s g', "-ERR unknown subcommand 'FOO'. Try XGROUP HELP.")
  check('XGROUP DESTROY s', "-ERR wrong number of arguments for 'xgroup|destroy' command")
  check('XGROUP', "-ERR wrong number of arguments for 'xgroup' command")
  check('SET str x', '+OK')
  check(
    'XGROUP CREATE str g 0',
    '-WRONGTYPE Operation against a key holding the wrong kind of value',
  )
  check(
    'XGROUP CREATE str g 0 MKSTREAM',
    '-WRONGTYPE Operation against a key holding the wrong kind of value',
  )
  check(
    'XGROUP DESTROY str g',
    '-WRONGTYPE Operation against a key holding the wrong kind of value',
  )
  check('EXISTS s', ':1')
})

suite('Groups and consumers come in the order of their names', (check) => {
  check('XGROUP CREATE s b 0 MKSTREAM', '+OK')
  check('XGROUP CREATE s a 0', '+OK')
  check('XGROUP CREATE s "" 0', '+OK')
  check('XGROUP CREATE s ab 0', '+OK')
  check('XGROUP CREATE s "a\\x00" 0', '+OK')
  check('XGROUP CREATE s abcdefgh 0', '+OK')
  check('XGROUP CREATE s abcdefghi 0', '+OK')
  check('XGROUP CREATE s "abcdefgh\\xff" 0', '+OK')
  check('XGROUP CREATE s "\\xff" 0', '+OK')
  check('XGROUP CREATE s abcdefgh 0', '-BUSYGROUP Consumer Group name already exists')
  check('XGROUP CREATECONSUMER s a zoe', ':1')
  check('XGROUP CREATECONSUMER s a ""', ':1')
  check('XGROUP CREATECONSUMER s a consumer-2', ':1')
  check('XGROUP CREATECONSUMER s a consumer-10', ':1')
  check(
    'XINFO GROUPS s',
    '*9 *12 $name $"" $consumers :0 $pending :0 $last-delivered-id $0-0 $entries-read (nil) $lag :0 *12 $name $a $consumers :4 $pending :0 $last-delivered-id $0-0 $entries-read (nil) $lag :0 *12 $name $"a\\x00" $consumers :0 $pending :0 $last-delivered-id $0-0 $entries-read (nil) $lag :0 *12 $name $ab $consumers :0 $pending :0 $last-delivered-id $0-0 $entries-read (nil) $lag :0 *12 $name $abcdefgh $consumers :0 $pending :0 $last-delivered-id $0-0 $entries-read (nil) $lag :0 *12 $name $abcdefghi $consumers :0 $pending :0 $last-delivered-id $0-0 $entries-read (nil) $lag :0 *12 $name $"abcdefgh\\xff" $consumers :0 $pending :0 $last-delivered-id $0-0 $entries-read (nil) $lag :0 *12 $name $b $consumers :0 $pending :0 $last-delivered-id $0-0 $entries-read (nil) $lag :0 *12 $name $"\\xff" $consumers :0 $pending :0 $last-delivered-id $0-0 $entries-read (nil) $lag :0',
  )
  check('XGROUP DESTROY s abcdefgh', ':1')
  check('XGROUP DESTROY s ""', ':1')
  check(
    'XINFO GROUPS s',
    '*7 *12 $name $a $consumers :4 $pending :0 $last-delivered-id $0-0 $entries-read (nil) $lag :0 *12 $name $"a\\x00" $consumers :0 $pending :0 $last-delivered-id $0-0 $entries-read (nil) $lag :0 *12 $name $ab $consumers :0 $pending :0 $last-delivered-id $0-0 $entries-read (nil) $lag :0 *12 $name $abcdefghi $consumers :0 $pending :0 $last-delivered-id $0-0 $entries-read (nil) $lag :0 *12 $name $"abcdefgh\\xff" $consumers :0 $pending :0 $last-delivered-id $0-0 $entries-read (nil) $lag :0 *12 $name $b $consumers :0 $pending :0 $last-delivered-id $0-0 $entries-read (nil) $lag :0 *12 $name $"\\xff" $consumers :0 $pending :0 $last-delivered-id $0-0 $entries-read (nil) $lag :0',
  )
})

suite('XREADGROUP gives each entry to one consumer', (check) => {
  check('XADD s 1 a 1', '$1-0')
  check('XADD s 2 b 2', '$2-0')
  check('XADD s 3 c 3', '$3-0')
  check('XADD s 4 d 4', '$4-0')
  check('XGROUP CREATE s g 0', '+OK')
  check('XREADGROUP GROUP g alice COUNT 1 STREAMS s >', '*1 *2 $s *1 *2 $1-0 *2 $a $1')
  check(
    'XREADGROUP GROUP g bob COUNT 2 STREAMS s >',
    '*1 *2 $s *2 *2 $2-0 *2 $b $2 *2 $3-0 *2 $c $3',
  )
  check('XREADGROUP GROUP g alice STREAMS s 0', '*1 *2 $s *1 *2 $1-0 *2 $a $1')
  check('XREADGROUP GROUP g alice STREAMS s 1', '*1 *2 $s *0')
  check('XREADGROUP GROUP g bob STREAMS s 2', '*1 *2 $s *1 *2 $3-0 *2 $c $3')
  check('XREADGROUP GROUP g bob COUNT 1 STREAMS s 0', '*1 *2 $s *1 *2 $2-0 *2 $b $2')
  check('XREADGROUP GROUP g carol STREAMS s 0', '*1 *2 $s *0')
  check.resp3('XREADGROUP GROUP g carol NOACK STREAMS s >', '%1 $s *1 *2 $4-0 *2 $d $4')
  check('XREADGROUP GROUP g carol STREAMS s >', '*nil')
  check('XPENDING s g', '*4 :3 $1-0 $3-0 *2 *2 $alice $1 *2 $bob $2')
  check('XPENDING s g - + 10 carol', '*0')
  check('XACK s g 2 3 3 9', ':2')
  check('XACK s g 2', ':0')
  check('XACK s none 1', ':0')
  check('XACK none g 1', ':0')
  check('XACK s g x', '-ERR Invalid stream ID specified as stream command argument')
  check('XACK s none x', ':0')
  check('XPENDING s g', '*4 :1 $1-0 $1-0 *1 *2 $alice $1')
  check('XDEL s 1', ':1')
  check('XREADGROUP GROUP g alice STREAMS s 0', '*1 *2 $s *1 *2 $1-0 *nil')
  check.resp3('XREADGROUP GROUP g alice STREAMS s 0', '%1 $s *1 *2 $1-0 _')
  check('XACK s g 1', ':1')
  check('XPENDING s g', '*4 :0 (nil) (nil) *nil')
  check('XREADGROUP GROUP g alice STREAMS s 0', '*1 *2 $s *0')
  check('XGROUP SETID s g 0', '+OK')
  check(
    'XREADGROUP GROUP g alice STREAMS s >',
    '*1 *2 $s *3 *2 $2-0 *2 $b $2 *2 $3-0 *2 $c $3 *2 $4-0 *2 $d $4',
  )
  check('XGROUP SETID s g 0', '+OK')
  check(
    'XREADGROUP GROUP g bob COUNT 2 STREAMS s >',
    '*1 *2 $s *2 *2 $2-0 *2 $b $2 *2 $3-0 *2 $c $3',
  )
  check('XPENDING s g', '*4 :3 $2-0 $4-0 *2 *2 $alice $1 *2 $bob $2')
  check('XGROUP DELCONSUMER s g bob', ':2')
  check('XPENDING s g', '*4 :1 $4-0 $4-0 *1 *2 $alice $1')
  check(
    'XREADGROUP GROUP g a STREAMS s none > >',
    "-NOGROUP No such key 'none' or consumer group 'g' in XREADGROUP with GROUP option",
  )
  check(
    'XREADGROUP GROUP g a STREAMS s s > 0',
    '*2 *2 $s *1 *2 $4-0 *2 $d $4 *2 $s *1 *2 $4-0 *2 $d $4',
  )
  check('SET str x', '+OK')
  check('XACK str g 1', '-WRONGTYPE Operation against a key holding the wrong kind of value')
  check('XREADGROUP GROUP g a STREAMS s 18446744073709551615-18446744073709551615', '*nil')
})

suite('XPENDING tells who was given what', (check) => {
  check('XADD s 1 a 1', '$1-0')
  check('XADD s 2 b 2', '$2-0')
  check('XADD s 3 c 3', '$3-0')
  check('XGROUP CREATE s g 0', '+OK')
  check('XPENDING s g', '*4 :0 (nil) (nil) *nil')
  check('XPENDING s g - + 10', '*0')
  check(
    'XREADGROUP GROUP g alice COUNT 2 STREAMS s >',
    '*1 *2 $s *2 *2 $1-0 *2 $a $1 *2 $2-0 *2 $b $2',
  )
  check('XREADGROUP GROUP g bob COUNT 2 STREAMS s >', '*1 *2 $s *1 *2 $3-0 *2 $c $3')
  check('XPENDING s g', '*4 :3 $1-0 $3-0 *2 *2 $alice $2 *2 $bob $1')
  check('XPENDING s g - + 0', '*0')
  check('XPENDING s g - + -1', '*0')
  check('XPENDING s g IDLE 100000 - + 10', '*0')
  check('XPENDING s g IDLE 100000 - + 10 alice', '*0')
  check('XPENDING s g - + 10 nobody', '*0')
  check('XPENDING s g (3 + 10', '*0')
  check('XPENDING s g - (1 10', timed('*1 *4 $1-0 $alice :# :1'))
  check(
    'XPENDING s g (18446744073709551615-18446744073709551615 + 10',
    '-ERR invalid start ID for the interval',
  )
  check('XPENDING s g - (0-0 10', '-ERR invalid end ID for the interval')
  check('XPENDING s g x + 10', '-ERR Invalid stream ID specified as stream command argument')
  check('XPENDING s g - x 10', '-ERR Invalid stream ID specified as stream command argument')
  check('XPENDING s g - + x', '-ERR value is not an integer or out of range')
  check('XPENDING s g - +', '-ERR syntax error')
  check('XPENDING s g -', '-ERR syntax error')
  check('XPENDING s g IDLE 1 - +', '-ERR syntax error')
  check('XPENDING s g IDLE x - + 10', '-ERR value is not an integer or out of range')
  check('XPENDING s g IDLE 0 - + 10 alice more', '-ERR syntax error')
  check('XPENDING s none', "-NOGROUP No such key 's' or consumer group 'none'")
  check('XPENDING none g', "-NOGROUP No such key 'none' or consumer group 'g'")
  check('XPENDING s none - + 10', "-NOGROUP No such key 's' or consumer group 'none'")
  check('SET str x', '+OK')
  check('XPENDING str g', '-WRONGTYPE Operation against a key holding the wrong kind of value')
  check('XPENDING s', "-ERR wrong number of arguments for 'xpending' command")
})

suite('XCLAIM gives entries to another consumer', (check) => {
  check('XADD s 1 a 1', '$1-0')
  check('XADD s 2 b 2', '$2-0')
  check('XADD s 3 c 3', '$3-0')
  check('XGROUP CREATE s g 0', '+OK')
  check(
    'XREADGROUP GROUP g alice COUNT 2 STREAMS s >',
    '*1 *2 $s *2 *2 $1-0 *2 $a $1 *2 $2-0 *2 $b $2',
  )
  check('XCLAIM s g bob 0 1', '*1 *2 $1-0 *2 $a $1')
  check('XCLAIM s g bob 1000000 1 2', '*0')
  check('XCLAIM s g bob 0 3', '*0')
  check('XCLAIM s g bob 0 3 FORCE', '*1 *2 $3-0 *2 $c $3')
  check('XCLAIM s g bob 0 9 FORCE JUSTID', '*0')
  check('XCLAIM s g carol 0 1 2 3 JUSTID', '*3 $1-0 $2-0 $3-0')
  check('XPENDING s g', '*4 :3 $1-0 $3-0 *1 *2 $carol $3')
  check('XCLAIM s g carol 0 1 RETRYCOUNT 7 JUSTID', '*1 $1-0')
  check('XCLAIM s g carol 0 1 2 IDLE 5000 TIME 1000 JUSTID', '*2 $1-0 $2-0')
  check('XPENDING s g IDLE 1000000 - (3 10 alice', '*0')
  check('XCLAIM s g carol 0 1 LASTID 1 JUSTID', '*1 $1-0')
  check('XCLAIM s g carol 0 1 LASTID 8-8 JUSTID', '*1 $1-0')
  check(
    'XINFO GROUPS s',
    '*1 *12 $name $g $consumers :3 $pending :3 $last-delivered-id $8-8 $entries-read :2 $lag :1',
  )
  check('XDEL s 2', ':1')
  check('XCLAIM s g dave 0 1 2 3', '*2 *2 $1-0 *2 $a $1 *2 $3-0 *2 $c $3')
  check('XPENDING s g', '*4 :2 $1-0 $3-0 *1 *2 $dave $2')
  check.resp3('XCLAIM s g dave 0 1', '*1 *2 $1-0 *2 $a $1')
  check('XCLAIM s g dave x 1', '-ERR Invalid min-idle-time argument for XCLAIM')
  check('XCLAIM s g dave -1 1 JUSTID', '*1 $1-0')
  check('XCLAIM s g dave 0 x', "-ERR Unrecognized XCLAIM option 'x'")
  check('XCLAIM s g dave 0 1 FOO', "-ERR Unrecognized XCLAIM option 'FOO'")
  check('XCLAIM s g dave 0 1 x', "-ERR Unrecognized XCLAIM option 'x'")
  check('XCLAIM s g dave 0 1 IDLE x', '-ERR Invalid IDLE option argument for XCLAIM')
  check('XCLAIM s g dave 0 1 TIME x', '-ERR Invalid TIME option argument for XCLAIM')
  check('XCLAIM s g dave 0 1 RETRYCOUNT x', '-ERR Invalid RETRYCOUNT option argument for XCLAIM')
  check(
    'XCLAIM s g dave 0 1 LASTID x',
    '-ERR Invalid stream ID specified as stream command argument',
  )
  check('XCLAIM s g dave 0 1 IDLE', "-ERR Unrecognized XCLAIM option 'IDLE'")
  check('XCLAIM s g dave 0 JUSTID', '*0')
  check('XCLAIM s none dave 0 1', "-NOGROUP No such key 's' or consumer group 'none'")
  check('XCLAIM none g dave x 1', "-NOGROUP No such key 'none' or consumer group 'g'")
  check('XCLAIM s g dave 0', "-ERR wrong number of arguments for 'xclaim' command")
  check('SET str x', '+OK')
  check(
    'XCLAIM str g dave 0 1',
    '-WRONGTYPE Operation against a key holding the wrong kind of value',
  )
})

suite('XAUTOCLAIM goes through what is pending', (check) => {
  check('XADD s 1 a 1', '$1-0')
  check('XADD s 2 b 2', '$2-0')
  check('XADD s 3 c 3', '$3-0')
  check('XADD s 4 d 4', '$4-0')
  check('XADD s 5 e 5', '$5-0')
  check('XGROUP CREATE s g 0', '+OK')
  check('XAUTOCLAIM s g bob 0 -', '*3 $0-0 *0 *0')
  check(
    'XREADGROUP GROUP g alice STREAMS s >',
    '*1 *2 $s *5 *2 $1-0 *2 $a $1 *2 $2-0 *2 $b $2 *2 $3-0 *2 $c $3 *2 $4-0 *2 $d $4 *2 $5-0 *2 $e $5',
  )
  check('XAUTOCLAIM s g bob 0 - COUNT 2', '*3 $3-0 *2 *2 $1-0 *2 $a $1 *2 $2-0 *2 $b $2 *0')
  check('XAUTOCLAIM s g bob 0 3 COUNT 1 JUSTID', '*3 $4-0 *1 $3-0 *0')
  check('XAUTOCLAIM s g bob 0 (3 COUNT 10 JUSTID', '*3 $0-0 *2 $4-0 $5-0 *0')
  check('XAUTOCLAIM s g bob 1000000 - COUNT 2', '*3 $0-0 *0 *0')
  check('XAUTOCLAIM s g bob 1000000 - COUNT 1 JUSTID', '*3 $0-0 *0 *0')
  check('XDEL s 2 4', ':2')
  check('XAUTOCLAIM s g carol 0 - COUNT 2', '*3 $3-0 *1 *2 $1-0 *2 $a $1 *1 $2-0')
  check('XAUTOCLAIM s g carol 0 - JUSTID', '*3 $0-0 *3 $1-0 $3-0 $5-0 *1 $4-0')
  check('XPENDING s g', '*4 :3 $1-0 $5-0 *1 *2 $carol $3')
  check('XAUTOCLAIM s g carol 0 9', '*3 $0-0 *0 *0')
  check('XAUTOCLAIM s g carol 0 +', '*3 $0-0 *0 *0')
  check(
    'XAUTOCLAIM s g carol 0 (18446744073709551615-18446744073709551615',
    '-ERR invalid start ID for the interval',
  )
  check('XAUTOCLAIM s g carol x 0', '-ERR Invalid min-idle-time argument for XAUTOCLAIM')
  check('XAUTOCLAIM s g carol -1 0 COUNT 1 JUSTID', '*3 $3-0 *1 $1-0 *0')
  check('XAUTOCLAIM s g carol 0 x', '-ERR Invalid stream ID specified as stream command argument')
  check('XAUTOCLAIM s g carol 0 0 COUNT 0', '-ERR COUNT must be > 0')
  check('XAUTOCLAIM s g carol 0 0 COUNT x', '-ERR COUNT must be > 0')
  check('XAUTOCLAIM s g carol 0 0 COUNT', '-ERR syntax error')
  check('XAUTOCLAIM s g carol 0 0 FOO', '-ERR syntax error')
  check('XAUTOCLAIM s none carol 0 0', "-NOGROUP No such key 's' or consumer group 'none'")
  check('XAUTOCLAIM none g carol 0 0', "-NOGROUP No such key 'none' or consumer group 'g'")
  check('SET str x', '+OK')
  check(
    'XAUTOCLAIM str g carol 0 0',
    '-WRONGTYPE Operation against a key holding the wrong kind of value',
  )
  check('XAUTOCLAIM str g carol x 0', '-ERR Invalid min-idle-time argument for XAUTOCLAIM')
})
