/**
 * Users from the configuration and from an ACL file: what a start, ACL LOAD, ACL SAVE and CONFIG
 * REWRITE make of them. Where a real server is there, the same is asked of it.
 *
 * Thread: any.
 * Owns: the servers it starts.
 * Never: starts a server twice on one port.
 */
import { afterAll, describe, expect, test } from 'bun:test'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Client } from '../../../support/client.ts'
import { InProcessServer } from '../../../support/in-process.ts'
import { notation } from '../../../support/reply.ts'
import {
  freePort,
  makeDirectory,
  type RunningServer,
  redisServerPath,
  runToEnd,
  startRedbun,
  startRedis,
} from '../../../support/server.ts'

const running: RunningServer[] = []
afterAll(() => Promise.all(running.map((server) => server.stop('SIGKILL'))))

const programs = redisServerPath === '' ? (['redbun'] as const) : (['redbun', 'redis'] as const)
type Program = (typeof programs)[number]

async function start(program: Program, config: string, aclFile?: string): Promise<RunningServer> {
  const directory = makeDirectory()
  const path = join(directory, 'users.acl')
  if (aclFile !== undefined) writeFileSync(path, aclFile)
  const options = { config: aclFile === undefined ? config : `${config}\naclfile ${path}\n` }
  const server = await (program === 'redbun' ? startRedbun(options) : startRedis(options))
  rmSync(directory, { recursive: true })
  running.push(server)
  return server
}

async function list(client: Client): Promise<string[]> {
  const reply = await client.call('ACL LIST', 5000)
  return (reply.items ?? []).map((item) => item.bytes?.toString('latin1') ?? '')
}

async function says(client: Client, command: string): Promise<string> {
  return notation(await client.call(command, 5000))
}

