/**
 * Says where a long run is: one line rewritten on a terminal, a line per step elsewhere.
 *
 * Thread: main.
 * Owns: that line.
 * Never: writes to standard output, where the results go.
 */

const CLEAR_LINE = '\r\x1b[K'

export class Progress {
  readonly #isTerminal = process.stderr.isTTY === true
  readonly #startedMs = performance.now()
  #total = 0
  #done = 0

  /** `count` more steps are to come. */
  expect(count: number): void {
    this.#total += count
  }

  step(text: string): void {
    this.#done++
    this.note(text)
  }

  /** Something inside a step. */
  note(text: string): void {
    const seconds = Math.round((performance.now() - this.#startedMs) / 1000)
    const time = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
    const line = `${time}  ${this.#done}/${this.#total}  ${text}`
    if (!this.#isTerminal) process.stderr.write(`${line}\n`)
    else process.stderr.write(CLEAR_LINE + line.slice(0, (process.stderr.columns ?? 80) - 1))
  }

  end(): void {
    if (this.#isTerminal) process.stderr.write(CLEAR_LINE)
  }
}
