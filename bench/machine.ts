/**
 * Where and of what the numbers are: without it a number is not kept.
 *
 * Thread: main.
 * Owns: the description.
 * Never: guesses what the system does not say.
 */
import { cpus, release, totalmem, type } from 'node:os'
import { resolve } from 'node:path'
import type { Options } from './options.ts'
import { shortBytes } from './statistics.ts'

export interface Machine {
  readonly processor: string
  readonly processorCount: number
  readonly memory: string
  readonly system: string
  readonly bun: string
  readonly redis: string
  readonly redisBenchmark: string
  readonly commit: string
  readonly date: string
}

export function describeMachine(options: Options): Machine {
  const processors = cpus()
  return {
    processor: processors[0]?.model.trim() ?? 'unknown',
    processorCount: navigator.hardwareConcurrency,
    memory: shortBytes(totalmem()),
    system: `${type()} ${release()}`,
    bun: Bun.version,
    redis: /v=(\S+)/.exec(say(['redis-server', '--version']))?.[1] ?? 'unknown',
    redisBenchmark: /(\d\S*)/.exec(say(['redis-benchmark', '--version']))?.[1] ?? 'unknown',
    commit: options.commit === '' ? commit() : options.commit,
    date: new Date().toISOString().slice(0, 16).replace('T', ' '),
  }
}

/** What the machine lacks for numbers without interference; empty when nothing. */
export function machineWarning(machine: Machine, options: Options): string {
  const threads = options.threads + options.ioThreads + 1
  if (machine.processorCount >= threads) return ''
  return (
    `The machine has ${machine.processorCount} processors for ${threads} busy threads ` +
    `(load generator ${options.threads}, io ${options.ioThreads}, core 1): they take them from ` +
    'each other.'
  )
}

function commit(): string {
  const hash = say(['git', 'rev-parse', '--short=10', 'HEAD'])
  if (hash === '') return 'unknown'
  return say(['git', 'status', '--porcelain', '--', 'src']) === '' ? hash : `${hash}, src changed`
}

function say(command: readonly string[]): string {
  if (Bun.which(command[0]) === null) return ''
  const done = Bun.spawnSync([...command], { cwd: resolve(import.meta.dir, '..') })
  return done.exitCode === 0 ? done.stdout.toString().trim() : ''
}
