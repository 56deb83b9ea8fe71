/**
 * Byte strings keep every byte and meet UTF-8 only where asked.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: needs a server.
 */
import { expect, test } from 'bun:test'
import { fromBytes, fromUnicode, toBytes, toLower, toUnicode } from '../../src/config/byte-text.ts'

test('every byte comes back, also of a long array', () => {
  const bytes = Uint8Array.from({ length: 20_000 }, (_, index) => (index * 7) & 255)
  expect(toBytes(fromBytes(bytes))).toEqual(bytes)
})

test('text goes through UTF-8', () => {
  expect(fromUnicode('é')).toBe('\xc3\xa9')
  expect(toUnicode('\xc3\xa9')).toBe('é')
})

test('only ASCII letters are lowered', () => {
  expect(toLower('AZ\xc0\u0130[')).toBe('az\xc0\u0130[')
})
