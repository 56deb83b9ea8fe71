/**
 * What SORT propagates makes the same list elsewhere, and running out of memory changes nothing.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: lets time pass.
 */
import { expect, test } from 'bun:test'
import { encodeRequest } from '../../../support/argv.ts'
import { type InProcessClient, InProcessServer } from '../../../support/in-process.ts'
import { notation } from '../../../support/reply.ts'
import { keyspaceFaults } from '../../keyspace/faults.ts'

const OUT_OF_MEMORY = "-OOM command not allowed when used memory > 'maxmemory'."

function says(client: InProcessClient, line: string): string {
  client.write(encodeRequest(line.split(' ').map((part) => Buffer.from(part))))
  return notation(client.next(0))
}

function leader(arenaSize: number) {
  const server = new InProcessServer({ arenaCount: 3, arenaSize })
  const client = server.connect()
  const effects: string[] = []
  server.server.propagation.attach((_, argv) =>
    effects.push(argv.map((part) => Buffer.from(part).toString('latin1')).join(' ')),
  )
  return { server, client, effects }
}

test('SORT with STORE is propagated as it is, without it not at all', () => {
  const { client, effects } = leader(1024 * 1024)
  says(client, 'RPUSH l 3 1 2')
  effects.length = 0
  for (const line of ['SORT l', 'SORT_RO l', 'SORT l GET #', 'SORT none STORE d']) {
    says(client, line)
    expect(effects.splice(0)).toEqual([])
  }
  for (const line of ['SORT l STORE d', 'SORT l BY w_* GET w_* STORE d', 'SORT none STORE d']) {
    says(client, line)
    expect(effects.splice(0)).toEqual([line])
  }
})

test('weights that are equal give the same list wherever a set lies', () => {
  const members = Array.from({ length: 200 }, (_, i) => `m${(i * 7) % 200}`)
  const lists = [1, 2, 3].map((hashSeed) => {
    const client = new InProcessServer({ hashSeed }).connect()
    says(client, `SADD s ${members.slice(hashSeed).join(' ')} ${members.join(' ')}`)
    for (let i = 0; i < 200; i += 3) says(client, `SET w_m${i} ${i % 2}`)
    says(client, 'SORT s BY w_* ALPHA LIMIT 20 100 STORE d')
    says(client, 'SORT s BY nosort STORE e')
    return `${says(client, 'LRANGE d 0 -1')} ${says(client, 'LRANGE e 0 -1')}`
  })
  expect(lists[1]).toBe(lists[0])
  expect(lists[2]).toBe(lists[0])
})

test('without memory for the list nothing changes', () => {
  const { server, client, effects } = leader(256 * 1024)
  const elements = Array.from({ length: 1200 }, (_, i) => `element-${i}`)
  expect(says(client, `RPUSH l ${elements.join(' ')}`)).toBe(':1200')
  const gets = ' GET #'.repeat(40)
  effects.length = 0
  for (const target of ['d', 'e', 'l']) {
    expect(says(client, `SORT l BY nosort${gets} STORE ${target}`)).toBe(OUT_OF_MEMORY)
    expect(keyspaceFaults(server.server.keyspace)).toEqual([])
  }
  expect(effects).toEqual([])
  expect(says(client, 'DBSIZE')).toBe(':1')
  expect(says(client, 'LLEN l')).toBe(':1200')
  expect(says(client, 'SORT l ALPHA LIMIT 0 1 STORE l')).toBe(':1')
  expect(keyspaceFaults(server.server.keyspace)).toEqual([])
})
