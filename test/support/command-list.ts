/**
 * The commands by their groups, as the README shows them: made from the definitions.
 *
 *     bun test/support/command-list.ts     writes it there
 *
 * Thread: main.
 * Owns: the part of the README between its two marks.
 * Never: knows a command that the server does not have.
 */
import { join } from 'node:path'
import { commandGroups } from '../../src/core/commands.ts'
import { ROOT } from './server.ts'

const README = join(ROOT, 'README.md')
const BEGIN = '<!-- commands -->\n'
const END = '<!-- /commands -->\n'

/** A table of Markdown. Commands with subcommands say how many. */
export function commandList(): string {
  const names = new Map<string, string[]>()
  for (const { name: usual, definitions } of commandGroups) {
    for (const { name, group = usual, subcommands = [] } of definitions) {
      const list = names.get(group) ?? []
      names.set(group, list)
      list.push(subcommands.length === 0 ? name : `${name} (${subcommands.length})`)
    }
  }
  const rows = [...names].map(([group, list]) => `| ${group} | ${list.sort().join(' ')} |`)
  return ['', '| group | commands |', '| --- | --- |', ...rows, '', ''].join('\n')
}

/** What stands there now. Throws: an Error where the marks are missing. */
export async function listInReadme(): Promise<string> {
  const [, list] = (await readme()).match(new RegExp(`${BEGIN}([^]*)${END}`)) ?? []
  if (list === undefined) throw new Error('the README has no marks for the commands')
  return list
}

function readme(): Promise<string> {
  return Bun.file(README).text()
}

if (import.meta.main) {
  const text = await readme()
  const at = text.indexOf(BEGIN) + BEGIN.length
  await Bun.write(README, text.slice(0, at) + commandList() + text.slice(text.indexOf(END)))
}
