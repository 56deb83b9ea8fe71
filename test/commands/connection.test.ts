/**
 * PING, ECHO, SELECT, AUTH, HELLO, RESET, QUIT.
 *
 * Thread: any.
 * Owns: rows.
 * Never: leaves a password behind.
 */
import { describe } from 'bun:test'
import { between, error, suite } from '../support/check.ts'

const HELLO2 =
  /^\*14 \$server \$redis \$version \$7\.0\.15 \$proto :2 \$id :\d+ \$mode \$standalone \$role \$master \$modules \*0$/
const HELLO3 =
  /^%7 \$server \$redis \$version \$7\.0\.15 \$proto :3 \$id :\d+ \$mode \$standalone \$role \$master \$modules \*0$/

describe('PING and ECHO', () => {
  suite('answer what they are given', (check) => {
    check('PING', '+PONG')
    check('ping hello', '$hello')
    check(['PING', Buffer.of(0, 13, 10, 255)], '$"\\x00\\r\\n\\xff"')
    check('PING a b', "-ERR wrong number of arguments for 'ping' command")
    check('ECHO x', '$x')
    check('ECHO', "-ERR wrong number of arguments for 'echo' command")
    check('ECHO a b', "-ERR wrong number of arguments for 'echo' command")
    check(['ECHO', 'y'.repeat(300_000)], `$${'y'.repeat(300_000)}`)
  })
})

describe('SELECT', () => {
  suite('changes the database of its connection alone', (check) => {
    check('SET a 0', '+OK')
    check('SELECT 1', '+OK')
    check('GET a', '(nil)')
    check('SET a 1', '+OK')
    check.on('other')('GET a', '$0')
    check('SELECT 15', '+OK')
    check('SELECT 0', '+OK')
    check('GET a', '$0')
  })

  suite('refuses what is no database', (check) => {
    check('SELECT 16', '-ERR DB index is out of range')
    check('SELECT -1', '-ERR DB index is out of range')
    check('SELECT x', '-ERR value is not an integer or out of range')
    check(
      'SELECT 9999999999',
      '-ERR value is out of range, value must between -2147483648 and 2147483647',
    )
    check('SELECT 99999999999999999999', '-ERR value is not an integer or out of range')
    check('SELECT', "-ERR wrong number of arguments for 'select' command")
  })
})

describe('AUTH', () => {
  suite('lets anybody in as long as there is no password', (check) => {
    check(
      'AUTH x',
      '-ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?',
    )
    check('AUTH default x', '+OK')
    check('AUTH nobody x', '-WRONGPASS invalid username-password pair or user is disabled.')
    check('AUTH a b c', '-ERR syntax error')
    check('AUTH', "-ERR wrong number of arguments for 'auth' command")
  })

  suite('keeps out who does not know the password', (check) => {
    const guest = check.on('guest')
    check(['CONFIG', 'SET', 'requirepass', 'p w\xe9'], '+OK')
    check('PING', '+PONG')
    guest('GET a', '-NOAUTH Authentication required.')
    guest('PING', '-NOAUTH Authentication required.')
    guest('NOSUCH', error("ERR unknown command 'NOSUCH'"))
    guest('GET', "-ERR wrong number of arguments for 'get' command")
    guest('CLIENT NOSUCH', "-ERR unknown subcommand 'NOSUCH'. Try CLIENT HELP.")
    guest('AUTH p', '-WRONGPASS invalid username-password pair or user is disabled.')
    guest(['AUTH', 'nobody', 'p w\xe9'], error('WRONGPASS'))
    guest(
      'HELLO 3',
      '-NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time',
    )
    guest('HELLO 3 AUTH default p', error('WRONGPASS'))
    guest(['AUTH', 'p w\xe9'], '+OK')
    guest('PING', '+PONG')
    guest('RESET', '+RESET')
    guest('PING', '-NOAUTH Authentication required.')
    guest(['AUTH', 'default', 'p w\xe9'], '+OK')
    guest('PING', '+PONG')
    guest('RESET', '+RESET')
    guest(['HELLO', '2', 'AUTH', 'default', 'p w\xe9', 'SETNAME', 'me'], HELLO2)
    guest('CLIENT GETNAME', '$me')
    guest('RESET', '+RESET')
    check('CONFIG SET requirepass ""', '+OK')
    guest('PING', '+PONG')
    check.on('later')('PING', '+PONG')
  })

  suite('keeps the requests of strangers short', (check) => {
    check('CONFIG SET requirepass secret', '+OK')
    const many = check.on('many')
    many.raw('*11\r\n', '-ERR Protocol error: unauthenticated multibulk length')
    many.isClosed()
    const long = check.on('long')
    long.raw('*2\r\n$4\r\nAUTH\r\n$20000\r\n', '-ERR Protocol error: unauthenticated bulk length')
    long.isClosed()
    const known = check.on('known')
    known('AUTH secret', '+OK')
    known(['ECHO', 'z'.repeat(20_000)], `$${'z'.repeat(20_000)}`)
    known('RESET', '+RESET')
    known.raw('*11\r\n', '-ERR Protocol error: unauthenticated multibulk length')
    known.isClosed()
    const free = check.on('free')
    free('PING', '-NOAUTH Authentication required.')
    check('CONFIG SET requirepass ""', '+OK')
    free(['ECHO', 'z'.repeat(20_000)], `$${'z'.repeat(20_000)}`)
  })
})