/** What a start says that ends at once; line by line without process numbers and times. */
async function refusal(program: Program, config: string, aclFile = ''): Promise<string[]> {
  const directory = makeDirectory()
  writeFileSync(join(directory, 'test.conf'), config)
  writeFileSync(join(directory, 'users.acl'), aclFile)
  const args = ['test.conf', '--port', String(freePort()), '--save', '']
  const { status, stdout, stderr } = await runToEnd(program, args, { directory })
  rmSync(directory, { recursive: true })
  expect(status).toBe(1)
  return `${stdout}\n${stderr}`.split('\n').map((line) => line.replace(/^\d+:M .{24} # /, ''))
}

describe.each(programs)('users of a configuration (%s)', (program) => {
  test('are there from the start, and CONFIG REWRITE keeps them', async () => {
    const config = [
      'user alice on >secret ~a* &c +@read',
      'requirepass other',
      'user default on nopass ~x* +@all',
      'user bob ( +get ~b ) %RW~z nopass',
      '',
    ].join('\n')
    const server = await start(program, config)
    const client = await server.connect()
    const lines = [
      'user alice on #2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b ~a* resetchannels &c -@all +@read',
      'user bob off nopass ~z resetchannels -@all (~b resetchannels -@all +get)',
      'user default on nopass sanitize-payload ~x* resetchannels +@all',
    ]
    expect(await list(client)).toEqual(lines)
    expect(await says(client, 'GET y')).toStartWith('-NOPERM ')
    expect(await says(client, 'CONFIG GET requirepass')).toBe('*2 $requirepass $other')
    expect(await says(client, 'ACL DELUSER bob')).toBe(':1')
    expect(await says(client, 'ACL SETUSER carl on')).toBe('+OK')
    expect(await says(client, 'CONFIG REWRITE')).toBe('+OK')
    const written = readFileSync(join(server.directory, 'test.conf'), 'latin1').split('\n')
    const users = written.filter((line) => line.startsWith('user '))
    expect(users).toEqual([lines[0], 'user carl on resetchannels -@all', lines[2]].sort())
    const again = await start(program, users.join('\n'))
    expect(await list(await again.connect())).toEqual(users)
  })

  test('must be right', async () => {
    const report = (line: string, why: string) => [`>>> '${line}'`, why]
    for (const [line, why] of [
      ['user foo on bad', "Error in user declaration 'foo': Syntax error"],
      ['user foo (+get bad) off', "Error in user declaration 'user': Syntax error"],
      ['rename-command nosuch x', 'No such command in rename-command'],
      ['rename-command get set', 'Target command name already exists'],
    ]) {
      const said = await refusal(program, `# first\n${line}\n`)
      expect(said).toContain('Reading the configuration file, at line 2')
      expect(said.join('\n')).toContain(report(line, why).join('\n'))
    }
    expect(await refusal(program, 'user foo +nosuch\n')).toContain(
      "Error loading ACL rule '+nosuch' for the user named 'foo': Unknown command or category name in ACL",
    )
    expect(await refusal(program, 'user "a b" on\n')).toContain(
      'Spaces not allowed in ACL usernames',
    )
    const both = await refusal(program, 'user foo on\naclfile users.acl\n')
    expect(both.join('\n')).toContain('either')
  }, 20_000)

  test('bind a renamed command by its first name', async () => {
    const config =
      'rename-command GET FETCH\nrename-command DEL ""\nrename-command CONFIG SETTINGS\n' +
      'user a on nopass ~* +get +del\n'
    const server = await start(program, config)
    const client = await server.connect()
    expect(await says(client, 'ACL SETUSER b +fetch')).toContain('Unknown command or category')
    expect(await says(client, 'ACL SETUSER b +get')).toBe('+OK')
    expect(await says(client, 'ACL DRYRUN a FETCH k')).toBe('+OK')
    expect(await says(client, 'ACL DRYRUN a GET k')).toBe("-ERR Command 'GET' not found")
    expect(await says(client, 'ACL DRYRUN a SETTINGS GET x')).toContain("the 'config|get' command")
    expect(await says(client, 'AUTH a x')).toBe('+OK')
    expect(await says(client, 'FETCH k')).toBe('(nil)')
    expect(await says(client, 'GET k')).toStartWith('-ERR unknown command')
    expect(await says(client, 'DEL k')).toStartWith('-ERR unknown command')
    expect(await says(client, 'SET k v')).toStartWith('-NOPERM ')
  })
})

describe.each(programs)('an ACL file (%s)', (program) => {
  const FILE =
    'user alice on nopass ~* +@all\n\n  user bob on >x  +get\t\nuser carl (+get ~a) off\n'

  test('is read at the start, by ACL LOAD, and written by ACL SAVE', async () => {
    const directory = makeDirectory()
    const path = join(directory, 'users.acl')
    writeFileSync(path, FILE)
    const config = `requirepass unused\naclfile ${path}\n`
    const server = await (program === 'redbun' ? startRedbun({ config }) : startRedis({ config }))
    running.push(server)
    const [client, alice] = [await server.connect(), await server.connect()]
    expect(await list(client)).toEqual([
      'user alice on nopass ~* resetchannels +@all',
      'user bob on #2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881 resetchannels -@all +get',
      'user carl off resetchannels -@all (~a resetchannels -@all +get)',
      'user default on nopass ~* &* +@all',
    ])
    expect(await says(client, 'ACL DELUSER bob carl')).toBe(':2')
    expect(await says(client, 'ACL SETUSER default ~*')).toBe('+OK')
    expect(await says(client, 'ACL SAVE')).toBe('+OK')
    const saved =
      'user alice on nopass ~* resetchannels +@all\nuser default on nopass ~* &* +@all\n'
    expect(readFileSync(path, 'latin1')).toBe(saved)

    expect(await says(alice, 'AUTH alice x')).toBe('+OK')
    writeFileSync(path, `${saved}user dora on\nuser bad +nosuch\n`)
    expect(await says(client, 'ACL LOAD')).toContain("in applying operation '+nosuch': Unknown")
    expect(await says(client, 'ACL USERS')).toBe('*2 $alice $default')
    expect(await says(alice, 'PING')).toBe('+PONG')

    writeFileSync(path, `${saved.replace('~* &*', '~x')}user dora on\n`)
    expect(await says(alice, 'ACL LOAD')).toBe('+OK')
    await alice.ended
    expect(await says(client, 'ACL USERS')).toBe('*3 $alice $default $dora')
    expect(await says(client, 'GET y')).toStartWith('-NOPERM ')
    expect(await says(client, 'MULTI')).toBe('+OK')
    expect(await says(client, 'PING')).toBe('+QUEUED')
    expect(await says(client, 'ACL LOAD')).toBe('+QUEUED')
    expect(await says(client, 'ACL WHOAMI')).toBe('+QUEUED')
    expect(await says(client, 'EXEC')).toBe('*3 +PONG +OK $default')
    rmSync(path)
    expect(await says(client, 'ACL LOAD')).toBe(
      `-ERR Error loading ACLs, opening file '${path}': No such file or directory`,
    )
    rmSync(directory, { recursive: true })
    expect(await says(client, 'ACL SAVE')).toStartWith('-ERR There was an error trying to save')
    expect(await says(client, 'CONFIG REWRITE')).toBe('+OK')
    const written = readFileSync(join(server.directory, 'test.conf'), 'latin1')
    expect(written).not.toContain('\nuser ')
  })

  test('tells everything that is wrong in it', async () => {
    const wrong = [
      'user alice on >x',
      'foo',
      'user',
      'user alice on',
      'user bob +nosuch bad -nosuch bad2 +@nosuch',
      'user "c d" on',
      'user a\tb on',
      'user eve (+get nosuch) on',
      'user frank ~x* &* &x',
      '',
    ].join('\n')
    const said = await refusal(program, 'aclfile users.acl\n', wrong)
    expect(said).toContain(
      'Aborting Redis startup because of ACL errors: ' +
        'users.acl:2 should start with user keyword followed by the username. ' +
        'users.acl:3 should start with user keyword followed by the username. ' +
        "WARNING: Duplicate user 'alice' found on line 4. " +
        "users.acl:5: Error in applying operation '+nosuch': Unknown command or category name in ACL. " +
        'users.acl:5: Syntax error. ' +
        "users.acl:5: Error in applying operation '-nosuch': Unknown command or category name in ACL. " +
        "users.acl:5: Error in applying operation '+@nosuch': Unknown command or category name in ACL. " +
        'users.acl:6: Syntax error. ' +
        "'users.acl:7: username 'a\tb' contains invalid characters. " +
        'users.acl:8: Syntax error. ' +
        "users.acl:9: Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does not have any effect. Try 'resetchannels' to start with an empty list of channels. " +
        'WARNING: ACL errors detected, no change to the previously active ACL rules was performed',
    )
    expect(await refusal(program, 'aclfile nosuch.acl\n')).toContain(
      "Aborting Redis startup because of ACL errors: Error loading ACLs, opening file 'nosuch.acl': No such file or directory",
    )
  })

  test('may ask for a password that io has to know of', async () => {
    const server = await start(program, '', 'user default on >x ~* &* +@all\n')
    const stranger = await server.connect()
    stranger.write(Buffer.from('*11\r\n'))
    expect((await stranger.next(5000)).bytes?.toString()).toContain('unauthenticated multibulk')
    const client = await server.connect()
    expect(await says(client, 'AUTH x')).toBe('+OK')
    expect(await says(client, 'ACL SETUSER default nopass')).toBe('+OK')
    const welcome = await server.connect()
    welcome.write(Buffer.from('*12\r\n$6\r\nEXISTS\r\n$1\r\na\r\n'))
    welcome.write(Buffer.from('$1\r\na\r\n'.repeat(10)))
    expect(notation(await welcome.next(5000))).toBe(':0')
  })
})

describe('in one process', () => {
  test('a selector that is not closed in an ACL file is an error', async () => {
    const said = await refusal('redbun', 'aclfile users.acl\n', 'user a (+get\n')
    expect(said.join('\n')).toContain(
      'users.acl:1: Unmatched parenthesis in selector definition. WARNING',
    )
  })

  test('a subscriber may take its own channels away, and is answered', async () => {
    const server = new InProcessServer()
    const client = server.connect()
    const ask = (command: string) => {
      client.write(Buffer.from(`${command}\r\n`))
      return notation(client.next(5000))
    }
    expect(ask('ACL SETUSER a on nopass +@all &c')).toBe('+OK')
    expect(ask('AUTH a x')).toBe('+OK')
    expect(ask('HELLO 3')).toStartWith('%7 ')
    expect(ask('SUBSCRIBE c')).toBe('>3 $subscribe $c :1')
    expect(ask('ACL SETUSER a resetchannels')).toBe('+OK')
    expect(client.isEnded).toBe(true)
  })

  test('the log begins a new entry after a minute', () => {
    const server = new InProcessServer()
    const client = server.connect()
    const ask = (command: string) => {
      client.write(Buffer.from(`${command}\r\n`))
      return notation(client.next(5000))
    }
    for (let i = 0; i < 3; i++) {
      ask('AUTH nobody x')
      server.advance(i === 1 ? 61_000 : 59_000)
    }
    expect(ask('ACL LOG')).toMatch(/^\*2 \*14 \$count :1 .* \*14 \$count :2 /)
  })
})
