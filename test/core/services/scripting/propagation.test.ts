/**
 * What the AOF and the replicas see of scripts and functions: their effects, together or not at all.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: lets a script itself get out.
 */
import { expect, test } from 'bun:test'
import {
  AUDIENCE_ALL,
  AUDIENCE_AOF,
  AUDIENCE_REPLICAS,
} from '../../../../src/core/engine/propagation.ts'
import { argumentsOf, type CommandText, encodeRequest } from '../../../support/argv.ts'
import { InProcessServer } from '../../../support/in-process.ts'

class Recorder {
  readonly target = new InProcessServer()
  readonly effects: string[] = []
  readonly #client = this.target.connect()

  constructor(audience: number = AUDIENCE_ALL) {
    const tell = (db: number, argv: readonly Uint8Array[]) => {
      this.effects.push(`${db}: ${argv.map((part) => Buffer.from(part).toString()).join(' ')}`)
    }
    this.target.server.propagation.add({
      audience,
      effect: tell,
      call: (db, args) =>
        tell(
          db,
          Array.from({ length: args.count }, (_, i) => args.copy(i)),
        ),
    })
  }

  /** Runs a command. Gives what it propagates. */
  run(command: CommandText): string[] {
    this.effects.length = 0
    this.#client.write(encodeRequest(argumentsOf(command)))
    this.#client.next(0)
    return [...this.effects]
  }

  script(text: string): string[] {
    return this.run(['EVAL', text, '0'])
  }
}

test('a script is its effects: one as it is, several between MULTI and EXEC', () => {
  const recorder = new Recorder()
  const rows: [string, string[]][] = [
    ["return redis.call('get','k')", []],
    ["return redis.call('set','k',1)", ['0: set k 1']],
    ["redis.call('incr','k') return redis.call('get','k')", ['0: incr k']],
    [
      "redis.call('incr','k') redis.call('rpush','l','a',2.5)",
      ['0: MULTI', '0: incr k', '0: rpush l a 2.5', '0: EXEC'],
    ],
    ["redis.call('incr','k') error('x')", ['0: incr k']],
    ["redis.call('expire','k',0)", ['0: DEL k']],
    [
      "redis.call('sadd','s','only') redis.call('spop','s')",
      ['0: MULTI', '0: sadd s only', '0: SREM s only', '0: EXEC'],
    ],
    ["redis.call('select',3) redis.call('set','k','three')", ['3: set k three']],
    ["redis.pcall('incr','l')", []],
    ["redis.pcall('set','k')", []],
  ]
  for (const [text, effects] of rows) {
    expect([text, recorder.script(text)]).toEqual([text, effects])
  }
})

test('in a transaction, the effects of scripts are among the others', () => {
  const recorder = new Recorder()
  recorder.run('MULTI')
  recorder.run('SET a 1')
  recorder.run(['EVAL', "redis.call('incr','a') redis.call('incr','a')", '0'])
  expect(recorder.run('EXEC')).toEqual([
    '0: MULTI',
    '0: SET a 1',
    '0: incr a',
    '0: incr a',
    '0: EXEC',
  ])
})

test('redis.set_repl chooses who is told, until the script ends', () => {
  const script = [
    "redis.set_repl(redis.REPL_AOF) redis.call('set','a',1)",
    "redis.set_repl(redis.REPL_REPLICA) redis.call('set','b',1)",
    "redis.set_repl(redis.REPL_NONE) redis.call('set','c',1)",
    "redis.set_repl(redis.REPL_ALL) redis.call('set','d',1)",
  ].join(' ')
  const expected: [number, string[]][] = [
    [AUDIENCE_AOF, ['0: MULTI', '0: set a 1', '0: set d 1', '0: EXEC']],
    [AUDIENCE_REPLICAS, ['0: MULTI', '0: set b 1', '0: set d 1', '0: EXEC']],
  ]
  for (const [audience, effects] of expected) {
    const recorder = new Recorder(audience)
    expect(recorder.script(script)).toEqual(effects)
    expect(
      recorder.script("redis.set_repl(redis.REPL_NONE) return redis.call('set','x',1)"),
    ).toEqual([])
    expect(recorder.script("return redis.call('set','x',2)")).toEqual(['0: set x 2'])
  }
})

test('libraries travel as they were loaded, functions as their effects', () => {
  const recorder = new Recorder()
  const code =
    "#!lua name=l\nredis.register_function('f', function(k) return redis.call('incr', k[1]) end)"
  expect(recorder.run(['FUNCTION', 'LOAD', code])).toEqual([`0: FUNCTION LOAD ${code}`])
  expect(recorder.run('FCALL f 1 n')).toEqual(['0: incr n'])
  expect(recorder.run('FUNCTION DELETE nosuch')).toEqual([])
  expect(recorder.run('FUNCTION DELETE l')).toEqual(['0: FUNCTION DELETE l'])
  expect(recorder.run('FUNCTION FLUSH')).toEqual(['0: FUNCTION FLUSH'])
  expect(recorder.run(['SCRIPT', 'LOAD', 'return 1'])).toEqual([])
})
