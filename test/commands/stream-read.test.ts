/**
 * Rows for XREAD and for XREADGROUP that waits.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: looks inside the server.
 */
import { save, suite } from '../support/check.ts'

/** Until a call on another connection waits. */
const ARRIVAL_MS = 40

suite('XREAD answers what comes after an id', (check) => {
  check('XADD s 1-1 a 1', '$1-1')
  check('XADD s 2-1 b 2', '$2-1')
  check('XADD t 1-5 c 3', '$1-5')
  check('XREAD STREAMS s 0', '*1 *2 $s *2 *2 $1-1 *2 $a $1 *2 $2-1 *2 $b $2')
  check('XREAD STREAMS s 1', '*1 *2 $s *2 *2 $1-1 *2 $a $1 *2 $2-1 *2 $b $2')
  check('XREAD STREAMS s 1-1', '*1 *2 $s *1 *2 $2-1 *2 $b $2')
  check('XREAD COUNT 1 STREAMS s t 0 0', '*2 *2 $s *1 *2 $1-1 *2 $a $1 *2 $t *1 *2 $1-5 *2 $c $3')
  check('XREAD COUNT 0 STREAMS s 0', '*1 *2 $s *2 *2 $1-1 *2 $a $1 *2 $2-1 *2 $b $2')
  check('XREAD COUNT -1 STREAMS s 1-1', '*1 *2 $s *1 *2 $2-1 *2 $b $2')
  check('XREAD STREAMS s t none 2-1 1 0', '*1 *2 $t *1 *2 $1-5 *2 $c $3')
  check('XREAD STREAMS s 2-1', '*nil')
  check('XREAD STREAMS s $', '*nil')
  check('XREAD STREAMS none $', '*nil')
  check('XREAD STREAMS none 0', '*nil')
  check('XREAD BLOCK 1 STREAMS s $', '*nil')
  check(
    'XREAD STREAMS s s 0 2',
    '*2 *2 $s *2 *2 $1-1 *2 $a $1 *2 $2-1 *2 $b $2 *2 $s *1 *2 $2-1 *2 $b $2',
  )
  check('XREAD STREAMS s 18446744073709551615-18446744073709551615', '*nil')
  check.resp3('XREAD STREAMS s t 1-1 0', '%2 $s *1 *2 $2-1 *2 $b $2 $t *1 *2 $1-5 *2 $c $3')
  check.resp3('XREAD STREAMS s $', '_')
  check('XDEL s 2-1', ':1')
  check('XREAD STREAMS s 1-1', '*nil')
})

suite('XREAD says what is wrong with its arguments', (check) => {
  check('XREAD', "-ERR wrong number of arguments for 'xread' command")
  check('XREAD STREAMS s', "-ERR wrong number of arguments for 'xread' command")
  check(
    'XREAD STREAMS s t 0',
    "-ERR Unbalanced XREAD list of streams: for each stream key an ID or '$' must be specified.",
  )
  check('XREAD COUNT x STREAMS s 0', '-ERR value is not an integer or out of range')
  check('XREAD COUNT STREAMS s 0', '-ERR value is not an integer or out of range')
  check('XREAD BLOCK x STREAMS s 0', '-ERR timeout is not an integer or out of range')
  check('XREAD BLOCK -1 STREAMS s 0', '-ERR timeout is negative')
  check('XREAD BLOCK 1.5 STREAMS s 0', '-ERR timeout is not an integer or out of range')
  check('XREAD COUNT 1 BLOCK', '-ERR syntax error')
  check('XREAD FOO STREAMS s 0', '-ERR syntax error')
  check('XREAD STREAMS s x', '-ERR Invalid stream ID specified as stream command argument')
  check('XREAD STREAMS s -', '-ERR Invalid stream ID specified as stream command argument')
  check(
    'XREAD STREAMS s >',
    '-ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option.',
  )
  check(
    'XREAD GROUP g c STREAMS s 0',
    '-ERR The GROUP option is only supported by XREADGROUP. You called XREAD instead.',
  )
  check(
    'XREAD NOACK STREAMS s 0',
    '-ERR The NOACK option is only supported by XREADGROUP. You called XREAD instead.',
  )
  check('XREAD COUNT 1 COUNT 2', '-ERR syntax error')
  check('SET str x', '+OK')
  check('XREAD STREAMS str 0', '-WRONGTYPE Operation against a key holding the wrong kind of value')
  check('XREAD STREAMS str x', '-WRONGTYPE Operation against a key holding the wrong kind of value')
  check('XREAD STREAMS s str x 0', '-ERR Invalid stream ID specified as stream command argument')
  check('XREADGROUP STREAMS s 0', "-ERR wrong number of arguments for 'xreadgroup' command")
  check('XREADGROUP COUNT 1 BLOCK 1 STREAMS s 0', '-ERR Missing GROUP option for XREADGROUP')
  check(
    'XREADGROUP GROUP g c STREAMS s >',
    "-NOGROUP No such key 's' or consumer group 'g' in XREADGROUP with GROUP option",
  )
  check(
    'XREADGROUP GROUP g c STREAMS str >',
    '-WRONGTYPE Operation against a key holding the wrong kind of value',
  )
  check('XADD s 1 a 1', '$1-0')
  check(
    'XREADGROUP GROUP g c STREAMS s >',
    "-NOGROUP No such key 's' or consumer group 'g' in XREADGROUP with GROUP option",
  )
  check('XGROUP CREATE s g 0', '+OK')
  check(
    'XREADGROUP GROUP g c STREAMS s $',
    '-ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by specifying a proper ID, or use the > ID to get new messages. The $ ID would just return an empty result set.',
  )
  check(
    'XREADGROUP GROUP g c STREAMS s x',
    '-ERR Invalid stream ID specified as stream command argument',
  )
  check(
    'XREADGROUP GROUP g c STREAMS s -',
    '-ERR Invalid stream ID specified as stream command argument',
  )
  check(
    'XREADGROUP GROUP g c NOACK STREAMS s t > >',
    "-NOGROUP No such key 't' or consumer group 'g' in XREADGROUP with GROUP option",
  )
  check('XREADGROUP GROUP g c COUNT x STREAMS s >', '-ERR value is not an integer or out of range')
  check('XREADGROUP GROUP g STREAMS s >', "-ERR wrong number of arguments for 'xreadgroup' command")
})

