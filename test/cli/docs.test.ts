/**
 * Completion, hints and help out of COMMAND DOCS.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: needs a server.
 */
import { describe, expect, test } from 'bun:test'
import { completions, helpText, hintFor, readDocs } from '../../src/cli/docs.ts'
import { historyPath, isKept } from '../../src/cli/interactive.ts'
import { type Reply, ReplyParser } from '../../src/lib/resp/reply-parser.ts'

type Tree = string | readonly Tree[]

function encode(tree: Tree): string {
  if (typeof tree === 'string') return `$${tree.length}\r\n${tree}\r\n`
  return `*${tree.length}\r\n${tree.map(encode).join('')}`
}

function reply(tree: Tree): Reply {
  const parser = new ReplyParser()
  parser.feed(Buffer.from(encode(tree)))
  const whole = parser.next()
  if (whole === undefined) throw new Error('no reply')
  return whole
}

const arg = (name: string, type: string, more: readonly Tree[] = []): Tree => [
  'name',
  name,
  'type',
  type,
  ...more,
]
const FLAGS = (...flags: string[]): Tree[] => ['flags', flags]

const DOCS = readDocs(
  reply([
    'get',
    ['summary', 'Reads.', 'since', '1.0.0', 'group', 'string', 'arguments', [arg('key', 'key')]],
    'set',
    [
      'summary',
      'Writes.',
      'since',
      '1.0.0',
      'group',
      'string',
      'arguments',
      [
        arg('key', 'key'),
        arg('value', 'string'),
        arg('condition', 'oneof', [
          ...FLAGS('optional'),
          'arguments',
          [arg('nx', 'pure-token', ['token', 'NX']), arg('seconds', 'integer', ['token', 'EX'])],
        ]),
        arg('get', 'pure-token', ['token', 'GET', ...FLAGS('optional')]),
      ],
    ],
    'mset',
    [
      'group',
      'string',
      'arguments',
      [
        arg('data', 'block', [
          ...FLAGS('multiple'),
          'arguments',
          [arg('key', 'key'), arg('value', 'string')],
        ]),
      ],
    ],
    'config',
    [
      'group',
      'server',
      'subcommands',
      [
        'config|get',
        ['group', 'server', 'arguments', [arg('parameter', 'string', FLAGS('multiple'))]],
      ],
    ],
  ]),
)

describe('hints', () => {
  test('show what may follow', () => {
    expect(hintFor('get', DOCS)).toBe(' key')
    expect(hintFor('GET ', DOCS)).toBe('key')
    expect(hintFor('get a', DOCS)).toBe('')
    expect(hintFor('set ', DOCS)).toBe('key value [NX|EX seconds] [GET]')
    expect(hintFor('set k ', DOCS)).toBe('value [NX|EX seconds] [GET]')
    expect(hintFor('set k v', DOCS)).toBe(' [NX|EX seconds] [GET]')
    expect(hintFor('set k v get', DOCS)).toBe(' [NX|EX seconds]')
    expect(hintFor('mset ', DOCS)).toBe('key value [key value ...]')
    expect(hintFor('config get ', DOCS)).toBe('parameter [parameter ...]')
    expect(hintFor('config get maxm', DOCS)).toBe(' [parameter ...]')
  })

  test('are silent where nothing is known', () => {
    for (const line of ['', ' ', 'nosuch', 'nosuch x', 'config'])
      expect(hintFor(line, DOCS)).toBe('')
  })
})

test('completion goes on in the typed case, for help too', () => {
  expect(completions('se', DOCS)).toEqual(['set'])
  expect(completions('CONFIG', DOCS)).toEqual(['CONFIG', 'CONFIG GET'])
  expect(completions('config g', DOCS)).toEqual(['config get'])
  expect(completions('help ms', DOCS)).toEqual(['help mset'])
  expect(completions('x', DOCS)).toEqual([])
  expect(completions('', DOCS)).toHaveLength(5)
})

test('help tells of a command, its subcommands and of groups', () => {
  expect(helpText(['get'], DOCS)).toContain('GET key\n  summary: Reads.\n  since: 1.0.0')
  expect(helpText(['config'], DOCS)).toContain('CONFIG GET parameter [parameter ...]')
  expect(helpText(['@string'], DOCS)).toContain('MSET key value [key value ...]')
  expect(helpText(['@string'], DOCS)).not.toContain('CONFIG')
  expect(helpText(['nosuch'], DOCS)).toBe('No help for nosuch.')
  expect(helpText([], DOCS)).toContain('help <command>')
})

test('a server without docs leaves none', () => {
  expect(readDocs(undefined).size).toBe(0)
  expect(readDocs(reply('x')).size).toBe(0)
})

describe('history', () => {
  test('lies where the environment says, else at home', () => {
    expect(historyPath({ HOME: '/home/a' })).toBe('/home/a/.redbuncli_history')
    expect(historyPath({ HOME: '/h', REDISCLI_HISTFILE: '/x/y' })).toBe('/x/y')
    expect(historyPath({ HOME: '/h', REDISCLI_HISTFILE: '/dev/null' })).toBeUndefined()
  })

  test('keeps no line with a password', () => {
    for (const line of ['AUTH x', ' auth a b', 'acl setuser a >b', 'config set requirepass x']) {
      expect([line, isKept(line)]).toEqual([line, false])
    }
    for (const line of ['migrate h 1 k 0 9 auth x', 'HELLO 3 AUTH a b', '  ']) {
      expect([line, isKept(line)]).toEqual([line, false])
    }
    for (const line of ['get auth', 'config get requirepass', 'acl list']) {
      expect([line, isKept(line)]).toEqual([line, true])
    }
  })
})
