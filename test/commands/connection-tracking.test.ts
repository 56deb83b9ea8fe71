/**
 * Client-side caching: CLIENT TRACKING, CACHING, GETREDIR, TRACKINGINFO and the messages.
 *
 * Thread: any.
 * Owns: rows.
 * Never: looks inside.
 */
import { describe } from 'bun:test'
import { anyOf, type Check, error, save, suite } from '../support/check.ts'

/** A second client, and one that listens to its messages in RESP2. */
function redirected(check: Check, ...options: readonly string[]) {
  const ear = check.on('ear')
  ear('CLIENT ID', save('ear'))
  ear('SUBSCRIBE __redis__:invalidate', '*3 $subscribe $__redis__:invalidate :1')
  check(({ ear: id }) => ['CLIENT', 'TRACKING', 'ON', 'REDIRECT', id, ...options], '+OK')
  return ear
}

const message = (keys: string) => `*3 $message $__redis__:invalidate ${keys}`

describe('CLIENT TRACKING', () => {
  suite('checks its options', (check) => {
    check('CLIENT TRACKING', "-ERR wrong number of arguments for 'client|tracking' command")
    check('CLIENT TRACKING maybe', '-ERR syntax error')
    check('CLIENT TRACKING ON x', '-ERR syntax error')
    check('CLIENT TRACKING ON REDIRECT', '-ERR syntax error')
    check('CLIENT TRACKING ON REDIRECT a', '-ERR value is not an integer or out of range')
    check('CLIENT TRACKING ON REDIRECT 0', error('ERR The client ID you want redirect to'))
    check('CLIENT TRACKING ON REDIRECT -1', error('ERR The client ID you want redirect to'))
    check('CLIENT TRACKING maybe REDIRECT 999999', error('ERR The client ID you want redirect to'))
    check('CLIENT ID', save('me'))
    check(
      ({ me }) => `CLIENT TRACKING ON REDIRECT ${me} REDIRECT ${me}`,
      '-ERR A client can only redirect to a single other client',
    )
    check('CLIENT TRACKING ON PREFIX a', '-ERR PREFIX option requires BCAST mode to be enabled')
    check('CLIENT TRACKING ON BCAST OPTIN', '-ERR OPTIN and OPTOUT are not compatible with BCAST')
    check(
      'CLIENT TRACKING ON OPTIN OPTOUT',
      "-ERR You can't specify both OPTIN mode and OPTOUT mode",
    )
    check('CLIENT TRACKING OFF', '+OK')
    check('CLIENT TRACKING OFF PREFIX a OPTIN OPTOUT', '+OK')
    check('CLIENT TRACKING ON OPTIN', '+OK')
    check('CLIENT TRACKING ON OPTOUT', error("ERR You can't switch OPTIN/OPTOUT mode before"))
    check('CLIENT TRACKING ON BCAST', error("ERR You can't switch BCAST mode on/off before"))
    check('CLIENT TRACKING ON', '+OK')
    check('CLIENT TRACKING ON OPTOUT', '+OK')
    check('CLIENT TRACKING OFF', '+OK')
    check('CLIENT TRACKING ON BCAST', '+OK')
    check('CLIENT TRACKING ON', error("ERR You can't switch BCAST mode on/off before"))
  })

  suite('lets no two prefixes of a client overlap', (check) => {
    check(
      'CLIENT TRACKING ON BCAST PREFIX foobar PREFIX foo',
      "-ERR Prefix 'foobar' overlaps with another provided prefix 'foo'. Prefixes for a single client must not overlap.",
    )
    check(
      'CLIENT TRACKING ON BCAST PREFIX a PREFIX a',
      error("ERR Prefix 'a' overlaps with another"),
    )
    check('CLIENT TRACKING ON BCAST PREFIX foo PREFIX bar', '+OK')
    check(
      'CLIENT TRACKING ON BCAST PREFIX fo',
      "-ERR Prefix 'fo' overlaps with an existing prefix 'foo'. Prefixes for a single client must not overlap.",
    )
    check(
      'CLIENT TRACKING ON BCAST PREFIX bar',
      error("ERR Prefix 'bar' overlaps with an existing"),
    )
    check('CLIENT TRACKING ON BCAST PREFIX baz', '+OK')
    check('CLIENT TRACKINGINFO', '*6 $flags *2 $on $bcast $redirect :0 $prefixes *3 $bar $baz $foo')
    // Without a prefix all keys are meant, which nothing forbids.
    check('CLIENT TRACKING ON BCAST', '+OK')
    check.resp3('CLIENT TRACKING ON BCAST PREFIX foo', '+OK')
    check(
      'CLIENT TRACKINGINFO',
      '*6 $flags *2 $on $bcast $redirect :0 $prefixes *4 $ $bar $baz $foo',
    )
  })

  suite('tells a client what it has read and others change', (check) => {
    const other = check.on('other')
    const mine = check.resp3
    mine('CLIENT TRACKING ON', '+OK')
    other('MSET a 1 b 1 c 1', '+OK')
    mine('MGET a b', '*2 $1 $1')
    other('SET c 2', '+OK')
    mine.receivesNothing()
    other('SET a 2', '+OK')
    mine.receives('>2 $invalidate *1 $a')
    other('SET a 3', '+OK')
    mine.receivesNothing()
    other('DEL b', ':1')
    mine.receives('>2 $invalidate *1 $b')
    mine('GET b', '_')
    other('APPEND b x', ':1')
    mine.receives('>2 $invalidate *1 $b')
    mine('CLIENT TRACKING OFF', '+OK')
    mine('GET a', '$3')
    other('SET a 4', '+OK')
    mine.receivesNothing()
  })

  suite('follows the keys of commands of all kinds', (check) => {
    const other = check.on('other')
    const mine = check.resp3
    mine('CLIENT TRACKING ON', '+OK')
    mine('SINTERCARD 2 s t', ':0')
    mine('EXISTS e', ':0')
    mine('TYPE y', '+none')
    mine('XREAD STREAMS x 0', '_')
    mine('LCS l m', '$')
    mine('OBJECT ENCODING o', '_')
    mine('TTL t2', ':-2')
    other('SADD t 1', ':1')
    mine.receives('>2 $invalidate *1 $t')
    other('SET e 1', '+OK')
    mine.receives('>2 $invalidate *1 $e')
    other('LPUSH y 1', ':1')
    mine.receives('>2 $invalidate *1 $y')
    other('XADD x 1-1 a b', '$1-1')
    mine.receives('>2 $invalidate *1 $x')
    other('MSET l 1 m 2 o 3', '+OK')
    mine.receives('>2 $invalidate *1 $l')
    mine.receives('>2 $invalidate *1 $m')
    mine.receives('>2 $invalidate *1 $o')
    other('RENAME s2 s', error('ERR no such key'))
    other('RENAME e t2', '+OK')
    mine.receives('>2 $invalidate *1 $t2')
    // A key of the wrong type counts as read, too.
    mine('GET y', error('WRONGTYPE'))
    other('RPOP y', '$1')
    mine.receives('>2 $invalidate *1 $y')
    // What writes reads nothing.
    mine('GETSET w 1', '_')
    other('SET w 2', '+OK')
    mine.receivesNothing()
    mine('PING', '+PONG')
  })

  suite('tells a client of its own changes after the reply', (check) => {
    const mine = check.resp3
    mine('CLIENT TRACKING ON', '+OK')
    mine('HSET h f 1', ':1')
    mine('HGET h f', '$1')
    mine.raw('HDEL h f\r\nPING\r\n', ':1', '>2 $invalidate *1 $h', '+PONG')
    mine('MSET a 1 b 2', '+OK')
    mine('MGET a b', '*2 $1 $2')
    mine('MULTI', '+OK')
    mine('INCR a', '+QUEUED')
    mine('GET b', '+QUEUED')
    mine('INCR b', '+QUEUED')
    mine('EXEC', '*3 :2 $2 :3')
    mine.receives('>2 $invalidate *1 $a')
    mine.receives('>2 $invalidate *1 $b')
    mine('GET a', '$2')
    mine('RENAME a b', '+OK')
    mine.receives('>2 $invalidate *1 $a')
    mine('CLIENT TRACKING ON NOLOOP', '+OK')
    mine('GET b', '$2')
    mine('SET b 5', '+OK')
    mine.receivesNothing()
    mine('GET b', '$5')
    check('SET b 6', '+OK')
    mine.receives('>2 $invalidate *1 $b')
    mine('GET b', '$6')
    mine('MULTI', '+OK')
    mine('SET b 7', '+QUEUED')
    mine('CLIENT TRACKING ON', '+QUEUED')
    mine('GET b', '+QUEUED')
    mine('SET b 8', '+QUEUED')
    mine('CLIENT TRACKING OFF', '+QUEUED')
    mine('EXEC', '*5 +OK +OK $7 +OK +OK')
    mine.receives('>2 $invalidate *1 $b')
    mine('SET b 9', '+OK')
    mine.receivesNothing()
  })

  suite('sends nothing in RESP2 to who tracks without redirection', (check) => {
    const other = check.on('other')
    check('CLIENT TRACKING ON', '+OK')
    check('GET a', '(nil)')
    other('SET a 1', '+OK')
    check('SUBSCRIBE __redis__:invalidate', '*3 $subscribe $__redis__:invalidate :1')
    other('SET a 2', '+OK')
    check.receivesNothing()
    other('FLUSHALL', '+OK')
    check.receivesNothing()
  })

  suite('follows a key that expires', (check) => {
    const mine = check.resp3
    mine('CLIENT TRACKING ON NOLOOP', '+OK')
    check('SET a 1 PX 30', '+OK')
    mine('GET a', '$1')
    check.wait(300)
    mine.receives('>2 $invalidate *1 $a')
  })

  suite('takes the last of its calls', (check) => {
    const mine = check.resp3
    mine('CLIENT TRACKING ON OPTIN NOLOOP', '+OK')
    mine('CLIENT TRACKINGINFO', '%3 $flags ~3 $on $optin $noloop $redirect :0 $prefixes *0')
    mine('CLIENT TRACKING ON', '+OK')
    mine('CLIENT TRACKINGINFO', '%3 $flags ~1 $on $redirect :0 $prefixes *0')
    mine('CLIENT LIST', / flags=t .* redir=0 /)
    mine('RESET', '+RESET')
    check('CLIENT LIST', /^(?!.* flags=t)/)
  })
})

