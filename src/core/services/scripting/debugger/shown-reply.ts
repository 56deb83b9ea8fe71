/**
 * Replies of commands as the debugger shows them: in one line, strings and states quoted.
 *
 * Thread: core.
 * Owns: nothing.
 * Never: looks at anything but complete replies of our own.
 */
import { quoted } from '../../server/monitors.ts'

const CR = 13

/** The reply that begins at `at`, one character a byte. */
export function shownReply(bytes: Buffer, at: number): string {
  return new ReplyReader(bytes, at).next()
}

class ReplyReader {
  readonly #bytes: Buffer
  #at: number

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes
    this.#at = at
  }

  next(): string {
    const start = this.#at
    const end = this.#bytes.indexOf(CR, start)
    const type = String.fromCharCode(this.#bytes[start])
    const head = this.#bytes.latin1Slice(start + 1, end)
    this.#at = end + 2
    switch (type) {
      case ':':
        return head
      case '$':
        return this.#string(Number(head))
      case '+':
      case '-':
        return quoted(this.#bytes.subarray(start, end))
      case '*':
        return Number(head) < 0 ? 'NULL' : `[${this.#list(Number(head))}]`
      case '~':
        return `~(${this.#list(Number(head))})`
      case '%':
        return `{${this.#pairs(Number(head))}}`
      case '_':
        return '(null)'
      case '#':
        return head === 't' ? '#true' : '#false'
      case ',':
        return `(double) ${head}`
      default:
        // QUIRK: big numbers and verbatim strings are not shown: print redis.call('debug', ...).
        this.#at = start
        return ''
    }
  }

  #string(size: number): string {
    if (size < 0) return 'NULL'
    const start = this.#at
    this.#at = start + size + 2
    return quoted(this.#bytes.subarray(start, start + size))
  }

  #list(count: number): string {
    return Array.from({ length: count }, () => this.next()).join(',')
  }

  #pairs(count: number): string {
    return Array.from({ length: count }, () => `${this.next()} => ${this.next()}`).join(',')
  }
}
