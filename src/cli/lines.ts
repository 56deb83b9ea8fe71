/**
 * Lines become commands: from the keyboard and from standard input alike.
 *
 * Thread: the client's only one.
 * Owns: the client's own commands: quit, help, connect, clear.
 * Never: reads the lines itself.
 */
import { splitInline } from '../lib/resp/inline.ts'
import { type CommandDocs, helpText } from './docs.ts'
import type { Options } from './options.ts'
import { word } from './output.ts'
import type { Session } from './session.ts'

/** Runs one line. False when it asks to quit. `line`: without its end. */
export async function runLine(
  line: Uint8Array,
  session: Session,
  options: Options,
  docs: () => Promise<CommandDocs>,
): Promise<boolean> {
  const words = splitInline(line, 0, line.length)
  if (words === undefined) {
    session.output.line('Invalid argument(s)')
    return true
  }
  if (words.length === 0) return true
  const name = word(words[0])
  if (name === 'quit' || name === 'exit') return false
  if (name === 'help' || name === '?') {
    session.output.line(helpText(words.slice(1).map(word), await docs()))
  } else if (name === 'connect' && words.length === 3) {
    session.useServer(Buffer.from(words[1]).toString(), Number(word(words[2])))
    await session.connect()
  } else if (name === 'clear' && words.length === 1) {
    session.output.line('\x1b[H\x1b[2J')
  } else {
    await runRepeated(words, session, options)
  }
  return true
}

/** A number in front repeats the command. */
async function runRepeated(
  words: readonly Uint8Array[],
  session: Session,
  options: Options,
): Promise<void> {
  const count = words.length > 1 && /^-?\d+$/.test(word(words[0])) ? Number(word(words[0])) : 1
  if (count <= 0) {
    session.output.line('Invalid redis-cli repeat command option value.')
    return
  }
  const args = words.length > 1 && /^\d+$/.test(word(words[0])) ? words.slice(1) : words
  await repeat(count, options.intervalMs, () => session.run(args))
}

/** Runs `step` so often (-1: for ever) with a pause between. False as soon as one is. */
export async function repeat(
  count: number,
  pauseMs: number,
  step: () => Promise<boolean>,
): Promise<boolean> {
  for (let left = count; left !== 0; left--) {
    if (!(await step())) return false
    if (pauseMs > 0 && left !== 1) await new Promise((resolve) => setTimeout(resolve, pauseMs))
  }
  return true
}
