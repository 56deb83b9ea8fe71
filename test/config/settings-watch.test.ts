/**
 * Noticing that settings have changed.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: looks at a setting.
 */
import { expect, test } from 'bun:test'
import { Settings } from '../../src/config/settings.ts'
import { SettingsWatch } from '../../src/config/settings-watch.ts'

test('a change is noticed once', () => {
  const watch = new SettingsWatch()
  const settings = new Settings()
  expect([watch.hasChanged(settings), watch.hasChanged(settings)]).toEqual([true, false])
  settings.set([['hz', '20']])
  expect([watch.hasChanged(settings), watch.hasChanged(settings)]).toEqual([true, false])
})

test('other settings are a change', () => {
  const watch = new SettingsWatch()
  const [one, other] = [new Settings(), new Settings()]
  watch.hasChanged(one)
  expect([watch.hasChanged(other), watch.hasChanged(other)]).toEqual([true, false])
  expect(watch.hasChanged(one)).toBe(true)
})
