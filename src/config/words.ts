/**
 * A line as words and a word as part of a line, in the quoting shared by configuration files and
 * inline commands.
 *
 * `"..."` knows \n \r \t \b \a \xHH and takes any other escaped byte as it is; `'...'` knows only \'.
 * A closing quote must end the word.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: throws; a line that breaks the rules has no words.
 */

const ESCAPES: Record<string, string> = { n: '\n', r: '\r', t: '\t', b: '\b', a: '\x07' }

/** The words of a line (byte strings), or nothing if its quotes are not balanced. */
export function splitWords(text: string): string[] | undefined {
  const words: string[] = []
  // QUIRK: a zero byte ends the line, even between quotes, as it ends a string in C.
  const line = text.split('\0', 1)[0]
  let at = 0
  for (;;) {
    while (isBlank(line[at])) at++
    if (at >= line.length) return words
    let word = ''
    while (at < line.length && !' \n\r\t'.includes(line[at]!)) {
      const quote = line[at]
      if (quote !== '"' && quote !== "'") {
        word += line[at++]
        continue
      }
      const end = endOfQuoted(line, at)
      if (end < 0) return undefined
      const inside = line.slice(at + 1, end)
      word += quote === '"' ? unescapeDouble(inside) : inside.replaceAll("\\'", "'")
      at = end + 1
      break
    }
    words.push(word)
  }
}

/** A word in double quotes, so that `splitWords` gives it back whatever its bytes are. */
export function quoteWord(word: string): string {
  return `"${word.replace(/["\\]|[^ -~]/g, escapeByte)}"`
}

const NAMED = new Map(Object.entries(ESCAPES).map(([letter, byte]) => [byte, `\\${letter}`]))

function escapeByte(byte: string): string {
  if (byte === '"' || byte === '\\') return `\\${byte}`
  return NAMED.get(byte) ?? `\\x${byte.charCodeAt(0).toString(16).padStart(2, '0')}`
}

function isBlank(byte: string | undefined): boolean {
  return byte !== undefined && ' \t\n\v\f\r'.includes(byte)
}

/** Where the quoted part that opens at `open` closes, or -1 if it does not, or not at a word's end. */
function endOfQuoted(line: string, open: number): number {
  const quote = line[open]
  for (let at = open + 1; at < line.length; at++) {
    if (line[at] === '\\' && (quote === '"' || line[at + 1] === "'") && at + 1 < line.length) at++
    else if (line[at] === quote) return at + 1 < line.length && !isBlank(line[at + 1]) ? -1 : at
  }
  return -1
}

function unescapeDouble(inside: string): string {
  return inside.replace(/\\(?:x([0-9a-fA-F]{2})|([\s\S]))/g, (_, hex?: string, letter?: string) =>
    hex === undefined ? (ESCAPES[letter!] ?? letter!) : String.fromCharCode(Number(`0x${hex}`)),
  )
}
