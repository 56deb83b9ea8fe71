/**
 * MULTI, EXEC, DISCARD, WATCH, UNWATCH, and what else a transaction meets.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: looks at a single session where two can disagree.
 */
import { anything, error, suite } from '../support/check.ts'

const OOM = "-OOM command not allowed when used memory > 'maxmemory'."
const PREVIOUS = '-EXECABORT Transaction discarded because of previous errors.'
const BECAUSE = '-EXECABORT Transaction discarded because of:'
const NIL_ARRAY = '*nil'

suite('EXEC runs what was queued, in order', (check) => {
  check('MULTI', '+OK')
  check('SET a 1', '+QUEUED')
  check('INCR a', '+QUEUED')
  check('GET a', '+QUEUED')
  check('PING hello', '+QUEUED')
  check.on('other')('GET a', '(nil)')
  check('EXEC', '*4 +OK :2 $2 $hello')
  check('GET a', '$2')
  check('MULTI', '+OK')
  check('EXEC', '*0')
})

suite('DISCARD forgets what was queued', (check) => {
  check('SET a 1', '+OK')
  check('MULTI', '+OK')
  check('SET a 2', '+QUEUED')
  check('DISCARD', '+OK')
  check('GET a', '$1')
  check('DISCARD', '-ERR DISCARD without MULTI')
  check('EXEC', '-ERR EXEC without MULTI')
})

suite('errors while queueing abort the transaction', (check) => {
  check('SET a 1', '+OK')
  for (const [command, reply] of [
    ['GET', "-ERR wrong number of arguments for 'get' command"],
    ['NOSUCH x', "-ERR unknown command 'NOSUCH', with args beginning with: 'x' "],
    ['CLIENT NOSUCH', "-ERR unknown subcommand 'NOSUCH'. Try CLIENT HELP."],
    ['SHUTDOWN', '-ERR Command not allowed inside a transaction'],
    ['DISCARD x', "-ERR wrong number of arguments for 'discard' command"],
    ['MULTI x', "-ERR wrong number of arguments for 'multi' command"],
    ['WATCH', "-ERR wrong number of arguments for 'watch' command"],
  ]) {
    check('MULTI', '+OK')
    check('SET a 2', '+QUEUED')
    check(command, reply)
    check('SET a 3', '+QUEUED')
    check('EXEC', PREVIOUS)
    check('GET a', '$1')
  }
  check('MULTI', '+OK')
  check('EXEC x', `${BECAUSE} wrong number of arguments for 'exec' command`)
  check('EXEC x', `${BECAUSE} wrong number of arguments for 'exec' command`)
  check('EXEC', '-ERR EXEC without MULTI')
})

suite('errors while running stop nothing', (check) => {
  check('MULTI', '+OK')
  check('SET a x', '+QUEUED')
  check('INCR a', '+QUEUED')
  check('BITCOUNT a 0', '+QUEUED')
  check('SET b y', '+QUEUED')
  check('EXEC', '*4 +OK -"ERR value is not an integer or out of range" -"ERR syntax error" +OK')
  check('GET b', '$y')
})

suite('MULTI and WATCH inside MULTI are refused without harm', (check) => {
  check('MULTI', '+OK')
  check('MULTI', '-ERR MULTI calls can not be nested')
  check('WATCH a', '-ERR WATCH inside MULTI is not allowed')
  check('SET a 1', '+QUEUED')
  check('EXEC', '*1 +OK')
})

