/**
 * The HELP of a container command, made from the definitions of its subcommands.
 *
 * Thread: core.
 * Owns: the shape of the text.
 * Never: has a text of its own for one command.
 */
import type { CommandDefinition } from '../../command/command.ts'
import type { Call } from '../../engine/call.ts'

const LINE_WIDTH = 76

/** The HELP subcommand of `container`; `siblings` gives the others. */
export function helpSubcommand(
  container: string,
  since: string,
  siblings: () => readonly CommandDefinition[],
): CommandDefinition {
  return {
    name: 'HELP',
    usage: '',
    summary: 'Returns helpful text about the subcommands.',
    since,
    complexity: 'O(1)',
    flags: ['loading', 'stale'],
    reply: 'array of simple',

    run(call) {
      answerHelp(call, container, siblings().map(helpEntry))
    },
  }
}

export interface HelpEntry {
  /** The subcommand with its arguments. */
  readonly usage: string
  readonly summary: string
}

/** Answers the lines of a HELP: each subcommand's usage, and below it what it does. */
export function answerHelp(call: Call, container: string, entries: readonly HelpEntry[]): void {
  const lines = [`${container} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:`]
  for (const { usage, summary } of entries) {
    lines.push(usage)
    for (const line of wrapped(summary)) lines.push(`    ${line}`)
  }
  lines.push('HELP', '    Prints this help.')
  call.reply.array(lines.length)
  for (const line of lines) call.reply.simple(line)
}

function helpEntry(definition: CommandDefinition): HelpEntry {
  return {
    usage: `${definition.name} ${readable(definition.usage)}`.trimEnd(),
    summary: definition.summary,
  }
}

/** A usage line without what only the command table needs: versions, types, names of alternatives. */
export function readable(usage: string): string {
  return usage
    .replace(/[@!]\d+(\.\d+)+/g, '')
    .replace(/([<[])[\w-]+: /g, '$1')
    .replace(/:(integer|double|string|unix-time|pattern)\b/g, '')
}

function wrapped(text: string): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > LINE_WIDTH) {
      lines.push(line)
      line = ''
    }
    line = line === '' ? word : `${line} ${word}`
  }
  lines.push(line)
  return lines
}
