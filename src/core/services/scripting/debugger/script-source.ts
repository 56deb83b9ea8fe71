/**
 * The text of a script that is debugged, line by line: which line runs, and which have a breakpoint.
 *
 * Thread: core.
 * Owns: the lines and the breakpoints.
 * Never: numbers a line below 1.
 */
import { cString } from './c-text.ts'

const BREAKPOINT_COUNT_MAX = 64
const NO_LINE = '<out of range source code line>'

export class ScriptSource {
  readonly #lines: readonly string[]
  /** In the order in which they were set. */
  breakpoints: number[] = []
  /** The line that is about to be run. */
  current = 0

  /** `text`: one character a byte. */
  constructor(text: string) {
    const kept = text.replace(/[\r\n]+$/, '')
    this.#lines = kept === '' ? [] : kept.split('\n')
  }

  get isFull(): boolean {
    return this.breakpoints.length === BREAKPOINT_COUNT_MAX
  }

  /** False when there is no such line, or it has a breakpoint. */
  addBreakpoint(line: number): boolean {
    if (line > this.#lines.length || this.breakpoints.includes(line)) return false
    this.breakpoints.push(line)
    return true
  }

  /**
   * False when the line has none.
   * DIFFERS: the others stay where they are; Redis moves them in part and mixes up their lines.
   */
  removeBreakpoint(line: number): boolean {
    if (!this.breakpoints.includes(line)) return false
    this.breakpoints = this.breakpoints.filter((one) => one !== line)
    return true
  }

  /** A line with its number and marks: whether it is the present one, whether it has a breakpoint. */
  shown(line: number): string {
    const text = this.#lines[line - 1] ?? NO_LINE
    const arrow = line === this.current ? '->' : '  '
    const mark = this.breakpoints.includes(line) ? '#' : ' '
    return `${arrow}${mark}${String(line).padEnd(3)} ${cString(text)}`
  }

  /** Lines up to `distance` away from one. */
  around(line: number, distance: number): string[] {
    const shown: string[] = []
    const last = Math.min(this.#lines.length, line + distance)
    for (let i = Math.max(1, line - distance); i <= last; i++) shown.push(this.shown(i))
    return shown
  }
}
