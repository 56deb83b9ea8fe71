/**
 * Rows for BITFIELD and BITFIELD_RO.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: looks inside the server.
 */
import { suite } from '../support/check.ts'

suite('BITFIELD reads and writes integers of any width', (check) => {
  check('BITFIELD k INCRBY i5 100 1 GET u4 0', '*2 :1 :0')
  check('BITFIELD k SET u8 0 255 GET i8 0 GET u8 0', '*3 :0 :-1 :255')
  check(
    'BITFIELD k SET i64 64 -9223372036854775808 GET i64 64 GET u63 64 GET u63 65',
    '*4 :8388608 :-9223372036854775808 :4611686018427387904 :0',
  )
  check(
    'BITFIELD k SET u63 3 9223372036854775807 GET u63 3 GET i64 3',
    '*3 :8935141660703064066 :9223372036854775807 :-2',
  )
  check('BITFIELD k SET u33 77 8589934591 GET u33 77 GET i33 77', '*3 :0 :8589934591 :-1')
  check(
    'BITFIELD k SET i32 13 -2 GET i32 13 GET u32 13 GET u31 14',
    '*4 :-1 :-2 :4294967294 :2147483646',
  )
  check('BITFIELD k GET u1 0 GET i1 0 GET u16 100000', '*3 :1 :-1 :0')
  check('STRLEN k', ':16')
  check('BITFIELD k SET u8 #2 7 GET u8 #2 GET u8 16', '*3 :255 :7 :7')
  check('BITFIELD k INCRBY i16 #3 -5 GET u16 48', '*2 :-6 :65530')
  check('BITFIELD none GET u8 0', '*1 :0')
  check('EXISTS none', ':0')
  check('BITFIELD none', '*0')
  check.resp3('BITFIELD none GET u8 0', '*1 :0')
  check('SET n 12', '+OK')
  check('BITFIELD n GET u8 0 SET u8 8 57', '*2 :49 :50')
  check('GET n', '$19')
  check('SET k v PXAT 4000000000000', '+OK')
  check('BITFIELD k SET u8 0 65', '*1 :118')
  check('PEXPIRETIME k', ':4000000000000')
})

suite('overflow wraps, saturates or fails', (check) => {
  check('BITFIELD k INCRBY u2 100 1 OVERFLOW SAT INCRBY u2 102 1', '*2 :1 :1')
  check('BITFIELD k INCRBY u2 100 1 OVERFLOW SAT INCRBY u2 102 1', '*2 :2 :2')
  check('BITFIELD k INCRBY u2 100 1 OVERFLOW SAT INCRBY u2 102 1', '*2 :3 :3')
  check('BITFIELD k INCRBY u2 100 1 OVERFLOW SAT INCRBY u2 102 1', '*2 :0 :3')
  check('BITFIELD k OVERFLOW FAIL INCRBY u2 102 1', '*1 (nil)')
  check.resp3('BITFIELD k OVERFLOW FAIL INCRBY u2 102 1 GET u2 102', '*2 _ :3')
  check('BITFIELD k SET i8 0 127 INCRBY i8 0 1 INCRBY i8 0 -1', '*3 :0 :-128 :127')
  check('BITFIELD k SET i8 0 127 OVERFLOW SAT INCRBY i8 0 1 INCRBY i8 0 -300', '*3 :127 :127 :-128')
  check(
    'BITFIELD k SET i8 0 -128 OVERFLOW FAIL INCRBY i8 0 -1 INCRBY i8 0 1',
    '*3 :-128 (nil) :-127',
  )
  check('BITFIELD k SET u8 0 300 GET u8 0 SET u8 0 -1 GET u8 0', '*4 :129 :44 :44 :255')
  check(
    'BITFIELD k OVERFLOW SAT SET u8 0 300 GET u8 0 SET u8 0 -1 GET u8 0',
    '*4 :255 :255 :255 :255',
  )
  check(
    'BITFIELD k OVERFLOW SAT SET i8 0 300 GET i8 0 SET i8 0 -300 GET i8 0',
    '*4 :-1 :127 :127 :-128',
  )
  check(
    'BITFIELD k OVERFLOW FAIL SET u8 0 300 GET u8 0 SET i8 0 -300 GET i8 0',
    '*4 (nil) :128 (nil) :-128',
  )
  check(
    'BITFIELD k SET i64 0 9223372036854775807 INCRBY i64 0 1',
    '*2 :-9223372036854775808 :-9223372036854775808',
  )
  check(
    'BITFIELD k SET i64 0 9223372036854775807 OVERFLOW SAT INCRBY i64 0 1',
    '*2 :-9223372036854775808 :9223372036854775807',
  )
  check(
    'BITFIELD k SET i64 0 -9223372036854775808 OVERFLOW SAT INCRBY i64 0 -1',
    '*2 :9223372036854775807 :-9223372036854775808',
  )
  check(
    'BITFIELD k SET i64 0 -9223372036854775808 OVERFLOW FAIL INCRBY i64 0 -1',
    '*2 :-9223372036854775808 (nil)',
  )
  check('BITFIELD k SET u63 0 9223372036854775807 INCRBY u63 0 1', '*2 :4611686018427387904 :0')
  check('BITFIELD k SET u63 0 0 INCRBY u63 0 -1', '*2 :0 :9223372036854775807')
  check(
    'BITFIELD k SET u63 0 0 OVERFLOW SAT INCRBY u63 0 -9223372036854775808',
    '*2 :9223372036854775807 :0',
  )
  check(
    'BITFIELD k SET u32 0 0 INCRBY u32 0 -1 INCRBY u32 0 4294967296',
    '*3 :0 :4294967295 :4294967295',
  )
  check(
    'BITFIELD k SET i32 0 5 INCRBY i32 0 9223372036854775807 INCRBY i32 0 -9223372036854775808',
    '*3 :-1 :4 :4',
  )
  check(
    'BITFIELD k OVERFLOW wrap INCRBY u8 0 1 OVERFLOW sat INCRBY u8 8 255 OVERFLOW fail INCRBY u8 8 255',
    '*3 :1 :255 (nil)',
  )
})

