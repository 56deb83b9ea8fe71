/**
 * Payloads of every type and every encoding that RDB has had, changed by chance and with a right
 * checksum again: each is refused, or what it makes is a value like any other.
 *
 * Thread: any.
 * Owns: the payloads.
 * Never: sends one to real Redis: it need not survive it.
 */
import { describe, expect, test } from 'bun:test'
import { keyspaceFaults } from '../core/keyspace/faults.ts'
import { seededRandom } from '../memory/seeded-random.ts'
import { encodeRequest } from '../support/argv.ts'
import { type InProcessClient, InProcessServer } from '../support/in-process.ts'
import { forged, sealed } from '../support/payload.ts'
import { notation } from '../support/reply.ts'
import { newPayloads, oldPayloads, USES, WRITTEN } from './payloads.ts'

/** For a longer run: the variable FORGED_COUNT. */
const FORGED_COUNT = Number(process.env['FORGED_COUNT'] ?? 120)
const BAD = '-ERR Bad data format'
const OOM = "-OOM command not allowed when used memory > 'maxmemory'."
type Part = string | Buffer

function ask(client: InProcessClient, ...argv: readonly Part[]) {
  client.write(encodeRequest(argv.map((part) => Buffer.from(part as string))))
  return client.next(0)
}

const says = (client: InProcessClient, ...argv: readonly Part[]) => notation(ask(client, ...argv))

function written(client: InProcessClient): Buffer[] {
  return WRITTEN.map((lines) => {
    says(client, 'FLUSHALL')
    for (const line of lines) {
      expect(says(client, ...line.split(' ')).startsWith('-')).toBe(false)
    }
    const { bytes } = ask(client, 'DUMP', 'k')
    const defaults = ['hash-max-listpack-entries', '512', 'list-max-listpack-size', '-2']
    const more = ['list-compress-depth', '0', 'zset-max-listpack-entries', '128']
    says(client, 'CONFIG', 'SET', ...defaults, ...more)
    return bytes ?? Buffer.alloc(0)
  })
}

/** Looks at all of a value and changes it, whatever it is; its copy by DUMP is the same. */
function use(client: InProcessClient, key: string): void {
  const { bytes } = ask(client, 'DUMP', key)
  expect(says(client, 'RESTORE', 'again', '0', bytes ?? '', 'REPLACE')).toBe('+OK')
  const [again, itself] = ['again', key].map((name) => says(client, 'DEBUG', 'DIGEST-VALUE', name))
  expect(again).toBe(itself)
  for (const line of USES[says(client, 'TYPE', key)]) {
    says(client, ...line.replaceAll('KEY', key).split(' '))
  }
}

describe('a forged payload', () => {
  for (const seed of [1, 2]) {
    test(`is refused or is a value (seed ${seed})`, () => {
      const server = new InProcessServer({ arenaCount: 3, arenaSize: 1024 * 1024 })
      const client = server.connect()
      const random = seededRandom(seed, 'forged payloads of every encoding')
      const kinds = [...written(client), ...oldPayloads(), ...newPayloads()]
      const taken = kinds.map((bytes, kind) => {
        expect(says(client, 'RESTORE', 'k', '0', sealed(bytes), 'REPLACE')).toBe('+OK')
        use(client, 'k')
        let count = 0
        for (let i = 0; i < FORGED_COUNT; i++) {
          const key = `k${i % 5}`
          const reply = says(client, 'RESTORE', key, '0', forged(bytes, random), 'REPLACE')
          expect([BAD, OOM, '+OK']).toContain(reply)
          if (reply !== '+OK') continue
          count++
          use(client, key)
        }
        expect(`${kind}: ${keyspaceFaults(server.server.keyspace)}`).toBe(`${kind}: `)
        return count
      })
      // Something of each kind is still a value when changed a little.
      expect(taken.filter((count) => count === 0).length).toBeLessThan(4)
      says(client, 'FLUSHALL')
      expect(server.server.keyspace.usedBytes()).toBe(0)
    }, 60_000)
  }
})
