/**
 * The notation of usage lines: what each form compiles to, and what is refused.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: needs a server.
 */
import { describe, expect, test } from 'bun:test'
import { helpLines, helpUsage } from '../../../src/core/command/docs.ts'
import { type Argument, arityOf, compileUsage } from '../../../src/core/command/usage.ts'

/** A short text for a tree: `name:type`, TOKEN=, ? optional, + multiple, ++ with its token. */
function show(argument: Argument): string {
  const { name, type, token, keySpecIndex, since, deprecatedSince, parts } = argument
  const open = type === 'block' ? '{' : '('
  const close = type === 'block' ? '}' : ')'
  const inside = parts.map(show).join(type === 'block' ? ' ' : ' | ')
  const core = parts.length > 0 ? `${name}${open}${inside}${close}` : `${name}:${type}`
  const before = token === undefined ? '' : `${token === '' ? '""' : token}=`
  const key = keySpecIndex < 0 ? '' : `#${keySpecIndex}`
  const versions = (since ? `@${since}` : '') + (deprecatedSince ? `!${deprecatedSince}` : '')
  const repeated = argument.multipleToken ? '++' : argument.multiple ? '+' : ''
  return `${before}${core}${key}${versions}${repeated}${argument.optional ? '?' : ''}`
}

function check(usage: string, tree: string, arity: number): void {
  const compiled = compileUsage(usage)
  expect([usage, compiled.map(show).join(' '), arityOf(1, compiled)]).toEqual([usage, tree, arity])
}

describe('a usage line', () => {
  test('takes types from names, or from what follows the colon', () => {
    check('', '', 1)
    check('key value', 'key:key#0 value:string', 3)
    check('key start:integer ip:port', 'key:key#0 start:integer ip:port:string', 4)
    check('source destination', 'source:key#0 destination:key#1', 3)
    check('key:string shardchannel#0', 'key:string shardchannel:string#0', 3)
    check('key1 key2#0', 'key1:key#0 key2:key#0', 3)
  })

  test('gives a token to the value after it', () => {
    check('[EX seconds]', 'EX=seconds:integer?', -1)
    check('GROUP <group consumer>', 'GROUP=group_consumer{group:string consumer:string}', 4)
    check('[NX]', 'NX=nx:pure-token?', -1)
    check(
      '[change:CH] <TOKEN> value',
      'CH=change:pure-token? TOKEN=token:pure-token value:string',
      -3,
    )
    check('NO ONE', 'NO=no:pure-token ONE=one:pure-token', 3)
  })

  test('joins several in brackets to a block, and a token that opens it is the block’s', () => {
    check('[LIMIT offset count]', 'LIMIT=offset_count{offset:integer count:integer}?', -1)
    check('[count: COUNT count [ANY]]', 'count{COUNT=count:integer ANY=any:pure-token?}?', -1)
    check('[FULL <full: [COUNT count]>]', 'FULL=full{COUNT=count:integer?}?', -1)
  })

  test('names a choice by its label, else by its first alternative', () => {
    check('[condition: NX | XX]', 'condition(NX=nx:pure-token | XX=xx:pure-token)?', -1)
    check('<id | new_id:$>', 'id(id:string | $=new_id:pure-token)', 2)
    check(
      '<from: MEMBER member | LONLAT longitude latitude>',
      'from(MEMBER=member:string | LONLAT=longitude_latitude{longitude:double latitude:double})',
      -3,
    )
    check('<key | empty_string:""> x', 'key(key:key#0 | ""=empty_string:pure-token) x:string', 3)
  })

  test('repeats what stands before', () => {
    check('key [key ...]', 'key:key#0+', -2)
    check('[key [key ...]]', 'key:key#0+?', -1)
    check('score member [score member ...]', 'score_member{score:double member:string}+', -3)
    check('[GET pattern#1 [GET pattern#1 ...]]', 'GET=pattern:pattern#1++?', -1)
    check('[PREFIX prefix [prefix ...]]', 'PREFIX=prefix:string+?', -1)
    check(
      '[GET encoding offset [GET encoding offset ...]]',
      'GET=encoding_offset{encoding:string offset:integer}++?',
      -1,
    )
    check('<parameter: parameter> [...]', 'parameter{parameter:string}+', -2)
    check(
      '[CONFIG <configs: name value> [CONFIG ...]]',
      'CONFIG=configs{name:string value:string}++?',
      -1,
    )
    check('[ARGS <args: arg> [...]]', 'ARGS=args{arg:string}+?', -1)
  })

  test('carries versions', () => {
    check('[GET]@6.2.0', 'GET=get:pure-token@6.2.0?', -1)
    check('[ASYNC@4.0.0 | SYNC]', 'async(ASYNC=async:pure-token@4.0.0 | SYNC=sync:pure-token)?', -1)
    check('ip:port!2.8.12', 'ip:port:string!2.8.12', 2)
    check(
      '[LIMIT offset count]@6.2.0',
      'LIMIT=offset_count{offset:integer count:integer}@6.2.0?',
      -1,
    )
  })

  test('is refused when it is not in the notation', () => {
    expect(() => compileUsage('[key')).toThrow("'[' is not closed")
    expect(() => compileUsage('<key]')).toThrow("'<' is not closed")
    expect(() => compileUsage('key]')).toThrow("unexpected ']'")
    expect(() => compileUsage('NX | XX')).toThrow('outside of a group')
    expect(() => compileUsage('[]')).toThrow('a group is empty')
    expect(() => compileUsage('[key ...]')).toThrow('nothing before it')
    expect(() => compileUsage('score member [score other ...]')).toThrow("'other' repeats 'member'")
  })
})

describe('HELP', () => {
  test('writes usage lines for people', () => {
    const help = (usage: string) => helpUsage(compileUsage(usage))
    expect(help('key [condition: NX | XX]@3.0.2 score member [score member ...]')).toBe(
      '<key> [NX | XX] <score> <member> [<score> <member> ...]',
    )
    expect(help('<mode: YES | NO> [LIMIT offset count]')).toBe(
      '(YES | NO) [LIMIT <offset> <count>]',
    )
    expect(help('[GET pattern [GET pattern ...]]')).toBe('[GET <pattern> [GET <pattern> ...]]')
    expect(help('[TYPE <type: A | B>] <id_or_auto: auto_id:* | id>')).toBe(
      '[TYPE (A | B)] (* | <id>)',
    )
  })

  test('lists subcommands with indented sentences of at most 80 columns', () => {
    const common = { since: '', complexity: '', flags: [], reply: '' }
    const lines = helpLines('THING', [
      { ...common, name: 'GET', usage: 'name', summary: 'Gets it.' },
      { ...common, name: 'HELP', usage: '', summary: 'Left out.' },
      { ...common, name: 'LONG', usage: '', summary: 'word '.repeat(30).trim() },
    ])
    expect(lines).toEqual([
      'THING <subcommand> [<arg> [value] [opt] ...]. Subcommands are:',
      'GET <name>',
      '    Gets it.',
      'LONG',
      `    ${'word '.repeat(15).trim()}`,
      `    ${'word '.repeat(15).trim()}`,
      'HELP',
      '    Prints this help.',
    ])
  })
})
