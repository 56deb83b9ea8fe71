/**
 * What only a whole server shows: the configuration file, the end, the memory that goes back.
 *
 * Thread: any.
 * Owns: the servers it starts.
 * Never: compares: the rows do.
 */
import { afterAll, describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from '../../../support/client.ts'
import { freePort, type RunningServer, startRedbun } from '../../../support/server.ts'

const running: RunningServer[] = []
afterAll(() => Promise.all(running.map((server) => server.stop('SIGKILL'))))

async function start(options: Parameters<typeof startRedbun>[0] = {}): Promise<RunningServer> {
  const server = await startRedbun(options)
  running.push(server)
  return server
}

async function field(client: Client, section: string, name: string): Promise<number> {
  const text = await client.text(`INFO ${section}`)
  return Number(new RegExp(`^${name}:(.*)`, 'm').exec(text)?.[1])
}

/** The resident size as soon as it fits; the server looks at it only now and then. */
async function rssWhen(client: Client, fits: (rss: number) => boolean): Promise<number> {
  for (let tries = 0; tries < 50; tries++) {
    const rss = await field(client, 'memory', 'used_memory_rss')
    if (fits(rss)) return rss
    await Bun.sleep(100)
  }
  return field(client, 'memory', 'used_memory_rss')
}

test.if(process.platform !== 'win32')('INFO calls the system what it calls itself', async () => {
  const client = await (await start()).connect()
  const uname = Bun.spawnSync(['uname', '-srm']).stdout.toString().trim()
  expect(await client.text('INFO server')).toContain(`\r\nos:${uname}\r\n`)
})

describe('CONFIG REWRITE', () => {
  test('writes what has changed and keeps the rest, while later requests wait', async () => {
    const server = await start({ config: '# mine\nmaxmemory 10mb\n' })
    const client = await server.connect()
    const other = await server.connect()
    await client.text('CONFIG SET maxmemory 20mb requirepass "a b"')
    client.write(Buffer.from('CONFIG REWRITE\r\nECHO 1\r\nCONFIG REWRITE\r\nECHO 2\r\n'))
    const replies = []
    for (let i = 0; i < 4; i++) replies.push((await client.next(5000)).bytes?.toString())
    expect(replies).toEqual(['OK', '1', 'OK', '2'])
    const text = readFileSync(join(server.directory, 'test.conf'), 'latin1')
    expect(text).toStartWith('# mine\nmaxmemory 20mb\n')
    expect(text).toContain('\nrequirepass "a b"\n')
    expect(text).toContain(`\ndir "${server.directory}"\n`)
    expect(await other.text('PING')).toBe('PONG')
  })

  test('says what went wrong', async () => {
    const server = await start({ config: '' })
    const client = await server.connect()
    await Bun.$`rm ${join(server.directory, 'test.conf')} && mkdir ${join(server.directory, 'test.conf')}`
    const reply = await client.call('CONFIG REWRITE', 5000)
    expect(reply.kind).toBe('-')
    expect(reply.bytes?.toString()).toStartWith('ERR Rewriting config file: ')
    expect(await client.text('PING')).toBe('PONG')
  })
})

describe('CONFIG GET', () => {
  test('dir is where the process is', async () => {
    const server = await start()
    const client = await server.connect()
    const reply = await client.call('CONFIG GET dir', 5000)
    expect(reply.items?.[1].bytes?.toString()).toBe(server.directory)
  })
})

describe('DEBUG', () => {
  test('is closed unless the configuration opens it', async () => {
    const server = await start({ args: ['--enable-debug-command', 'no'] })
    const client = await server.connect()
    const reply = await client.call('DEBUG SLEEP 0', 5000)
    expect(reply.bytes?.toString()).toBe(
      'ERR DEBUG command not allowed. If the enable-debug-command option is set to "local", you can run it from a local connection, otherwise you need to set this option in the configuration file, and then restart the server.',
    )
    const local = await start({ args: ['--enable-debug-command', 'local'] })
    expect(await (await local.connect()).text('DEBUG SLEEP 0')).toBe('OK')
  })
})

describe('SHUTDOWN', () => {
  test('ends the process with status 0', async () => {
    const server = await start()
    const client = await server.connect()
    client.write(Buffer.from('SHUTDOWN NOSAVE\r\n'))
    expect(await server.child.exited).toBe(0)
    expect(server.log).toContain('User requested shutdown...')
  })
})

describe('MONITOR', () => {
  test('shows the path of a unix socket', async () => {
    const server = await start({ args: ['--unixsocket', 's.sock'] })
    const watcher = await server.connect()
    await watcher.text('MONITOR')
    const socket = await Bun.connect({
      unix: join(server.directory, 's.sock'),
      socket: { data() {} },
    })
    socket.write('PING\r\n')
    const line = (await watcher.next(5000)).bytes?.toString()
    socket.end()
    expect(line).toMatch(/^\d+\.\d{6} \[0 unix:s\.sock\] "PING"$/)
  })
})

describe('FLUSHALL', () => {
  test('gives memory back to the system', async () => {
    const server = await start()
    const client = await server.connect()
    await client.text('DEBUG POPULATE 150000 k 2000')
    expect(await field(client, 'memory', 'used_memory')).toBeGreaterThan(300e6)
    const full = await rssWhen(client, (rss) => rss > 300e6)
    await client.text('FLUSHALL')
    const least = await field(client, 'memory', 'used_memory_startup')
    expect(least).toBeGreaterThan(0)
    expect(await field(client, 'memory', 'used_memory')).toBe(least)
    const empty = await rssWhen(client, (rss) => full - rss > 200e6)
    expect(full - empty).toBeGreaterThan(200e6)
  }, 30_000)

  test('of the only database with keys is what FLUSHDB does', async () => {
    const server = await start()
    const client = await server.connect()
    await client.text('SELECT 5')
    await client.text('DEBUG POPULATE 20000 k 2000')
    expect(await field(client, 'redbun', 'arena_touched_bytes')).toBeGreaterThan(40e6)
    await client.text('FLUSHDB')
    expect(await field(client, 'redbun', 'arena_touched_bytes')).toBeLessThan(1e6)
    expect(await client.text('DEBUG ARENA-CHECK')).toBe('OK')
  }, 30_000)
})

describe('CONFIG SET port', () => {
  test('listens there when it has answered, and nowhere else', async () => {
    const server = await start()
    const client = await server.connect()
    const port = freePort()
    client.write(Buffer.from(`CONFIG SET port ${port}\r\nECHO after\r\n`))
    expect((await client.next(5000)).bytes?.toString()).toBe('OK')
    const there = await Client.connect({ host: '127.0.0.1', port })
    expect(await there.text('PING')).toBe('PONG')
    expect((await client.next(5000)).bytes?.toString()).toBe('after')
    there.terminate()
    await expect(Client.connect(server.address)).rejects.toThrow()
  })

  test('stays where it was when the new one is taken', async () => {
    const server = await start()
    const taken = await start()
    const client = await server.connect()
    const reply = await client.call(`CONFIG SET PORT ${taken.port} hz 33`, 5000)
    expect(reply.bytes?.toString()).toBe(
      "ERR CONFIG SET failed (possibly related to argument 'PORT') - Unable to listen on this port. Check server logs.",
    )
    const other = await server.connect()
    expect(await field(other, 'server', 'tcp_port')).toBe(server.port)
    expect(await field(other, 'server', 'hz')).toBe(10)
  })

  test('and bind refuse addresses that are not here', async () => {
    const server = await start()
    const client = await server.connect()
    const reply = await client.call('CONFIG SET bind 999.999.999.999', 5000)
    expect(reply.bytes?.toString()).toBe(
      "ERR CONFIG SET failed (possibly related to argument 'bind') - Failed to bind to specified addresses.",
    )
    expect(await (await server.connect()).text('PING')).toBe('PONG')
  })

  test('and dir refuse what does not exist', async () => {
    const server = await start()
    const client = await server.connect()
    const reply = await client.call('CONFIG SET dir /no/such/directory', 5000)
    expect(reply.bytes?.toString()).toBe(
      "ERR CONFIG SET failed (possibly related to argument 'dir') - No such file or directory",
    )
    expect(await client.text('CONFIG SET dir /')).toBe('OK')
  })
})

describe('MODULE', () => {
  test('opened, fails as it does for a file that is no module', async () => {
    const server = await start({ args: ['--enable-module-command', 'yes'] })
    const client = await server.connect()
    const says = async (command: string) => (await client.call(command, 5000)).bytes?.toString()
    expect(await says('MODULE LOAD /nosuch a')).toBe(
      'ERR Error loading the extension. Please check the server logs.',
    )
    expect(await says('MODULE LOADEX /nosuch')).toStartWith('ERR Error loading the extension.')
    expect(await says('MODULE UNLOAD x')).toBe(
      'ERR Error unloading module: no such module with that name',
    )
    await server.logged('Module /nosuch failed to load')
  })
})
