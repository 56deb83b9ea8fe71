/**
 * Configuration text: what it sets, and the report of a wrong line, byte for byte as Redis prints it.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: leaves a process or a directory behind.
 */
import { describe, expect, test } from 'bun:test'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ConfigWorld, parseConfig } from '../../src/config/parse.ts'
import { Settings } from '../../src/config/settings.ts'
import { failToStart, hasRedis, makeDirectory } from './real-server.ts'

const FILES: Record<string, string> = {
  'hz20.conf': 'hz 20\n',
  'save.conf': 'save 5 5\n',
  'bad.conf': '\n\nhz x\n',
  'self.conf': 'include self.conf\n',
}

const WORLD: ConfigWorld = {
  expand: (pattern) =>
    pattern === 'h*.conf' ? ['hz20.conf'] : pattern.includes('*') ? [] : [pattern],
  readFile: (path) =>
    FILES[path] === undefined ? { problem: 'No such file or directory' } : { text: FILES[path] },
  enter: (path) =>
    path.startsWith('/nonexistent')
      ? { problem: 'No such file or directory' }
      : { path: `/entered/${path}` },
  isCommand: (name) => ['get', 'set', 'del'].includes(name.toLowerCase()),
  checkUser: (_, rules) => {
    const rule = rules.indexOf('bad')
    return rule < 0 ? undefined : { rule, problem: 'Syntax error' }
  },
}

function parse(text: string, refusing = false) {
  const settings = new Settings({ refusing })
  const result = parseConfig(text, settings, WORLD)
  const failure = 'failure' in result ? result.failure : undefined
  const extras = 'extras' in result ? result.extras : undefined
  return { settings, failure, extras }
}

describe('values', () => {
  const rows: [text: string, name: string, value: string][] = [
    ['hz 20\nhz 30', 'hz', '30'],
    ['  HZ\t"20" \r\n', 'hz', '20'],
    ['# hz 20', 'hz', '10'],
    ['', 'save', '3600 1 300 100 60 10000'],
    ['save', 'save', ''],
    ['save ""', 'save', ''],
    ['save 900 1', 'save', '900 1'],
    ['save 900 1\nsave 100 100', 'save', '900 1 100 100'],
    ['save 900 1 100 100\nsave ""', 'save', ''],
    ['save ""\nsave 5 5', 'save', '5 5'],
    ['save "900 1 5 5"', 'save', '900 1 5 5'],
    ['slave-priority 5\nreplica-priority 6', 'replica-priority', '6'],
    ['replica-priority 6\nslave-priority 5', 'replica-priority', '5'],
    ['bind ""', 'bind', ''],
    ['bind 127.0.0.1 -::1', 'bind', '127.0.0.1 -::1'],
    ['appendfilename "\\" file \\n.aof \\""', 'appendfilename', '" file \n.aof "'],
    [
      'client-output-buffer-limit normal 1 2 3\nclient-output-buffer-limit pubsub 1kb 2 3',
      'client-output-buffer-limit',
      'normal 1 2 3 slave 268435456 67108864 60 pubsub 1024 2 3',
    ],
    ['include h*.conf', 'hz', '20'],
    ['include hz20.conf\nhz 30', 'hz', '30'],
    ['save 1 1\ninclude save.conf', 'save', '1 1 5 5'],
    ['include none*.conf', 'hz', '10'],
    ['dir a', 'dir', '/entered/a'],
    ['list-max-ziplist-entries 5\nhz 20', 'hz', '20'],
    ['replicaof 127.0.0.1 0', 'replicaof', '127.0.0.1 0'],
    ['replicaof a 1\nslaveof no one', 'replicaof', ''],
    ['hz 20\0 30', 'hz', '20'],
  ]
  for (const [text, name, value] of rows) {
    test(`${JSON.stringify(text)} gives ${name} '${value}'`, () => {
      const { settings, failure } = parse(text)
      expect(failure).toBeUndefined()
      expect(settings.get([name])).toEqual([[name, value]])
    })
  }
})