suite('a watched key that changes prevents EXEC', (check) => {
  const other = check.on('other')
  for (const [before, change] of [
    ['SET k 1', 'SET k 2'],
    ['SET k 1', 'INCR k'],
    ['SET k 1', 'DEL k'],
    ['SET k 1', 'EXPIRE k 100'],
    ['SET k 1 EX 100', 'PERSIST k'],
    ['SET k 1', 'RENAME k l'],
    ['SET l 1', 'RENAME l k'],
    ['SET l 1', 'COPY l k REPLACE'],
    ['SET k 1', 'SETRANGE k 0 2'],
    ['SET k 1', 'SETBIT k 0 1'],
    ['SET k 1', 'MOVE k 9'],
    ['SET k 1', 'GETDEL k'],
    ['SET k 1', 'MSET x 1 k 2'],
    ['SET k 1', 'SET k 1'],
    ['SET x 1', 'SET k 1'],
    ['SET x 1', 'BITOP NOT k x'],
    ['SET k 1', 'FLUSHDB'],
    ['SET k 1', 'FLUSHALL'],
    ['SET k 1', 'SWAPDB 0 5'],
  ]) {
    check('FLUSHALL', '+OK')
    check(before, anything)
    check('WATCH other k', '+OK')
    other(change, anything)
    check('MULTI', '+OK')
    check('PING', '+QUEUED')
    check('EXEC', NIL_ARRAY)
    check('MULTI', '+OK')
    check('PING', '+QUEUED')
    check('EXEC', '*1 +PONG')
  }
})

suite('what changes nothing of a watched key prevents nothing', (check) => {
  const other = check.on('other')
  check('SET k 1', '+OK')
  for (const harmless of [
    'GET k',
    'TOUCH k',
    'SET other 1',
    'DEL nokey',
    'EXPIRE nokey 10',
    'APPEND nokey2 x',
    'SET k 1 NX',
    'FLUSHDB',
    'PERSIST k',
  ]) {
    check('SET k 1', '+OK')
    check('SELECT 9', '+OK')
    check('WATCH k', '+OK')
    check('SELECT 0', '+OK')
    check('WATCH k nokey', '+OK')
    if (harmless === 'FLUSHDB') other('SELECT 3', '+OK')
    other(harmless, anything)
    other('SELECT 0', '+OK')
    check('MULTI', '+OK')
    check('PING', '+QUEUED')
    check('EXEC', '*1 +PONG')
  }
})

suite("a session's own changes count, those of its transaction do not", (check) => {
  check('WATCH k', '+OK')
  check('SET k 1', '+OK')
  check('MULTI', '+OK')
  check('EXEC', NIL_ARRAY)
  check('WATCH k', '+OK')
  check('MULTI', '+OK')
  check('SET k 2', '+QUEUED')
  check('EXEC', '*1 +OK')
  check('MULTI', '+OK')
  check('EXEC', '*0')
})

suite('UNWATCH, DISCARD and RESET forget watched keys', (check) => {
  const other = check.on('other')
  for (const lines of [['UNWATCH'], ['MULTI', 'DISCARD'], ['RESET'], ['MULTI', 'RESET']]) {
    check('WATCH k', '+OK')
    other('SET k 1', '+OK')
    for (const line of lines) check(line, anything)
    check('MULTI', '+OK')
    check('EXEC', '*0')
  }
  check('WATCH k', '+OK')
  other('SET k 1', '+OK')
  check('MULTI', '+OK')
  check('UNWATCH', '+QUEUED')
  check('EXEC', NIL_ARRAY)
})

suite('a session in RESP3 gets a null', (check) => {
  check.resp3('WATCH k', '+OK')
  check('SET k 1', '+OK')
  check.resp3('MULTI', '+OK')
  check.resp3('EXEC', '_')
})

suite('WATCH is for the database of the time', (check) => {
  const other = check.on('other')
  check('SELECT 5', '+OK')
  check('WATCH k', '+OK')
  check('SELECT 0', '+OK')
  other('SET k 1', '+OK')
  check('MULTI', '+OK')
  check('EXEC', '*0')
  check('SELECT 5', '+OK')
  check('WATCH k', '+OK')
  check('SELECT 0', '+OK')
  other('SELECT 5', '+OK')
  other('SET k 1', '+OK')
  check('MULTI', '+OK')
  check('EXEC', NIL_ARRAY)
})

