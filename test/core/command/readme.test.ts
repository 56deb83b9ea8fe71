/**
 * What the README says the server can do.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: changes it: `bun test/support/command-list.ts` does.
 */
import { expect, test } from 'bun:test'
import { commandList, listInReadme } from '../../support/command-list.ts'

test('the README lists the commands that there are', async () => {
  expect(await listInReadme()).toBe(commandList())
  expect(commandList()).toContain(' ZRANGE ')
})
