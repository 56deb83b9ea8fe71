/**
 * DEL, UNLINK, EXISTS, TOUCH, TYPE, RENAME, RENAMENX, COPY, MOVE, KEYS, SCAN, RANDOMKEY, OBJECT.
 *
 * Thread: any.
 * Owns: rows.
 * Never: looks at deadlines; `generic-expire.test.ts` does.
 */
import { describe } from 'bun:test'
import { anyOf, anything, between, error, suite, unordered } from '../support/check.ts'

/** What DUMP gives for '1'. */
const DUMPED_1 = Buffer.from('00c0010a002678e7b6d10111fc', 'hex')

describe('DEL and UNLINK', () => {
  suite('count the keys that were there', (check) => {
    check('MSET a 1 b 2 c 3 d 4', '+OK')
    check('DEL a nokey', ':1')
    check('UNLINK b b c', ':2')
    check('DEL a b c', ':0')
    check('EXISTS a b c d', ':1')
    check('DEL', "-ERR wrong number of arguments for 'del' command")
    check('UNLINK', "-ERR wrong number of arguments for 'unlink' command")
    check('DBSIZE', ':1')
  })

  suite('take keys of any bytes and any length', (check) => {
    check(['SET', Buffer.of(0, 13, 10, 255), 'v'], '+OK')
    check(['SET', '', 'empty'], '+OK')
    check(['SET', 'x'.repeat(10_000), 'long'], '+OK')
    check(['EXISTS', Buffer.of(0, 13, 10, 255), '', 'x'.repeat(10_000)], ':3')
    check(['DEL', Buffer.of(0, 13, 10, 255), '', 'x'.repeat(10_000)], ':3')
    check('DBSIZE', ':0')
  })
})

describe('EXISTS and TOUCH', () => {
  suite('count a key as often as it is named', (check) => {
    check('SET a 1', '+OK')
    check('EXISTS a a b', ':2')
    check('TOUCH a a b', ':2')
    check('EXISTS', "-ERR wrong number of arguments for 'exists' command")
    check('TOUCH', "-ERR wrong number of arguments for 'touch' command")
  })
})

describe('TYPE', () => {
  suite('names the type', (check) => {
    check('SET a 1', '+OK')
    check('TYPE a', '+string')
    check('TYPE nokey', '+none')
    check('TYPE', "-ERR wrong number of arguments for 'type' command")
  })
})

describe('RENAME', () => {
  suite('gives a value another name, in place of what had it', (check) => {
    check('MSET a 1 b 2', '+OK')
    check('RENAME a c', '+OK')
    check('RENAME c b', '+OK')
    check('GET b', '$1')
    check('EXISTS a c', ':0')
    check('RENAME nokey b', '-ERR no such key')
    check('RENAME b b', '+OK')
    check('RENAME nokey nokey', '-ERR no such key')
    check('GET b', '$1')
  })

  suite('takes values of every length to names of every length', (check) => {
    for (const size of [0, 1, 44, 45, 1000, 100_000]) {
      const value = 'v'.repeat(size)
      for (const name of ['', 'a', 'name', 'longer:name', 'n'.repeat(300)]) {
        check(['SET', 'from', value], '+OK')
        check(['RENAME', 'from', name], '+OK')
        check(['GET', name], size === 0 ? '$""' : `$${value}`)
        check('EXISTS from', ':0')
      }
    }
    check('DBSIZE', ':5')
  })

  suite('keeps the encoding', (check) => {
    check('SET i 12', '+OK')
    check('SET r 12', '+OK')
    check('APPEND r 3', ':3')
    check('RENAME i i2', '+OK')
    check('RENAME r r2', '+OK')
    check('OBJECT ENCODING i2', '$int')
    check('OBJECT ENCODING r2', '$raw')
    check('INCR i2', ':13')
    check('APPEND r2 4', ':4')
  })
})

describe('RENAMENX', () => {
  suite('leaves a name that is taken', (check) => {
    check('MSET a 1 b 2', '+OK')
    check('RENAMENX a b', ':0')
    check('RENAMENX a a', ':0')
    check('RENAMENX a c', ':1')
    check('RENAMENX a c', '-ERR no such key')
    check('MGET a b c', '*3 (nil) $2 $1')
  })
})

