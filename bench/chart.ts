/**
 * Throughput as a picture: for every case a bar a server, and how often ours is theirs.
 *
 *   title
 *   ┌ panel: a group of cases ────────┐ ┌ panel ┐     two panels in a row, each with its own scale
 *   │ GET, no pipeline  ▇▇▇▇▇ 120 k  1.02×      │
 *   │                   ▇▇▇▇ 117 k              │
 *
 * Readable in light and dark surroundings, and without colour by the order of the bars.
 *
 * Thread: main.
 * Owns: the drawing.
 * Never: scales a bar from anything but zero.
 */
import { groupCases, machineText, type Report, summarize } from './report.ts'
import type { CaseResult } from './rounds.ts'
import { ratioText, shortCount } from './statistics.ts'

const WIDTH = 960
const MARGIN = 24
const GAP = 32
const PANEL_WIDTH = (WIDTH - 2 * MARGIN - GAP) / 2
const LABEL_WIDTH = 118
const VALUE_WIDTH = 48
const RATIO_WIDTH = 52
const BAR_WIDTH_MAX = PANEL_WIDTH - LABEL_WIDTH - VALUE_WIDTH - RATIO_WIDTH
const BAR_HEIGHT = 11
const BAR_GAP = 2
const CASE_GAP = 9
const PANEL_HEAD = 30
const PANEL_GAP = 22
const TOP = 84
const FOOT = 44
/** About as many characters as fit into a line of the foot. */
const FOOT_CHARACTERS = 160

const STYLE = `
  text { font: 12px system-ui, -apple-system, 'Segoe UI', sans-serif; fill: #1f2328 }
  .title { font-size: 17px; font-weight: 600 }
  .panel { font-size: 13px; font-weight: 600 }
  .small { font-size: 10px; fill: #59636e }
  .value { font-size: 10px }
  .ratio { font-weight: 600 }
  .line { stroke: #d1d9e0 }
  .s0 { fill: #d6336c } .s1 { fill: #8c959f } .s2 { fill: #4c8dae } .s3 { fill: #7a9a3c }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc }
    .small { fill: #9198a1 }
    .line { stroke: #3d444d }
    .s0 { fill: #f06595 } .s1 { fill: #6e7681 } .s2 { fill: #58a6c8 } .s3 { fill: #9bbf57 }
  }
`

/** The whole file. */
export function toSvg(report: Report): string {
  const panels = groupCases(report.cases)
  const rowHeight = report.servers.length * (BAR_HEIGHT + BAR_GAP) + CASE_GAP
  const body: string[] = []
  let top = TOP
  for (let first = 0; first < panels.length; first += 2) {
    const pair = panels.slice(first, first + 2)
    for (const [column, { title, cases }] of pair.entries()) {
      const left = MARGIN + column * (PANEL_WIDTH + GAP)
      body.push(drawPanel(title, cases, left, top, rowHeight))
    }
    const rows = Math.max(...pair.map(({ cases }) => cases.length))
    top += PANEL_HEAD + rows * rowHeight + PANEL_GAP
  }
  const foot = lines(machineText(report))
  const height = top + FOOT + (foot.length - 1) * 13
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="Throughput of ${escapeXml(report.servers.join(' and '))}">`,
    `<style>${STYLE}</style>`,
    drawHead(report.servers),
    ...body,
    ...foot.map((line, i) => text(MARGIN, top + 16 + i * 13, 'small', line)),
    '</svg>\n',
  ].join('\n')
}

function drawHead(servers: readonly string[]): string {
  const parts = [text(MARGIN, 34, 'title', 'Requests a second')]
  let left = MARGIN
  for (const [index, name] of servers.entries()) {
    parts.push(`<rect class="${colour(index)}" x="${left}" y="49" width="11" height="11" rx="2"/>`)
    parts.push(text(left + 17, 59, '', name))
    left += 17 + name.length * 8 + 18
  }
  const [ours, ...others] = servers
  parts.push(text(left, 59, 'small', `right: ${ours} / ${others.join(', / ')}, median of rounds`))
  return parts.join('\n')
}

function drawPanel(
  title: string,
  cases: readonly CaseResult[],
  left: number,
  top: number,
  rowHeight: number,
): string {
  const summaries = cases.map(summarize)
  const most = Math.max(...summaries.flat().map(({ throughput }) => throughput.median))
  const parts = [text(left, top + 12, 'panel', title)]
  const lineTop = top + 20
  parts.push(
    `<line class="line" x1="${left}" y1="${lineTop}" x2="${left + PANEL_WIDTH}" y2="${lineTop}"/>`,
  )
  for (const [row, ofCase] of summaries.entries()) {
    const y = top + PANEL_HEAD + row * rowHeight
    const middle = y + (ofCase.length * (BAR_HEIGHT + BAR_GAP)) / 2 + 3
    parts.push(text(left, middle, '', cases[row].label))
    const ratios = ofCase.slice(1).map(({ ratio }) => ratioText(ratio.median))
    for (const [index, { throughput }] of ofCase.entries()) {
      const barTop = y + index * (BAR_HEIGHT + BAR_GAP)
      const width = Math.max((throughput.median / most) * BAR_WIDTH_MAX, 1)
      const x = left + LABEL_WIDTH
      parts.push(
        `<rect class="${colour(index)}" x="${x}" y="${barTop}" width="${width.toFixed(1)}" height="${BAR_HEIGHT}" rx="2"/>`,
        text(x + width + 5, barTop + 9, 'value', shortCount(throughput.median)),
      )
      if (index === 0) continue
      const ratioTop = ofCase.length === 2 ? middle : barTop + 9
      parts.push(text(left + PANEL_WIDTH, ratioTop, 'ratio', ratios[index - 1], 'end'))
    }
  }
  return parts.join('\n')
}

function colour(index: number): string {
  return `s${Math.min(index, 3)}`
}

function text(x: number, y: number, style: string, words: string, anchor = 'start'): string {
  const at = `x="${x.toFixed(1)}" y="${y.toFixed(1)}"`
  return `<text class="${style}" ${at} text-anchor="${anchor}">${escapeXml(words)}</text>`
}

function escapeXml(words: string): string {
  return words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}

/** Breaks between words. */
function lines(words: string): string[] {
  const all: string[] = ['']
  for (const word of words.split(' ')) {
    const last = all[all.length - 1]
    if (last.length + word.length < FOOT_CHARACTERS) all[all.length - 1] = `${last} ${word}`.trim()
    else all.push(word)
  }
  return all
}
