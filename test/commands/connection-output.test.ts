/**
 * client-output-buffer-limit, as far as a turn goes: what a client has to get at once.
 *
 * Thread: any.
 * Owns: rows.
 * Never: waits for a slow reader: test/io/slow-reader.test.ts does.
 */
import { describe } from 'bun:test'
import { suite } from '../support/check.ts'

const LIMITED = { config: { 'client-output-buffer-limit': 'normal 100000 0 0' } }
const BIG = ['SET', 'big', 'x'.repeat(40_000)]

describe('the hard limit of normal clients', () => {
  suite(
    'closes who has more to get, and sends nothing of it',
    (check) => {
      check(BIG, '+OK')
      const mine = check.on('mine')
      mine('PING', '+PONG')
      mine('STRLEN big', ':40000')
      mine('GET big', /^\$x{40000}$/)
      mine('MGET big big', /^\*2 \$x{40000} \$x{40000}$/)
      mine.sends('MGET big big big')
      mine.isClosed()
      mine.receivesNothing()
      check('PING', '+PONG')
    },
    LIMITED,
  )

  suite(
    'counts all calls of a turn, and makes those no more that follow',
    (check) => {
      check(BIG, '+OK')
      const mine = check.on('mine')
      mine.raw(`SET a 1\r\n${'GET big\r\n'.repeat(5)}SET b 1\r\n`)
      mine.isClosed()
      mine.receivesNothing()
      check('MGET a b', '*2 $1 (nil)')
    },
    LIMITED,
  )

  suite(
    'lets a transaction be done to its end',
    (check) => {
      check(BIG, '+OK')
      const mine = check.on('mine')
      mine('MULTI', '+OK')
      mine('SET a 1', '+QUEUED')
      mine('MGET big big big big', '+QUEUED')
      mine('SET b 1', '+QUEUED')
      mine('INCR b', '+QUEUED')
      mine.sends('EXEC')
      mine.isClosed()
      mine.receivesNothing()
      check('MGET a b', '*2 $1 $2')
    },
    LIMITED,
  )

  suite(
    'stops replies that have almost no end',
    (check) => {
      check('HSET h f v', ':1')
      check('SADD s m', ':1')
      check('ZADD z 1 m', ':1')
      for (const call of ['HRANDFIELD h', 'SRANDMEMBER s', 'ZRANDMEMBER z']) {
        const mine = check.on(call)
        mine.sends(`${call} -999999999`)
        mine.isClosed()
      }
      check('PING', '+PONG')
    },
    LIMITED,
  )

  suite(
    'leaves replies, messages and their order as they are',
    (check) => {
      const mine = check.resp3
      mine('CLIENT TRACKING ON', '+OK')
      mine('GET a', '_')
      mine.raw('PING\r\nSET a 1\r\nGET a\r\nSET a 2\r\nPING\r\n', '+PONG', '+OK')
      mine.receives('>2 $invalidate *1 $a')
      mine.receives('$1')
      mine.receives('+OK')
      mine.receives('>2 $invalidate *1 $a')
      mine.receives('+PONG')
      mine('SUBSCRIBE c', '>3 $subscribe $c :1')
      mine('PUBLISH c x', '>3 $message $c $x')
      mine.receives(':1')
      mine('GET nope', '_')
      mine('LPUSH a 1', '-WRONGTYPE Operation against a key holding the wrong kind of value')
      mine('QUIT', '+OK')
      mine.isClosed()
    },
    LIMITED,
  )
})
