/**
 * Settings against the rules they state, and beside a real server: every name, every probe value.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: depends on the order of CONFIG GET patterns.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { allNames, definition, findName, NAMES } from '../../src/config/params.ts'
import { type SetResult, Settings } from '../../src/config/settings.ts'
import { hasRedis, RealServer } from './real-server.ts'

function errorOf(result: SetResult): string | undefined {
  return result.ok ? undefined : result.error
}

describe('typed reading', () => {
  const settings = new Settings({ refusing: false })

  test('numbers, flags and texts come in their own type', () => {
    expect(settings.int('hz')).toBe(10)
    expect(settings.bool('protected-mode')).toBe(true)
    expect(settings.text('maxmemory-policy')).toBe('noeviction')
  })
  test('a percentage of maxmemory is a negative number', () => {
    expect(settings.set([['maxmemory-clients', '5%']]).ok).toBe(true)
    expect(settings.int('maxmemory-clients')).toBe(-5)
  })
  test('permissions are a file mode', () => {
    expect(settings.load('unixsocketperm', ['700'], false)).toBeUndefined()
    expect(settings.int('unixsocketperm')).toBe(0o700)
  })
  test('DIFFERS: a NUL byte does not end a text, as it does in C', () => {
    expect(settings.set([['requirepass', '\xff\x00\xfe']]).ok).toBe(true)
    expect(settings.bytes('requirepass')).toEqual(new Uint8Array([255, 0, 254]))
  })
  test('text is decoded as UTF-8', () => {
    settings.adopt({ logfile: '\xc3\xa9.log' })
    expect(settings.text('logfile')).toBe('é.log')
  })
})

describe('odd values', () => {
  const settings = new Settings({ refusing: false })
  test('QUIRK: no digits are zero, and more than 64 bits wrap as Redis does', () => {
    const rows = [
      ['', '0'],
      ['kb', '0'],
      ['99999999999999999999', '18446744073709551615'],
      ['17179869185gb', '1073741824'],
      ['99999999999999999999gb', '18446744072635809792'],
    ]
    for (const [given, value] of rows) {
      expect(settings.set([['maxmemory', given!]]).ok).toBe(true)
      expect([given, settings.raw('maxmemory')]).toEqual([given, value!])
    }
  })
  test('QUIRK: beside `A`, the letter for new keys is accepted but not reported', () => {
    const rows = [
      ['AKEmn', 'AKEm'],
      ['nEK', 'nKE'],
      ['Kg$lshzxetd', 'AK'],
    ]
    for (const [given, value] of rows) {
      expect(settings.set([['notify-keyspace-events', given!]]).ok).toBe(true)
      expect(settings.get(['notify-keyspace-events'])[0]![1]).toBe(value!)
    }
  })
  test('QUIRK: a list in one word with unbalanced quotes is an empty one', () => {
    expect(settings.load('save', ['"1'], false)).toBeUndefined()
    expect(settings.raw('save')).toBe('')
  })
})

describe('crossing threads', () => {
  test('a plain copy has the same values', () => {
    const settings = new Settings()
    settings.set([
      ['hz', '77'],
      ['maxmemory', '1gb'],
    ])
    const copy = Settings.fromPlain(structuredClone(settings.toPlain()))
    expect(copy.get(['*'])).toEqual(settings.get(['*']))
    expect(copy.int('maxmemory')).toBe(2 ** 30)
  })
  test('a change is adopted from its plain form and taken back from undo', () => {
    const settings = new Settings()
    const other = new Settings()
    const generation = settings.generation
    const result = settings.set([
      ['hz', '20'],
      ['timeout', '0'],
    ])
    if (!result.ok) throw new Error(result.error)
    expect(result.changed).toEqual(['hz'])
    expect(settings.generation).toBeGreaterThan(generation)
    other.adopt(result.plain)
    expect(other.int('hz')).toBe(20)
    other.adopt(result.undo())
    expect(other.int('hz')).toBe(10)
    expect(settings.int('hz')).toBe(10)
  })
  test('what is not a setting is not adopted', () => {
    expect(() => Settings.fromPlain({ nosuch: '1' })).toThrow()
    expect(() => Settings.fromPlain({ hz: 1 })).toThrow()
    expect(() => Settings.fromPlain(7)).toThrow()
  })
})

describe('the table', () => {
  test('every default reads as itself', () => {
    const settings = new Settings()
    for (const name of NAMES) {
      const { initial, kind } = definition(name)
      const context = { current: initial, adds: false, unixSocket: '' }
      const words = kind.words === 'many' && initial !== '' ? initial.split(' ') : [initial]
      const given = kind.words === 'many' && initial === '' ? [] : words
      if (name === 'replicaof' || (name.startsWith('append') && initial === '')) continue
      expect([name, kind.read(given, context)]).toEqual([name, { text: initial }])
      expect(settings.raw(name)).toBe(initial)
    }
  })
  test('every refusal says why in one line and keeps the default open', () => {
    for (const name of NAMES) {
      const { support, initial, kind } = definition(name)
      if (support.state !== 'refused') continue
      expect(support.because).toMatch(/^[a-z][^\n]*[a-z0-9]$/)
      if (initial !== '') {
        expect(new Settings().load(name, [initial], false)).toBeUndefined()
      }
      expect(kind).toBeDefined()
    }
  })
  test('an alias is never a main name', () => {
    for (const [anyName, name] of allNames()) {
      expect(anyName === name).toBe(NAMES.includes(anyName as never))
      expect(findName(anyName)).toBe(name)
    }
  })
  test('an inert directive tells nobody', () => {
    for (const name of NAMES) {
      const { support, tells } = definition(name)
      if (support.state === 'full') expect([name, tells.length > 0]).toEqual([name, true])
      else expect([name, tells.length]).toEqual([name, 0])
    }
  })
})

describe('refusing', () => {
  const rows: [name: string, value: string, error: string | undefined][] = [
    [
      'activedefrag',
      'yes',
      'activedefrag can only be no in Redbun: arenas are not moved to defragment them',
    ],
    ['activedefrag', 'no', undefined],
    ['save', '', undefined],
    ['save', '3600 1 300 100 60 10000', undefined],
    ['save', '900 1', undefined],
    ['maxmemory-policy', 'allkeys-lru', undefined],
    ['notify-keyspace-events', 'q', "Invalid event class character. Use 'Ag$lshzxeKEtmdn'."],
    ['appendonly', 'maybe', "argument must be 'yes' or 'no'"],
  ]
  for (const [name, value, reason] of rows) {
    test(`${name} '${value}' is ${reason === undefined ? 'taken' : 'refused'}`, () => {
      const expected =
        reason && `ERR CONFIG SET failed (possibly related to argument '${name}') - ${reason}`
      expect(errorOf(new Settings().set([[name, value]]))).toBe(expected)
      expect(new Settings().load(findName(name)!, [value], false)).toBe(reason)
    })
  }
  test('a refused value is not repeated: it may be a secret', () => {
    const error = errorOf(new Settings().set([['tls-ciphersuites', 'hunter2']]))
    expect(error).toContain('tls-ciphersuites can only be empty')
    expect(error).not.toContain('hunter2')
  })
})

const PROBES = [
  ...['', '0', '1', '-1', '01', '+1', ' 1', '1 ', '-0', '1.0', 'yes', 'YES', 'no', 'maybe'],
  ...['1k', '1KB', '2mb', '1g', '1t', '1.5gb', 'kb', '0x10', '50', '500', '70000', '1048576'],
  ...['4294967295', '4294967296', '2147483647', '2147483648', '-2147483649', '5%', '101%', '-5%'],
  ...['9223372036854775807', '9223372036854775808', '18446744073709551615', '1 2', '1 2 3'],
  ...['18446744073709551616', '99999999999999999999gb', '-9223372036854775808', '-2147483648'],
  ...['3 2 1', '2001 0 0', ' 900 1', '900  1', '900 1 300 0', '0 1', 'a b', '1 4294967297'],
  ...['KEA', 'g$lshzxetd', 'Kg', 'mnE', 'AKEmn', 'q', 'normal 1 2 3', 'replica 1kb 2mb 3'],
  ...['pubsub 1 2 3 normal 4 5 6', 'normal 1 2', 'master 1 2 3', 'slave 1 2 -1', 'NORMAL 0 0 0'],
  ...['nosave force', 'force now save', 'save nosave', 'DEFAULT', 'default now', 'nosave  now'],
  ...['{title}', '{title} {port}', 'x{title', '{nosuch}', '{server-mode}', '{config-file}', '{{}'],
  ...['100.0', '99.999', '1e-7', '1e400', 'nan', 'inf', '0x1.8p1', '33.3333333', '100.1', '-0 5'],
  ...['everysec', 'ALWAYS', 'local3', 'debug', 'a_b', 'a-b.c', 'x/y', 'allchannels', 'clients'],
  ...['optional', 'swapdb', 'hostname', 'panic', 'relative', 'a\nb', '\xff', '"', "'"],
]

/** Settings that a real server cannot simply be moved to; their syntax is compared in files. */
const WITH_EFFECTS =
  /^(port|bind|tls-.*|dir|maxclients|activedefrag|maxmemory-clients|requirepass|watchdog-period|repl-backlog-size)$/

