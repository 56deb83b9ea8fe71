/**
 * Rows for BITOP.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: looks inside the server.
 */
import { suite } from '../support/check.ts'

suite('BITOP combines strings of any lengths', (check) => {
  check('MSET a foobar b abcdef', '+OK')
  check('BITOP AND d a b', ':6')
  check('GET d', '$`bc`ab')
  check('BITOP OR d a b', ':6')
  check('GET d', '$goofev')
  check('BITOP XOR d a b', ':6')
  check('GET d', '$"\\x07\\r\\x0c\\x06\\x04\\x14"')
  check('BITOP NOT d a', ':6')
  check('GET d', '$"\\x99\\x90\\x90\\x9d\\x9e\\x8d"')
  check('MSET a "\\xff\\x0f\\xf0\\xaa\\x55" b "\\x0f\\x0f" c "\\xff\\xff\\xff"', '+OK')
  check('BITOP AND d a b', ':5')
  check('GET d', '$"\\x0f\\x0f\\x00\\x00\\x00"')
  check('BITOP OR d b a', ':5')
  check('GET d', '$"\\xff\\x0f\\xf0\\xaaU"')
  check('BITOP XOR d a b c', ':5')
  check('GET d', '$"\\x0f\\xff\\x0f\\xaaU"')
  check('BITOP AND d a b none', ':5')
  check('GET d', '$"\\x00\\x00\\x00\\x00\\x00"')
  check('BITOP OR d none a', ':5')
  check('GET d', '$"\\xff\\x0f\\xf0\\xaaU"')
  check('bitop xor a a a', ':5')
  check('GET a', '$"\\x00\\x00\\x00\\x00\\x00"')
  check('MSET n 12345 m 1', '+OK')
  check('BITOP AND d n m', ':5')
  check('GET d', '$"1\\x00\\x00\\x00\\x00"')
  check('BITOP OR n n m', ':5')
  check('GET n', '$12345')
  check('OBJECT ENCODING n', '$raw')
})

suite('BITOP of nothing deletes the target', (check) => {
  check('SET d v', '+OK')
  check('BITOP AND d none other', ':0')
  check('EXISTS d', ':0')
  check('SET d v', '+OK')
  check('SET empty ""', '+OK')
  check('BITOP NOT d empty', ':0')
  check('EXISTS d', ':0')
  check('BITOP OR d none', ':0')
  check('SET d v PXAT 4000000000000', '+OK')
  check('SET a x', '+OK')
  check('BITOP OR d a', ':1')
  check('PEXPIRETIME d', ':-1')
})

suite('BITOP refuses what it does not know', (check) => {
  check('BITOP FOO d a', '-ERR syntax error')
  check('BITOP NOT d a b', '-ERR BITOP NOT must be called with a single source key.')
  check('BITOP AND d', "-ERR wrong number of arguments for 'bitop' command")
  check('BITOP DIFF d a b', '-ERR syntax error')
})

suite('BITOP combines long strings', (check) => {
  check('SETRANGE a 65537 abc', ':65540')
  check('SETRANGE b 65536 xyz12', ':65541')
  check('BITOP XOR d a b', ':65541')
  check('GETRANGE d 65530 -1', '$"\\x00\\x00\\x00\\x00\\x00\\x00x\\x18\\x18R2"')
  check('BITCOUNT d', ':14')
  check('BITOP AND d a b', ':65541')
  check('BITCOUNT d', ':8')
  check('BITOP NOT d d', ':65541')
  check('BITCOUNT d', ':524320')
  check('BITOP OR d a d b', ':65541')
  check('BITCOUNT d', ':524328')
})
