/**
 * The bench's command line.
 *
 * Thread: main.
 * Owns: the options, their defaults, and the help.
 * Never: starts anything.
 */
import { resolve } from 'node:path'

const HELP = `Usage: bun run bench [options]

Compares Redbun with the redis-server of this machine, by redis-benchmark, in alternating rounds.

  --rounds N              rounds of every case (4)
  --requests-scale X      length of a measurement; 0.1 for a quick look (1)
  --only TEXT             cases whose name holds TEXT, e.g. set-c50-p16 (repeatable)
  --clients N             connections beside 1 (50)
  --threads N             threads of redis-benchmark (1)
  --keys N                keys in the data set (1000000)
  --io-threads N          of Redbun (1)
  --io-threads-redis N    of redis-server, reading too (1)
  --server NAME=HOST:PORT another server to compare with, which must be empty and will be
                          emptied (repeatable)
  --mixed-seconds N       length of the mixed load (60)
  --no-extras             leaves out memory, start, idling, delivery and the mixed load
  --no-throughput         leaves out everything but these
  --commit HASH           where git cannot say it
  --json FILE  --svg FILE  --markdown FILE
                          where results go (bench/results/latest.*)
`

const RESULTS = resolve(import.meta.dir, 'results')

export interface OtherServer {
  readonly name: string
  readonly host: string
  readonly port: number
}

export class Options {
  rounds = 4
  requestsScale = 1
  only: string[] = []
  clients = 50
  threads = 1
  keys = 1_000_000
  ioThreads = 1
  redisIoThreads = 1
  servers: OtherServer[] = []
  mixedSeconds = 60
  extras = true
  throughput = true
  commit = ''
  json = resolve(RESULTS, 'latest.json')
  svg = resolve(RESULTS, 'latest.svg')
  markdown = resolve(RESULTS, 'latest.md')
}

/** Ends the process where the arguments make no sense or ask for help. */
export function parseOptions(argv: readonly string[]): Options {
  const options = new Options()
  for (let i = 0; i < argv.length; i++) {
    const name = argv[i]
    const flag = FLAGS[name]
    if (flag !== undefined) {
      flag(options)
      continue
    }
    const take = VALUES[name]
    if (take === undefined) stop(name === '--help' || name === '-h' ? '' : `What is ${name}?`)
    const value = argv[++i]
    if (value === undefined) stop(`${name} needs a value.`)
    take(options, value)
  }
  return options
}

const FLAGS: Readonly<Record<string, (options: Options) => void>> = {
  '--no-extras': (options) => {
    options.extras = false
  },
  '--no-throughput': (options) => {
    options.throughput = false
  },
}

const VALUES: Readonly<Record<string, (options: Options, value: string) => void>> = {
  '--rounds': (options, value) => {
    options.rounds = whole(value, 1)
  },
  '--requests-scale': (options, value) => {
    options.requestsScale = Number(value)
    if (!(options.requestsScale > 0)) stop(`${value} is no scale.`)
  },
  '--only': (options, value) => {
    options.only.push(value.toLowerCase())
  },
  '--clients': (options, value) => {
    options.clients = whole(value, 1)
  },
  '--threads': (options, value) => {
    options.threads = whole(value, 1)
  },
  '--keys': (options, value) => {
    options.keys = whole(value, 1000)
  },
  '--io-threads': (options, value) => {
    options.ioThreads = whole(value, 1)
  },
  '--io-threads-redis': (options, value) => {
    options.redisIoThreads = whole(value, 1)
  },
  '--server': (options, value) => {
    const match = /^([\w.-]+)=(.+):(\d+)$/.exec(value)
    if (match === null) stop(`--server wants NAME=HOST:PORT, not ${value}.`)
    options.servers.push({ name: match[1], host: match[2], port: Number(match[3]) })
  },
  '--mixed-seconds': (options, value) => {
    options.mixedSeconds = whole(value, 1)
  },
  '--commit': (options, value) => {
    options.commit = value
  },
  '--json': (options, value) => {
    options.json = resolve(value)
  },
  '--svg': (options, value) => {
    options.svg = resolve(value)
  },
  '--markdown': (options, value) => {
    options.markdown = resolve(value)
  },
}

function whole(value: string, min: number): number {
  const number = Number(value)
  if (!Number.isInteger(number) || number < min) stop(`${value} is no number from ${min} on.`)
  return number
}

function stop(problem: string): never {
  process.stderr.write(problem === '' ? HELP : `${problem}\n\n${HELP}`)
  process.exit(problem === '' ? 0 : 1)
}