suite('a watched key that expires prevents EXEC', (check) => {
  check('SET k 1 PX 20', '+OK')
  check('WATCH k', '+OK')
  check.wait(60)
  check('MULTI', '+OK')
  check('PING', '+QUEUED')
  check('EXEC', NIL_ARRAY)
  check('DEBUG SET-ACTIVE-EXPIRE 0', '+OK')
  check('SET k 1 PX 20', '+OK')
  check('WATCH k', '+OK')
  check.wait(60)
  check('MULTI', '+OK')
  check('PING', '+QUEUED')
  check('EXEC', NIL_ARRAY)
  check('DEBUG SET-ACTIVE-EXPIRE 1', '+OK')
})

suite('a key that was expired at WATCH counts as absent', (check) => {
  const other = check.on('other')
  check('DEBUG SET-ACTIVE-EXPIRE 0', '+OK')
  const stale = () => {
    check('SET k 1 PX 1', '+OK')
    check.wait(20)
    check('WATCH k', '+OK')
  }
  const ends = (reply: string) => {
    check('MULTI', '+OK')
    check('PING', '+QUEUED')
    check('EXEC', reply)
  }
  stale()
  ends('*1 +PONG')
  stale()
  other('GET k', '(nil)')
  ends('*1 +PONG')
  stale()
  other('SET k 2', '+OK')
  ends(NIL_ARRAY)
  stale()
  other('GET k', '(nil)')
  other('SET k 2', '+OK')
  ends(NIL_ARRAY)
  stale()
  other('FLUSHALL', '+OK')
  ends('*1 +PONG')
  stale()
  other('SWAPDB 0 1', '+OK')
  ends('*1 +PONG')
  check('FLUSHALL', '+OK')
  check('SET k 1 PX 1', '+OK')
  check('SELECT 1', '+OK')
  check.wait(20)
  check('WATCH k', '+OK')
  other('SWAPDB 0 1', '+OK')
  check('SELECT 0', '+OK')
  ends('*1 +PONG')
  check('FLUSHALL', '+OK')
  check('WATCH k', '+OK')
  other('SELECT 1', '+OK')
  other('SET k 1', '+OK')
  other('SWAPDB 0 1', '+OK')
  ends(NIL_ARRAY)
  check('DEBUG SET-ACTIVE-EXPIRE 1', '+OK')
})

suite(
  'without memory calls are not queued, EXEC of a write is refused',
  (check) => {
    const other = check.on('other')
    check('SET some thing', '+OK')
    check('MULTI', '+OK')
    check('SET x 1', '+QUEUED')
    other('CONFIG SET maxmemory 1', '+OK')
    check('EXEC', `${BECAUSE} ${OOM.slice(1)}`)
    check('EXEC', '-ERR EXEC without MULTI')
    check('MULTI', '+OK')
    check('GET x', OOM)
    check('MULTI', OOM)
    check('WATCH x', OOM)
    check('CONFIG GET maxmemory', OOM)
    check('EXEC', PREVIOUS)
    check('MULTI', '+OK')
    check('GET x', OOM)
    check('DISCARD', '+OK')
    check('MULTI', '+OK')
    check('EXEC', '*0')
    other('CONFIG SET maxmemory 0', '+OK')
    check('MULTI', '+OK')
    check('GET x', '+QUEUED')
    other('CONFIG SET maxmemory 1', '+OK')
    check('EXEC', '*1 (nil)')
    other('CONFIG SET maxmemory 0', '+OK')
    check('MULTI', '+OK')
    check('SET x 1', '+QUEUED')
    check('CONFIG SET maxmemory 1', '+QUEUED')
    check('INCR x', '+QUEUED')
    check('EXEC', '*3 +OK +OK :2')
    other('CONFIG SET maxmemory 0', '+OK')
  },
  { config: { maxmemory: '0' } },
)

