/**
 * Clients that cache what they read, in every mode, while they and others change keys by chance: no
 * cache may ever hold what is no longer true.
 *
 * Thread: any.
 * Owns: the caches.
 * Never: looks at who is told what, only at what that leaves.
 */
import { describe, expect, test } from 'bun:test'
import { seededRandom } from '../../../memory/seeded-random.ts'
import { argumentsOf, encodeRequest } from '../../../support/argv.ts'
import { type InProcessClient, InProcessServer } from '../../../support/in-process.ts'
import { notation, type Reply } from '../../../support/reply.ts'

const KEYS = ['a', 'b', 'c:1', 'c:2', 'c:3', 'd', 'e', 'f']
const PATIENCE_MS = 100

/** A client with a cache. */
class Cacher {
  readonly cache = new Map<string, string>()
  readonly client: InProcessClient
  readonly options: string
  /** Where its messages come, if not to itself. */
  readonly ear: InProcessClient | undefined

  constructor(server: InProcessServer, options: string, isRedirected: boolean) {
    this.client = server.connect()
    this.options = options
    let redirect = ''
    if (isRedirected) {
      this.ear = server.connect()
      redirect = `REDIRECT ${this.send(this.ear, 'CLIENT ID').slice(1)}`
      this.send(this.ear, 'SUBSCRIBE __redis__:invalidate')
    } else {
      this.send(this.client, 'HELLO 3')
    }
    expect(this.ask(`CLIENT TRACKING ON ${options} ${redirect}`)).toBe('+OK')
  }

  /** The reply; messages that come before it are taken for what they are. */
  send(client: InProcessClient, command: string): string {
    client.write(encodeRequest(argumentsOf(command.trim())))
    for (;;) {
      const reply = client.next(PATIENCE_MS)
      if (!this.#takeMessage(reply)) return notation(reply)
    }
  }

  ask(command: string): string {
    return this.send(this.client, command)
  }

  read(key: string): void {
    if (this.options.includes('OPTIN')) this.ask('CLIENT CACHING YES')
    const value = this.ask(`GET ${key}`)
    this.cache.set(key, value)
    this.hear()
  }

  /** Its own change is no news to a client that says so: it knows what it did. */
  write(command: string, keys: readonly string[]): void {
    this.ask(command)
    if (this.options.includes('NOLOOP')) for (const key of keys) this.cache.delete(key)
  }

  /** Takes all messages that have come. */
  hear(): void {
    const from = this.ear ?? this.client
    while (from.unread > 0) expect(this.#takeMessage(from.next(PATIENCE_MS))).toBe(true)
  }

  #takeMessage(reply: Reply): boolean {
    const items = reply.items ?? []
    const isPush = reply.kind === '>' && items[0].bytes?.toString() === 'invalidate'
    const isMessage = items[0]?.bytes?.toString() === 'message'
    if (!isPush && !isMessage) return false
    const keys = items[items.length - 1].items
    if (keys === undefined) this.cache.clear()
    for (const { bytes } of keys ?? []) this.cache.delete(bytes?.toString() ?? '')
    return true
  }
}

const MODES = ['', 'NOLOOP', 'OPTIN', 'OPTIN NOLOOP', 'OPTOUT', 'BCAST', 'BCAST NOLOOP']

/** A change of some keys, by chance. */
function change(pick: (count: number) => number): readonly [string, readonly string[]] {
  const key = KEYS[pick(KEYS.length)]
  const other = KEYS[pick(KEYS.length)]
  const value = pick(1000)
  const changes: readonly (readonly [string, readonly string[]])[] = [
    [`SET ${key} ${value}`, [key]],
    [`SET ${key} ${value} PX ${1 + pick(30)}`, [key]],
    [`MSET ${key} ${value} ${other} ${value}`, [key, other]],
    [`DEL ${key} ${other}`, [key, other]],
    [`APPEND ${key} x`, [key]],
    [`RENAME ${key} ${other}`, [key, other]],
    [`COPY ${key} ${other} REPLACE`, [other]],
    [`GETEX ${key} PX ${1 + pick(20)}`, [key]],
    [`SETRANGE ${key} 0 ${value}`, [key]],
    ['FLUSHALL', KEYS],
    [`GETDEL ${key}`, [key]],
  ]
  return changes[pick(changes.length)]
}

describe('no cache holds what is no longer true', () => {
  for (const limit of [0, 5]) {
    test(`with tracking-table-max-keys ${limit}`, () => {
      const server = new InProcessServer({
        settings: { 'tracking-table-max-keys': String(limit) },
      })
      const control = server.connect()
      const truth = (key: string) => {
        control.write(encodeRequest(argumentsOf(`GET ${key}`)))
        return notation(control.next(PATIENCE_MS))
      }
      const cachers = MODES.flatMap((mode) => [
        new Cacher(server, mode, false),
        new Cacher(server, mode, true),
      ])
      const random = seededRandom(limit, 'caches')
      const pick = (count: number) => Math.floor(random() * count)
      for (let step = 0; step < 3000; step++) {
        const cacher = cachers[pick(cachers.length)]
        const act = pick(10)
        if (act < 6) cacher.read(KEYS[pick(KEYS.length)])
        else if (act < 9) cacher.write(...change(pick))
        else server.advance(pick(20))
        if (step % 10 !== 0) continue
        // Keys whose time is over are told of once they are deleted.
        const values = new Map(KEYS.map((key) => [key, truth(key)]))
        server.settle()
        for (const cacher of cachers) cacher.hear()
        for (const { cache, options } of cachers) {
          for (const [key, value] of cache) {
            const same =
              value.slice(1) === values.get(key)?.slice(1) || isNil(value, values.get(key))
            expect([step, options, key, same]).toEqual([step, options, key, true])
          }
        }
      }
    })
  }
})

function isNil(a: string, b: string | undefined): boolean {
  return (a === '_' || a === '(nil)') && (b === '_' || b === '(nil)')
}
