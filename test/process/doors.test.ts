/**
 * The doors of a server: TCP, IPv6, unix socket, TLS, and who may come in.
 *
 * Thread: any.
 * Owns: the servers and certificates it makes.
 * Never: needs another machine.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { existsSync, rmSync, statSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { Client } from '../support/client.ts'
import { freePort, makeDirectory, ROOT, startRedbun } from '../support/server.ts'

describe('tcp', () => {
  const interfaces = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
  const outer = interfaces.find(({ family, internal }) => family === 'IPv4' && !internal)?.address
  const hasIpv6 = interfaces.some(({ family, address }) => family === 'IPv6' && address === '::1')

  test.if(outer !== undefined)('protected mode lets in nobody from outside', async () => {
    const server = await startRedbun({ args: ['--bind', '*'] })
    const outsider = await Client.connect({ host: outer ?? '', port: server.port })
    expect((await outsider.next()).bytes?.toString()).toStartWith(
      'DENIED Redis is running in protected mode',
    )
    await outsider.ended
    const insider = await server.connect()
    expect(await insider.ask('CONFIG SET protected-mode no')).toBe('+OK')
    const welcome = await Client.connect({ host: outer ?? '', port: server.port })
    expect(await welcome.ask('PING')).toBe('+PONG')
    await server.stop()
  })

  test.if(hasIpv6)('IPv6 is served beside IPv4', async () => {
    const server = await startRedbun({ args: ['--bind', '127.0.0.1', '::1'] })
    const client = await Client.connect({ host: '::1', port: server.port })
    expect(await client.ask('PING')).toBe('+PONG')
    expect(await client.text('CLIENT LIST')).toContain('addr=[::1]:')
    expect(await (await server.connect()).ask('PING')).toBe('+PONG')
    await server.stop()
  })

  test('an address this machine does not have is passed over when marked so', async () => {
    const server = await startRedbun({ args: ['--bind', '127.0.0.1', '-192.0.2.1'] })
    expect(await (await server.connect()).ask('PING')).toBe('+PONG')
    await server.stop()
  })

  test('more clients than maxclients are told so and closed', async () => {
    const server = await startRedbun({ args: ['--maxclients', '3'] })
    // The start's own probe may still be leaving.
    await Bun.sleep(50)
    const clients = [await server.connect(), await server.connect(), await server.connect()]
    for (const client of clients) expect(await client.ask('PING')).toBe('+PONG')
    const fourth = await server.connect()
    expect((await fourth.next()).bytes?.toString()).toBe('ERR max number of clients reached')
    await fourth.ended
    expect(await clients[0].text('INFO stats')).toContain('rejected_connections:1\r\n')
    clients[2].terminate()
    await Bun.sleep(50)
    expect(await (await server.connect()).ask('PING')).toBe('+PONG')
    await server.stop()
  })

  test('a client idle for longer than timeout is closed', async () => {
    const server = await startRedbun({ args: ['--timeout', '1'] })
    const busy = await server.connect()
    const idle = await server.connect()
    expect(await idle.ask('PING')).toBe('+PONG')
    const closed = idle.ended.then(() => true)
    for (let i = 0; i < 30; i++) {
      expect(await busy.ask('PING')).toBe('+PONG')
      if (await Promise.race([closed, Bun.sleep(100).then(() => false)])) break
    }
    expect(idle.isEnded).toBe(true)
    expect(busy.isEnded).toBe(false)
    await server.stop()
  }, 15_000)

  test('a changed port is listened on, and the old one no longer', async () => {
    const server = await startRedbun()
    const client = await server.connect()
    const port = freePort()
    expect(await client.ask(`CONFIG SET port ${port}`)).toBe('+OK')
    await Bun.sleep(100)
    const other = await Client.connect({ port })
    expect(await other.ask('PING')).toBe('+PONG')
    expect(await client.ask('PING')).toBe('+PONG')
    expect(Client.connect(server.address)).rejects.toThrow()
    await server.stop()
  })
})

describe('a unix socket', () => {
  test('is made with its permissions, serves, and goes with the server', async () => {
    const directory = makeDirectory()
    const path = join(directory, 's')
    const start = () =>
      startRedbun({
        port: 0,
        address: () => ({ unix: path }),
        args: ['--unixsocket', path, '--unixsocketperm', '700'],
      })
    const server = await start()
    const client = await server.connect()
    expect(await client.ask('SET k v')).toBe('+OK')
    expect(statSync(path).mode & 0o777).toBe(0o700)
    expect(await client.text('CLIENT LIST')).toContain(`addr=${path}:0`)
    await server.stop()
    expect(existsSync(path)).toBe(false)
    // One that was left behind is replaced.
    const killed = await start()
    await killed.stop('SIGKILL')
    expect(existsSync(path)).toBe(true)
    const next = await start()
    expect(await (await next.connect()).ask('PING')).toBe('+PONG')
    await next.stop()
    rmSync(directory, { recursive: true })
  })
})

describe('tls', () => {
  const directory = makeDirectory()
  const file = (name: string) => join(directory, name)
  const pem = (name: string) => Bun.file(file(name)).text()

  beforeAll(() => {
    openssl(
      'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=test-ca',
      [...['-keyout', 'ca.key', '-out', 'ca.crt']],
    )
    for (const name of ['server', 'client']) {
      openssl(`req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=${name}`, [
        ...['-keyout', `${name}.key`, '-out', `${name}.csr`],
        ...['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'],
      ])
      openssl('x509 -req -days 2 -CA ca.crt -CAkey ca.key -CAcreateserial -copy_extensions copy', [
        ...['-in', `${name}.csr`, '-out', `${name}.crt`],
      ])
    }
  })
  afterAll(() => rmSync(directory, { recursive: true }))

  function openssl(line: string, files: readonly string[]): void {
    const result = Bun.spawnSync(['openssl', ...line.split(' '), ...files], { cwd: directory })
    if (result.exitCode !== 0) throw new Error(result.stderr.toString())
  }

  async function startTls(authClients: string) {
    const ca = await pem('ca.crt')
    const args = [
      ...['--tls-cert-file', file('server.crt'), '--tls-key-file', file('server.key')],
      ...['--tls-ca-cert-file', file('ca.crt'), '--tls-auth-clients', authClients],
    ]
    const port = freePort()
    const cert = await pem('client.crt')
    const key = await pem('client.key')
    const server = await startRedbun({
      port: 0,
      args: ['--tls-port', String(port), ...args],
      address: () => ({ host: '127.0.0.1', port, tls: { ca, cert, key } }),
    })
    return { server, port, ca }
  }

  /** What a client without a certificate gets: the reply, or what went wrong. */
  async function anonymous(port: number, ca: string): Promise<string> {
    try {
      const client = await Client.connect({ host: '127.0.0.1', port, tls: { ca } })
      return await client.ask('PING', 2000)
    } catch (error) {
      return (error as Error).message
    }
  }

  test('with client certificates lets in who has one, and nobody else', async () => {
    const { server, port, ca } = await startTls('yes')
    const client = await server.connect()
    expect(await client.ask(['SET', 'k', 'x'.repeat(3_000_000)])).toBe('+OK')
    expect((await client.call('GET k')).bytes?.length).toBe(3_000_000)
    expect(await anonymous(port, ca)).not.toBe('+PONG')
    const plain = await Client.connect({ port })
    plain.send('PING')
    await plain.ended
    expect(plain.bytesReceived === 0 || plain.isEnded).toBe(true)
    expect(await client.ask('PING')).toBe('+PONG')
    await server.stop()
  }, 20_000)

  test('lets our own client in, and in no other way than redis-cli', async () => {
    const { server, port } = await startTls('yes')
    const programs = [['bun', join(ROOT, 'src/cli/main.ts')]]
    if (Bun.which('redis-cli') !== null) programs.push(['redis-cli'])
    const ca = ['--tls', '--cacert', file('ca.crt')]
    const pair = ['--cert', file('client.crt'), '--key', file('client.key')]
    const run = async (program: readonly string[], args: readonly string[]) => {
      const child = Bun.spawn([...program, '-p', String(port), ...args, 'ECHO', 'hello'], {
        stdout: 'pipe',
        stderr: 'ignore',
      })
      return `${await child.stdout.text()}${await child.exited}`
    }
    for (const program of programs) {
      expect(await run(program, [...ca, ...pair])).toBe('hello\n0')
      expect(await run(program, ['--tls', '--insecure', ...pair])).toBe('hello\n0')
      expect(await run(program, ['--tls', ...pair])).toBe('1')
      expect(await run(program, ca)).toBe('1')
      expect(await run(program, [])).toBe('1')
    }
    await server.stop()
  }, 20_000)

  test('with optional certificates lets in everybody', async () => {
    const { server, port, ca } = await startTls('optional')
    expect(await (await server.connect()).ask('PING')).toBe('+PONG')
    expect(await anonymous(port, ca)).toBe('+PONG')
    await server.stop()
  }, 20_000)

  test('without a certificate of its own no server starts', async () => {
    expect(
      startRedbun({
        port: 0,
        args: ['--tls-port', String(freePort())],
        address: () => ({ port: 1 }),
      }),
    ).rejects.toThrow('Failed to configure TLS')
  })
})
