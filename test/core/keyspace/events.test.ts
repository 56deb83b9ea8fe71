/**
 * Who is told what happens to keys.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: publishes anything.
 */
import { describe, expect, test } from 'bun:test'
import { eventClasses } from '../../../src/core/keyspace/events.ts'
import { encodeRequest } from '../../support/argv.ts'
import { type InProcessClient, InProcessServer } from '../../support/in-process.ts'

/** A server with a listener of both kinds, and what it was told. */
function listened(letters: string) {
  const server = new InProcessServer()
  const client = server.connect()
  const { events } = server.server.keyspace
  const told: string[] = []
  const changes = {
    active: true,
    keyChanged(dbIndex: number, bytes: Buffer, offset: number, length: number) {
      told.push(`${dbIndex} ${bytes.toString('latin1', offset, offset + length)}`)
    },
  }
  const listener = {
    classes: eventClasses(letters),
    notify(event: string, dbIndex: number, bytes: Buffer, offset: number, length: number) {
      told.push(`${event} ${dbIndex} ${bytes.toString('latin1', offset, offset + length)}`)
    },
  }
  events.attachChanges(changes)
  events.attachEvents(listener)
  return { server, client, events, told, changes, listener }
}

function ask(client: InProcessClient, line: string): void {
  client.write(encodeRequest(line.split(' ').map((word) => Buffer.from(word))))
  client.next(0)
}

describe('who listens to keys', () => {
  test('is told of each changed key before the event of its change', () => {
    const { client, told } = listened('A')
    ask(client, 'SET a 1 EX 100')
    ask(client, 'RENAME a b')
    ask(client, 'MOVE b 3')
    ask(client, 'GET b')
    expect(told).toEqual([
      ...['0 a', 'set 0 a', 'expire 0 a'],
      ...['0 a', 'rename_from 0 a', '0 b', 'rename_to 0 b'],
      ...['0 b', 'move_from 0 b', '3 b', 'move_to 3 b'],
    ])
  })

  test('is told of a key that expires', () => {
    const { client, told, server } = listened('x')
    ask(client, 'SET a 1 PX 10')
    told.length = 0
    server.advance(20)
    expect(told).toEqual(['0 a', 'expired 0 a'])
  })

  test('is told of the classes it wants only', () => {
    const { client, told, changes, events } = listened('gnm')
    changes.active = false
    events.refresh()
    for (const line of ['SET a 1', 'GET none', 'APPEND a 2', 'DEL a']) ask(client, line)
    expect(told).toEqual(['new 0 a', 'keymiss 0 none', 'del 0 a'])
  })

  test('who wants nothing costs nothing', () => {
    const { client, told, changes, events } = listened('')
    changes.active = false
    events.refresh()
    expect(events.wanted).toBe(0)
    ask(client, 'SET a 1')
    expect(told).toEqual([])
  })

  test('keyspace events are wanted only while somebody subscribes to something', () => {
    const server = new InProcessServer({ settings: { 'notify-keyspace-events': 'AKE' } })
    const { events } = server.server.keyspace
    const [one, two] = [server.connect(), server.connect()]
    expect(events.wanted).toBe(0)
    ask(one, 'SUBSCRIBE any')
    expect(events.wanted).toBe(eventClasses('A'))
    ask(two, 'PSUBSCRIBE any')
    ask(one, 'UNSUBSCRIBE any')
    expect(events.wanted).toBe(eventClasses('A'))
    two.close()
    expect(events.wanted).toBe(0)
    ask(one, 'SSUBSCRIBE any')
    expect(events.wanted).toBe(0)
  })
})
