/**
 * Rows for LCS.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: looks inside the server.
 */
import { suite } from '../support/check.ts'

suite('LCS answers the longest common subsequence', (check) => {
  check('MSET a ohmytext b mynewtext', '+OK')
  check('LCS a b', '$mytext')
  check('LCS a b LEN', ':6')
  check('LCS a b IDX', '*4 $matches *2 *2 *2 :4 :7 *2 :5 :8 *2 *2 :2 :3 *2 :0 :1 $len :6')
  check('LCS a b IDX MINMATCHLEN 4', '*4 $matches *1 *2 *2 :4 :7 *2 :5 :8 $len :6')
  check('LCS a b IDX MINMATCHLEN 4 WITHMATCHLEN', '*4 $matches *1 *3 *2 :4 :7 *2 :5 :8 :4 $len :6')
  check(
    'LCS a b idx withmatchlen',
    '*4 $matches *2 *3 *2 :4 :7 *2 :5 :8 :4 *3 *2 :2 :3 *2 :0 :1 :2 $len :6',
  )
  check.resp3(
    'LCS a b IDX WITHMATCHLEN',
    '%2 $matches *2 *3 *2 :4 :7 *2 :5 :8 :4 *3 *2 :2 :3 *2 :0 :1 :2 $len :6',
  )
  check('LCS a b MINMATCHLEN 4', '$mytext')
  check('LCS a b WITHMATCHLEN', '$mytext')
  check('LCS a b LEN MINMATCHLEN 4', ':6')
  check(
    'LCS a b IDX MINMATCHLEN -5',
    '*4 $matches *2 *2 *2 :4 :7 *2 :5 :8 *2 *2 :2 :3 *2 :0 :1 $len :6',
  )
  check(
    'LCS a b IDX MINMATCHLEN 0',
    '*4 $matches *2 *2 *2 :4 :7 *2 :5 :8 *2 *2 :2 :3 *2 :0 :1 $len :6',
  )
  check('LCS b a', '$mytext')
  check('LCS b a IDX', '*4 $matches *2 *2 *2 :5 :8 *2 :4 :7 *2 *2 :0 :1 *2 :2 :3 $len :6')
  check('LCS a a IDX', '*4 $matches *1 *2 *2 :0 :7 *2 :0 :7 $len :8')
})

suite('a missing key is an empty string', (check) => {
  check('SET a abc', '+OK')
  check('LCS a none', '$""')
  check('LCS none a LEN', ':0')
  check('LCS none none IDX', '*4 $matches *0 $len :0')
  check.resp3('LCS none other IDX', '%2 $matches *0 $len :0')
  check('SET empty ""', '+OK')
  check('LCS a empty LEN', ':0')
})

suite('integers are their digits', (check) => {
  check('MSET a 123456 b 1133557799', '+OK')
  check('LCS a b', '$135')
  check(
    'LCS a b IDX WITHMATCHLEN',
    '*4 $matches *3 *3 *2 :4 :4 *2 :4 :4 :1 *3 *2 :2 :2 *2 :2 :2 :1 *3 *2 :0 :0 *2 :0 :0 :1 $len :3',
  )
})

suite('LCS refuses options that it does not know', (check) => {
  check('MSET a abc b abd', '+OK')
  check('LCS a b LEN IDX', '-ERR If you want both the length and indexes, please just use IDX.')
  check('LCS a b FOO', '-ERR syntax error')
  check('LCS a b MINMATCHLEN', '-ERR syntax error')
  check('LCS a b IDX MINMATCHLEN x', '-ERR value is not an integer or out of range')
  check('LCS a b LEN LEN', ':2')
  check('LCS a', "-ERR wrong number of arguments for 'lcs' command")
})

suite('the subsequence is the one that Redis finds', (check) => {
  check('MSET a abcbdab b bdcaba', '+OK')
  check('LCS a b', '$bdab')
  check('LCS a b IDX', '*4 $matches *2 *2 *2 :5 :6 *2 :3 :4 *2 *2 :3 :4 *2 :0 :1 $len :4')
  check('LCS b a', '$bcba')
  check(
    'LCS b a IDX',
    '*4 $matches *4 *2 *2 :5 :5 *2 :5 :5 *2 *2 :4 :4 *2 :3 :3 *2 *2 :2 :2 *2 :2 :2 *2 *2 :0 :0 *2 :1 :1 $len :4',
  )
  check('MSET a aaaa b aa', '+OK')
  check('LCS a b IDX', '*4 $matches *1 *2 *2 :2 :3 *2 :0 :1 $len :2')
  check('LCS b a IDX', '*4 $matches *1 *2 *2 :0 :1 *2 :2 :3 $len :2')
  check('MSET a xaybzc b abcxyz', '+OK')
  check(
    'LCS a b IDX',
    '*4 $matches *3 *2 *2 :5 :5 *2 :2 :2 *2 *2 :3 :3 *2 :1 :1 *2 *2 :1 :1 *2 :0 :0 $len :3',
  )
  check(
    'LCS b a IDX',
    '*4 $matches *3 *2 *2 :5 :5 *2 :4 :4 *2 *2 :4 :4 *2 :2 :2 *2 *2 :3 :3 *2 :0 :0 $len :3',
  )
})
