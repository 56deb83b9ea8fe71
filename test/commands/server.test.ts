/**
 * DBSIZE, FLUSHDB, FLUSHALL, SWAPDB, TIME, LOLWUT, ROLE, MONITOR, SHUTDOWN, FUNCTION FLUSH, MODULE.
 *
 * Thread: any.
 * Owns: rows.
 * Never: ends the server.
 */
import { describe } from 'bun:test'
import { error, suite } from '../support/check.ts'

describe('FLUSHDB and FLUSHALL', () => {
  suite('remove the keys of one database, of all', (check) => {
    check('SET a 1', '+OK')
    check('SET b 1 EX 100', '+OK')
    check('SELECT 1', '+OK')
    check('SET c 1', '+OK')
    check('DBSIZE', ':1')
    check('FLUSHDB', '+OK')
    check('DBSIZE', ':0')
    check('SET c 2', '+OK')
    check('SELECT 0', '+OK')
    check('DBSIZE', ':2')
    check('FLUSHALL ASYNC', '+OK')
    check('DBSIZE', ':0')
    check('TTL b', ':-2')
    check('SELECT 1', '+OK')
    check('GET c', '(nil)')
    check.redbun('DEBUG ARENA-CHECK', '+OK')
  })

  suite('take one mode', (check) => {
    check('FLUSHDB SYNC', '+OK')
    check('FLUSHDB async', '+OK')
    check('FLUSHALL sync', '+OK')
    check('FLUSHDB foo', '-ERR syntax error')
    check('FLUSHALL SYNC ASYNC', '-ERR syntax error')
  })

  suite('count the keys as changes', (check) => {
    check('CONFIG RESETSTAT', '+OK')
    check('INFO persistence', (text, saved) => {
      saved['dirty'] = /changes_since_last_save:(\d+)/.exec(text)?.[1] ?? ''
      return saved['dirty'] !== ''
    })
    check('FLUSHALL', '+OK')
    check('SET a 1', '+OK')
    check('SET b 1', '+OK')
    check('FLUSHDB', '+OK')
    check('SWAPDB 0 1', '+OK')
    check('INFO persistence', (text, saved) => {
      const now = /changes_since_last_save:(\d+)/.exec(text)?.[1]
      return Number(now) === Number(saved['dirty']) + 5
    })
  })

  suite('keep what lies in other databases', (check) => {
    check('DEBUG POPULATE 3000 k 100', '+OK')
    check('SELECT 2', '+OK')
    check('DEBUG POPULATE 2000 k 100', '+OK')
    check('FLUSHDB', '+OK')
    check('SELECT 0', '+OK')
    check('DBSIZE', ':3000')
    check('STRLEN k:2999', ':100')
    check.redbun('DEBUG ARENA-CHECK', '+OK')
  })
})

describe('SWAPDB', () => {
  suite('exchanges two databases for everybody', (check) => {
    const other = check.on('other')
    other('SELECT 1', '+OK')
    check('SET a zero EX 100', '+OK')
    other('SET a one', '+OK')
    check('SWAPDB 0 1', '+OK')
    check('GET a', '$one')
    other('GET a', '$zero')
    other('TTL a', /^:(100|99)$/)
    check('TTL a', ':-1')
    check('SWAPDB 0 0', '+OK')
    check('GET a', '$one')
    check.redbun('DEBUG ARENA-CHECK', '+OK')
  })

  suite('refuses what is no database', (check) => {
    check('SWAPDB a 1', '-ERR invalid first DB index')
    check('SWAPDB 1 a', '-ERR invalid second DB index')
    check('SWAPDB 99999999999 0', '-ERR invalid first DB index')
    check('SWAPDB 1 16', '-ERR DB index is out of range')
    check('SWAPDB -1 0', '-ERR DB index is out of range')
    check('SWAPDB 0', "-ERR wrong number of arguments for 'swapdb' command")
  })
})

describe('TIME', () => {
  suite('is that of the world', (check) => {
    check('TIME', (text) => {
      const [, seconds, us] = /^\*2 \$(\d+) \$(\d+)$/.exec(text) ?? []
      return Math.abs(Number(seconds) - Date.now() / 1000) < 600 && Number(us) < 1_000_000
    })
    check('TIME x', "-ERR wrong number of arguments for 'time' command")
  })
})

