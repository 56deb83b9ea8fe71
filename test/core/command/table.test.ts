/**
 * The table of commands: finding, renaming, and refusing wrong definitions at the start.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: needs a server.
 */
import { describe, expect, test } from 'bun:test'
import { CATEGORIES, categoryBit, categoryNames } from '../../../src/core/command/categories.ts'
import {
  type CommandDefinition,
  type CommandGroup,
  collect,
  command,
} from '../../../src/core/command/command.ts'
import { CommandTable, FLAG_FAST, FLAG_WRITE, flagNames } from '../../../src/core/command/table.ts'

function define(name: string, more: Partial<CommandDefinition> = {}): CommandDefinition {
  return command({
    name,
    usage: 'key',
    summary: 'Does a thing.',
    since: '1.0.0',
    complexity: 'O(1)',
    flags: ['readonly'],
    access: 'ro access',
    reply: 'nil',
    run: () => {},
    ...more,
  })
}

function group(...definitions: CommandDefinition[]): CommandGroup {
  return collect('string', { ...definitions })
}

function container(): CommandDefinition {
  const { run: _, access: __, ...bare } = define('BOX', { usage: '', flags: [] })
  const child = { usage: '', flags: [] }
  return command({
    ...bare,
    subcommands: [open(define('OPEN', child)), open(define('SHUT', child))],
  })
}

function open({ access: _, ...definition }: CommandDefinition): CommandDefinition {
  return definition
}

const bytes = (text: string) => Buffer.from(text, 'latin1')

describe('CommandTable', () => {
  test('finds commands and subcommands in any case, inside a longer buffer', () => {
    const table = new CommandTable([group(define('GET'), container())])
    const buffer = bytes('xxgEtboXopeN')
    expect(table.find(buffer, 2, 5)?.name).toBe('get')
    expect(table.find(buffer, 2, 4)).toBeUndefined()
    const box = table.find(buffer, 5, 8)!
    expect(box.subcommands?.size).toBe(2)
    expect(table.findSubcommand(box, buffer, 8, 12)?.name).toBe('box|open')
    expect(table.findSubcommand(box, buffer, 8, 11)).toBeUndefined()
    expect(table.findName('BOX|Shut')?.name).toBe('box|shut')
    expect(table.findName('get|x')).toBeUndefined()
    for (const [index, entry] of table.entries.entries()) expect(entry.index).toBe(index)
  })

  test('a bare container has arity -2, no category of its group, and cannot run', () => {
    const box = new CommandTable([group(container())]).findName('box')!
    expect(box.arity).toBe(-2)
    expect(categoryNames(box.categories)).toEqual(['slow'])
    expect(box.subcommands?.get('open')?.arity).toBe(2)
  })

  test('renames and removes what clients may call', () => {
    const table = new CommandTable([group(define('GET'), define('SET'), container())])
    expect(table.rename('GET', 'Fetch')).toBe('')
    expect(table.find(bytes('get'), 0, 3)).toBeUndefined()
    expect(table.find(bytes('FETCH'), 0, 5)?.name).toBe('get')
    expect(table.rename('nothing', 'x')).toContain('No such command')
    expect(table.rename('SET', 'fetch')).toContain('already exists')
    expect(table.find(bytes('set'), 0, 3)?.name).toBe('set')
    expect(table.rename('box', '')).toBe('')
    expect(table.lookupTable().map(({ name }) => name)).toEqual(['set', 'fetch'])
    expect(table.entries.length).toBe(5)
  })

  test('turns flags into bits', () => {
    const { flagBits, isFast } = new CommandTable([
      group(define('DO', { flags: ['fast', 'write'] })),
    ]).findName('do')!
    expect(flagBits).toBe(FLAG_WRITE | FLAG_FAST)
    expect(isFast).toBe(true)
    expect(flagNames(flagBits)).toEqual(['write', 'fast'])
  })

  test('adds and takes away categories', () => {
    const extra = define('DO', { categories: ['-string', 'dangerous'] })
    const { categories } = new CommandTable([group(extra)]).findName('do')!
    expect(categoryNames(categories)).toEqual(['read', 'slow', 'dangerous'])
    expect(CATEGORIES.map(categoryBit).every((bit) => bit !== 0)).toBe(true)
    expect(categoryBit('nothing')).toBe(0)
  })

  test('refuses a wrong definition by its name', () => {
    const refuse = (text: string, ...definitions: CommandDefinition[]) =>
      expect(() => new CommandTable([group(...definitions)])).toThrow(text)
    const { run: _, ...idle } = define('DO')
    refuse("command 'get': defined twice", define('GET'), define('get'))
    refuse("command 'do': 'run' is missing", command(idle))
    refuse("command 'do': a container without subcommands", command({ ...idle, subcommands: [] }))
    refuse(
      "command 'do': both 'write' and 'readonly'",
      define('DO', { flags: ['write', 'readonly'] }),
    )
    refuse("command 'do': '[' is not closed", define('DO', { usage: '[key' }))
    refuse(
      "command 'do': 'access' describes 1 keys, the usage line has 2",
      define('DO', { usage: 'key destination' }),
    )
    refuse("command 'do': unknown key flag in 'ro reads'", define('DO', { access: 'ro reads' }))
    refuse("command 'do': there is no ACL category 'odd'", define('DO', { categories: ['odd'] }))
    refuse("command 'do': the place of 'key' varies", define('DO', { usage: '[NX] key' }))
    const twice = container()
    refuse(
      "command 'box|open': defined twice",
      command({ ...twice, subcommands: [...twice.subcommands!, ...twice.subcommands!] }),
    )
  })
})
