/**
 * `bun run bench`: Redbun beside the redis-server of this machine, under the same load, in the same
 * minutes. See README.md in this folder for how to read what comes out.
 *
 *   redis-benchmark ──▶ Redbun        own load generator ──▶ memory, mixed load
 *                  └──▶ redis-server
 *
 * Goals: throughput and latency of GET and SET as ratios; memory a key, start, idling, longest wait.
 * Non-goals: the cost of a single part: see micro/.
 *
 * Thread: main.
 * Owns: the order of things, and the files of results.
 * Never: leaves a server running.
 */
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { makeCases } from './cases.ts'
import { toSvg } from './chart.ts'
import { EXTRAS_STEPS, type Extras, measureExtras } from './extras.ts'
import { describeMachine, machineWarning } from './machine.ts'
import { type Options, parseOptions } from './options.ts'
import { Progress } from './progress.ts'
import { DELIVERY_STEPS, type DeliveryResult, measureDelivery } from './pubsub.ts'
import { type Report, toMarkdown } from './report.ts'
import { type CaseResult, measureCases, stepCount } from './rounds.ts'
import { joinServer, type Server, starters } from './servers.ts'

try {
  await main(parseOptions(process.argv.slice(2)))
} catch (error) {
  if (error instanceof TypeError || !(error instanceof Error)) throw error
  fail(error.message)
}

async function main(options: Options): Promise<void> {
  const missing = ['redis-server', 'redis-benchmark'].filter((name) => Bun.which(name) === null)
  if (missing.length > 0) return fail(`${missing.join(' and ')}: not on PATH.`)
  const cases = options.throughput ? makeCases(options.clients, options.keys, options.only) : []
  if (cases.length === 0 && options.throughput) return fail('No case has such a name.')
  const machine = describeMachine(options)
  const progress = new Progress()
  const { redbun, redis } = await starters(options)
  if (options.extras) progress.expect(EXTRAS_STEPS + DELIVERY_STEPS)
  progress.expect(stepCount(cases, 2 + options.servers.length, options))
  let results: CaseResult[] = []
  let servers = ['Redbun', 'Redis']
  if (cases.length > 0) {
    const others = await Promise.all(options.servers.map(joinServer))
    const started = [await redbun(), await redis()]
    const all: Server[] = [...started, ...others]
    servers = all.map(({ name }) => name)
    results = await measureCases(cases, all, options, progress)
    for (const server of started) await server.stop()
  }
  const delivery = options.extras ? await deliver() : []
  const extras: Extras[] = options.extras
    ? await measureExtras([redbun, redis], options, progress)
    : []
  progress.end()
  const warning = machineWarning(machine, options)
  // Where the results went is nobody's business who reads them.
  const { json: _json, svg: _svg, markdown: _markdown, ...shown } = options
  await write({ machine, warning, options: shown, servers, cases: results, delivery, extras })

  async function deliver(): Promise<DeliveryResult[]> {
    const started = [await redbun(), await redis()]
    try {
      return await measureDelivery(started, progress)
    } finally {
      for (const server of started) await server.stop()
    }
  }

  async function write(report: Report): Promise<void> {
    const markdown = toMarkdown(report)
    const files = [
      [options.json, `${JSON.stringify(report, null, 2)}\n`],
      [options.markdown, markdown],
      ...(results.length > 0 ? [[options.svg, toSvg(report)]] : []),
    ]
    for (const [path, text] of files) {
      mkdirSync(dirname(path), { recursive: true })
      await Bun.write(path, text)
    }
    process.stdout.write(`${markdown}\nWritten: ${files.map(([path]) => path).join(', ')}\n`)
  }
}

function fail(text: string): never {
  process.stderr.write(`${text}\n`)
  process.exit(1)
}
