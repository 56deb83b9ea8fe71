/**
 * Latency events for people: a graph of one, a report of all.
 *
 * Thread: core.
 * Owns: how both are written.
 * Never: looks further back than the samples go.
 */
import type { Latency, LatencyEvent } from './latency.ts'

const COLUMNS = 80
const ROWS = 4
/** From the foot of a row to its top. */
const MARKS = '_o#'
const BELOW = '|'

/** Bars of the samples, oldest first, and below each how long ago it was. */
export function latencyGraph(event: LatencyEvent, nowSeconds: number): string {
  const durations = event.samples.map((sample) => sample.durationMs)
  const high = Math.max(...durations)
  const low = Math.min(...durations)
  const title = `${event.name} - high ${high} ms, low ${low} ms (all time high ${event.worstMs} ms)`
  let text = `${title}\n${'-'.repeat(COLUMNS)}\n`
  for (let from = 0; from < durations.length; from += COLUMNS) {
    if (from > 0) text += '\n'
    const part = event.samples.slice(from, from + COLUMNS)
    const levels = part.map(({ durationMs }) => level(durationMs - low, high - low))
    const ages = part.map(({ unixSeconds }) => age(nowSeconds - unixSeconds))
    text += [...bars(levels), ' '.repeat(part.length), ...upright(ages)]
      .map((line) => `${line}\n`)
      .join('')
  }
  return text
}

/** How many marks high a bar is, counted from 0. */
function level(value: number, range: number): number {
  const levels = ROWS * MARKS.length
  return Math.min(Math.floor((value * levels) / (range === 0 ? 1 : range)), levels - 1)
}

function bars(levels: readonly number[]): string[] {
  const lines: string[] = []
  for (let row = ROWS - 1; row >= 0; row--) {
    const foot = row * MARKS.length
    lines.push(
      levels
        .map((height) => {
          if (height < foot) return ' '
          return MARKS[height - foot] ?? BELOW
        })
        .join(''),
    )
  }
  return lines
}

/** Each text as a column, read from top to bottom. */
function upright(texts: readonly string[]): string[] {
  const height = Math.max(...texts.map((text) => text.length))
  return Array.from({ length: height }, (_, row) => texts.map((text) => text[row] ?? ' ').join(''))
}

function age(seconds: number): string {
  if (seconds < 60) return `${seconds}s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`
  if (seconds < 24 * 3600) return `${Math.floor(seconds / 3600)}h`
  return `${Math.floor(seconds / (24 * 3600))}d`
}

/** What may help against events of each name. */
const ADVICE: Readonly<Record<string, string>> = {
  command:
    'Some commands took long. SLOWLOG GET shows which; look for those that walk over many elements at once, and for values that have grown large.',
  'fast-command':
    'Commands that do little took long, so the processor was not there for them. Look for other programs on the machine, for swapping, and for a virtual machine that has to share.',
}

/** A report in our own words. */
export function latencyReport(latency: Latency, thresholdMs: number): string {
  if (thresholdMs === 0) {
    return 'Nothing is recorded. CONFIG SET latency-monitor-threshold <milliseconds> turns recording on.\n'
  }
  if (latency.events.size === 0) {
    return `Nothing took ${thresholdMs} ms or longer since recording began.\n`
  }
  let text = ''
  for (const { name, worstMs, samples } of latency.events.values()) {
    const sum = samples.reduce((total, sample) => total + sample.durationMs, 0)
    const mean = (sum / samples.length).toFixed(0)
    text += `${name}: ${samples.length} samples, on average ${mean} ms, at worst ${worstMs} ms.\n`
    const advice = ADVICE[name]
    if (advice !== undefined) text += `  ${advice}\n`
  }
  return text
}