describe('directives that are not settings', () => {
  test('users and renames come back in order', () => {
    const { extras } = parse(
      'user a on >x\nrename-command GET FOO\nuser default off\nrename-command SET ""\nloadmodule /x y',
    )
    expect(extras).toEqual({
      users: [
        { name: 'a', rules: ['on', '>x'], place: { lineNumber: 1, line: 'user a on >x' } },
        { name: 'default', rules: ['off'], place: { lineNumber: 3, line: 'user default off' } },
      ],
      renames: [
        { from: 'GET', to: 'FOO', place: { lineNumber: 2, line: 'rename-command GET FOO' } },
        { from: 'SET', to: '', place: { lineNumber: 4, line: 'rename-command SET ""' } },
      ],
      modules: [{ path: '/x', parameters: ['y'] }],
    })
  })
  test('a renamed command can be renamed again, and its old name given away', () => {
    const { failure } = parse(
      'rename-command GET FOO\nrename-command FOO BAR\nrename-command SET GET',
    )
    expect(failure).toBeUndefined()
  })
  for (const line of ['loadmodule /x']) {
    test(`'${line}' is refused while it is not supported`, () => {
      const { failure } = parse(line, true)
      expect(failure?.text).toMatch(
        /at line 1\n>>> '[^\n]*'\n[a-z-]+ is not supported by Redbun: [^\n]+\n$/,
      )
    })
  }
})

test('QUIRK: the word named is two places before the wrong one', () => {
  expect(parse('user foo on bad').failure?.text).toContain("user declaration 'foo': Syntax")
  expect(parse('user foo bad').failure?.text).toContain("user declaration 'user': Syntax")
})

test('a file that includes itself stops with a reason', () => {
  expect(parse('include self.conf').failure?.text).toContain('include goes deeper than 32 files')
})

test('a file that cannot be read is a log line', () => {
  expect(parse('include nosuch.conf').failure).toEqual({
    to: 'log',
    text: "Fatal error, can't open config file 'nosuch.conf': No such file or directory",
  })
})

test('a value that is not supported names its setting at start', () => {
  expect(parse('port 1\nactivedefrag yes', true).failure).toEqual({
    to: 'stderr',
    text:
      '\n*** FATAL CONFIG FILE ERROR (Redis 7.0.15) ***\n' +
      "Reading the configuration file, at line 2\n>>> 'activedefrag yes'\n" +
      'activedefrag can only be no in Redbun: arenas are not moved to defragment them\n',
  })
})

/** Each is wrong for Redis too, or followed by a line that is. */
const WRONG = [
  ...['port', 'port 1 2', 'nosuch 1', '\n\n# c\n  bogus', 'loglevel foo', 'hz "a', "hz 'a"],
  ...["hz 'a'b", 'hz "a"b', 'replicaof a', 'replicaof 127.0.0.1 abc', 'replicaof a 70000'],
  ...['replicaof a -1', 'rename-command A', 'rename-command nosuchcommand b', 'include'],
  ...['rename-command GET SET', 'rename-command GET ""\nrename-command get a', 'include bad.conf'],
  ...['rename-command get a\nrename-command set A', 'loadmodule', 'user', 'user foo bad'],
  ...['user foo on bad', 'user foo on off bad', 'user foo on\nuser foo on', 'foo.bar'],
  ...['sentinel a b', 'daemonize maybe', 'maxmemory 1x', 'unixsocketperm 8', 'unixsocketperm 1000'],
  ...['dir /nonexistent', 'dir', 'dir a b', 'dbfilename a/b', 'appendfilename a/b'],
  ...['appendfilename ""', 'appenddirname a/b', 'appenddirname ""', 'notify-keyspace-events q'],
  ...['notify-keyspace-events', 'notify-keyspace-events K E', 'save 1', 'save a b', 'save 0 1'],
  ...['save "3600 1" "300 100"', 'save 1 2 ""', 'client-output-buffer-limit normal 1 2'],
  ...['client-output-buffer-limit foo 1 2 3', 'client-output-buffer-limit normal a 2 3'],
  ...[`bind ${Array(17).fill('127.0.0.1').join(' ')}`, 'oom-score-adj-values 1 2'],
  ...['oom-score-adj-values 3000 2 1', 'oom-score-adj-values', 'shutdown-on-sigterm bad'],
  ...['shutdown-on-sigterm', 'shutdown-on-sigterm save nosave', 'proc-title-template {a}'],
  ...['latency-tracking-info-percentiles 101', 'latency-tracking-info-percentiles a'],
  ...[
    'cluster-announce-hostname a_b',
    'port 6379 #c',
    'maxclients 0',
    'list-max-ziplist-value 1 2',
  ],
  ...[
    'lua-replicate-commands',
    'maxmemory-clients 101%',
    'PORT foo',
    '  Hz   foo  \r',
    'hz 10\thz',
  ],
  ...['save "\\"1 2\\""', 'shutdown-on-sigterm "\\""'],
  ...['""', '"" 1', 'hz\0 5', 'cluster-enabled yes\nreplicaof 1.1.1.1 1', 'tls-port 65536'],
  ...[
    'enable-debug-command maybe',
    'io-threads 0',
    'io-threads 129',
    'databases 0',
    'supervised x',
  ],
]

