/**
 * CLIENT.
 *
 * Thread: any.
 * Owns: rows.
 * Never: leaves a pause behind.
 */
import { describe } from 'bun:test'
import { between, error, save, suite } from '../support/check.ts'

/** What DUMP gives for '1'. */
const DUMPED_1 = Buffer.from('00c0010a002678e7b6d10111fc', 'hex')

describe('CLIENT SETNAME', () => {
  suite('names the connection', (check) => {
    check('CLIENT GETNAME', '(nil)')
    check('CLIENT SETNAME a', '+OK')
    check('CLIENT GETNAME', '$a')
    check(
      ['CLIENT', 'SETNAME', 'a b'],
      '-ERR Client names cannot contain spaces, newlines or special characters.',
    )
    check(['CLIENT', 'SETNAME', 'a\x7f'], error('ERR Client names cannot contain'))
    check('CLIENT GETNAME', '$a')
    check('CLIENT SETNAME ""', '+OK')
    check('CLIENT GETNAME', '(nil)')
    check('CLIENT SETNAME', "-ERR wrong number of arguments for 'client|setname' command")
    check('CLIENT GETNAME x', "-ERR wrong number of arguments for 'client|getname' command")
    check.resp3('CLIENT GETNAME', '_')
  })
})

describe('CLIENT SETINFO', () => {
  suite(
    'shows the library in INFO',
    (check) => {
      check('CLIENT SETINFO lib-name redis-x', '+OK')
      check('CLIENT SETINFO LIB-VER 1.2.3', '+OK')
      check('CLIENT INFO', / lib-name=redis-x lib-ver=1\.2\.3\\n"$/)
      check(
        ['CLIENT', 'SETINFO', 'LIB-NAME', 'a b'],
        '-ERR lib-name cannot contain spaces, newlines or special characters.',
      )
      check('CLIENT SETINFO foo bar', "-ERR Unrecognized option 'foo'")
      check('CLIENT SETINFO LIB-NAME ""', '+OK')
      check('CLIENT SETINFO', "-ERR wrong number of arguments for 'client|setinfo' command")
    },
    { since: '7.2.0' },
  )
})

const LINE =
  /^\$"id=\d+ addr=127\.0\.0\.1:\d+ laddr=127\.0\.0\.1:\d+ fd=\d+ name=me age=\d+ idle=0 flags=N db=2 sub=0 psub=0 ssub=0 multi=-1 qbuf=26 qbuf-free=\d+ argv-mem=10 multi-mem=0 rbs=\d+ rbp=\d+ obl=0 oll=0 omem=0 tot-mem=\d+ events=r cmd=client\|info user=default redir=-1 resp=2\\n"$/

describe('CLIENT INFO and LIST', () => {
  suite('tell all fields in order', (check) => {
    check('CLIENT SETNAME me', '+OK')
    check('SELECT 2', '+OK')
    check('CLIENT INFO', LINE)
    check.resp3(
      'CLIENT INFO',
      /^="txt:id=\d+ .* cmd=client\|info user=default redir=-1 resp=3\\n"$/,
    )
  })

  suite('choose by type and number', (check) => {
    const other = check.on('other')
    other('CLIENT SETNAME second', '+OK')
    other('CLIENT ID', save('id'))
    check(({ id }) => ['CLIENT', 'LIST', 'ID', '999999', id], /^\$"id=\d+ [^\n]*name=second /)
    check('CLIENT LIST', / name= .* name=second /s)
    check('CLIENT LIST TYPE normal', / name=second /)
    check('CLIENT LIST TYPE pubsub', '$""')
    check('CLIENT LIST TYPE master', '$""')
    check('CLIENT LIST TYPE slave', '$""')
    check('CLIENT LIST TYPE replica', '$""')
    check('CLIENT LIST ID 99999999', '$""')
    check('CLIENT LIST TYPE foo', "-ERR Unknown client type 'foo'")
    check('CLIENT LIST TYPE normal x', '-ERR syntax error')
    check('CLIENT LIST ID x', '-ERR Invalid client ID')
    check('CLIENT LIST ID', '-ERR syntax error')
    check('CLIENT LIST foo', '-ERR syntax error')
    check('CLIENT INFO x', "-ERR wrong number of arguments for 'client|info' command")
  })

  suite('tell what a connection does', (check) => {
    const watcher = check.on('watcher')
    watcher('CLIENT ID', save('id'))
    watcher('MONITOR', '+OK')
    check(({ id }) => ['CLIENT', 'LIST', 'ID', id], / flags=O .* cmd=monitor /)
    check('CLIENT NO-EVICT on', '+OK')
    check('CLIENT INFO', / flags=e /)
    check('CLIENT NO-EVICT off', '+OK')
    check('CLIENT NO-EVICT x', '-ERR syntax error')
    check('CLIENT INFO', / flags=N /)
    check.redbun('CLIENT NO-TOUCH on', '+OK')
    check.redbun('CLIENT INFO', / flags=T /)
    check.redbun('RESET', '+RESET')
    check('CLIENT INFO', / flags=N /)
    check.redbun('CLIENT NO-TOUCH x', '-ERR syntax error')
  })
})

describe('CLIENT KILL', () => {
  suite('closes by number', (check) => {
    const victim = check.on('victim')
    victim('CLIENT ID', save('id'))
    check(({ id }) => ['CLIENT', 'KILL', 'ID', id, 'USER', 'default'], ':1')
    victim.isClosed()
    check(({ id }) => ['CLIENT', 'KILL', 'ID', id], ':0')
  })

  suite('closes by address, in the old form and in the new', (check) => {
    const first = check.on('first')
    first('CLIENT INFO', (text, saved) => {
      saved['addr'] = / addr=(\S+)/.exec(text)?.[1] ?? ''
      return saved['addr'] !== ''
    })
    check(({ addr }) => ['CLIENT', 'KILL', addr], '+OK')
    first.isClosed()
    check(({ addr }) => ['CLIENT', 'KILL', addr], '-ERR No such client')
    check(({ addr }) => ['CLIENT', 'KILL', 'ADDR', addr], ':0')
    const second = check.on('second')
    second('CLIENT INFO', (text, saved) => {
      saved['addr'] = / addr=(\S+)/.exec(text)?.[1] ?? ''
      saved['laddr'] = / laddr=(\S+)/.exec(text)?.[1] ?? ''
      return true
    })
    check(({ addr, laddr }) => ['CLIENT', 'KILL', 'LADDR', laddr, 'ADDR', addr], ':1')
    second.isClosed()
  })

  suite('lets the caller off, unless asked not to', (check) => {
    const caller = check.on('caller')
    caller('CLIENT ID', save('id'))
    caller(({ id }) => ['CLIENT', 'KILL', 'ID', id], ':0')
    caller(({ id }) => ['CLIENT', 'KILL', 'ID', id, 'SKIPME', 'yes'], ':0')
    caller(({ id }) => ['CLIENT', 'KILL', 'ID', id, 'SKIPME', 'no'], ':1')
    caller.isClosed()
  })

  suite('refuses what it does not understand, and closes nobody', (check) => {
    check('CLIENT KILL', "-ERR wrong number of arguments for 'client|kill' command")
    check('CLIENT KILL foo', '-ERR No such client')
    check('CLIENT KILL ID 0', '-ERR client-id should be greater than 0')
    check('CLIENT KILL ID x', '-ERR client-id should be greater than 0')
    check('CLIENT KILL ID 1 TYPE', '-ERR syntax error')
    check('CLIENT KILL TYPE foo', "-ERR Unknown client type 'foo'")
    check('CLIENT KILL USER foo', "-ERR No such user 'foo'")
    check('CLIENT KILL USER default SKIPME foo', '-ERR syntax error')
    check('CLIENT KILL SKIPME no FOO bar', '-ERR syntax error')
    check('CLIENT KILL TYPE master', ':0')
    check('PING', '+PONG')
  })

  suite(
    'closes by age',
    (check) => {
      const old = check.on('old')
      old('PING', '+PONG')
      check.wait(2100)
      const young = check.on('young')
      young('CLIENT KILL MAXAGE 2 SKIPME no ID 99999999', ':0')
      old('CLIENT ID', save('id'))
      young(({ id }) => ['CLIENT', 'KILL', 'MAXAGE', '2', 'ID', id], ':1')
      old.isClosed()
      young('CLIENT KILL MAXAGE 0', '-ERR maxage should be greater than 0')
      young('CLIENT KILL MAXAGE x', '-ERR maxage is not an integer or out of range')
    },
    { since: '7.4.0' },
  )
})

describe('CLIENT REPLY', () => {
  suite('OFF is silent until ON', (check) => {
    check.sends('CLIENT REPLY OFF')
    check.sends('SET a 1')
    check.sends('NOSUCH')
    check.sends('CLIENT REPLY SKIP')
    check('CLIENT REPLY ON', '+OK')
    check('GET a', '$1')
  })

  suite('SKIP leaves out one reply', (check) => {
    check.sends('CLIENT REPLY SKIP')
    check.sends('SET a 2')
    check('GET a', '$2')
    check.sends('CLIENT REPLY SKIP')
    check.sends('CLIENT REPLY SKIP')
    check.sends('PING lost')
    check('PING found', '$found')
    check('CLIENT REPLY x', '-ERR syntax error')
    check('CLIENT REPLY', "-ERR wrong number of arguments for 'client|reply' command")
  })

  suite('OFF swallows long replies too', (check) => {
    check(['SET', 'long', 'x'.repeat(1_000_000)], '+OK')
    check.sends('CLIENT REPLY OFF')
    check.sends('GET long')
    check('CLIENT REPLY ON', '+OK')
    check('STRLEN long', ':1000000')
  })

  // The count of EXEC's answers is sent before: who reads takes what comes later for the rest.
  suite('OFF silences what follows in its transaction, and after', (check) => {
    check('MULTI', '+OK')
    check('PING 1', '+QUEUED')
    check('CLIENT REPLY OFF', '+QUEUED')
    check('SET a 1', '+QUEUED')
    check.sends('EXEC')
    check.sends('PING')
    check.sends('CLIENT REPLY ON')
    check('ECHO end', '*3 $1 +OK $end')
  })

  suite('ON is heard in the same transaction', (check) => {
    check('MULTI', '+OK')
    check('CLIENT REPLY OFF', '+QUEUED')
    check('SET a 1', '+QUEUED')
    check('CLIENT REPLY ON', '+QUEUED')
    check('GET a', '+QUEUED')
    check.sends('EXEC')
    check.sends('PING 3')
    check('ECHO 4', '*4 +OK $1 $3 $4')
  })

  suite('SKIP in a transaction skips what follows EXEC, even after ON', (check) => {
    for (const more of ['PING 1', 'CLIENT REPLY ON']) {
      check('MULTI', '+OK')
      check('CLIENT REPLY SKIP', '+QUEUED')
      check(more, '+QUEUED')
      check.sends('EXEC')
      check.sends('PING skipped')
      check('ECHO 2', more === 'PING 1' ? '*2 $1 $2' : '*2 +OK $2')
    }
  })
})

describe('CLIENT PAUSE', () => {
  suite('WRITE lets writes wait, in order', (check) => {
    const writer = check.on('writer')
    check('CLIENT PAUSE 200 WRITE', '+OK')
    writer('GET a', '(nil)')
    writer.sends('SET a 1')
    writer.sends('GET a')
    writer.sends('PING')
    check('GET a', '(nil)')
    check('INFO clients', /blocked_clients:1\\r/)
    check('CLIENT LIST', / flags=b /)
    check.wait(300)
    writer.receives('+OK')
    writer.receives('$1')
    writer.receives('+PONG')
    check('INFO clients', /blocked_clients:0\\r/)
  })

  suite('WRITE lets all wait that replicas may see', (check) => {
    const waiting = ['PFCOUNT h', 'PUBLISH a b', 'SPUBLISH a b', 'EVAL "return 1" 0']
    check('PFADD h a', ':1')
    check('CLIENT PAUSE 100000 WRITE', '+OK')
    for (const call of waiting) check.on(call).sends(call)
    check.on('reads')('EVAL_RO "return 1" 0', ':1')
    check.on('reads')(['EVAL', '#!lua flags=no-writes\nreturn 2', '0'], ':2')
    check.on('reads')('MULTI', '+OK')
    check.on('reads')(['EVAL', '#!lua flags=no-writes\nreturn 3', '0'], '+QUEUED')
    check.on('reads')('EXEC', '*1 :3')
    check('INFO clients', /blocked_clients:4\\r/)
    check('CLIENT UNPAUSE', '+OK')
    for (const call of waiting) check.on(call).receives(between(0, 1))
  })

  suite('ends by UNPAUSE', (check) => {
    const first = check.on('first')
    const second = check.on('second')
    check('CLIENT PAUSE 100000 WRITE', '+OK')
    first.sends('INCR n')
    second.sends('INCR n')
    check('GET n', '(nil)')
    check('CLIENT UNPAUSE', '+OK')
    first.receives(between(1, 2))
    second.receives(between(1, 2))
    check('GET n', '$2')
  })

  suite('ALL stops everything', (check) => {
    const other = check.on('other')
    other('CLIENT PAUSE 150', '+OK')
    check.sends('PING')
    check.receivesNothing()
    check.wait(250)
    check.receives('+PONG')
  })

  suite('keeps expired keys, unseen', (check) => {
    check('SET a 1 PX 30', '+OK')
    check('CLIENT PAUSE 100000 WRITE', '+OK')
    check.wait(60)
    check('DBSIZE', ':1')
    check('GET a', '(nil)')
    check('CLIENT UNPAUSE', '+OK')
    check.wait(250)
    check('DBSIZE', ':0')
  })

  suite('forgets who goes away', (check) => {
    const other = check.on('other')
    check('CLIENT PAUSE 100000 WRITE', '+OK')
    other.sends('SET a 1')
    other.closes()
    check.wait(20)
    check('CLIENT UNPAUSE', '+OK')
    check('PING', '+PONG')
  })

  suite('refuses what it does not understand', (check) => {
    check('CLIENT PAUSE x', '-ERR timeout is not an integer or out of range')
    check('CLIENT PAUSE -1', '-ERR timeout is negative')
    check('CLIENT PAUSE 9223372036854775807', '+OK')
    check('PING', '+PONG')
    check('CLIENT PAUSE 0 foo', '-ERR CLIENT PAUSE mode must be WRITE or ALL')
    check(
      'CLIENT PAUSE 0 WRITE x',
      "-ERR unknown subcommand or wrong number of arguments for 'PAUSE'. Try CLIENT HELP.",
    )
    check('CLIENT UNPAUSE', '+OK')
  })
})

describe('CLIENT NO-TOUCH', () => {
  suite(
    'leaves ages alone, but for TOUCH',
    (check) => {
      check(['RESTORE', 'a', '0', DUMPED_1, 'IDLETIME', '1000'], '+OK')
      check('CLIENT NO-TOUCH ON', '+OK')
      check('GET a', '$1')
      check('OBJECT IDLETIME a', between(1000, 1100))
      check('TOUCH a', ':1')
      check('OBJECT IDLETIME a', between(0, 100))
      check('CLIENT NO-TOUCH OFF', '+OK')
    },
    { since: '7.2.0' },
  )
})

describe('CLIENT', () => {
  suite('is a container', (check) => {
    check('CLIENT', "-ERR wrong number of arguments for 'client' command")
    check('CLIENT foo', "-ERR unknown subcommand 'foo'. Try CLIENT HELP.")
    check('CLIENT HELP', /^\*\d+ \+?"?CLIENT <subcommand> \[<arg> \[value\] \[opt\] \.\.\.\]\./)
    check('CLIENT HELP x', "-ERR wrong number of arguments for 'client|help' command")
  })
})