describe.if(hasRedis)('beside redis-server (left out when it is not installed)', () => {
  let real: RealServer
  const settings = new Settings({ refusing: false })
  beforeAll(async () => {
    real = await RealServer.start(['--port', '0', '--unixsocket', 's'])
    settings.adopt({ port: '0', unixsocket: 's', dir: (await real.value('dir'))! })
  })
  afterAll(() => real.stop())

  /** Does the same on both and compares the replies, then the values that were named. */
  async function same(...pairs: [string, string][]): Promise<void> {
    const reply = await real.command('CONFIG', 'SET', ...pairs.flat())
    const result = settings.set(pairs)
    expect([pairs, result.ok ? 'OK' : `-${result.error}`]).toEqual([pairs, reply as string])
    for (const [name] of pairs) {
      const ours = settings.get([name])
      expect([pairs, ours.flat()]).toEqual([
        pairs,
        (await real.command('CONFIG', 'GET', name)) as string[],
      ])
    }
  }

  test('CONFIG GET * has the same names and the same values', async () => {
    const reply = (await real.command('CONFIG', 'GET', '*')) as string[]
    const theirs = new Map<string, string>()
    for (let index = 0; index < reply.length; index += 2) {
      theirs.set(reply[index]!, reply[index + 1]!)
    }
    expect(theirs.size).toBe(192)
    expect(Object.fromEntries(settings.get(['*']))).toEqual(Object.fromEntries(theirs))
  })

  test('hidden names are answered only in full', async () => {
    const hidden = NAMES.filter((name) => definition(name).hidden && !definition(name).own)
    expect(hidden.length).toBe(6)
    for (const name of hidden) {
      expect([name, await real.value(name)]).toEqual([name, settings.raw(name)])
      expect(settings.get([`${name}*`])).toEqual([])
      expect(await real.command('CONFIG', 'GET', `${name}*`)).toEqual([])
    }
  })

  test('CONFIG GET answers every pattern alike', async () => {
    const patternLists = [
      ['*-priority'],
      ['HZ', 'h?', 'hz'],
      ['KEY-load-delay'],
      ['slave-priority', 'replica-priority'],
      ['[st]*', 'save'],
      ['[^a-s]*'],
      ['*max*entries', '*zip*'],
      ['nosuch', 'user', 'include', 'rename-command', 'loadmodule', ''],
      ['h\\z', 'h\\z*', 'h[z', 'h[yz]', 'h[z-a]', '*\\', '[', 'HZ*', '**z', '?z', '*?z'],
    ]
    for (const patterns of patternLists) {
      const reply = (await real.command('CONFIG', 'GET', ...patterns)) as string[]
      const theirs: string[] = []
      for (let index = 0; index < reply.length; index += 2) {
        theirs.push(`${reply[index]}=${reply[index + 1]}`)
      }
      const ours = settings.get(patterns).map(([name, value]) => `${name}=${value}`)
      expect([patterns, ours.sort()]).toEqual([patterns, theirs.sort()])
    }
  })

  test('CONFIG SET takes and refuses the same values for every name', async () => {
    for (const [anyName, name] of allNames()) {
      if (WITH_EFFECTS.test(name) || definition(name).own) continue
      const before = settings.raw(name)
      const { change } = definition(name)
      const probes = change === 'runtime' ? PROBES : ['', 'yes']
      const replies = probes.map((probe) =>
        Promise.all([
          real.command('CONFIG', 'SET', anyName, probe),
          real.command('CONFIG', 'GET', anyName),
        ]),
      )
      for (const [index, probe] of probes.entries()) {
        const [theirs, got] = await replies[index]!
        const result = settings.set([[anyName, probe]])
        const ours = result.ok ? 'OK' : `-${result.error}`
        expect([anyName, probe, ours]).toEqual([anyName, probe, theirs as string])
        expect([probe, ...settings.get([anyName]).flat()]).toEqual([probe, ...(got as string[])])
      }
      await real.command('CONFIG', 'SET', anyName, before)
      settings.adopt({ [name]: before })
    }
  }, 20_000)

  test('CONFIG SET of several is all or nothing, and names the same culprit', async () => {
    await same(['hz', '20'], ['timeout', '5'])
    await same(['hz', '30'], ['timeout', 'x'])
    await same(['hz', 'x'], ['timeout', 'y'])
    await same(['hz', '30'], ['nosuch', '1'])
    await same(['nosuch', '1'], ['daemonize', 'yes'])
    await same(['daemonize', 'yes'], ['nosuch', '1'])
    await same(['hz', '12'], ['hz', '13'], ['daemonize', 'yes'])
    await same(['HZ', '12'], ['hZ', '13'])
    await same(['HZ', '14'])
    await same(['hz', '1'], ['daemonize', 'yes'], ['hz', '2'])
    await same(['slave-priority', '1'], ['replica-priority', '2'])
    await same(['slave-priority', '3'], ['replica-priority', 'x'])
    await same(['dbfilename', 'x'])
    await same(['hz', '10'], ['dir', '/'])
    await same(['no\r\nsuch', '1'])
    await same(['maxmemory-clients', '5%'], ['maxmemory-clients', '0'])
    await same(['maxmemory-clients', '101%'])
    await same(['maxmemory-clients', '1k'])
    await same(['maxmemory-clients', '0'], ['masterauth', '\x01\xff'])
  })
})