describe('COPY', () => {
  suite('makes a value of its own', (check) => {
    check('SET a 1', '+OK')
    check('COPY a b', ':1')
    check('INCR a', ':2')
    check('MGET a b', '*2 $2 $1')
    check('COPY a b', ':0')
    check('COPY a b REPLACE', ':1')
    check('GET b', '$2')
    check('COPY nokey b REPLACE', ':0')
    check('GET b', '$2')
    check(['SET', 'big', 'v'.repeat(5000)], '+OK')
    check('COPY big big2', ':1')
    check('APPEND big2 x', ':5001')
    check('STRLEN big', ':5000')
  })

  suite('reaches another database', (check) => {
    check('SET a 1', '+OK')
    check('COPY a a DB 3', ':1')
    check('COPY a a db 3', ':0')
    check('SET a 2', '+OK')
    check('COPY a a replace DB 3', ':1')
    check('SELECT 3', '+OK')
    check('GET a', '$2')
    check('COPY a b DB 0', ':1')
    check('SELECT 0', '+OK')
    check('GET b', '$2')
  })

  suite('refuses what makes no sense', (check) => {
    check('COPY a a', '-ERR source and destination objects are the same')
    check('COPY a a DB 0', '-ERR source and destination objects are the same')
    check('COPY a b DB 16', '-ERR DB index is out of range')
    check('COPY a b DB -1', '-ERR DB index is out of range')
    check('COPY a b DB x', '-ERR value is not an integer or out of range')
    check(
      'COPY a b DB 2147483648',
      '-ERR value is out of range, value must between -2147483648 and 2147483647',
    )
    check('COPY a b DB', '-ERR syntax error')
    check('COPY a b FOO', '-ERR syntax error')
    check('COPY a', "-ERR wrong number of arguments for 'copy' command")
    check('COPY a b REPLACE REPLACE', ':0')
  })
})

describe('MOVE', () => {
  suite('takes a key to a database that does not have it', (check) => {
    check('SET a 1', '+OK')
    check('MOVE a 1', ':1')
    check('EXISTS a', ':0')
    check('MOVE a 1', ':0')
    check('SET a 2', '+OK')
    check('MOVE a 1', ':0')
    check('GET a', '$2')
    check('SELECT 1', '+OK')
    check('GET a', '$1')
    check('INCR a', ':2')
    check('DEL a', ':1')
  })

  suite('refuses what is no other database', (check) => {
    check('MOVE a 0', '-ERR source and destination objects are the same')
    check('MOVE a 16', '-ERR DB index is out of range')
    check('MOVE a -1', '-ERR DB index is out of range')
    check('MOVE a x', '-ERR value is not an integer or out of range')
    check(
      'MOVE a 9223372036854775807',
      '-ERR value is out of range, value must between -2147483648 and 2147483647',
    )
  })
})

describe('KEYS', () => {
  suite('lists what matches a pattern', (check) => {
    check('KEYS *', '*0')
    check('MSET one 1 two 2 three 3 h*llo 4 hello 5', '+OK')
    check('KEYS *', unordered('*5 $one $two $three $h*llo $hello'))
    check('KEYS t*', unordered('*2 $two $three'))
    check('KEYS ?ne', '*1 $one')
    check('KEYS [ot]*', unordered('*3 $one $two $three'))
    check('KEYS h\\*llo', '*1 $h*llo')
    check('KEYS h*llo', unordered('*2 $h*llo $hello'))
    check('KEYS nothing*', '*0')
    check(['SET', '', 'v'], '+OK')
    check(['KEYS', ''], '*1 $""')
    check('KEYS *', unordered('*6 $one $two $three $h*llo $hello $""'))
  })

  suite('finds a name without wildcards', (check) => {
    check('MSET one 1 One 2', '+OK')
    check('KEYS one', '*1 $one')
    check('KEYS on', '*0')
    check('SET one 1 PX 20', '+OK')
    check.wait(50)
    check('KEYS one', '*0')
    check('KEYS *', '*1 $One')
  })
})

