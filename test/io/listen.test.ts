/**
 * A port kept for a server. What the doors are like from outside stands with the process.
 *
 * Thread: any.
 * Owns: the ports.
 * Never: starts a server.
 */
import { expect, test } from 'bun:test'
import { Settings } from '../../src/config/settings.ts'
import { reservePort } from '../../src/io/listen.ts'
import { SPREADS } from '../../src/io/listener.ts'

function listenAt(port: number, reusePort: boolean) {
  const options = { hostname: '127.0.0.1', port, reusePort, socket: { data() {} } }
  return Bun.listen(options)
}

test('a port is kept for those who share it', () => {
  const settings = new Settings()
  settings.adopt({ bind: '127.0.0.1' })
  const port = reservePort(settings)
  const listener = listenAt(port.number, SPREADS)
  if (SPREADS) expect(() => listenAt(port.number, false)).toThrow()
  port.release()
  listener.stop(true)
})

test('where none can share one it is free for its one listener', () => {
  const settings = new Settings()
  settings.adopt({ bind: '127.0.0.1' })
  for (let i = 0; i < 50; i++) {
    const port = reservePort(settings, false)
    const listener = listenAt(port.number, false)
    expect(listener.port).toBe(port.number)
    port.release()
    listener.stop(true)
  }
})
