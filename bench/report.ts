/**
 * All results of a run, and the tables that the README shows of them.
 *
 * Thread: main.
 * Owns: their shape, and how they are put into words.
 * Never: leaves the machine or the commit out.
 */
import type { Extras } from './extras.ts'
import type { Machine } from './machine.ts'
import type { DeliveryResult } from './pubsub.ts'
import type { CaseResult } from './rounds.ts'
import { ratioText, type Spread, shortBytes, shortCount, shortMs, spreadOf } from './statistics.ts'

export interface Report {
  readonly machine: Machine
  readonly warning: string
  readonly options: Readonly<Record<string, unknown>>
  /** Names of the servers; ours first. */
  readonly servers: readonly string[]
  readonly cases: readonly CaseResult[]
  readonly delivery: readonly DeliveryResult[]
  readonly extras: readonly Extras[]
}

/** What was measured of one server in one case. */
export interface Summary {
  readonly throughput: Spread
  readonly p50Ms: number
  readonly p99Ms: number
  readonly p999Ms: number
  /** Our throughput over this server's, round by round; of ourselves 1. */
  readonly ratio: Spread
  /** Microseconds of the server's processor time a request; null where nobody says. */
  readonly processorUs: number | null
}

/** By server, in the report's order. */
export function summarize(result: CaseResult): Summary[] {
  const [ours] = result.measurements
  return result.measurements.map((rounds) => ({
    throughput: spreadOf(rounds.map(({ throughput }) => throughput)),
    p50Ms: spreadOf(rounds.map(({ p50Ms }) => p50Ms)).median,
    p99Ms: spreadOf(rounds.map(({ p99Ms }) => p99Ms)).median,
    p999Ms: spreadOf(rounds.map(({ p999Ms }) => p999Ms)).median,
    ratio: spreadOf(rounds.map(({ throughput }, i) => ours[i].throughput / throughput)),
    processorUs: medianOrNull(rounds.map(({ processorUs }) => processorUs)),
  }))
}

function medianOrNull(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null)
  return known.length === 0 ? null : spreadOf(known).median
}

export function toMarkdown(report: Report): string {
  const parts = [machineText(report)]
  if (report.cases.length > 0) {
    parts.push(...throughputTables(report), ...processorTables(report), ...latencyTables(report))
  }
  if (report.delivery.length > 0) parts.push(deliveryTable(report.delivery))
  if (report.extras.length > 0) parts.push(extrasTable(report.extras))
  return `${parts.join('\n\n')}\n`
}

/** One paragraph: where, when and of what. */
export function machineText({ machine, warning, options }: Report): string {
  const text =
    `${machine.processor}, ${machine.processorCount} processors, ${machine.memory}, ` +
    `${machine.system}; ${machine.date} UTC, commit ${machine.commit}; Bun ${machine.bun}, ` +
    `Redis ${machine.redis}, redis-benchmark ${machine.redisBenchmark} with ` +
    `${options['threads']} thread(s); io threads: Redbun ${options['ioThreads']}, ` +
    `Redis ${options['redisIoThreads']}; ${options['rounds']} alternating rounds.`
  return warning === '' ? text : `${text} ${warning}`
}

/** The tables that cases stand in, each with its title. */
export function groupCases(
  cases: readonly CaseResult[],
): { readonly title: string; readonly cases: readonly CaseResult[] }[] {
  const groups = Map.groupBy(cases, ({ group }) => group)
  return [...groups].map(([title, ofGroup]) => ({ title, cases: ofGroup }))
}

/** Requests a second: median, and from the slowest to the fastest round. */
function throughputTables({ servers, cases }: Report): string[] {
  const [ours, ...others] = servers
  const head = ['', ours, ...others.flatMap((name) => [name, `${ours} / ${name}`])]
  return groupCases(cases).map(({ title, cases: ofGroup }) => {
    const rows = ofGroup.map((result) => {
      const [mine, ...theirs] = summarize(result)
      return [
        result.label,
        spreadText(mine.throughput, shortCount),
        ...theirs.flatMap(({ throughput, ratio }) => [
          spreadText(throughput, shortCount),
          `**${ratioText(ratio.median)}** (${ratio.min.toFixed(2)}–${ratio.max.toFixed(2)})`,
        ]),
      ]
    })
    return `Requests a second, ${title}:\n\n${table(head, rows)}`
  })
}

/** What a request costs the server, all of its threads together, whatever else the machine does. */
function processorTables({ servers, cases }: Report): string[] {
  const [ours, ...others] = servers
  const head = ['', ours, ...others.flatMap((name) => [name, `${ours} / ${name}`])]
  return groupCases(cases).map(({ title, cases: ofGroup }) => {
    const rows = ofGroup.map((result) => {
      const [mine, ...theirs] = summarize(result)
      return [
        result.label,
        microseconds(mine.processorUs),
        ...theirs.flatMap(({ processorUs }) => [
          microseconds(processorUs),
          mine.processorUs === null || processorUs === null || processorUs === 0
            ? '–'
            : `**${ratioText(mine.processorUs / processorUs)}**`,
        ]),
      ]
    })
    return `Processor time of the server a request, less is better, ${title}:\n\n${table(head, rows)}`
  })
}

