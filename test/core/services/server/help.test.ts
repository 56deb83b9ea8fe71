/**
 * What HELP makes of a usage line.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: looks at a command.
 */
import { expect, test } from 'bun:test'
import { readable } from '../../../../src/core/services/server/help.ts'

test('a usage line is shown without versions, types and names of alternatives', () => {
  expect(readable('timeout:integer [mode: WRITE | ALL]@6.2.0')).toBe('timeout [WRITE | ALL]')
  expect(readable('<filter: ip:port!2.8.12 | [USER username] | [LADDR ip:port]@6.2.0>')).toBe(
    '<ip:port | [USER username] | [LADDR ip:port]>',
  )
  expect(readable('key [SAMPLES count]')).toBe('key [SAMPLES count]')
})