describe('redirection', () => {
  suite('brings the messages of a client to another one', (check) => {
    const ear = redirected(check)
    check('CLIENT GETREDIR', (text, saved) => text === `:${saved.ear}`)
    check('GET a', '(nil)')
    check('SET a 1', '+OK')
    ear.receives(message('*1 $a'))
    check('GET a', '$1')
    check('FLUSHALL', '+OK')
    ear.receives(message('(nil)'))
    check('GET a', '(nil)')
    check('SELECT 1', '+OK')
    check('FLUSHDB', '+OK')
    ear.receives(message('(nil)'))
    check('SET a 1', '+OK')
    ear.receivesNothing()
    check('SELECT 0', '+OK')
    ear('UNSUBSCRIBE __redis__:invalidate', '*3 $unsubscribe $__redis__:invalidate :0')
    check('GET a', '(nil)')
    check('SET a 2', '+OK')
    ear.receivesNothing()
    ear('PSUBSCRIBE x', '*3 $psubscribe $x :1')
    check('GET a', '$2')
    check('SET a 2', '+OK')
    ear.receives(message('*1 $a'))
  })

  suite('works for a client that speaks RESP3 without channels', (check) => {
    const ear = check.resp3
    ear('CLIENT ID', save('ear'))
    check(({ ear: id }) => `CLIENT TRACKING ON REDIRECT ${id}`, '+OK')
    check('GET a', '(nil)')
    check('SET a 1', '+OK')
    ear.receives('>2 $invalidate *1 $a')
    check('FLUSHALL', '+OK')
    // As the one who tracks would read it: RESP2.
    ear.receives('>2 $invalidate (nil)')
  })

  suite('reaches one client for two who read the same key, twice', (check) => {
    const ear = redirected(check)
    const second = check.on('second')
    second(({ ear: id }) => `CLIENT TRACKING ON REDIRECT ${id}`, '+OK')
    check('GET a', '(nil)')
    second('GET a', '(nil)')
    check.on('third')('SET a 1', '+OK')
    ear.receives(message('*1 $a'))
    ear.receives(message('*1 $a'))
    ear.receivesNothing()
  })

  suite('says when the other one is gone', (check) => {
    const ear = check.on('ear')
    const mine = check.resp3
    ear('CLIENT ID', save('ear'))
    mine(({ ear: id }) => `CLIENT TRACKING ON REDIRECT ${id}`, '+OK')
    mine('GET a', '_')
    ear.closes()
    mine('CLIENT TRACKINGINFO', /^%3 \$flags ~1 \$on /)
    check('SET a 1', '+OK')
    mine.receives(/^>2 \$tracking-redir-broken :\d+$/)
    mine('CLIENT TRACKINGINFO', /^%3 \$flags ~2 \$on \$broken_redirect \$redirect :\d+ /)
    check('CLIENT LIST TYPE normal', / flags=tR /)
    mine('GET a', '$1')
    mine('SET a 2', '+OK')
    mine.receives(/^>2 \$tracking-redir-broken :\d+$/)
    mine('CLIENT TRACKING ON', '+OK')
    mine('CLIENT TRACKINGINFO', /^%3 \$flags ~1 \$on /)
  })
})

