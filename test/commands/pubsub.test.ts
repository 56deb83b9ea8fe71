/**
 * SUBSCRIBE and its relatives, PUBLISH, SPUBLISH, PUBSUB.
 *
 * Thread: any.
 * Owns: the rows of the pubsub group.
 * Never: looks at more than replies and messages.
 */
import { anyOf, suite, unordered } from '../support/check.ts'

const ONLY =
  'only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context'

suite('a message reaches everybody who listens, and PUBLISH counts them', (check) => {
  const one = check.on('one')
  const two = check.on('two', { resp: 3 })
  check('PUBLISH news hello', ':0')
  one('SUBSCRIBE news', '*3 $subscribe $news :1')
  two('SUBSCRIBE news', '>3 $subscribe $news :1')
  check('PUBLISH news hello', ':2')
  one.receives('*3 $message $news $hello')
  two.receives('>3 $message $news $hello')
  check('PUBLISH other hello', ':0')
  check(['PUBLISH', 'news', Buffer.of(0, 255, 13, 10)], ':2')
  one.receives('*3 $message $news $"\\x00\\xff\\r\\n"')
  two.receives('>3 $message $news $"\\x00\\xff\\r\\n"')
  check('PUBLISH news ""', ':2')
  one.receives('*3 $message $news $""')
  two.receives('>3 $message $news $""')
  one.closes()
  check('PUBLISH news last', ':1')
  two.receives('>3 $message $news $last')
})

suite('a pattern brings the name of the channel along', (check) => {
  const one = check.on('one')
  one('PSUBSCRIBE n?ws', '*3 $psubscribe $n?ws :1')
  one('PSUBSCRIBE n*', '*3 $psubscribe $n* :2')
  check('PUBLISH news 1', ':2')
  one.receives(anyOf('*4 $pmessage $n?ws $news $1', '*4 $pmessage $n* $news $1'))
  one.receives(anyOf('*4 $pmessage $n?ws $news $1', '*4 $pmessage $n* $news $1'))
  check('PUBLISH nothing 2', ':1')
  one.receives('*4 $pmessage $n* $nothing $2')
  check('PUBLISH "" 3', ':0')
  one('PUNSUBSCRIBE n*', '*3 $punsubscribe $n* :1')
  one('PUNSUBSCRIBE n*', '*3 $punsubscribe $n* :1')
  one('SUBSCRIBE news', '*3 $subscribe $news :2')
  check('PUBLISH news 4', ':2')
  one.receives('*3 $message $news $4')
  one.receives('*4 $pmessage $n?ws $news $4')
})

suite('each name is confirmed by itself, with how many there are', (check) => {
  const one = check.on('one')
  one('SUBSCRIBE a b a', '*3 $subscribe $a :1')
  one.receives('*3 $subscribe $b :2')
  one.receives('*3 $subscribe $a :2')
  one('PSUBSCRIBE p* q*', '*3 $psubscribe $p* :3')
  one.receives('*3 $psubscribe $q* :4')
  one('SSUBSCRIBE s t', '*3 $ssubscribe $s :1')
  one.receives('*3 $ssubscribe $t :2')
  one('UNSUBSCRIBE b none', '*3 $unsubscribe $b :3')
  one.receives('*3 $unsubscribe $none :3')
  one('UNSUBSCRIBE', '*3 $unsubscribe $a :2')
  one('UNSUBSCRIBE', '*3 $unsubscribe (nil) :2')
  one('PUNSUBSCRIBE', anyOf('*3 $punsubscribe $p* :1', '*3 $punsubscribe $q* :1'))
  one.receives(anyOf('*3 $punsubscribe $p* :0', '*3 $punsubscribe $q* :0'))
  one('SUNSUBSCRIBE t', '*3 $sunsubscribe $t :1')
  one('SUNSUBSCRIBE', '*3 $sunsubscribe $s :0')
  one('SUNSUBSCRIBE', '*3 $sunsubscribe (nil) :0')
  one('PUNSUBSCRIBE', '*3 $punsubscribe (nil) :0')
  check.resp3('UNSUBSCRIBE', '>3 $unsubscribe _ :0')
})

suite('shard channels are a world of their own', (check) => {
  const one = check.on('one')
  one('SSUBSCRIBE s', '*3 $ssubscribe $s :1')
  one('SUBSCRIBE s', '*3 $subscribe $s :1')
  one('PSUBSCRIBE *', '*3 $psubscribe $* :2')
  check('SPUBLISH s 1', ':1')
  one.receives('*3 $smessage $s $1')
  check('PUBLISH s 2', ':2')
  one.receives('*3 $message $s $2')
  one.receives('*4 $pmessage $* $s $2')
  check('SPUBLISH other 3', ':0')
  one.receivesNothing()
})