describe('SCAN', () => {
  suite('comes to an end', (check) => {
    check('SCAN 0', '*2 $0 *0')
    check('MSET a 1 b 2 c 3', '+OK')
    check('SCAN 0 COUNT 1000', anything)
    check('SCAN 0 COUNT 1000 MATCH nothing*', (text) => text.endsWith(' *0'))
    check('SCAN 0 COUNT 1000 TYPE list', (text) => text.endsWith(' *0'))
    check('SCAN 0 TYPE nosuchtype', (text) => text.endsWith(' *0'))
  })

  suite('refuses what is no cursor and what is no count', (check) => {
    check('SCAN x', '-ERR invalid cursor')
    check('SCAN -', '-ERR invalid cursor')
    check(['SCAN', ' 0'], '-ERR invalid cursor')
    check('SCAN 0x', '-ERR invalid cursor')
    check('SCAN 18446744073709551616', '-ERR invalid cursor')
    check('SCAN 18446744073709551615', '*2 $0 *0')
    check('SCAN -1', '*2 $0 *0')
    check(['SCAN', ''], '*2 $0 *0')
    check('SCAN +0', '*2 $0 *0')
    check('SCAN 0 COUNT 0', '-ERR syntax error')
    check('SCAN 0 COUNT -5', '-ERR syntax error')
    check('SCAN 0 COUNT x', '-ERR value is not an integer or out of range')
    check('SCAN 0 COUNT', '-ERR syntax error')
    check('SCAN 0 MATCH', '-ERR syntax error')
    check('SCAN 0 FOO bar', '-ERR syntax error')
    check('SCAN x FOO', '-ERR invalid cursor')
    check('SCAN', "-ERR wrong number of arguments for 'scan' command")
  })
})

describe('RANDOMKEY', () => {
  suite('gives any key', (check) => {
    check('RANDOMKEY', '(nil)')
    check('SET a 1', '+OK')
    check('RANDOMKEY', '$a')
    check('SET b 1', '+OK')
    check('RANDOMKEY', anyOf('$a', '$b'))
    check('SET b 1 PX 20', '+OK')
    check.wait(50)
    for (let i = 0; i < 10; i++) check('RANDOMKEY', '$a')
    check('PEXPIRE a 20', ':1')
    check.wait(50)
    check('RANDOMKEY', '(nil)')
  })
})

describe('OBJECT', () => {
  suite('tells the encoding of strings', (check) => {
    check('SET i 123', '+OK')
    check('SET e abc', '+OK')
    check(['SET', 'e44', 'v'.repeat(44)], '+OK')
    check(['SET', 'r', 'v'.repeat(45)], '+OK')
    check('OBJECT ENCODING i', '$int')
    check('OBJECT ENCODING e', '$embstr')
    check('OBJECT ENCODING e44', '$embstr')
    check('OBJECT ENCODING r', '$raw')
    check('OBJECT ENCODING nokey', '(nil)')
    check('object encoding i', '$int')
  })

  suite('counts small integers as shared', (check) => {
    check('MSET a 0 b 9999 c 10000 d -1 e x', '+OK')
    check('OBJECT REFCOUNT a', ':2147483647')
    check('OBJECT REFCOUNT b', ':2147483647')
    check('OBJECT REFCOUNT c', ':1')
    check('OBJECT REFCOUNT d', ':1')
    check('OBJECT REFCOUNT e', ':1')
    check('OBJECT REFCOUNT nokey', '(nil)')
  })

  suite('tells how long a key has been idle, and does not disturb it', (check) => {
    check('SET a 1', '+OK')
    check('OBJECT IDLETIME a', between(0, 1))
    check.redbun('OBJECT IDLETIME nokey', '(nil)')
    check.wait(2100)
    check('OBJECT IDLETIME a', between(2, 100))
    check(['RESTORE', 'a', '0', DUMPED_1, 'IDLETIME', '1000', 'REPLACE'], '+OK')
    check('EXISTS a', ':1')
    check('TTL a', ':-1')
    check('TYPE a', '+string')
    check('OBJECT IDLETIME a', between(1000, 1100))
    check('TOUCH a', ':1')
    check('OBJECT IDLETIME a', between(0, 100))
  })

  suite('refuses what it does not know', (check) => {
    check('SET a 1', '+OK')
    check(
      'OBJECT FREQ a',
      '-ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust.',
    )
    check('OBJECT FREQ nokey', '(nil)')
    check('OBJECT FOO a', "-ERR unknown subcommand 'FOO'. Try OBJECT HELP.")
    check('OBJECT', "-ERR wrong number of arguments for 'object' command")
    check('OBJECT ENCODING', "-ERR wrong number of arguments for 'object|encoding' command")
    check('OBJECT ENCODING a b', "-ERR wrong number of arguments for 'object|encoding' command")
    check('OBJECT HELP', (text) => text.includes('OBJECT <subcommand>'))
    check('OBJECT HELP x', error("ERR wrong number of arguments for 'object|help' command"))
  })
})
