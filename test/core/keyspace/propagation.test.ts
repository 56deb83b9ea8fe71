/**
 * What the AOF and the replicas see of the generic commands: as Redis 7.0 writes it into its AOF.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: lets a time that counts from now get out.
 */
import { expect, test } from 'bun:test'
import { encodeRequest } from '../../support/argv.ts'
import { InProcessServer } from '../../support/in-process.ts'
import { holdStill } from '../../support/still-clock.ts'

const HELLO = Buffer.from('000568656c6c6f0a006372df766534200a', 'hex')

class Recorder {
  readonly target = new InProcessServer()
  readonly effects: string[] = []
  readonly #client = this.target.connect()

  constructor() {
    const { clock, propagation } = this.target.server
    holdStill(clock)
    clock.nowMs = 1_000_000_000_000
    propagation.attach((db, argv) => {
      const words = argv.map((part) =>
        HELLO.equals(part) ? 'HELLO' : Buffer.from(part).toString(),
      )
      this.effects.push(`${db}: ${words.join(' ')}`)
    })
  }

  /** Runs a command; HELLO stands for a payload. Gives what it propagates. */
  run(line: string): string[] {
    this.effects.length = 0
    const argv = line.split(' ').map((word) => (word === 'HELLO' ? HELLO : Buffer.from(word)))
    this.#client.write(encodeRequest(argv))
    this.#client.next(0)
    return [...this.effects]
  }

  pass(ms: number): string[] {
    this.effects.length = 0
    this.target.server.clock.nowMs += ms
    this.target.settle()
    return [...this.effects]
  }
}

test('deadlines travel as Unix milliseconds, with their conditions', () => {
  const recorder = new Recorder()
  const rows: [string, string[]][] = [
    ['set k 1', ['0: set k 1']],
    ['expire k 100', ['0: PEXPIREAT k 1000000100000']],
    ['expire k 200 gt', ['0: PEXPIREAT k 1000000200000 gt']],
    ['pexpire k 5 NX', []],
    ['pexpire k 300000', ['0: PEXPIREAT k 1000000300000']],
    ['expireat k 9999999999', ['0: PEXPIREAT k 9999999999000']],
    ['pexpireat k 9999999999999 xx', ['0: pexpireat k 9999999999999 xx']],
    ['persist k', ['0: persist k']],
    ['persist k', []],
    ['expire nokey 100', []],
    ['expire k -1', ['0: DEL k']],
  ]
  for (const [line, effects] of rows) expect([line, recorder.run(line)]).toEqual([line, effects])
})

test('RESTORE travels with an absolute deadline', () => {
  const recorder = new Recorder()
  const rows: [string, string[]][] = [
    ['restore r 0 HELLO', ['0: restore r 0 HELLO']],
    ['restore r 5000 HELLO replace', ['0: restore r 1000000005000 HELLO replace ABSTTL']],
    [
      'restore r 9999999999999 HELLO absttl replace idletime 5',
      ['0: restore r 9999999999999 HELLO absttl replace idletime 5'],
    ],
    ['restore r 1000 HELLO replace absttl', ['0: DEL r']],
    ['restore r 1000 HELLO absttl', []],
    ['restore r 0 HELL', []],
  ]
  for (const [line, effects] of rows) expect([line, recorder.run(line)]).toEqual([line, effects])
})

test('other changes travel as they are, and what changes nothing does not', () => {
  const recorder = new Recorder()
  recorder.run('mset a 1 b 2 c 3')
  const rows: [string, string[]][] = [
    ['copy a d', ['0: copy a d']],
    ['copy a d', []],
    ['move d 1', ['0: move d 1']],
    ['move nokey 1', []],
    ['rename a e', ['0: rename a e']],
    ['rename e e', []],
    ['renamenx e b', []],
    ['renamenx e f', ['0: renamenx e f']],
    ['del nokey', []],
    ['del b nokey c', ['0: del b nokey c']],
    ['unlink f', ['0: unlink f']],
    ['touch d', []],
    ['keys *', []],
  ]
  for (const [line, effects] of rows) expect([line, recorder.run(line)]).toEqual([line, effects])
})

test('keys that end travel as DEL, also when a command finds them', () => {
  const recorder = new Recorder()
  const { keyspace } = recorder.target.server
  recorder.run('set a 1 px 10')
  recorder.run('set b 1 px 10')
  expect(recorder.pass(20).toSorted()).toEqual(['0: DEL a', '0: DEL b'])
  keyspace.activeExpire = false
  for (const line of ['del c', 'get c', 'exists c', 'rename c d', 'persist c', 'dump c', 'ttl c']) {
    recorder.run('set c 1 px 10')
    expect(recorder.pass(20)).toEqual([])
    expect([line, recorder.run(line)]).toEqual([line, ['0: DEL c']])
  }
})

test('each change counts once', () => {
  const recorder = new Recorder()
  const { keyspace } = recorder.target.server
  recorder.run('mset a 1 b 2')
  for (const line of [
    'rename a c',
    'move c 1',
    'copy b e',
    'expire b 100',
    'persist b',
    'unlink b',
  ]) {
    const { dirty } = keyspace
    recorder.run(line)
    expect([line, keyspace.dirty - dirty]).toEqual([line, 1])
  }
  const { dirty } = keyspace
  recorder.run('mset a 1 b 2')
  recorder.run('del a b nokey')
  expect(keyspace.dirty - dirty).toBe(4)
})