function microseconds(value: number | null): string {
  return value === null ? '–' : `${value.toFixed(2)} µs`
}

function deliveryTable(delivery: readonly DeliveryResult[]): string {
  const rows = delivery.map(({ subscribers, publishers, pipeline, perSecond, ratio, costUs }) => [
    `${subscribers} subscribers, ${publishers} publishers, pipeline ${pipeline}`,
    ...perSecond.map(shortCount),
    `**${ratioText(ratio)}**`,
    costUs.map((cost) => `${cost.toFixed(2)} µs`).join(', '),
  ])
  const head = ['', 'Redbun', 'Redis', 'Redbun / Redis', 'processor time a delivery']
  return `Deliveries of messages to subscribers a second:\n\n${table(head, rows)}`
}

function latencyTables({ servers, cases }: Report): string[] {
  const head = ['', ...servers.map((name) => `${name} p50 / p99 / p99.9`)]
  return groupCases(cases).map(({ title, cases: ofGroup }) => {
    const rows = ofGroup.map((result) => [
      result.label,
      ...summarize(result).map(({ p50Ms, p99Ms, p999Ms }) =>
        [p50Ms, p99Ms, p999Ms].map(shortMs).join(' / '),
      ),
    ])
    return `From sending a pipeline to its first reply at that load, ${title}:\n\n${table(head, rows)}`
  })
}

function extrasTable(extras: readonly Extras[]): string {
  const [{ memory, mixed, elements }] = extras
  const keys = shortCount(memory.keyCount)
  const seconds = (value: number) => value.toFixed(2)
  const row = (title: string, cell: (one: Extras) => string) => [title, ...extras.map(cell)]
  const rows = [
    row(`Memory a key, ${keys} keys (RSS)`, (one) => optional(one.memory.rssPerKey, shortBytes)),
    row(`Memory a key, ${keys} keys (\`used_memory\`)`, (one) => shortBytes(one.memory.usedPerKey)),
    ...elements.map(({ type }, i) =>
      row(`Bytes an element, ${type} of ${keys} (MEMORY USAGE)`, (one) =>
        one.elements[i].bytes.toFixed(1),
      ),
    ),
    row(`RSS with ${keys} keys`, (one) => optional(one.memory.rssBytes, shortBytes)),
    row('RSS idle', (one) => optional(one.idle.rssBytes, shortBytes)),
    row('Processor idle', (one) => optional(one.idle.processorPercent, percentText)),
    row('Start to first PONG (Redbun compiled by an earlier start)', (one) =>
      spreadText(one.startMs, shortMs),
    ),
    row(`BGSAVE of ${keys} keys while nobody asks, seconds`, ({ saving }) =>
      spreadText(saving.quietSeconds, seconds),
    ),
    row('The same under the load of SET', ({ saving }) =>
      spreadText(saving.loadedSeconds, seconds),
    ),
    row('SET, pipeline 16, a second: without / while saving', ({ saving }) =>
      [saving.throughput, saving.throughputSaving]
        .map(({ median }) => shortCount(median))
        .join(' / '),
    ),
    row('p99 of these SET: without / while saving', ({ saving }) =>
      [saving.p99Ms, saving.p99SavingMs].map(({ median }) => shortMs(median)).join(' / '),
    ),
    row('The ratio of the two', ({ saving }) =>
      spreadText(saving.p99Ratio, (ratio) => ratio.toFixed(2)),
    ),
    row('Mixed load, requests a second', (one) => shortCount(one.mixed.throughput)),
    row('Mixed load, whole pipelines: p50 / p99 / p99.9', ({ mixed: { p50Ms, p99Ms, p999Ms } }) =>
      [p50Ms, p99Ms, p999Ms].map(shortMs).join(' / '),
    ),
    row('Mixed load, longest wait', (one) => shortMs(one.mixed.maxMs)),
    row("Mixed load, longest turn of the core's loop", (one) =>
      optional(one.mixed.longestTurnMs, shortMs),
    ),
  ]
  const mixedSeconds = mixed.seconds.toFixed(0)
  const words = `The mixed load is GET, SET, INCR, DEL and EXPIRE on ${keys} keys for ${mixedSeconds} s, with pipelines of 16.`
  return `${table(['', ...extras.map(({ name }) => name)], rows)}\n\n${words}`
}

function optional(value: number | undefined, text: (value: number) => string): string {
  return value === undefined ? '–' : text(value)
}

function percentText(percent: number): string {
  return `${percent.toFixed(1)} %`
}

function spreadText({ median, min, max }: Spread, text: (value: number) => string): string {
  return `${text(median)} (${text(min)}–${text(max)})`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const align = head.map((_, i) => (i === 0 ? ':--' : '--:'))
  return [head, align, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}
