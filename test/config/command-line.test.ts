/**
 * The command line: what it asks for, and beside a real server the report of what is wrong with it.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: leaves a process or a directory behind.
 */
import { describe, expect, test } from 'bun:test'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type CommandLine, joinConfig, parseCommandLine } from '../../src/config/command-line.ts'
import { parseConfig } from '../../src/config/parse.ts'
import { Settings } from '../../src/config/settings.ts'
import { failToStart, hasRedis, makeDirectory, RealServer } from './real-server.ts'

const FILE = 'timeout 7\nsave 900 1\n'

/** Settings and failure of a start with `args`, where the only file is FILE. */
function start(args: readonly string[], standardInput = '') {
  const line = parseCommandLine(args)
  if (line.task !== 'serve') throw new Error(`${args} asks for ${line.task}`)
  const file = line.file === undefined ? '' : FILE
  const settings = new Settings({ refusing: false })
  const text = joinConfig(file, line.standardInput ? standardInput : '', line.options)
  const result = parseConfig(text, settings, {
    expand: () => [],
    readFile: () => ({ problem: 'No such file or directory' }),
    isCommand: (name) => name === 'get',
  })
  return { settings, failure: 'failure' in result ? result.failure : undefined }
}

describe('tasks', () => {
  const serve = { task: 'serve', standardInput: false, options: '' } as const
  const rows: [args: string[], line: CommandLine][] = [
    [[], serve],
    [[''], serve],
    [['a.conf'], { ...serve, file: 'a.conf' }],
    [['-'], { ...serve, standardInput: true }],
    [['-', '-'], { ...serve, standardInput: true }],
    [['a.conf', '-'], { ...serve, file: 'a.conf', standardInput: true }],
    [['a.conf', '--hz', '5'], { ...serve, file: 'a.conf', options: 'hz "5" ' }],
    [['--hz', '5', '-'], { ...serve, standardInput: true, options: 'hz "5" ' }],
    [['--hz', '-', '--port', '1'], { ...serve, options: 'hz "-" \nport "1" ' }],
    [['-v', 'x'], { task: 'version' }],
    [['--version'], { task: 'version' }],
    [['-h'], { task: 'help' }],
    [['--help', 'x'], { task: 'help' }],
    [['--test-memory', '64'], { task: 'test-memory', megabytes: 64 }],
    [['--check-system'], { task: 'check-system' }],
    [['a.conf', '-v'], { ...serve, file: 'a.conf', options: '"-v" ' }],
  ]
  for (const [args, line] of rows) {
    test(`${JSON.stringify(args)} asks to ${line.task}`, () => {
      expect(parseCommandLine(args)).toEqual(line)
    })
  }
  test('sentinel mode is refused wherever it is asked for', () => {
    for (const args of [['--sentinel'], ['a.conf', '--sentinel'], ['--port', '1', '--sentinel']]) {
      const line = parseCommandLine(args)
      expect(line.task === 'refuse' && line.text).toContain('Sentinel')
    }
  })
  test('option text is the UTF-8 of the argument', () => {
    expect(start(['--masteruser', 'é']).settings.text('masteruser')).toBe('é')
  })
})

const ADDED: [args: string[], settings: Record<string, string>][] = [
  [['--maxmemory 700mb'], { maxmemory: '734003200' }],
  [["--maxmemory '700mb'"], { maxmemory: '734003200' }],
  [['--proc-title-template --my--title'], { 'proc-title-template': '--my--title' }],
  [['--proc-title-template', '--my--title'], { 'proc-title-template': '--my--title' }],
  [['--save'], { save: '' }],
  [['--SAVE'], { save: '' }],
  [['--save', ''], { save: '' }],
  [['--save', '--hz', '5'], { save: '', hz: '5' }],
  [['--save', '100 100'], { save: '100 100' }],
  [['--save', '100', '100'], { save: '100 100' }],
  [['--save', '1', '2', '--save', '3 4'], { save: '1 2 3 4' }],
  [['--save', '1', '2', '--save', ''], { save: '' }],
  [
    ['--shutdown-on-sigint', 'nosave', 'force', 'now'],
    { 'shutdown-on-sigint': 'nosave now force' },
  ],
  [['--shutdown-on-sigint', 'nosave force now'], { 'shutdown-on-sigint': 'nosave now force' }],
  [
    ['--shutdown-on-sigint nosave force', '--hz', '7'],
    { 'shutdown-on-sigint': 'nosave force', hz: '7' },
  ],
  [
    ['--masteruser', 'a b', '--masterauth', 'a\'b"\\n'],
    { masteruser: 'a b', masterauth: 'a\'b"\\n' },
  ],
  [
    ['--masteruser', '--hz', '--masterauth', 'x\ny\x01'],
    { masteruser: '--hz', masterauth: 'x\ny\x01' },
  ],
  [['--masteruser "a\\x41\\n" '], { masteruser: 'aA\n' }],
  [['--masteruser', '#a'], { masteruser: '#a' }],
  [['--HZ', '5'], { hz: '5' }],
  [['--hz "5"'], { hz: '5' }],
  [
    [
      '--client-output-buffer-limit',
      'normal',
      '1',
      '2',
      '3',
      '--client-output-buffer-limit',
      'pubsub 1 2 3',
    ],
    { 'client-output-buffer-limit': 'normal 1 2 3 slave 268435456 67108864 60 pubsub 1 2 3' },
  ],
  [['--latency-tracking-info-percentiles'], { 'latency-tracking-info-percentiles': '' }],
  [['--masteruser', '-', '--hz', '6'], { masteruser: '-', hz: '6' }],
  [['--hz', '6', '-'], { hz: '6', timeout: '9' }],
]