suite('BITFIELD refuses what it does not know', (check) => {
  check(
    'BITFIELD k GET u64 0',
    '-ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.',
  )
  check(
    'BITFIELD k GET u0 0',
    '-ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.',
  )
  check(
    'BITFIELD k GET i65 0',
    '-ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.',
  )
  check(
    'BITFIELD k GET x8 0',
    '-ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.',
  )
  check(
    'BITFIELD k GET U8 0',
    '-ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.',
  )
  check(
    'BITFIELD k GET "" 0',
    '-ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.',
  )
  check(
    'BITFIELD k GET i 0',
    '-ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.',
  )
  check(
    'BITFIELD k GET u08 0',
    '-ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.',
  )
  check('BITFIELD k GET u8 -1', '-ERR bit offset is not an integer or out of range')
  check('BITFIELD k GET u8 x', '-ERR bit offset is not an integer or out of range')
  check('BITFIELD k GET u8 #', '-ERR bit offset is not an integer or out of range')
  check('BITFIELD k GET u8 #-1', '-ERR bit offset is not an integer or out of range')
  check('BITFIELD k GET u8 4294967295', '*1 :0')
  check('BITFIELD k GET u8 4294967296', '-ERR bit offset is not an integer or out of range')
  check('BITFIELD k GET u8 #536870912', '-ERR bit offset is not an integer or out of range')
  check('BITFIELD k SET u8 0 x', '-ERR value is not an integer or out of range')
  check('BITFIELD k SET u8 0 9223372036854775808', '-ERR value is not an integer or out of range')
  check('BITFIELD k INCRBY u8 0 1.5', '-ERR value is not an integer or out of range')
  check('BITFIELD k OVERFLOW FOO', '-ERR Invalid OVERFLOW type specified')
  check('BITFIELD k OVERFLOW', '-ERR syntax error')
  check('BITFIELD k GET u8', '-ERR syntax error')
  check('BITFIELD k SET u8 0', '-ERR syntax error')
  check('BITFIELD k FOO u8 0', '-ERR syntax error')
  check('BITFIELD k SET u8 0 1 FOO', '-ERR syntax error')
  check('EXISTS k', ':0')
  check('BITFIELD', "-ERR wrong number of arguments for 'bitfield' command")
})

suite('BITFIELD_RO only reads', (check) => {
  check('SET k "\\x12\\x34"', '+OK')
  check('BITFIELD_RO k GET u4 0 GET u4 #1 GET u16 4', '*3 :1 :2 :9024')
  check('BITFIELD_RO k', '*0')
  check('BITFIELD_RO k SET u8 0 1', '-ERR BITFIELD_RO only supports the GET subcommand')
  check('BITFIELD_RO k GET u8 0 INCRBY u8 0 1', '-ERR BITFIELD_RO only supports the GET subcommand')
  check('BITFIELD_RO k OVERFLOW SAT GET u8 0', '*1 :18')
  check('BITFIELD_RO k FOO', '-ERR syntax error')
  check('BITFIELD_RO none GET i8 0', '*1 :0')
  check('GET k', '$"\\x124"')
})
