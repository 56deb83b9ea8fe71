/**
 * Connection ids: a slot and a generation.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: opens a socket.
 */
import { expect, test } from 'bun:test'
import { connectionSlot } from '../../src/bridge/message.ts'
import { Connection, type ConnectionSocket } from '../../src/io/connection.ts'
import { type ConnectionOwner, Connections } from '../../src/io/connections.ts'

const owner: ConnectionOwner = {
  countWrite() {},
  countSent() {},
  outputGrew() {},
  outputShrank() {},
}
const make = (id: number, socket: ConnectionSocket) => new Connection(owner, id, socket)
const socket = {} as ConnectionSocket

test('an id of the past finds nobody, whoever has its slot now', () => {
  const connections = new Connections(8)
  const seen = new Set<number>()
  const idsOfSlot = new Map<number, number>()
  for (let round = 0; round < 500; round++) {
    const opened = Array.from({ length: 8 }, () => connections.open(socket, make))
    expect(connections.open(socket, make)).toBeUndefined()
    for (const connection of opened) {
      if (connection === undefined) throw new Error('a free slot was not given')
      expect(seen.has(connection.id)).toBe(false)
      seen.add(connection.id)
      const before = idsOfSlot.get(connectionSlot(connection.id))
      if (before !== undefined) expect(connections.find(before)).toBeUndefined()
      idsOfSlot.set(connectionSlot(connection.id), connection.id)
      expect(connections.find(connection.id)).toBe(connection)
    }
    for (const connection of opened) if (connection !== undefined) connections.close(connection)
    expect(connections.count).toBe(0)
  }
})

test('a slot is reused late', () => {
  const connections = new Connections(1000)
  const first = connections.open(socket, make)
  if (first === undefined) throw new Error('no slot')
  connections.close(first)
  for (let i = 0; i < 64; i++) {
    const next = connections.open(socket, make)
    if (next === undefined) throw new Error('no slot')
    expect(connectionSlot(next.id)).not.toBe(connectionSlot(first.id))
    connections.close(next)
  }
})

test('closing twice frees one slot', () => {
  const connections = new Connections(2)
  const one = connections.open(socket, make)
  if (one === undefined) throw new Error('no slot')
  connections.close(one)
  connections.close(one)
  expect(connections.open(socket, make)).toBeDefined()
  expect(connections.open(socket, make)).toBeDefined()
  expect(connections.open(socket, make)).toBeUndefined()
})
