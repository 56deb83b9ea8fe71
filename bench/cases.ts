/**
 * What is measured: commands, with value sizes, numbers of connections and pipelines.
 *
 * Thread: main.
 * Owns: the list.
 * Never: measures anything.
 */
import { collectionCases } from './collections.ts'
import { everyKey, load } from './load.ts'
import { scriptCases } from './scripts.ts'
import type { Server } from './servers.ts'

/** Keys that a group of cases finds when it begins. */
export interface DataSet {
  readonly name: string
  fill(server: Server, keyCount: number): Promise<void>
}

export interface Case {
  /** As `--only` looks for it: `get-c50-p16-32b`. */
  readonly id: string
  /** The title of the table that it stands in, and its own title there. */
  readonly group: string
  readonly label: string
  /** What redis-benchmark sends, in its own notation. */
  readonly words: readonly string[]
  readonly connections: number
  readonly pipeline: number
  readonly valueSize: number
  /** Random numbers are taken from so many. */
  readonly keyCount: number
  readonly dataSet: DataSet
  /** Every request looks up a key, which has to be there. */
  readonly looksUp: boolean
  /** Puts the keys back as they have to be before a measurement of so many requests. */
  reset?(server: Server, requestCount: number): Promise<void>
}

/** By the size of values: the pipelines, and whether one connection is measured, too. */
const VALUES = [
  { valueSize: 32, pipelines: [1, 16, 64], withOne: true },
  { valueSize: 4096, pipelines: [1, 16], withOne: false },
]
/** Large values are kept under fewer keys, so that two servers fit into the memory of a laptop. */
const VALUE_BYTES_MAX = 400_000_000
const LOADING = { connections: 8, pipeline: 32 }

/** `many`: what stands beside one connection. `keyCount`: as far as memory allows. */
export function makeCases(many: number, keyCount: number, only: readonly string[]): Case[] {
  const cases = [
    ...stringCases(many, keyCount),
    ...collectionCases(many, keyCount),
    ...scriptCases(many),
  ]
  if (only.length === 0) return cases
  return cases.filter(({ id }) => only.some((part) => id.includes(part)))
}

function stringCases(many: number, keyCount: number): Case[] {
  const cases: Case[] = []
  for (const { valueSize, pipelines, withOne } of VALUES) {
    const fitting = Math.min(keyCount, 10 ** Math.floor(Math.log10(VALUE_BYTES_MAX / valueSize)))
    const dataSet = stringKeys(valueSize)
    for (const connections of withOne ? [...new Set([1, many])] : [many]) {
      for (const pipeline of pipelines) {
        for (const command of ['get', 'set']) {
          const key = 'key:__rand_int__'
          cases.push({
            id: `${command}-c${connections}-p${pipeline}-${valueSize}b`,
            group: `${connectionsText(connections)}, values of ${sizeText(valueSize)}`,
            label: `${command.toUpperCase()}, ${pipelineText(pipeline)}`,
            words: command === 'get' ? ['GET', key] : ['SET', key, '__data__'],
            connections,
            pipeline,
            valueSize,
            keyCount: fitting,
            dataSet,
            looksUp: command === 'get',
          })
        }
      }
    }
  }
  return cases
}

/** Every key has its value, so that every GET finds one. */
function stringKeys(valueSize: number): DataSet {
  return {
    name: `keys of ${valueSize} bytes`,
    async fill(server, keyCount) {
      await load({ target: server, ...LOADING, requests: everyKey(keyCount, valueSize) })
    },
  }
}

function sizeText(bytes: number): string {
  return bytes % 1024 === 0 ? `${bytes / 1024} KB` : `${bytes} B`
}

function connectionsText(count: number): string {
  return count === 1 ? '1 connection' : `${count} connections`
}

function pipelineText(pipeline: number): string {
  return pipeline === 1 ? 'no pipeline' : `pipeline ${pipeline}`
}
