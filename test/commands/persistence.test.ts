/**
 * SAVE, BGSAVE, LASTSAVE, DEBUG RELOAD.
 *
 * Thread: any.
 * Owns: rows.
 * Never: looks at a file: the tests of processes do.
 */
import { describe } from 'bun:test'
import { error, suite } from '../support/check.ts'

describe('SAVE', () => {
  suite('counts what it has saved', (check) => {
    check('SET a 1', '+OK')
    check('INFO persistence', (text) => !/changes_since_last_save:0\\r/.test(text))
    check('SAVE', '+OK')
    check('INFO persistence', (text) => /changes_since_last_save:0\\r/.test(text))
    check('LASTSAVE', (text) => Math.abs(Number(text.slice(1)) - Date.now() / 1000) < 100)
  })

  suite('takes no argument, and no place in a transaction', (check) => {
    check('SAVE now', error('ERR wrong number of arguments for'))
    check('LASTSAVE 1', error('ERR wrong number of arguments for'))
    check('MULTI', '+OK')
    check('SAVE', '-ERR Command not allowed inside a transaction')
    check('DISCARD', '+OK')
  })
})

describe('DEBUG RELOAD', () => {
  suite('brings every type back', (check) => {
    check('SET text hello', '+OK')
    check('SET number 12345 PXAT 4102444800123', '+OK')
    check('RPUSH list a b 3', ':3')
    check('SADD set 1 2 70000', ':3')
    check('SADD words a b', ':2')
    check('HSET hash f v g 1', ':2')
    check('ZADD zset 1 a 2.5 b', ':2')
    check('XADD stream 1-1 f v', '$1-1')
    check('DEBUG DIGEST', (text, saved) => {
      saved['digest'] = text
      return true
    })
    check('DEBUG RELOAD', '+OK')
    check('DEBUG DIGEST', (text, saved) => text === saved['digest'])
    check('PEXPIRETIME number', ':4102444800123')
    check('OBJECT ENCODING set', '$intset')
    check('LRANGE list 0 -1', '*3 $a $b $3')
    check.redbun('DEBUG ARENA-CHECK', '+OK')
  })

  suite('loads what was saved before, or beside what there is', (check) => {
    check('SET a old', '+OK')
    check('SAVE', '+OK')
    check('SET a new', '+OK')
    check('SET b new', '+OK')
    check('DEBUG RELOAD NOSAVE NOFLUSH MERGE', '+OK')
    check('MGET a b', '*2 $old $new')
    check('DEBUG RELOAD NOSAVE', '+OK')
    check('MGET a b', '*2 $old (nil)')
    check('INFO persistence', (text) => /changes_since_last_save:2\\r/.test(text))
  })

  suite('is over before the next call of a transaction', (check) => {
    check('SET a 1', '+OK')
    check('MULTI', '+OK')
    check('DEBUG RELOAD', '+QUEUED')
    check('GET a', '+QUEUED')
    check('EXEC', '*2 +OK $1')
  })

  suite('knows its words', (check) => {
    check(
      'DEBUG RELOAD foo',
      '-ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.',
    )
  })

  suite('brings functions back', (check) => {
    check(
      [
        'FUNCTION',
        'LOAD',
        "#!lua name=mine\nredis.register_function('f', function() return 7 end)",
      ],
      '$mine',
    )
    check('DEBUG RELOAD', '+OK')
    check('FCALL f 0', ':7')
    check('SET k v', '+OK')
    // What is there already is not replaced, and nobody dies of it.
    check('DEBUG RELOAD NOSAVE NOFLUSH', '-ERR Error trying to load the RDB dump')
    check('FCALL f 0', ':7')
    check('GET k', '$v')
    check('DEBUG RELOAD NOSAVE NOFLUSH MERGE', '+OK')
    check('FUNCTION FLUSH', '+OK')
  })
})

// The last one: what it begins goes on.
describe('BGSAVE', () => {
  suite('waits for the end of a transaction', (check) => {
    check('BGSAVE foo', '-ERR syntax error')
    check('BGSAVE SCHEDULE SCHEDULE', '-ERR syntax error')
    check('MULTI', '+OK')
    check('BGSAVE', '+QUEUED')
    check('SET a 1', '+QUEUED')
    check('EXEC', '*2 +"Background saving scheduled" +OK')
  })
})
