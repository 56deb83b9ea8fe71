/**
 * The life of one command, as the log tells it at debug level.
 *
 * Thread: any.
 * Owns: one server process.
 * Never: looks at times.
 */
import { expect, test } from 'bun:test'
import { startRedbun } from '../support/server.ts'

test('a command can be followed from its socket to the core and back', async () => {
  const server = await startRedbun({ args: ['--loglevel', 'debug'] })
  try {
    const client = await server.connect()
    expect(await client.ask('SET secret hush')).toBe('+OK')
    client.close()
    await Bun.sleep(100)
    const told = server.log
      .split('\n')
      .filter((line) => / \. .*\bid[ =]/.test(line))
      .map((line) => line.replace(/^.* \. /, '').replace(/127.*, id/, 'PEER, id'))
    const from = told.findIndex((line) => line.startsWith('Parsed command "SET"'))
    expect(told[from - 1]).toStartWith('Message of 35 bytes')
    expect(
      told.slice(from, from + 4).map((line) => line.replace(/,? (client )?id.*$/, '')),
    ).toEqual([
      'Parsed command "SET" of 3 words',
      "Core got 'SET'",
      'Core\'s response is "+OK\\r\\n"',
      'Reply of 5 bytes sent',
    ])
    expect(told.some((line) => line.startsWith('Connection received from PEER'))).toBe(true)
    expect(told.at(-1)).toStartWith('Connection closed')
    expect(server.log).not.toContain('hush')
  } finally {
    await server.stop()
  }
})