suite('a RESP2 connection that listens may not do much else', (check) => {
  const one = check.on('one')
  for (const subscribe of ['SUBSCRIBE', 'PSUBSCRIBE', 'SSUBSCRIBE']) {
    one(`${subscribe} x`, `*3 $${subscribe.toLowerCase()} $x :1`)
    one('GET k', `-ERR Can't execute 'get': ${ONLY}`)
    one('CONFIG GET maxmemory', `-ERR Can't execute 'config|get': ${ONLY}`)
    one('PUBLISH x 1', `-ERR Can't execute 'publish': ${ONLY}`)
    one('SPUBLISH x 1', `-ERR Can't execute 'spublish': ${ONLY}`)
    one('PUBSUB NUMPAT', `-ERR Can't execute 'pubsub|numpat': ${ONLY}`)
    one('HELLO 3', `-ERR Can't execute 'hello': ${ONLY}`)
    one('CLIENT REPLY OFF', `-ERR Can't execute 'client|reply': ${ONLY}`)
    one('GET', "-ERR wrong number of arguments for 'get' command")
    one('FOO', "-ERR unknown command 'FOO', with args beginning with: ")
    one('PING', '*2 $pong $""')
    one('PING hello', '*2 $pong $hello')
    one('PING a b', "-ERR wrong number of arguments for 'ping' command")
    one('RESET', '+RESET')
    one('PING', '+PONG')
    one('GET k', '(nil)')
  }
  check('PUBLISH x 1', ':0')
  check('SPUBLISH x 1', ':0')
  one('SUBSCRIBE x', '*3 $subscribe $x :1')
  one('QUIT', '+OK')
  one.isClosed()
  check('PUBLISH x 1', ':0')
})

suite('a RESP3 connection that listens may do everything', (check) => {
  check.resp3('SUBSCRIBE own', '>3 $subscribe $own :1')
  check.resp3('PING', '+PONG')
  check.resp3('SET k v', '+OK')
  // Its own message comes before the answer.
  check.resp3('PUBLISH own 1', '>3 $message $own $1')
  check.resp3.receives(':1')
  check.resp3.raw(
    'PUBLISH own 2\r\nGET k\r\nPUBLISH own 3\r\n',
    '>3 $message $own $2',
    ':1',
    '$v',
    '>3 $message $own $3',
    ':1',
  )
  check.resp3('HELLO 2', /^\*14 /)
  check.resp3('GET k', `-ERR Can't execute 'get': ${ONLY}`)
  check('PUBLISH own 4', ':1')
  check.resp3.receives('*3 $message $own $4')
})

suite('messages and confirmations come even where replies are off', (check) => {
  const quiet = check.on('quiet')
  quiet.sends('CLIENT REPLY OFF')
  quiet('SUBSCRIBE c', '*3 $subscribe $c :1')
  check('PUBLISH c 1', ':1')
  quiet.receives('*3 $message $c $1')
  quiet.sends('PING')
  quiet.receivesNothing()
  quiet('UNSUBSCRIBE', '*3 $unsubscribe $c :0')
  quiet.sends('PING')
  quiet.receivesNothing()
  quiet('CLIENT REPLY ON', '+OK')
  check.resp3('SUBSCRIBE c', '>3 $subscribe $c :1')
  check.resp3.sends('CLIENT REPLY SKIP')
  check.resp3('PUBLISH c 2', '>3 $message $c $2')
  check.resp3('PING', '+PONG')
})

suite('PUBSUB tells who listens', (check) => {
  const one = check.on('one')
  const two = check.on('two')
  check('PUBSUB CHANNELS', '*0')
  check('PUBSUB NUMSUB', '*0')
  check('PUBSUB NUMSUB a', '*2 $a :0')
  one('SUBSCRIBE a', '*3 $subscribe $a :1')
  two('SUBSCRIBE a b', '*3 $subscribe $a :1')
  two.receives('*3 $subscribe $b :2')
  one('PSUBSCRIBE p', '*3 $psubscribe $p :2')
  two('PSUBSCRIBE p q', '*3 $psubscribe $p :3')
  two.receives('*3 $psubscribe $q :4')
  one('SSUBSCRIBE s', '*3 $ssubscribe $s :1')
  check('PUBSUB CHANNELS', unordered('*2 $a $b'))
  check('PUBSUB CHANNELS b*', '*1 $b')
  check('PUBSUB CHANNELS [^b]', '*1 $a')
  check('PUBSUB NUMSUB b a x a', '*8 $b :1 $a :2 $x :0 $a :2')
  check('PUBSUB NUMPAT', ':2')
  check('PUBSUB SHARDCHANNELS', '*1 $s')
  check('PUBSUB SHARDCHANNELS x*', '*0')
  check('PUBSUB SHARDNUMSUB s a', '*4 $s :1 $a :0')
  check('PUBSUB SHARDNUMSUB', '*0')
  check('INFO stats', /pubsub_channels:2\\r\\npubsub_patterns:2\\r\\npubsubshard_channels:1\\r\\n/)
  two.closes()
  check('PUBSUB NUMSUB a b', '*4 $a :1 $b :0')
  check('PUBSUB NUMPAT', ':1')
  check('PUBSUB', "-ERR wrong number of arguments for 'pubsub' command")
  check('PUBSUB FOO', "-ERR unknown subcommand 'FOO'. Try PUBSUB HELP.")
  check(
    'PUBSUB channels a b',
    "-ERR unknown subcommand or wrong number of arguments for 'channels'. Try PUBSUB HELP.",
  )
  check(
    'PUBSUB SHARDCHANNELS a b',
    "-ERR unknown subcommand or wrong number of arguments for 'SHARDCHANNELS'. Try PUBSUB HELP.",
  )
  check('PUBSUB NUMPAT x', "-ERR wrong number of arguments for 'pubsub|numpat' command")
  check('PUBSUB HELP', /^\*\d+ .*PUBSUB <subcommand>.*CHANNELS.*HELP/)
})

