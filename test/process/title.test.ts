/**
 * The title where the system tells less of the process than Linux does. What it shows elsewhere stands
 * with the directives.
 *
 * Thread: main.
 * Owns: folders that look like /proc/self.
 * Never: changes the title of the tests.
 */
import { expect, test } from 'bun:test'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Settings } from '../../src/config/settings.ts'
import { Title } from '../../src/process/title.ts'

test('what the system does not tell makes no trouble', () => {
  const cmdline = () => readFileSync('/proc/self/cmdline', 'latin1')
  const before = process.platform === 'linux' ? cmdline() : ''
  // As qemu's user mode makes it: 44 fields.
  const stat = `1 (a b) R ${'0 '.repeat(41)}\n`
  for (const files of [
    {},
    { cmdline: 'bun\0' },
    { cmdline: 'bun\0', stat },
    { cmdline: '', stat: '' },
  ]) {
    const directory = mkdtempSync(join(tmpdir(), 'redbun-title-'))
    for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text)
    const title = new Title('', directory)
    title.apply(new Settings())
    title.apply(new Settings())
  }
  if (process.platform === 'linux') expect(cmdline()).toBe(before)
})