test('options set what they say', () => {
  for (const [args, expected] of ADDED) {
    const { settings, failure } = start(args, 'hz 20\ntimeout 9\n')
    expect([args, failure]).toEqual([args, undefined])
    for (const [name, value] of Object.entries(expected)) {
      expect([args, settings.get([name])]).toEqual([args, [[name, value]]])
    }
  }
})

test('options come after the file', () => {
  const { settings } = start(['a.conf', '--save', '100 100', '--timeout', '8'])
  expect(settings.raw('save')).toBe('900 1 100 100')
  expect(settings.int('timeout')).toBe(8)
})

const WRONG: [args: string[], standardInput?: string][] = [
  [['--port']],
  [['--port', '6379', '6380']],
  [['--port', '--bla']],
  [['--port', '--bla', '--hz', '1']],
  [['--loglevel', '--bla']],
  [['--replicaof', '127.0.0.1', 'abc']],
  [['--user', 'foo', '--user', 'foo']],
  [['--nosuch', '1']],
  [['--nosuch']],
  [['-x']],
  [['-V']],
  [['---hz', '5']],
  [['--hz']],
  [['--hz', '']],
  [['--hz 6 7']],
  [['--hz=6']],
  [['--hz "5', '--port', '1']],
  [['--hz "5 6', '7']],
  [['--hz', '"5"']],
  [['--hz', '5 6']],
  [['--hz', '5', '', '--port', '1']],
  [['--hz', '1', '-v']],
  [['--save', '3600 1', '300 100']],
  [['--save', '"1 2"']],
  [['--save ', '--hz', '5']],
  [['--masteruser', '--hz', '5']],
  [['--masteruser']],
  [['--shutdown-on-sigint', '--hz', '5']],
  [['--port', '1', '-', '--hz', '21']],
  [['--', '--hz', '5']],
  [['--rename-command', 'GET FOO']],
  [['--test-memory x']],
  [['-'], 'hz a\n'],
  [['--hz', 'b', '-'], 'hz 1\n'],
  [['--port', '1', '--masteruser', '-'], 'hz 5\n'],
  [['-', '--hz', 'x'], 'hz 5'],
  [['f.conf', '--hz', 'x']],
  [['f.conf', '--hz', 'x', '-'], 'hz 5\n'],
  [['f.conf', 'hz']],
  [['', '--hz', 'x']],
]

describe.if(hasRedis)('beside redis-server (left out when it is not installed)', () => {
  test('what is wrong is reported in the same words', async () => {
    const directory = makeDirectory()
    writeFileSync(join(directory, 'f.conf'), FILE)
    await inParallel(WRONG, async ([args, standardInput]) => {
      const { status, stderr } = await failToStart(directory, args, standardInput)
      expect([args, status]).toEqual([args, 1])
      expect([args, start(args, standardInput).failure?.text]).toEqual([args, stderr])
      expect(stderr).toContain('FATAL CONFIG FILE ERROR')
    })
    const { stderr, status } = await failToStart(directory, ['--test-memory'])
    expect(parseCommandLine(['--test-memory'])).toEqual({ task: 'refuse', text: stderr })
    expect(status).toBe(1)
    rmSync(directory, { recursive: true })
  }, 20_000)

  test('options set the same values', async () => {
    const before = ['--port', '0', '--unixsocket', 's']
    await inParallel(ADDED, async ([args, expected]) => {
      const standardInput = 'hz 20\ntimeout 9\n'
      const server = await RealServer.start([...before, ...args], undefined, standardInput)
      for (const name of Object.keys(expected)) {
        expect([args, await server.value(name)]).toEqual([args, expected[name]])
      }
      await server.stop()
    })
  }, 20_000)
})

/** Four at a time. */
async function inParallel<T>(
  items: readonly T[],
  visit: (item: T) => Promise<void>,
): Promise<void> {
  const rest = [...items]
  const worker = async () => {
    for (let item = rest.shift(); item !== undefined; item = rest.shift()) await visit(item)
  }
  await Promise.all([worker(), worker(), worker(), worker()])
}