suite('a pause for writes holds them back while they are queued, and EXEC of them', (check) => {
  const other = check.on('other')
  check('MULTI', '+OK')
  check('SET a 1', '+QUEUED')
  other('CLIENT PAUSE 10000 WRITE', '+OK')
  check.sends('EXEC')
  check.receivesNothing()
  other('CLIENT UNPAUSE', '+OK')
  check.receives('*1 +OK')
  check('MULTI', '+OK')
  check('GET a', '+QUEUED')
  other('CLIENT PAUSE 10000 WRITE', '+OK')
  check('EXEC', '*1 $1')
  check('MULTI', '+OK')
  check.sends('SET a 2')
  check.receivesNothing()
  other('CLIENT UNPAUSE', '+OK')
  check.receives('+QUEUED')
  check('EXEC', '*1 +OK')
})

suite('SELECT, HELLO and AUTH act within the transaction', (check) => {
  check('MULTI', '+OK')
  check('SELECT 3', '+QUEUED')
  check('SET q 1', '+QUEUED')
  check('SELECT 0', '+QUEUED')
  check('GET q', '+QUEUED')
  check('AUTH no no', '+QUEUED')
  check('HELLO 3', '+QUEUED')
  check('GET q', '+QUEUED')
  check('HELLO 2', '+QUEUED')
  check('GET q', '+QUEUED')
  check('EXEC', /^\*9 \+OK \+OK \+OK \(nil\) -"WRONGPASS .* %7 .* _ \*14 .* \(nil\)$/s)
})

suite('CLIENT tells of transactions', (check) => {
  check('CLIENT INFO', /flags=N .*multi=-1 /)
  check('WATCH a b', '+OK')
  check('MULTI', '+OK')
  check('CLIENT INFO', '+QUEUED')
  check('PING', '+QUEUED')
  check.on('other')('CLIENT LIST', / flags=x .*multi=2 /)
  check('EXEC', / flags=x .*multi=2 .*cmd=exec /)
  check('CLIENT INFO', /flags=N .*multi=-1 .*multi-mem=0 /)
  check('WATCH a', '+OK')
  check('SET a 1', '+OK')
  check('CLIENT INFO', /flags=d .*multi=-1 /)
  check('MULTI', '+OK')
  check.on('other')('CLIENT LIST', / flags=xd /)
  check('EXEC', NIL_ARRAY)
  check('CLIENT INFO', /flags=N .*multi=-1 /)
})

suite('CLIENT REPLY silences transactions', (check) => {
  check.sends('CLIENT REPLY SKIP')
  check.sends('MULTI')
  check('SET a 1', '+QUEUED')
  check('INCR a', '+QUEUED')
  check('EXEC', '*2 +OK :2')
  check.sends('CLIENT REPLY OFF')
  for (const line of ['MULTI', 'INCR a', 'INCR a', 'EXEC']) check.sends(line)
  check('CLIENT REPLY ON', '+OK')
  check('GET a', '$4')
})

suite('MONITOR is refused inside, RESET and QUIT end it all', (check) => {
  check('MULTI', '+OK')
  check('MONITOR', '+QUEUED')
  check('EXEC', `*1 -"ERR MONITOR isn't allowed for DENY BLOCKING client"`)
  check('MULTI', '+OK')
  check('SET a 1', '+QUEUED')
  check('RESET', '+RESET')
  check('EXEC', '-ERR EXEC without MULTI')
  check('GET a', '(nil)')
  const other = check.on('other')
  other('MULTI', '+OK')
  other('SET a 1', '+QUEUED')
  other('QUIT', '+OK')
  other.isClosed()
  check('GET a', '(nil)')
})

suite('a session that goes away leaves nothing behind', (check) => {
  const other = check.on('other')
  other('WATCH a', '+OK')
  other('MULTI', '+OK')
  other('SET a 1', '+QUEUED')
  other.closes()
  check('SET a 2', '+OK')
  check('GET a', '$2')
})

suite('a script of commands is told as the gates tell it', (check) => {
  check('EXEC a b', error('EXECABORT'))
  check('UNWATCH x', "-ERR wrong number of arguments for 'unwatch' command")
  check('UNWATCH', '+OK')
})
