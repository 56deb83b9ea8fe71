/**
 * What is measured: every command, with every value size, number of connections and pipeline.
 *
 * Thread: main.
 * Owns: the list.
 * Never: knows a server.
 */

export interface Case {
  /** As `--only` looks for it: `get-c50-p16-32b`. */
  readonly id: string
  readonly command: 'get' | 'set'
  readonly connections: number
  readonly pipeline: number
  readonly valueSize: number
  /** Random keys are taken from so many. */
  readonly keyCount: number
}

const VALUE_SIZES = [32, 4096]
const PIPELINES = [1, 16, 64]
const COMMANDS = ['get', 'set'] as const
/** Large values are kept under fewer keys, so that two servers fit into the memory of a laptop. */
const VALUE_BYTES_MAX = 400_000_000

/** `many`: what stands beside one connection. `keyCount`: as far as memory allows. */
export function makeCases(many: number, keyCount: number, only: readonly string[]): Case[] {
  const cases: Case[] = []
  for (const valueSize of VALUE_SIZES) {
    const fitting = Math.min(keyCount, 10 ** Math.floor(Math.log10(VALUE_BYTES_MAX / valueSize)))
    for (const connections of [...new Set([1, many])]) {
      for (const pipeline of PIPELINES) {
        for (const command of COMMANDS) {
          const id = `${command}-c${connections}-p${pipeline}-${valueSize}b`
          cases.push({ id, command, connections, pipeline, valueSize, keyCount: fitting })
        }
      }
    }
  }
  if (only.length === 0) return cases
  return cases.filter(({ id }) => only.some((part) => id.includes(part)))
}

export function sizeText(bytes: number): string {
  return bytes % 1024 === 0 ? `${bytes / 1024} KB` : `${bytes} B`
}

export function connectionsText(count: number): string {
  return count === 1 ? '1 connection' : `${count} connections`
}

export function pipelineText(pipeline: number): string {
  return pipeline === 1 ? 'no pipeline' : `pipeline ${pipeline}`
}
