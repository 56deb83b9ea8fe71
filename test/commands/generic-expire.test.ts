/**
 * EXPIRE, PEXPIRE, EXPIREAT, PEXPIREAT, TTL, PTTL, EXPIRETIME, PEXPIRETIME, PERSIST.
 *
 * Thread: any.
 * Owns: rows.
 * Never: needs a machine that is quick to the millisecond.
 */
import { describe } from 'bun:test'
import { between, suite } from '../support/check.ts'

const FAR_SECONDS = 9_999_999_999
const FAR_MS = FAR_SECONDS * 1000

describe('EXPIRE and its kin', () => {
  suite('set a deadline that the others tell', (check) => {
    check('SET k v', '+OK')
    check('TTL k', ':-1')
    check('PTTL k', ':-1')
    check('EXPIRETIME k', ':-1')
    check('PEXPIRETIME k', ':-1')
    check('EXPIRE k 100', ':1')
    check('TTL k', between(99, 100))
    check('PTTL k', between(90_000, 100_000))
    check('PEXPIRE k 5700', ':1')
    check('TTL k', between(5, 6))
    check(`EXPIREAT k ${FAR_SECONDS}`, ':1')
    check('EXPIRETIME k', `:${FAR_SECONDS}`)
    check('PEXPIRETIME k', `:${FAR_MS}`)
    check(`PEXPIREAT k ${FAR_MS + 499}`, ':1')
    check('EXPIRETIME k', `:${FAR_SECONDS}`)
    check(`PEXPIREAT k ${FAR_MS + 500}`, ':1')
    check('EXPIRETIME k', `:${FAR_SECONDS + 1}`)
    check('PEXPIRETIME k', `:${FAR_MS + 500}`)
    check('GET k', '$v')
  })

  suite('know no key that is not there', (check) => {
    check('EXPIRE nokey 100', ':0')
    check('PEXPIREAT nokey 100', ':0')
    check('PERSIST nokey', ':0')
    for (const name of ['TTL', 'PTTL', 'EXPIRETIME', 'PEXPIRETIME']) check(`${name} nokey`, ':-2')
  })

  suite('delete the key when the deadline has passed', (check) => {
    for (const command of ['EXPIRE k 0', 'EXPIRE k -1', 'PEXPIRE k -1', 'PEXPIREAT k 1']) {
      check('SET k v', '+OK')
      check(command, ':1')
      check('EXISTS k', ':0')
    }
    check('SET k v', '+OK')
    check('EXPIREAT k -9223372036854775', ':1')
    check('EXISTS k', ':0')
    check('SET k v', '+OK')
    check('PEXPIREAT k -9223372036854775808', ':1')
    check('EXISTS k', ':0')
    check('DBSIZE', ':0')
  })

  suite('let a key go by itself', (check) => {
    check('SET k v', '+OK')
    check('PEXPIRE k 40', ':1')
    check('GET k', '$v')
    check.wait(100)
    check('GET k', '(nil)')
    check('TTL k', ':-2')
    check('SET k w PX 40', '+OK')
    check.wait(100)
    check('DEL k', ':0')
    check('SET k w PX 40', '+OK')
    check.wait(100)
    check('RENAME k l', '-ERR no such key')
    check('SETNX k x', ':1')
  })

  suite('refuse times that 64 bits cannot hold', (check) => {
    check('SET k v', '+OK')
    check('EXPIRE k 9223372036854775807', "-ERR invalid expire time in 'expire' command")
    check('EXPIRE k 9223372036854775', "-ERR invalid expire time in 'expire' command")
    check('EXPIRE k -9223372036854776', "-ERR invalid expire time in 'expire' command")
    check('PEXPIRE k 9223372036854775807', "-ERR invalid expire time in 'pexpire' command")
    check('EXPIREAT k 9223372036854776', "-ERR invalid expire time in 'expireat' command")
    check('PEXPIRE k 9223372036854775808', '-ERR value is not an integer or out of range')
    check('EXPIRE k x', '-ERR value is not an integer or out of range')
    check(['EXPIRE', 'k', ''], '-ERR value is not an integer or out of range')
    check('EXPIRE k 1.5', '-ERR value is not an integer or out of range')
    check('EXPIRE nokey x', '-ERR value is not an integer or out of range')
    check('EXPIRE k', "-ERR wrong number of arguments for 'expire' command")
    check('TTL k', ':-1')
    check('PEXPIREAT k 9223372036854775807', ':1')
    check.redbun('PEXPIRETIME k', ':9007199254740991')
    check('EXISTS k', ':1')
  })
})

