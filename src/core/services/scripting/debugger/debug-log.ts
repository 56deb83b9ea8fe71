/**
 * What the debugger tells next: lines that gather until they are sent, each a simple string of an
 * array.
 *
 * Thread: core.
 * Owns: the lines, and how long a value may be in them.
 * Never: sends anything.
 */
const SHOWN_SIZE = 256
const SHOWN_SIZE_MIN = 60
const HINT = "<hint> The above reply was trimmed. Use 'maxlen 0' to disable trimming."

export class DebugLog {
  #lines: string[] = []
  /** Values and replies are cut behind so many bytes; 0: never. */
  #shownSize = SHOWN_SIZE
  /** The client knows how it can be told more. */
  #isHinted = false

  get shownSize(): number {
    return this.#shownSize
  }

  /** The client chooses: 0 for everything. */
  show(size: number): void {
    this.#isHinted = true
    this.#shownSize = size === 0 ? 0 : Math.max(size, SHOWN_SIZE_MIN)
  }

  /** `text`: one character a byte. */
  add(text: string): void {
    this.#lines.push(text)
  }

  /** A line with a value, which may be long. */
  addValue(text: string): void {
    const max = this.#shownSize
    if (max === 0 || text.length <= max) return this.add(text)
    this.add(`${text.slice(0, max)} ...`)
    if (this.#isHinted) return
    this.#isHinted = true
    this.add(HINT)
  }

  /** Everything so far as a reply; the next one begins. */
  take(): Buffer {
    const lines = this.#lines
    this.#lines = []
    const text = lines.map((line) => `+${line.replace(/[\r\n]/g, ' ')}\r\n`).join('')
    return Buffer.from(`*${lines.length}\r\n${text}`, 'latin1')
  }
}
