/**
 * Replies as text: what redis-cli 7.0.15 printed for the same bytes.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: needs a server.
 */
import { describe, expect, test } from 'bun:test'
import { type Reply, ReplyParser } from '../../../src/lib/resp/reply-parser.ts'
import {
  formatCsv,
  formatJson,
  formatPretty,
  formatRaw,
  quote,
} from '../../../src/lib/resp/reply-text.ts'
import rows from './reply-rows.json'

function read(text: string): Reply {
  const parser = new ReplyParser()
  parser.feed(Buffer.from(text, 'latin1'))
  const reply = parser.next()
  if (reply === undefined) throw new Error(`no reply in ${JSON.stringify(text)}`)
  return reply
}

describe('reply text', () => {
  for (const [name, bytes, pretty, raw, csv, json] of rows) {
    test(`shows as redis-cli does: ${name}`, () => {
      const reply = read(bytes)
      expect(`${formatPretty(reply)}\n`).toBe(pretty)
      expect(`${formatRaw(reply)}\n`).toBe(raw)
      expect(`${formatCsv(reply)}\n`).toBe(csv)
      expect(`${formatJson(reply)}\n`).toBe(json)
    })
  }

  test('shows what redis-cli 7.0 refuses', () => {
    expect(formatPretty(read('(12345678901234567890\r\n'))).toBe('12345678901234567890')
    expect(formatJson(read('(12345678901234567890\r\n'))).toBe('12345678901234567890')
    expect(formatPretty(read('!5\r\nERR x\r\n'))).toBe('(error) ERR x')
    expect(formatPretty(read('|1\r\n+ttl\r\n:3600\r\n:5\r\n'))).toBe('(integer) 5')
    expect(formatPretty(read('>2\r\n+a\r\n:1\r\n'))).toBe('1> a\n2> (integer) 1')
    expect(formatPretty(read('>0\r\n'))).toBe('(empty push)')
  })

  test('QUIRK: a single item stays on the line of its key', () => {
    expect(formatPretty(read('%2\r\n+a\r\n*1\r\n:1\r\n+b\r\n~2\r\n:1\r\n:2\r\n'))).toBe(
      '1# a => 1) (integer) 1\n2# b => \n   1~ (integer) 1\n   2~ (integer) 2',
    )
  })

  test('joins raw items with the delimiter asked for', () => {
    expect(formatRaw(read('*2\r\n$1\r\na\r\n*2\r\n:1\r\n:2\r\n'), '|')).toBe('a|1|2')
  })

  test('quotes every byte so that it can be typed in again', () => {
    const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))
    const text = quote(all)
    expect(text).toStartWith('"\\x00\\x01\\x02\\x03\\x04\\x05\\x06\\a\\b\\t\\n\\x0b\\x0c\\r\\x0e')
    expect(text).toEndWith('\\xfe\\xff"')
    expect(text).toContain(' !\\"#$')
    expect(text).toContain('[\\\\]')
  })
})