describe('BCAST', () => {
  suite('tells of all keys with a prefix, in one message for each', (check) => {
    const ear = redirected(check, 'BCAST', 'PREFIX', 'b:', 'PREFIX', 'a:')
    check('MULTI', '+OK')
    check('MSET b:2 1 a:1 1 c:1 1', '+QUEUED')
    check('INCR b:1', '+QUEUED')
    check('INCR b:1', '+QUEUED')
    check('EXEC', '*3 +OK :1 :2')
    ear.receives(message('*1 $a:1'))
    ear.receives(message('*2 $b:1 $b:2'))
    check('SET c:2 1', '+OK')
    check('SET a: 1', '+OK')
    ear.receives(message('*1 $a:'))
    check('GET a:', '$1')
    check.on('other')('SET a: 2', '+OK')
    ear.receives(message('*1 $a:'))
    check('CLIENT LIST', / flags=tB /)
    check('CLIENT TRACKING OFF', '+OK')
    check('SET a:1 1', '+OK')
    ear.receivesNothing()
  })

  suite('leaves a client alone that wants no news of its own calls', (check) => {
    const mine = check.resp3
    mine('CLIENT TRACKING ON BCAST NOLOOP', '+OK')
    mine('SET a 1', '+OK')
    mine.receivesNothing()
    check('SET a 2', '+OK')
    mine.receives('>2 $invalidate *1 $a')
    mine('SET x 1 PX 20', '+OK')
    check.wait(300)
    mine.receives('>2 $invalidate *1 $x')
    mine('SET a 3', '+OK')
    check('FLUSHALL', '+OK')
    mine.receives('>2 $invalidate _')
  })

  suite('comes after the reply', (check) => {
    const mine = check.resp3
    mine('CLIENT TRACKING ON BCAST', '+OK')
    mine.raw('SET b 1\r\nSET a 1\r\nPING\r\n', '+OK', '+OK', '+PONG', '>2 $invalidate *2 $a $b')
  })
})

