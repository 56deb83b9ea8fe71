/**
 * What clients see of eviction: refusals, ages and counts of uses.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: counts on how much memory a key takes.
 */
import { anyOf, between, error, suite } from '../support/check.ts'

const OOM = "-OOM command not allowed when used memory > 'maxmemory'."
const SWITCHING =
  'Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust.'
const HELLO = Buffer.from('000568656c6c6f0a006372df766534200a', 'hex')

suite(
  'OBJECT FREQ counts uses under an LFU policy',
  (check) => {
    check('SET a hello', '+OK')
    check('OBJECT FREQ a', ':5')
    check('GET a', '$hello')
    check('OBJECT FREQ a', ':6')
    check('OBJECT FREQ a', ':6')
    check('EXISTS a', ':1')
    check('TTL a', ':-1')
    check('TYPE a', '+string')
    check('OBJECT ENCODING a', '$embstr')
    check('OBJECT FREQ a', ':6')
    check('SET a world', '+OK')
    check('OBJECT FREQ a', anyOf(':6', ':7'))
    check('OBJECT FREQ nokey', '(nil)')
    check(
      'OBJECT IDLETIME a',
      `-ERR An LFU maxmemory policy is selected, idle time not tracked. ${SWITCHING}`,
    )
    check('OBJECT IDLETIME nokey', '(nil)')
    check(['RESTORE', 'r', 0, HELLO, 'FREQ', 200], '+OK')
    check('OBJECT FREQ r', ':200')
    check(['RESTORE', 'r', 0, HELLO, 'REPLACE'], '+OK')
    check('OBJECT FREQ r', ':5')
    check(['RESTORE', 'r', 0, HELLO, 'REPLACE', 'IDLETIME', 1000], '+OK')
    check('OBJECT FREQ r', ':5')
    check(['RESTORE', 'r', 0, HELLO, 'REPLACE', 'FREQ', 99], '+OK')
    check('RENAME r s', '+OK')
    check('OBJECT FREQ s', ':99')
    check('COPY s t', ':1')
    check('OBJECT FREQ t', ':5')
    check('RESTORE u 0 x FREQ 256', '-ERR Invalid FREQ value, must be >= 0 and <= 255')
  },
  { config: { 'maxmemory-policy': 'allkeys-lfu' } },
)

suite(
  'lfu-log-factor 0 counts every use',
  (check) => {
    check('SET a hello', '+OK')
    for (let i = 0; i < 30; i++) check('GET a', '$hello')
    check('OBJECT FREQ a', ':35')
    check('CONFIG SET lfu-log-factor 1000000', '+OK')
    for (let i = 0; i < 30; i++) check('GET a', '$hello')
    check('OBJECT FREQ a', ':35')
  },
  { config: { 'maxmemory-policy': 'volatile-lfu', 'lfu-log-factor': '0', 'lfu-decay-time': '0' } },
)

suite('the policy changes at run time', (check) => {
  const notLfu = `-ERR An LFU maxmemory policy is not selected, access frequency not tracked. ${SWITCHING}`
  check('SET a hello', '+OK')
  check('OBJECT FREQ a', notLfu)
  check('OBJECT IDLETIME a', between(0, 2))
  check('CONFIG SET maxmemory-policy allkeys-lfu', '+OK')
  check('SET b hello', '+OK')
  check('OBJECT FREQ b', ':5')
  check('CONFIG SET maxmemory-policy volatile-ttl', '+OK')
  check('OBJECT FREQ b', notLfu)
  check('SET b hello', '+OK')
  check('OBJECT IDLETIME b', between(0, 2))
  check('CONFIG SET maxmemory-policy noeviction', '+OK')
  check('CONFIG SET maxmemory-policy sometimes', error('ERR CONFIG SET failed'))
})

suite(
  'writes are refused when nothing can be evicted',
  (check) => {
    check('SET a hello', '+OK')
    check('CONFIG SET maxmemory 1', '+OK')
    check('SET a x', OOM)
    check('SET b x EX 10', OOM)
    check('INCR n', OOM)
    check('APPEND a x', OOM)
    check('MSET a 1 b 2', OOM)
    check('SETRANGE a 0 x', OOM)
    check('COPY a b', OOM)
    check('GET a', '$hello')
    check('GETDEL a', '$hello')
    check('DEL a', ':0')
    check('EXPIRE a 10', ':0')
    check('NOSUCH a', error('ERR unknown command'))
    check('SET a', "-ERR wrong number of arguments for 'set' command")
    check('CONFIG SET maxmemory 0', '+OK')
    check('SET a x', '+OK')
  },
  { config: { maxmemory: '0' } },
)

suite(
  'evicting happens before any call, also one that only reads',
  (check) => {
    check('SET a hello', '+OK')
    check('SET b hello', '+OK')
    check('CONFIG SET maxmemory 1', '+OK')
    check('GET a', '(nil)')
    check('DBSIZE', ':0')
    check('CONFIG SET maxmemory 0', '+OK')
  },
  { config: { maxmemory: '0', 'maxmemory-policy': 'allkeys-lru' } },
)

suite(
  'integers are not shared while ages decide',
  (check) => {
    check('SET a 1', '+OK')
    check('OBJECT REFCOUNT a', ':2147483647')
    check('CONFIG SET maxmemory-policy allkeys-lru maxmemory 1gb', '+OK')
    check('SET a 1', '+OK')
    check('OBJECT REFCOUNT a', ':1')
    check('CONFIG SET maxmemory-policy allkeys-random', '+OK')
    check('SET a 1', '+OK')
    check('OBJECT REFCOUNT a', ':2147483647')
  },
  { config: { maxmemory: '0', 'maxmemory-policy': 'noeviction' } },
)
