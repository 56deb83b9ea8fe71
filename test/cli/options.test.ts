/**
 * The client's command line.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: opens anything.
 */
import { describe, expect, test } from 'bun:test'
import { type Options, parseOptions } from '../../src/cli/options.ts'

function parse(line: string, environment: Record<string, string> = {}): Options {
  const options = parseOptions(line === '' ? [] : line.split(' '), environment)
  if (typeof options === 'string') throw new Error(options)
  return options
}

describe('parseOptions', () => {
  test('begins with the local server, database 0 and no password', () => {
    expect(parse('')).toMatchObject({
      host: '127.0.0.1',
      port: 6379,
      db: 0,
      command: [],
      repeat: 1,
    })
    expect(parse('')).toMatchObject({ password: undefined, protocol: undefined, tls: undefined })
  })

  test('reads where to go', () => {
    expect(parse('-h ::1 -p 7000 -n 3')).toMatchObject({ host: '::1', port: 7000, db: 3 })
    expect(parse('-s /tmp/s')).toMatchObject({ socket: '/tmp/s' })
    expect(parse('-2').protocol).toBe(2)
    expect(parse('-3').protocol).toBe(3)
  })

  test('everything behind the first word belongs to the command', () => {
    expect(parse('-p 1 get -p --raw').command).toEqual(['get', '-p', '--raw'])
    expect(parse('-p 1 get -p --raw').output).toBeUndefined()
  })

  test('takes the password of the command line before that of the environment', () => {
    const environment = { REDISCLI_AUTH: 'hidden' }
    expect(parse('', environment)).toMatchObject({ password: 'hidden', passwordShown: false })
    for (const name of ['-a', '--pass']) {
      const shown = { password: 'seen', passwordShown: true }
      expect(parse(`${name} seen`, environment)).toMatchObject(shown)
    }
    expect(parse('--user ann -a b')).toMatchObject({ user: 'ann', password: 'b' })
  })

  test('reads a URI', () => {
    const all = parse('-u redis://ann:s%20%3A%c3%a9@example.org:7001/5')
    expect(all).toMatchObject({ host: 'example.org', port: 7001, db: 5, user: 'ann' })
    expect(all.password).toBe('s :é')
    expect(parse('-u redis://secret@h')).toMatchObject({ user: undefined, password: 'secret' })
    expect(parse('-u redis://h')).toMatchObject({ host: 'h', port: 6379, password: undefined })
    expect(parse('-u redis://[::1]:7/')).toMatchObject({ host: '::1', port: 7 })
    expect(parse('-u rediss://h').tls).toBeDefined()
    expect(parse('-u redis://h').tls).toBeUndefined()
    expect(parseOptions(['-u', 'http://x'], {})).toBe('Invalid URI scheme')
  })

  test('DIFFERS: an empty user name in a URI stands for the default user', () => {
    expect(parse('-u redis://:secret@h')).toMatchObject({ user: undefined, password: 'secret' })
  })

  test('JSON speaks RESP3 unless it is told otherwise', () => {
    expect(parse('--json')).toMatchObject({ output: 'json', protocol: 3 })
    expect(parse('--json -2').protocol).toBe(2)
    expect(parse('-2 --json').protocol).toBe(2)
  })

  test('reads TLS files only where TLS is asked for', () => {
    expect(parse('--cacert ca.pem').tls).toBeUndefined()
    expect(parse('--tls --cacert ca --cert c --key k --sni n --insecure').tls).toEqual({
      caFile: 'ca',
      certFile: 'c',
      keyFile: 'k',
      serverName: 'n',
      insecure: true,
    })
  })

  test('reads what is to be repeated', () => {
    expect(parse('-r 5 -i 0.25')).toMatchObject({ repeat: 5, intervalMs: 250 })
    expect(parse('-r -1').repeat).toBe(-1)
    expect(parse('-r x').repeat).toBe(0)
  })

  test('refuses what it does not know, and values that are missing', () => {
    for (const [name, args] of [
      ['--bogus', ['--bogus']],
      ['-p', ['-p']],
      ['-u', ['--raw', '-u']],
    ] as const) {
      const text = `Unrecognized option or bad number of args for: '${name}'`
      expect(parseOptions(args, {})).toBe(text)
    }
    expect(parseOptions(['-p', '70000'], {})).toBe('Invalid server port.')
  })
})