describe('CLIENT CACHING', () => {
  suite('is for the next call in OPTIN mode', (check) => {
    const ear = redirected(check, 'OPTIN')
    const other = check.on('other')
    check('CLIENT CACHING', "-ERR wrong number of arguments for 'client|caching' command")
    check('CLIENT CACHING maybe', '-ERR syntax error')
    check('CLIENT CACHING NO', error('ERR CLIENT CACHING NO is only valid when tracking'))
    check('GET a', '(nil)')
    other('SET a 1', '+OK')
    ear.receivesNothing()
    check('CLIENT CACHING YES', '+OK')
    check('CLIENT TRACKINGINFO', /^\*6 \$flags \*3 \$on \$optin \$caching-yes /)
    check('GET a', '$1')
    check('GET b', '(nil)')
    other('MSET b 1 a 2', '+OK')
    ear.receives(message('*1 $a'))
    ear.receivesNothing()
    check('CLIENT CACHING YES', '+OK')
    check('GET', error('ERR wrong number'))
    check('CLIENT TRACKINGINFO', /^\*6 \$flags \*2 \$on \$optin /)
    check('CLIENT CACHING YES', '+OK')
    check('NOSUCH', error('ERR unknown command'))
    check('CLIENT TRACKINGINFO', /^\*6 \$flags \*2 \$on \$optin /)
    check('CLIENT CACHING YES', '+OK')
    check('CLIENT CACHING', error('ERR wrong number'))
    check('CLIENT TRACKINGINFO', /caching-yes/)
    check('CLIENT NOSUCH', error('ERR unknown subcommand'))
    check('CLIENT TRACKINGINFO', /^\*6 \$flags \*2 \$on \$optin /)
  })

  suite('holds for a whole transaction', (check) => {
    const ear = redirected(check, 'OPTIN')
    const other = check.on('other')
    check('CLIENT CACHING YES', '+OK')
    check('MULTI', '+OK')
    check('GET a', '+QUEUED')
    check('GET b', '+QUEUED')
    check('EXEC', '*2 (nil) (nil)')
    check('GET c', '(nil)')
    other('MSET c 1 b 1 a 1', '+OK')
    ear.receives(message('*1 $b'))
    ear.receives(message('*1 $a'))
    ear.receivesNothing()
    check('MULTI', '+OK')
    check('GET a', '+QUEUED')
    check('CLIENT CACHING YES', '+QUEUED')
    check('GET b', '+QUEUED')
    check('GET c', '+QUEUED')
    check('EXEC', '*4 $1 +OK $1 $1')
    check('CLIENT TRACKINGINFO', /^\*6 \$flags \*2 \$on \$optin /)
    other('MSET a 1 b 1 c 1', '+OK')
    ear.receives(message('*1 $b'))
    ear.receives(message('*1 $c'))
    ear.receivesNothing()
  })

  suite('takes the next call out in OPTOUT mode', (check) => {
    const ear = redirected(check, 'OPTOUT')
    const other = check.on('other')
    check('CLIENT CACHING YES', error('ERR CLIENT CACHING YES is only valid when tracking'))
    check('CLIENT CACHING NO', '+OK')
    check('CLIENT TRACKINGINFO', /^\*6 \$flags \*3 \$on \$optout \$caching-no /)
    check('GET a', '(nil)')
    check('GET b', '(nil)')
    other('MSET a 1 b 1', '+OK')
    ear.receives(message('*1 $b'))
    ear.receivesNothing()
  })

  suite('needs tracking', (check) => {
    check('CLIENT CACHING YES', error('ERR CLIENT CACHING can be called only when the client'))
    check('CLIENT GETREDIR', ':-1')
    check('CLIENT TRACKINGINFO', '*6 $flags *1 $off $redirect :-1 $prefixes *0')
    check('CLIENT LIST', / redir=-1 /)
    check('CLIENT TRACKING ON', '+OK')
    check('CLIENT GETREDIR', ':0')
  })
})