describe('LOLWUT', () => {
  suite('ends with the version', (check) => {
    check('LOLWUT', /Redis ver\. 7\.0\.15\\n"$/)
    check('LOLWUT VERSION 5', /Redis ver\. 7\.0\.15\\n"$/)
    check('LOLWUT VERSION x', '-ERR value is not an integer or out of range')
    check.resp3('LOLWUT', /^="txt:.*Redis ver\. 7\.0\.15\\n"$/)
    check.redbun('LOLWUT VERSION 1 20', /o\.o/)
  })
})

describe('ROLE', () => {
  suite('is that of a master without replicas', (check) => {
    check('ROLE', '*3 $master :0 *0')
  })
})

describe('MONITOR', () => {
  suite('shows calls with their database and address', (check) => {
    const other = check.on('other')
    check('MONITOR', '+OK')
    other('SET a 1', '+OK')
    check.receives(/^\+\d+\.\d{6} \[0 127\.0\.0\.1:\d+\] "SET" "a" "1"$/)
    other('SELECT 1', '+OK')
    check.receives(/^\+\d+\.\d{6} \[1 127\.0\.0\.1:\d+\] "SELECT" "1"$/)
    other(['PING', Buffer.from('a"\\\n\t\x07\b\r\x00\xff', 'latin1')], /^\$/)
    check.receives(/\] "PING" "a\\"\\\\\\n\\t\\a\\b\\r\\x00\\xff"$/)
    other('GET a', '(nil)')
    check.receives(/\[1 .*"GET" "a"$/)
  })

  suite('shows what was refused by a handler, not by a gate', (check) => {
    const other = check.on('other')
    check('MONITOR', '+OK')
    other('NOSUCH', error('ERR unknown command'))
    other('GET', error('ERR wrong number'))
    other('SETEX a 0 b', error('ERR invalid expire'))
    check.receives(/"SETEX" "a" "0" "b"$/)
  })

  suite('hides administration and passwords', (check) => {
    const other = check.on('other')
    check('MONITOR', '+OK')
    other('CONFIG GET port', /^\*2 /)
    other('SLOWLOG LEN', /^:/)
    other('DEBUG SLEEP 0', '+OK')
    other('AUTH default secret', '+OK')
    check.receives(/\] "AUTH" "\(redacted\)" "\(redacted\)"$/)
    other('HELLO 2 AUTH default secret SETNAME x', /^\*14 /)
    check.receives(/"HELLO" "2" "AUTH" "\(redacted\)" "\(redacted\)" "SETNAME" "x"$/)
    check.receivesNothing()
  })

  suite('ends with the connection', (check) => {
    const watcher = check.on('watcher')
    watcher('MONITOR', '+OK')
    watcher.closes()
    check('PING', '+PONG')
  })
})

describe('SHUTDOWN', () => {
  suite('refuses what it does not understand', (check) => {
    check('SHUTDOWN foo', '-ERR syntax error')
    check('SHUTDOWN SAVE NOSAVE', '-ERR syntax error')
    check('SHUTDOWN ABORT NOSAVE', '-ERR syntax error')
    check('SHUTDOWN ABORT', '-ERR No shutdown in progress.')
    check('PING', '+PONG')
  })
})

describe('FUNCTION FLUSH', () => {
  suite('empties what is empty', (check) => {
    check('FUNCTION FLUSH', '+OK')
    check('FUNCTION FLUSH ASYNC', '+OK')
    check('FUNCTION FLUSH sync', '+OK')
    check('FUNCTION FLUSH x', '-ERR FUNCTION FLUSH only supports SYNC|ASYNC option')
    check('FUNCTION', "-ERR wrong number of arguments for 'function' command")
  })
})

describe('MODULE', () => {
  const notAllowed = error('ERR MODULE command not allowed. If the enable-module-command option')

  suite('has none, and is closed unless the configuration opens it', (check) => {
    check('MODULE LIST', '*0')
    check('MODULE LOAD /nosuch', notAllowed)
    check('MODULE LOADEX /nosuch CONFIG a b ARGS c', notAllowed)
    check('MODULE UNLOAD x', notAllowed)
    check('MODULE LOAD', "-ERR wrong number of arguments for 'module|load' command")
    check('MODULE NOSUCH', "-ERR unknown subcommand 'NOSUCH'. Try MODULE HELP.")
    check('MODULE HELP', /^\*\d+ \+"MODULE <subcommand>/)
    check('MULTI', '+OK')
    check('MODULE UNLOAD x', notAllowed)
    check('EXEC', '-EXECABORT Transaction discarded because of previous errors.')
    const guest = check.on('guest')
    check('ACL SETUSER a on nopass', '+OK')
    guest('AUTH a x', '+OK')
    guest('MODULE UNLOAD x', notAllowed)
    guest('MODULE LIST', error('NOPERM'))
    check('ACL DELUSER a', ':1')
    check('ACL LOG RESET', '+OK')
  })
})