suite('A waiting XREAD gets what is added', (check) => {
  const a = check.on('a')
  a.sends('XREAD BLOCK 0 STREAMS s t $ 0-0')
  check.wait(ARRIVAL_MS)
  check('XADD s 1-1 a 1', '$1-1')
  a.receives('*1 *2 $s *1 *2 $1-1 *2 $a $1')
  a.sends('XREAD BLOCK 0 STREAMS s $')
  check.wait(ARRIVAL_MS)
  check('XADD s 1-2 a 2', '$1-2')
  a.receives('*1 *2 $s *1 *2 $1-2 *2 $a $2')
  a.sends('XREAD BLOCK 0 COUNT 1 STREAMS s 5')
  check.wait(ARRIVAL_MS)
  check('XADD s 2-0 a 3', '$2-0')
  check('XADD s 5-0 a 3', '$5-0')
  check('XADD s 5-1 a 4', '$5-1')
  a.receives('*1 *2 $s *1 *2 $5-1 *2 $a $4')
  check.resp3.sends('XREAD BLOCK 20000 STREAMS none s $ $')
  check.wait(ARRIVAL_MS)
  check('XADD none 7-7 x y', '$7-7')
  check.resp3.receives('%1 $none *1 *2 $7-7 *2 $x $y')
  a.sends('XREAD BLOCK 0 STREAMS later 5')
  check.wait(ARRIVAL_MS)
  check('XGROUP CREATE later g $ MKSTREAM', '+OK')
  check('XADD later 4-0 a b', '$4-0')
  check('LPUSH list x', ':1')
  check('RENAME s old', '+OK')
  check('XADD s 6-0 a b', '$6-0')
  check('DEL later', ':1')
  check('SET later string', '+OK')
  check('DEL later', ':1')
  check('XADD later 6-0 a b', '$6-0')
  a.receives('*1 *2 $later *1 *2 $6-0 *2 $a $b')
  a.sends('XREAD BLOCK 0 STREAMS s s 100 0')
  check.wait(ARRIVAL_MS)
  a.receives('*1 *2 $s *1 *2 $6-0 *2 $a $b')
  a.sends('XREAD BLOCK 5 STREAMS s $')
  check.wait(ARRIVAL_MS)
  a.receives('*nil')
})

suite('All who wait for a stream get what is added', (check) => {
  const a = check.on('a')
  const b = check.on('b')
  const c = check.on('c')
  a.sends('XREAD BLOCK 0 STREAMS s $')
  b.sends('XREAD BLOCK 0 STREAMS s 1')
  c.sends('XREAD BLOCK 0 STREAMS s 9')
  check.wait(ARRIVAL_MS)
  check('XADD s 2-0 a 1', '$2-0')
  a.receives('*1 *2 $s *1 *2 $2-0 *2 $a $1')
  b.receives('*1 *2 $s *1 *2 $2-0 *2 $a $1')
  check('XADD s 10 a 2', '$10-0')
  c.receives('*1 *2 $s *1 *2 $10-0 *2 $a $2')
})

