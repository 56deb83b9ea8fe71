/**
 * Rows for what can be done with a key whatever it holds, for every type and encoding.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: looks inside the server.
 */
import { between, save, suite } from '../support/check.ts'

const LONG = 'x'.repeat(100)
const words = (count: number) => Array.from({ length: count }, (_, i) => `word${i}`)
const pairs = (count: number) => words(count).flatMap((word, i) => [word, `${i}`])

/** A key's type, its encoding, how it is made, and how it is changed. */
const VALUES: readonly (readonly [
  type: string,
  encoding: string,
  make: readonly string[],
  change: readonly string[],
])[] = [
  ['string', 'int', ['SET', 'k', '12345'], ['INCR', 'k']],
  ['string', 'embstr', ['SET', 'k', 'text'], ['SETRANGE', 'k', '1', 'u']],
  ['string', 'raw', ['SET', 'k', LONG], ['APPEND', 'k', 'u']],
  ['string', 'raw', ['PFADD', 'k', 'a', 'b'], ['PFADD', 'k', 'c']],
  ['string', 'raw', ['PFADD', 'k', ...words(3000)], ['PFADD', 'k', 'c', 'd', 'e', 'f', 'g', 'h']],
  ['list', 'quicklist', ['RPUSH', 'k', 'a', '1'], ['RPUSH', 'k', 'b']],
  ['list', 'quicklist', ['RPUSH', 'k', ...words(3000)], ['LSET', 'k', '1500', 'b']],
  ['hash', 'listpack', ['HSET', 'k', 'f', 'v', 'g', '1'], ['HSET', 'k', 'f', 'w']],
  ['hash', 'hashtable', ['HSET', 'k', ...pairs(600)], ['HDEL', 'k', 'word1']],
  ['set', 'intset', ['SADD', 'k', '1', '2', '70000'], ['SADD', 'k', '3']],
  ['set', 'hashtable', ['SADD', 'k', ...words(600)], ['SREM', 'k', 'word1']],
  ['zset', 'listpack', ['ZADD', 'k', '1', 'a', '2', 'b'], ['ZINCRBY', 'k', '1', 'a']],
  ['zset', 'skiplist', ['ZADD', 'k', ...pairs(600).toReversed()], ['ZREM', 'k', 'word1']],
  ['zset', 'listpack', ['GEOADD', 'k', '13', '38', 'a'], ['GEOADD', 'k', '14', '38', 'a']],
  ['stream', 'stream', ['XADD', 'k', '1-1', 'f', 'v'], ['XADD', 'k', '1-2', 'f', 'v']],
]

for (const [type, encoding, make, change] of VALUES) {
  const [name] = make
  suite(`a ${type} (${encoding}, ${name} of ${make.length - 2}) can be copied, renamed and moved`, (check) => {
    const holds = (key: string) => {
      check(`TYPE ${key}`, `+${type}`)
      check(`OBJECT ENCODING ${key}`, `$${encoding}`)
    }
    check(make, /./)
    check('PEXPIREAT k 33177117420000', ':1')
    check('DEBUG DIGEST-VALUE k', save('before'))
    const isTheSame = (text: string, saved: Record<string, string>) =>
      text.includes(saved['before'] ?? '-')
    holds('k')
    check('COPY k c', ':1')
    holds('c')
    check('PEXPIRETIME c', ':33177117420000')
    check(change, /^[^-]/)
    check('DEBUG DIGEST-VALUE c', isTheSame)
    check('COPY c k', ':0')
    check('COPY c k REPLACE', ':1')
    check('DEBUG DIGEST-VALUE k', isTheSame)
    check('RENAME k r', '+OK')
    check('EXISTS k', ':0')
    holds('r')
    check('EXPIRETIME r', ':33177117420')
    check('DEBUG DIGEST-VALUE r', isTheSame)
    check('RENAMENX r c', ':0')
    check('RENAME r c', '+OK')
    check('MOVE c 3', ':1')
    check('DBSIZE', ':0')
    check('SELECT 3', '+OK')
    check('RANDOMKEY', '$c')
    holds('c')
    check('DEBUG DIGEST-VALUE c', isTheSame)
    check('COPY c c DB 0', ':1')
    check('MOVE c 0', ':0')
    check('PERSIST c', ':1')
    check('EXPIRETIME c', ':-1')
    check('DEL c', ':1')
    check('SELECT 0', '+OK')
    check('PEXPIRETIME c', ':33177117420000')
    check('DEBUG DIGEST-VALUE c', isTheSame)
  })

  suite(`a ${type} (${encoding}, ${name} of ${make.length - 2}) is known to OBJECT, TOUCH and SCAN`, (check) => {
    check(make, /./)
    check('OBJECT REFCOUNT k', between(1, 1))
    check('OBJECT IDLETIME k', between(0, 1))
    check('OBJECT FREQ k', /^-ERR An LFU maxmemory policy is not selected/)
    check('TOUCH k none k', ':2')
    check('EXISTS k k', ':2')
    check('RANDOMKEY', '$k')
    check(`SCAN 0 TYPE ${type}`, '*2 $0 *1 $k')
    check('KEYS *', '*1 $k')
    check('TTL k', ':-1')
    check('EXPIRE k 100 GT', ':0')
    check('EXPIRE k 100', ':1')
    check('TTL k', between(99, 100))
    check('MEMORY USAGE k', between(16, 1_000_000))
    check('DUMP k', save('payload'))
    check('UNLINK k', ':1')
    check((saved) => ['RESTORE', 'k', '0', Buffer.from(saved['payload'] ?? '', 'latin1')], '+OK')
    check('TYPE k', `+${type}`)
    check('PEXPIRE k 1', ':1')
    check.wait(5)
    check('EXISTS k', ':0')
    check('DBSIZE', ':0')
  })
}