/** Each is right for Redis, so the report is about the line after it. */
const RIGHT = [
  ...['save', 'save 1 ""', 'save  " 1 1"', 'oom-score-adj-values 3 2 1', 'rename-command get ""'],
  ...['rename-command get a\nrename-command a b\nrename-command set get', 'slaveof no one', 'bind'],
  ...['list-max-ziplist-entries x', 'latency-tracking-info-percentiles', 'unixsocketperm +700'],
  ...['client-output-buffer-limit', "logfile ''", 'replicaof a ""', 'replicaof "a 1"', 'foo.bar x'],
  ...[
    'shutdown-on-sigterm "nosave  force"',
    'save "1\\t2"',
    'save "\\"1\\" 2"',
    'bind "a \\"b c\\""',
  ],
  ...['include none*.conf', 'include hz20.conf', 'appendfilename "\\" x \\n\\""', 'hz\t5', '\v# x'],
  ...['proc-title-template {config-file}', 'unixsocket a\nproc-title-template {unixsocket}'],
]

describe.if(hasRedis)('reports beside redis-server (left out when it is not installed)', () => {
  test('the first wrong line is reported in the same words', async () => {
    const directory = makeDirectory()
    for (const [name, text] of Object.entries(FILES)) writeFileSync(join(directory, name), text)
    const texts = [...WRONG, ...RIGHT.map((text) => `${text}\nstop here`)]
    await inParallel(texts, async (text, index) => {
      const file = join(directory, `${index}.config`)
      writeFileSync(file, `${text}\n`, 'latin1')
      const { status, stderr } = await failToStart(directory, [file])
      const { failure } = parse(readFileSync(file, 'latin1'))
      expect([text, status]).toEqual([text, 1])
      expect([text, failure?.text]).toEqual([text, stderr])
      expect(stderr).toContain('FATAL CONFIG FILE ERROR')
    })
    rmSync(directory, { recursive: true })
    expect(existsSync(directory)).toBe(false)
  }, 20_000)

  test('what goes to the log is worded the same', async () => {
    const directory = makeDirectory()
    for (const text of ['include nosuch.conf', 'foo.bar 1']) {
      writeFileSync(join(directory, 'c'), `port 0\nunixsocket s\n${text}\n`)
      const { status, stdout } = await failToStart(directory, ['c'])
      expect([text, status]).toEqual([text, 1])
      const last = stdout.trimEnd().split('\n').at(-1)!
      expect(last.slice(last.indexOf(' # ') + 3)).toBe(parse(text).failure!.text)
    }
    rmSync(directory, { recursive: true })
  })
})

/** Four at a time. */
async function inParallel<T>(
  items: readonly T[],
  visit: (item: T, index: number) => Promise<void>,
): Promise<void> {
  let next = 0
  const worker = async () => {
    while (next < items.length) {
      const index = next++
      await visit(items[index]!, index)
    }
  }
  await Promise.all([worker(), worker(), worker(), worker()])
}