describe('tracking-table-max-keys', () => {
  suite(
    'forgets keys and tells so',
    (check) => {
      const mine = check.resp3
      mine('CLIENT TRACKING ON', '+OK')
      mine('MGET a b c', '*3 _ _ _')
      check.wait(500)
      mine.receives(anyOf(...['a', 'b', 'c'].map((key) => `>2 $invalidate *1 $${key}`)))
      mine.receivesNothing()
      check('INFO stats', /tracking_total_keys:2\\r\\ntracking_total_items:2\\r\\n/)
      check('FLUSHALL', '+OK')
      mine.receives('>2 $invalidate _')
      check('INFO stats', /tracking_total_keys:0\\r\\ntracking_total_items:0\\r\\n/)
    },
    { config: { 'tracking-table-max-keys': '2' } },
  )
})

describe('INFO', () => {
  suite('counts who tracks, and what', (check) => {
    const second = check.on('second')
    check('CLIENT TRACKING ON', '+OK')
    second('CLIENT TRACKING ON', '+OK')
    check('MGET a b', '*2 (nil) (nil)')
    second('GET b', '(nil)')
    check('INFO stats', /tracking_total_keys:2\\r\\ntracking_total_items:3\\r\\n/)
    check('INFO clients', /tracking_clients:2\\r\\n/)
    second('CLIENT TRACKING OFF', '+OK')
    check('INFO stats', /tracking_total_keys:2\\r\\ntracking_total_items:3\\r\\n/)
    second('CLIENT TRACKING ON BCAST PREFIX x PREFIX y', '+OK')
    check('INFO stats', /tracking_total_prefixes:2\\r\\n/)
    check('SET b 1', '+OK')
    check('INFO stats', /tracking_total_keys:1\\r\\ntracking_total_items:1\\r\\n/)
    second('QUIT', '+OK')
    check('INFO stats', /tracking_total_prefixes:0\\r\\n/)
    check('INFO clients', /tracking_clients:1\\r\\n/)
  })
})