suite('XREAD that waits in a transaction does not', (check) => {
  const a = check.on('a')
  check('MULTI', '+OK')
  check('XREAD BLOCK 0 STREAMS s $', '+QUEUED')
  check('XADD s 1-1 a 1', '+QUEUED')
  check('XREAD BLOCK 0 STREAMS s 0', '+QUEUED')
  check('XREAD BLOCK 0 STREAMS s $', '+QUEUED')
  check('EXEC', '*4 *nil $1-1 *1 *2 $s *1 *2 $1-1 *2 $a $1 *nil')
  a.sends('XREAD BLOCK 0 STREAMS s $')
  check.wait(ARRIVAL_MS)
  check('MULTI', '+OK')
  check('XADD s 2-1 a 2', '+QUEUED')
  check('XDEL s 2-1', '+QUEUED')
  check('EXEC', '*2 $2-1 :1')
  a.receives('*1 *2 $s *0')
  a.sends('XREAD BLOCK 0 STREAMS s $')
  check.wait(ARRIVAL_MS)
  check('MULTI', '+OK')
  check('XADD s 3-1 a 2', '+QUEUED')
  check('XADD s 3-2 a 2', '+QUEUED')
  check('EXEC', '*2 $3-1 $3-2')
  a.receives('*1 *2 $s *2 *2 $3-1 *2 $a $2 *2 $3-2 *2 $a $2')
})

suite('A waiting XREADGROUP gets what is added, or hears that there will be nothing', (check) => {
  const a = check.on('a')
  const b = check.on('b')
  check('XGROUP CREATE s g $ MKSTREAM', '+OK')
  a.sends('XREADGROUP GROUP g alice BLOCK 0 STREAMS s >')
  b.sends('XREADGROUP GROUP g bob BLOCK 0 STREAMS s >')
  check.wait(ARRIVAL_MS)
  check('XADD s 1-1 a 1', '$1-1')
  a.receives('*1 *2 $s *1 *2 $1-1 *2 $a $1')
  check('XADD s 1-2 a 2', '$1-2')
  b.receives('*1 *2 $s *1 *2 $1-2 *2 $a $2')
  check('XPENDING s g', '*4 :2 $1-1 $1-2 *2 *2 $alice $1 *2 $bob $1')
  a.sends('XREADGROUP GROUP g alice BLOCK 0 STREAMS s >')
  check.wait(ARRIVAL_MS)
  check('DEL s', ':1')
  a.receives('-UNBLOCKED the stream key no longer exists')
  check('XGROUP CREATE s g $ MKSTREAM', '+OK')
  a.sends('XREADGROUP GROUP g alice BLOCK 0 STREAMS s >')
  check.wait(ARRIVAL_MS)
  check('XGROUP DESTROY s g', ':1')
  a.receives('-NOGROUP the consumer group this client was blocked on no longer exists')
  check('XGROUP CREATE s g $ MKSTREAM', '+OK')
  a.sends('XREADGROUP GROUP g alice BLOCK 0 STREAMS s >')
  check.wait(ARRIVAL_MS)
  check('SET s x', '+OK')
  a.receives('-UNBLOCKED the stream key no longer exists')
  check('DEL s', ':1')
  check('XGROUP CREATE s g $ MKSTREAM', '+OK')
  a.sends('XREADGROUP GROUP g alice BLOCK 0 STREAMS s >')
  check.wait(ARRIVAL_MS)
  check('RENAME s t', '+OK')
  a.receives('-UNBLOCKED the stream key no longer exists')
  check('XGROUP CREATE s g $ MKSTREAM', '+OK')
  a.sends('XREADGROUP GROUP g alice BLOCK 0 STREAMS s >')
  check.wait(ARRIVAL_MS)
  check('FLUSHALL', '+OK')
  a.receives('-UNBLOCKED the stream key no longer exists')
  check('XGROUP CREATE s g $ MKSTREAM', '+OK')
  a.sends('XREADGROUP GROUP g alice BLOCK 0 STREAMS s >')
  check.wait(ARRIVAL_MS)
  check('XGROUP CREATE s other $', '+OK')
  check('XGROUP SETID s g 5', '+OK')
  check('XADD s 4 a 1', '$4-0')
  check('XADD s 6 a 1', '$6-0')
  a.receives('*1 *2 $s *1 *2 $6-0 *2 $a $1')
  check(
    'XINFO GROUPS s',
    '*2 *12 $name $g $consumers :1 $pending :1 $last-delivered-id $6-0 $entries-read :2 $lag :0 *12 $name $other $consumers :0 $pending :0 $last-delivered-id $0-0 $entries-read (nil) $lag :2',
  )
  a.sends('XREADGROUP GROUP g alice BLOCK 0 COUNT 1 NOACK STREAMS s >')
  check.wait(ARRIVAL_MS)
  check('MULTI', '+OK')
  check('XADD s 7 a 1', '+QUEUED')
  check('XADD s 8 a 1', '+QUEUED')
  check('EXEC', '*2 $7-0 $8-0')
  a.receives('*1 *2 $s *1 *2 $7-0 *2 $a $1')
  check('XPENDING s g', '*4 :1 $6-0 $6-0 *1 *2 $alice $1')
  check('XREADGROUP GROUP g alice BLOCK 0 STREAMS s 0', '*1 *2 $s *1 *2 $6-0 *2 $a $1')
  a.sends('XREADGROUP GROUP g alice BLOCK 5 STREAMS s t > >')
  check.wait(ARRIVAL_MS)
  a.receives("-NOGROUP No such key 't' or consumer group 'g' in XREADGROUP with GROUP option")
})