describe('NX, XX, GT and LT', () => {
  suite('NX sets only a first deadline, XX only another one', (check) => {
    check('SET k v', '+OK')
    check('EXPIRE k 100 XX', ':0')
    check('TTL k', ':-1')
    check('EXPIRE k 100 NX', ':1')
    check('EXPIRE k 200 NX', ':0')
    check('TTL k', between(99, 100))
    check('EXPIRE k 200 xx', ':1')
    check('TTL k', between(199, 200))
  })

  suite('GT sets only a later deadline, LT only an earlier one', (check) => {
    check('SET k v', '+OK')
    check('EXPIRE k 100 GT', ':0')
    check('EXPIRE k 100 LT', ':1')
    check('EXPIRE k 50 GT', ':0')
    check('EXPIRE k 200 LT', ':0')
    check('TTL k', between(99, 100))
    check('EXPIRE k 300 GT', ':1')
    check('EXPIRE k 200 LT', ':1')
    check('TTL k', between(199, 200))
    check(`PEXPIREAT k ${FAR_MS}`, ':1')
    check(`PEXPIREAT k ${FAR_MS} GT`, ':0')
    check(`PEXPIREAT k ${FAR_MS} LT`, ':0')
    check('PEXPIREAT k 1 GT', ':0')
    check('PEXPIREAT k 1 LT', ':1')
    check('EXISTS k', ':0')
  })

  suite('go together where they can', (check) => {
    check('SET k v', '+OK')
    check('EXPIRE k 100 XX GT', ':0')
    check('EXPIRE k 100 XX LT', ':0')
    check('EXPIRE k 100 NX NX', ':1')
    check('EXPIRE k 200 GT XX', ':1')
    check('EXPIRE k 100 LT XX', ':1')
    const both = '-ERR NX and XX, GT or LT options at the same time are not compatible'
    check('EXPIRE k 1 NX XX', both)
    check('EXPIRE k 1 NX GT', both)
    check('EXPIRE k 1 LT NX', both)
    check('EXPIRE k 1 GT LT NX', both)
    check('EXPIRE k 1 GT LT', '-ERR GT and LT options at the same time are not compatible')
    check('EXPIRE k 1 foo', '-ERR Unsupported option foo')
    check('EXPIRE k 1 NX XX foo', '-ERR Unsupported option foo')
    check('EXPIRE k x foo', '-ERR Unsupported option foo')
    check('EXPIRE nokey 1 GT LT', '-ERR GT and LT options at the same time are not compatible')
  })
})

describe('PERSIST', () => {
  suite('takes the deadline away', (check) => {
    check('SET k v EX 100', '+OK')
    check('PERSIST k', ':1')
    check('TTL k', ':-1')
    check('PERSIST k', ':0')
    check('GET k', '$v')
    check('SET k w PX 30', '+OK')
    check('PERSIST k', ':1')
    check.wait(60)
    check('GET k', '$w')
  })

  suite('leaves values of every length as they are', (check) => {
    for (const value of ['', '7', 'abc', 'v'.repeat(44), 'w'.repeat(45), 'x'.repeat(9999)]) {
      const shown = value === '' ? '$""' : `$${value}`
      check(['SET', 'k', value], '+OK')
      for (let i = 0; i < 3; i++) {
        check('EXPIRE k 100', ':1')
        check('GET k', shown)
        check('PERSIST k', ':1')
        check('GET k', shown)
      }
    }
  })
})

describe('deadlines', () => {
  suite('go along with RENAME, COPY and MOVE', (check) => {
    check('SET k v', '+OK')
    check(`EXPIREAT k ${FAR_SECONDS}`, ':1')
    check('SET l w', '+OK')
    check('RENAME k l', '+OK')
    check('EXPIRETIME l', `:${FAR_SECONDS}`)
    check('COPY l m', ':1')
    check('EXPIRETIME m', `:${FAR_SECONDS}`)
    check('PERSIST l', ':1')
    check('EXPIRETIME m', `:${FAR_SECONDS}`)
    check('MOVE m 1', ':1')
    check('SELECT 1', '+OK')
    check('EXPIRETIME m', `:${FAR_SECONDS}`)
    check('SELECT 0', '+OK')
    check('SET n x EX 100', '+OK')
    check('RENAME l n', '+OK')
    check('TTL n', ':-1')
  })

  suite('stay when a value is changed, go when it is set', (check) => {
    check('SET k 1', '+OK')
    check(`EXPIREAT k ${FAR_SECONDS}`, ':1')
    check('INCR k', ':2')
    check('APPEND k abc', ':4')
    check('SETRANGE k 2 zz', ':4')
    check('EXPIRETIME k', `:${FAR_SECONDS}`)
    check('SET k v KEEPTTL', '+OK')
    check('EXPIRETIME k', `:${FAR_SECONDS}`)
    check('SET k v', '+OK')
    check('EXPIRETIME k', ':-1')
  })

  suite('of a key that was moved or renamed away do not strike the next of its name', (check) => {
    check('SET k v PX 60', '+OK')
    check('MOVE k 1', ':1')
    check('SET k w', '+OK')
    check('SET l v PX 60', '+OK')
    check('RENAME l m', '+OK')
    check('SET l w', '+OK')
    check.wait(120)
    check('MGET k l m', '*3 $w $w (nil)')
    check('DBSIZE', ':2')
    check('SELECT 1', '+OK')
    check('EXISTS k', ':0')
  })
})
