/**
 * Rows for APPEND and SETRANGE.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: looks inside the server.
 */
import { suite } from '../support/check.ts'

suite('APPEND adds at the end', (check) => {
  check('APPEND k Hello', ':5')
  check('APPEND k " World"', ':11')
  check('GET k', '$Hello World')
  check('APPEND k ""', ':11')
  check('APPEND empty ""', ':0')
  check('EXISTS empty', ':1')
  check('STRLEN empty', ':0')
  check('SET n 12', '+OK')
  check('APPEND n 34', ':4')
  check('GET n', '$1234')
  check('INCR n', ':1235')
  check('SET k v PXAT 4000000000000', '+OK')
  check('APPEND k w', ':2')
  check('PEXPIRETIME k', ':4000000000000')
  check('APPEND k', "-ERR wrong number of arguments for 'append' command")
})

suite('SETRANGE overwrites and fills the gap with zeros', (check) => {
  check('SET k "Hello World"', '+OK')
  check('SETRANGE k 6 Redis', ':11')
  check('GET k', '$Hello Redis')
  check('SETRANGE k 11 "!!"', ':13')
  check('GET k', '$Hello Redis!!')
  check('SETRANGE new 3 x', ':4')
  check('GET new', '$"\\x00\\x00\\x00x"')
  check('SETRANGE none 5 ""', ':0')
  check('EXISTS none', ':0')
  check('SETRANGE k 100 ""', ':13')
  check('STRLEN k', ':13')
  check('SET n 1234567890', '+OK')
  check('SETRANGE n 2 xx', ':10')
  check('GET n', '$12xx567890')
  check('SETRANGE n 12 y', ':13')
  check('GET n', '$"12xx567890\\x00\\x00y"')
  check('SET k v PXAT 4000000000000', '+OK')
  check('SETRANGE k 0 w', ':1')
  check('PEXPIRETIME k', ':4000000000000')
})

suite('SETRANGE refuses offsets that are none and strings that are too long', (check) => {
  check('SETRANGE k -1 x', '-ERR offset is out of range')
  check('SETRANGE k -1 ""', '-ERR offset is out of range')
  check('SETRANGE k x x', '-ERR value is not an integer or out of range')
  check('SETRANGE k 1.0 x', '-ERR value is not an integer or out of range')
  check('SETRANGE k 536870911 xx', '-ERR string exceeds maximum allowed size (proto-max-bulk-len)')
  check('SETRANGE k 536870912 x', '-ERR string exceeds maximum allowed size (proto-max-bulk-len)')
  check(
    'SETRANGE k 9223372036854775807 x',
    '-ERR string exceeds maximum allowed size (proto-max-bulk-len)',
  )
  check('SETRANGE k 9223372036854775808 x', '-ERR value is not an integer or out of range')
  check('SETRANGE k 9223372036854775807 ""', ':0')
  check('EXISTS k', ':0')
  check('SET k v', '+OK')
  check('SETRANGE k 536870912 x', '-ERR string exceeds maximum allowed size (proto-max-bulk-len)')
  check('SETRANGE k 536870912 ""', ':1')
  check('GET k', '$v')
  check('SETRANGE k 1', "-ERR wrong number of arguments for 'setrange' command")
})