suite('A waiting XREADGROUP hears of databases that change places', (check) => {
  const a = check.on('a')
  check('XGROUP CREATE s g $ MKSTREAM', '+OK')
  a.sends('XREADGROUP GROUP g alice BLOCK 0 STREAMS s >')
  check.wait(ARRIVAL_MS)
  check('SWAPDB 0 4', '+OK')
  a.receives('-UNBLOCKED the stream key no longer exists')
  check('LPUSH s x', ':1')
  check('SWAPDB 0 4', '+OK')
  a.sends('XREADGROUP GROUP g alice BLOCK 0 STREAMS s >')
  check.wait(ARRIVAL_MS)
  check('SWAPDB 0 4', '+OK')
  a.receives('-UNBLOCKED the stream key no longer exists')
  check('SWAPDB 0 4', '+OK')
  a.sends('XREAD BLOCK 0 STREAMS s $')
  check.wait(ARRIVAL_MS)
  check('SWAPDB 0 4', '+OK')
  check('DEL s', ':1')
  check('XADD s 1-1 a b', '$1-1')
  a.receives('*1 *2 $s *1 *2 $1-1 *2 $a $b')
  a.sends('XREADGROUP GROUP g alice BLOCK 0 STREAMS t >')
  a.receives("-NOGROUP No such key 't' or consumer group 'g' in XREADGROUP with GROUP option")
})

suite('A waiting XREADGROUP hears that its key has expired or may be unblocked', (check) => {
  const a = check.on('a')
  check('XGROUP CREATE s g $ MKSTREAM', '+OK')
  check('PEXPIRE s 60', ':1')
  a.sends('XREADGROUP GROUP g alice BLOCK 0 STREAMS s >')
  check.wait(700)
  a.receives('-UNBLOCKED the stream key no longer exists')
  check('XGROUP CREATE s g $ MKSTREAM', '+OK')
  a('CLIENT ID', save('id'))
  a.sends('XREADGROUP GROUP g alice BLOCK 0 STREAMS s >')
  check.wait(ARRIVAL_MS)
  check(({ id }) => `CLIENT UNBLOCK ${id}`, ':1')
  a.receives('*nil')
  a.sends('XREAD BLOCK 0 STREAMS s $')
  check.wait(ARRIVAL_MS)
  check(({ id }) => `CLIENT UNBLOCK ${id} ERROR`, ':1')
  a.receives('-UNBLOCKED client unblocked via CLIENT UNBLOCK')
})

suite(
  'XREAD takes + for the last entry',
  (check) => {
    const a = check.on('a')
    check('XREAD STREAMS s +', '*nil')
    check('XADD s 1-1 a 1', '$1-1')
    check('XADD s 2-0 b 2', '$2-0')
    check('XREAD STREAMS s +', '*1 *2 $s *1 *2 $2-0 *2 $b $2')
    check('XREAD COUNT 10 STREAMS s t + 0', '*1 *2 $s *1 *2 $2-0 *2 $b $2')
    check('XREAD BLOCK 10 STREAMS s +', '*1 *2 $s *1 *2 $2-0 *2 $b $2')
    check('XDEL s 2-0', ':1')
    check('XREAD STREAMS s +', '*1 *2 $s *1 *2 $1-1 *2 $a $1')
    check('XDEL s 1-1', ':1')
    check('XREAD STREAMS s +', '*nil')
    a.sends('XREAD BLOCK 0 STREAMS s new + +')
    check.wait(ARRIVAL_MS)
    check('XADD new 0-1 c 3', '$0-1')
    a.receives('*1 *2 $new *1 *2 $0-1 *2 $c $3')
    check('XGROUP CREATE s g 0', '+OK')
    check(
      'XREADGROUP GROUP g c STREAMS s +',
      '-ERR Invalid stream ID specified as stream command argument',
    )
  },
  { since: '7.4.0' },
)