suite('CLIENT LIST shows who listens, and CLIENT KILL finds them', (check) => {
  const one = check.on('one')
  check('CLIENT LIST TYPE pubsub', '$""')
  one('SUBSCRIBE a b', '*3 $subscribe $a :1')
  one.receives('*3 $subscribe $b :2')
  one('PSUBSCRIBE p', '*3 $psubscribe $p :3')
  one('SSUBSCRIBE s', '*3 $ssubscribe $s :1')
  check('CLIENT LIST TYPE pubsub', / flags=P db=0 sub=2 psub=1 ssub=1 multi=-1 .* cmd=ssubscribe /)
  check('CLIENT LIST TYPE normal', (text) => !text.includes('flags=P'))
  check('CLIENT KILL TYPE pubsub', ':1')
  one.isClosed()
  check('PUBLISH a 1', ':0')
  check('PUBSUB NUMPAT', ':0')
})

suite('who has left everything may do everything again', (check) => {
  const one = check.on('one')
  one('SUBSCRIBE a', '*3 $subscribe $a :1')
  one('UNSUBSCRIBE', '*3 $unsubscribe $a :0')
  check('CLIENT LIST TYPE pubsub', '$""')
  one('GET a', '(nil)')
})

suite('arities', (check) => {
  for (const name of ['subscribe', 'psubscribe', 'ssubscribe', 'publish', 'spublish']) {
    check(name, `-ERR wrong number of arguments for '${name}' command`)
  }
  check('PUBLISH a', "-ERR wrong number of arguments for 'publish' command")
  check('PUBLISH a b c', "-ERR wrong number of arguments for 'publish' command")
})

suite('notify-keyspace-events is told in the order Redis has', (check) => {
  const get = 'CONFIG GET notify-keyspace-events'
  const told = (value: string) => `*2 $notify-keyspace-events $${value === '' ? '""' : value}`
  for (const [given, value] of [
    ['KEA', 'AKE'],
    ['AKEmn', 'AKEm'],
    ['Kg$lshzxetd', 'AK'],
    ['nKE', 'nKE'],
    ['mE', 'Em'],
    ['xgK', 'gxK'],
    ['K', 'K'],
    ['""', ''],
  ] as const) {
    check(`CONFIG SET notify-keyspace-events ${given}`, '+OK')
    check(get, told(value))
  }
  check('CONFIG SET notify-keyspace-events KEq', /^-ERR CONFIG SET failed .*event class/)
})

suite('messages of one pipeline come in its order, among replies in theirs', (check) => {
  check.resp3('SUBSCRIBE a b', '>3 $subscribe $a :1')
  check.resp3.receives('>3 $subscribe $b :2')
  const one = check.on('one')
  one('SUBSCRIBE b', '*3 $subscribe $b :1')
  check.raw(
    'PUBLISH a 1\r\nPUBLISH b 2\r\nPUBLISH a 3\r\nPUBLISH b 4\r\nPING\r\n',
    ':1',
    ':2',
    ':1',
    ':2',
    '+PONG',
  )
  for (const text of ['$a $1', '$b $2', '$a $3', '$b $4']) {
    check.resp3.receives(`>3 $message ${text}`)
  }
  one.receives('*3 $message $b $2')
  one.receives('*3 $message $b $4')
})

suite('a long message arrives whole', (check) => {
  const one = check.on('one')
  const long = Buffer.alloc(700_000, 'long message ')
  one('SUBSCRIBE c', '*3 $subscribe $c :1')
  check.resp3('PSUBSCRIBE c*', '>3 $psubscribe $c* :1')
  check(['PUBLISH', 'c', long], ':2')
  one.receives((text) => text.length > 700_000)
  check.resp3.receives((text) => text.includes(long.toString()))
  check('PUBLISH c short', ':2')
  one.receives('*3 $message $c $short')
  check.resp3.receives('>4 $pmessage $c* $c $short')
})