describe('CLIENT REPLY', () => {
  suite('does not silence messages', (check) => {
    const mine = check.resp3
    mine('CLIENT TRACKING ON', '+OK')
    mine('GET a', '_')
    mine.sends('CLIENT REPLY OFF')
    mine.sends('GET b')
    check('MSET a 1 b 1', '+OK')
    mine.receives('>2 $invalidate *1 $a')
    mine.receives('>2 $invalidate *1 $b')
    mine.sends('SET c 1')
    mine('CLIENT REPLY ON', '+OK')
  })
})

describe('a call that waited', () => {
  suite('is answered before the message of its own change', (check) => {
    const mine = check.resp3
    mine('CLIENT TRACKING ON', '+OK')
    mine('LRANGE to 0 -1', '*0')
    mine.sends('BLMOVE from to LEFT LEFT 0')
    mine.receivesNothing()
    check('RPUSH from x', ':1')
    mine.receives('$x')
    mine.receives('>2 $invalidate *1 $to')
    mine.sends('XREAD BLOCK 0 STREAMS s $')
    mine.receivesNothing()
    check('XADD s 1-1 a b', '$1-1')
    mine.receives('>2 $invalidate *1 $s')
    mine.receives('%1 $s *1 *2 $1-1 *2 $a $b')
    check('XADD s 2-1 a b', '$2-1')
    mine.receivesNothing()
  })
})

describe('scripts', () => {
  suite('that read make all their keys known', (check) => {
    const other = check.on('other')
    const mine = check.resp3
    mine('CLIENT TRACKING ON', '+OK')
    mine(['EVAL', "return redis.call('set', 'c', '1')", '2', 'a', 'b'], '+OK')
    other('MSET a 1 b 1', '+OK')
    mine.receivesNothing()
    mine(['EVAL', "return redis.call('get', 'c')", '2', 'a', 'b'], '$1')
    other('MSET c 2 a 2 b 2', '+OK')
    mine.receives('>2 $invalidate *1 $a')
    mine.receives('>2 $invalidate *1 $b')
    mine(['EVAL_RO', 'return 1', '1', 'a'], ':1')
    other('SET a 1', '+OK')
    mine.receivesNothing()
    mine(['EVAL_RO', "return redis.call('get', 'a')", '1', 'a'], '$1')
    other('SET a 1', '+OK')
    mine.receives('>2 $invalidate *1 $a')
  })

  suite('that change keys are answered before the messages', (check) => {
    const mine = check.resp3
    const script =
      "redis.call('get', 'a'); redis.call('set', 'a', '1'); return redis.call('get', 'a')"
    mine('CLIENT TRACKING ON', '+OK')
    mine(['EVAL', script, '1', 'a'], '$1')
    mine.receives('>2 $invalidate *1 $a')
    check('SET a 2', '+OK')
    mine.receives('>2 $invalidate *1 $a')
    mine('MULTI', '+OK')
    mine(['EVAL', script, '1', 'a'], '+QUEUED')
    mine(['EVAL', script, '1', 'a'], '+QUEUED')
    mine('EXEC', '*2 $1 $1')
    mine.receives('>2 $invalidate *1 $a')
    mine.receives('>2 $invalidate *1 $a')
    mine('CLIENT TRACKING ON NOLOOP', '+OK')
    mine(['EVAL', script, '1', 'a'], '$1')
    mine.receivesNothing()
  })

  suite('are nobody to a client that wants no news of its own calls', (check) => {
    const mine = check.resp3
    mine('CLIENT TRACKING ON BCAST NOLOOP', '+OK')
    mine(['EVAL', "return redis.call('set', 'a', '1')", '1', 'a'], '+OK')
    mine.receives('>2 $invalidate *1 $a')
  })
})