describe('HELLO', () => {
  suite('chooses the protocol', (check) => {
    check('HELLO', HELLO2)
    check('HELLO 3', HELLO3)
    check('GET a', '_')
    check('HELLO', HELLO3)
    check('CONFIG GET maxmemory', '%1 $maxmemory $0')
    check('HELLO 2', HELLO2)
    check('GET a', '(nil)')
    check('HELLO 3 AUTH default any SETNAME x SETNAME y', HELLO3)
    check('CLIENT GETNAME', '$y')
    check('RESET', '+RESET')
    check('GET a', '(nil)')
    check('CLIENT GETNAME', '(nil)')
  })

  suite('changes nothing when it is refused', (check) => {
    check('HELLO x', '-ERR Protocol version is not an integer or out of range')
    check('HELLO 99999999999999999999', '-ERR Protocol version is not an integer or out of range')
    check('HELLO 1', '-NOPROTO unsupported protocol version')
    check('HELLO 4', '-NOPROTO unsupported protocol version')
    check('HELLO 3 FOO', "-ERR Syntax error in HELLO option 'FOO'")
    check('HELLO 3 AUTH x', "-ERR Syntax error in HELLO option 'AUTH'")
    check('HELLO 3 SETNAME', "-ERR Syntax error in HELLO option 'SETNAME'")
    check(
      ['HELLO', '3', 'SETNAME', 'a b'],
      '-ERR Client names cannot contain spaces, newlines or special characters.',
    )
    check('HELLO 3 AUTH nobody x', '-WRONGPASS invalid username-password pair or user is disabled.')
    check('GET a', '(nil)')
  })
})

describe('RESET', () => {
  suite('takes back database, protocol, name and monitor', (check) => {
    check('HELLO 3', HELLO3)
    check('SELECT 3', '+OK')
    check('CLIENT SETNAME x', '+OK')
    check('RESET', '+RESET')
    check('CLIENT GETNAME', '(nil)')
    check('SET a b', '+OK')
    check.on('other')('GET a', '$b')
    check('MONITOR', '+OK')
    check('RESET', '+RESET')
    check.on('other')('PING', '+PONG')
    check.receivesNothing()
    check('RESET x', "-ERR wrong number of arguments for 'reset' command")
  })

  suite('takes back subscriptions, tracking, transaction and user, but not NO-EVICT', (check) => {
    const flags = / flags=(\w+) db=0 sub=0 psub=0 ssub=0 multi=-1 .* user=default redir=-1 /
    check('ACL SETUSER bob on nopass +@all ~* &*', '+OK')
    check('AUTH bob x', '+OK')
    check('CLIENT TRACKING ON BCAST PREFIX a', '+OK')
    check('WATCH w', '+OK')
    check('MULTI', '+OK')
    check('GET a', '+QUEUED')
    check('CLIENT NO-EVICT ON', '+QUEUED')
    check('SUBSCRIBE c', '+QUEUED')
    check('EXEC', '*3 (nil) +OK *3 $subscribe $c :1')
    check('RESET', '+RESET')
    check('CLIENT INFO', (text) => flags.exec(text)?.[1] === 'e')
    check('CLIENT TRACKINGINFO', '*6 $flags *1 $off $redirect :-1 $prefixes *0')
    check('PUBSUB NUMSUB c', '*2 $c :0')
    check('MULTI', '+OK')
    check('RESET', '+RESET')
    check('CLIENT NO-EVICT OFF', '+OK')
    check('ACL DELUSER bob', ':1')
  })

  suite('answers even when replies are off', (check) => {
    check.sends('CLIENT REPLY OFF')
    check.sends('PING')
    check('RESET', '+RESET')
    check('PING', '+PONG')
  })
})

describe('QUIT', () => {
  suite('answers, then closes, and what follows is not executed', (check) => {
    const other = check.on('other')
    other.raw('SET a 1\r\nQUIT now\r\nSET a 2\r\n', '+OK', '+OK')
    other.isClosed()
    check('GET a', '$1')
  })
})

describe('READONLY and READWRITE', () => {
  suite('make no sense without a cluster', (check) => {
    check('READONLY', '-ERR This instance has cluster support disabled')
    check('READWRITE', '-ERR This instance has cluster support disabled')
  })
})

describe('a session', () => {
  suite('is numbered in the order of coming', (check) => {
    check('CLIENT ID', between(1, 1e9))
    check.on('other')('CLIENT ID', between(2, 1e9))
  })
})
