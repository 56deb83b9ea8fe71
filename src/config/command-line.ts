/**
 * The arguments of `redis-server` as one of the few things they can ask for.
 *
 * `redis-server [FILE] [--name value ...] [-]`: options become lines of configuration that stand
 * after the file's, so one parser reads all and the line numbers in errors count both.
 *
 * Thread: main.
 * Owns: which word is an option, a value, a file or a mode.
 * Never: prints, reads a file, ends the process.
 */
import { fromUnicode } from './byte-text.ts'
import { quoteWord, splitWords } from './words.ts'

/** What the command line asks for. */
export type CommandLine =
  | {
      readonly task: 'serve'
      /** The configuration file as written, ordinary text; nothing for none. */
      readonly file?: string
      /** Whether a configuration comes from standard input too, after the file's. */
      readonly standardInput: boolean
      /** Lines of configuration from the options, a byte string; empty without any. */
      readonly options: string
    }
  | { readonly task: 'version' }
  | { readonly task: 'help' }
  | { readonly task: 'test-memory'; readonly megabytes: number }
  | { readonly task: 'check-system' }
  /** Look at files; `words` are the rest of the line, ordinary text. */
  | { readonly task: 'check-aof' | 'check-rdb'; readonly words: readonly string[] }
  /** Print `text` to standard error and exit with 1. */
  | { readonly task: 'refuse'; readonly text: string }

/** Reads the arguments after the program's name; ordinary text, as the system gives them. */
export function parseCommandLine(argv: readonly string[]): CommandLine {
  const first = argv[0]
  if (first === '-v' || first === '--version') return { task: 'version' }
  if (first === '-h' || first === '--help') return { task: 'help' }
  if (first === '--test-memory') return testMemory(argv)
  if (first === '--check-system') return { task: 'check-system' }
  if (first === '--check-aof') return { task: 'check-aof', words: argv.slice(1) }
  if (first === '--check-rdb') return { task: 'check-rdb', words: argv.slice(1) }
  if (argv.includes('--sentinel')) {
    return { task: 'refuse', text: 'Sentinel mode is not part of Redbun: use redis-sentinel.\n' }
  }
  let standardInput = false
  const hasFile = first !== undefined && !first.startsWith('-')
  let rest = hasFile ? argv.slice(1) : argv
  if (!hasFile && rest[0] === '-') {
    standardInput = true
    rest = rest.slice(1)
  }
  if (rest.at(-1) === '-') {
    standardInput = true
    rest = rest.slice(0, -1)
  }
  const options = optionLines(rest.map(fromUnicode))
  const file = hasFile && first !== '' ? { file: first } : {}
  return { task: 'serve', standardInput, options, ...file }
}

/** The whole configuration text from its three sources, each empty if absent. Byte strings. */
export function joinConfig(file: string, standardInput: string, options: string): string {
  return file + standardInput + (options === '' ? '' : `\n${options}`)
}

function testMemory(argv: readonly string[]): CommandLine {
  if (argv.length !== 2) {
    const text =
      'Please specify the amount of memory to test in megabytes.\n' +
      'Example: ./redis-server --test-memory 4096\n\n'
    return { task: 'refuse', text }
  }
  return { task: 'test-memory', megabytes: Number.parseInt(argv[1]!, 10) || 0 }
}

/**
 * One line for each option. The word after an option's name is a value even if it starts with two
 * hyphens, unless the name's own word has brought a value; further words are values up to the next
 * that starts so. `--save` alone means no save points.
 */
function optionLines(words: readonly string[]): string {
  let lines = ''
  let valueDue = false
  for (let index = 0; index < words.length; index++) {
    const word = words[index]!
    if (valueDue || !word.startsWith('--')) {
      lines += `${quoteWord(word)} `
      valueDue = false
      continue
    }
    if (lines !== '') lines += '\n'
    lines += `${word.slice(2)} `
    const next = words[index + 1]
    const isName = splitWords(word)?.length === 1
    const isSave = word.toLowerCase() === '--save'
    if (isSave && (next === undefined || next.startsWith('--'))) lines += '""'
    else valueDue = isName
  }
  return lines
}
