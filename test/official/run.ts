/**
 * Redis's own test suite against our server: `bun run test:official`.
 *
 *     --mode MODE    external: against a server of ours, the rule; self: the suite starts our executable
 *     --unit NAME    only this unit, as 'unit/type/string'; may be repeated
 *     --fast         the units that take seconds; where the suite cannot be had, says so and ends well
 *     --all          every unit, also those this server is not ready for
 *     --tags TAGS    passed on: '-slow -needs:debug'
 *     --suite DIR    an unpacked Redis 7.0 source tree; otherwise Debian's source package is fetched
 *     --errors N     lines shown of each failure, 3 unless told
 *
 * Thread: main.
 * Owns: which units are run as a rule.
 * Never: ends well when a test failed.
 */
import { parseArgs } from 'node:util'
import { buildExecutable, type Mode } from './stage.ts'
import { getSuite } from './suite.ts'
import { runUnit, type UnitResult } from './unit.ts'

/** What this server has the commands for. */
const UNITS = [
  ...['unit/printver', 'unit/protocol', 'unit/keyspace', 'unit/scan', 'unit/info-command'],
  ...['unit/type/string', 'unit/type/incr', 'unit/expire', 'unit/quit', 'unit/bitops'],
  ...['unit/bitfield', 'unit/geo', 'unit/type/hash', 'unit/type/list', 'unit/hyperloglog'],
  ...['unit/type/list-2', 'unit/type/list-3', 'unit/type/set', 'unit/type/zset'],
  ...['unit/pubsub', 'unit/type/stream', 'unit/type/stream-cgroups', 'unit/sort', 'unit/dump'],
  ...['unit/introspection', 'unit/introspection-2', 'unit/slowlog', 'unit/latency-monitor'],
  ...['unit/querybuf', 'unit/scripting', 'unit/functions', 'unit/multi', 'unit/other'],
  ...['unit/pause', 'unit/tracking', 'unit/lazyfree'],
]
/** Of these, what takes seconds: part of what every change has to pass. */
const FAST_UNITS = [
  ...['unit/keyspace', 'unit/info-command', 'unit/type/string', 'unit/type/incr', 'unit/quit'],
  ...['unit/bitops', 'unit/bitfield', 'unit/type/hash', 'unit/multi', 'unit/pubsub', 'unit/sort'],
  ...['unit/introspection-2', 'unit/type/stream-cgroups', 'unit/functions', 'unit/type/set'],
]
/** What needs servers that the suite has started. */
const SELF_UNITS = [
  ...['unit/aofrw', 'integration/aof'],
  ...['integration/convert-zipmap-hash-on-load', 'integration/convert-ziplist-hash-on-load'],
  ...['integration/convert-ziplist-zset-on-load', 'integration/redis-benchmark'],
  ...['unit/memefficiency', 'integration/corrupt-dump-fuzzer', 'integration/corrupt-dump'],
  ...['integration/rdb', 'integration/aof-multi-part', 'integration/logging'],
  ...['integration/dismiss-mem', 'unit/info', 'unit/obuf-limits', 'unit/auth'],
  ...['unit/shutdown', 'unit/acl', 'unit/acl-v2', 'unit/pubsubshard', 'unit/limits'],
  ...['unit/violations', 'unit/networking', 'unit/oom-score-adj'],
  ...['integration/replication-2', 'integration/replication-3', 'integration/replication-4'],
  ...['integration/replication-buffer', 'integration/block-repl', 'integration/failover'],
  ...['integration/psync2', 'integration/psync2-reg', 'integration/psync2-pingoff'],
  ...['integration/psync2-master-restart', 'integration/shutdown', 'integration/redis-cli'],
  ...['unit/wait', 'unit/cluster-scripting'],
]
/** Tests left out by name unless everything is asked for; exceptions.md says why. */
const LEFT_OUT: Readonly<Record<string, readonly string[]>> = {
  'integration/replication': [
    'diskless replication child being killed is collected',
    'replication child dies when parent is killed - diskless: yes',
    'replication child dies when parent is killed - diskless: no',
    'replica can handle EINTR if use diskless load',
  ],
  'unit/querybuf': ['query buffer resized correctly'],
  'unit/replybufsize': ['verify reply buffer limits'],
  'unit/other': ["Don't rehash if redis has child process"],
  'unit/oom-score-adj': ['CONFIG SET oom-score-adj works as expected'],
  'unit/shutdown': ['Temp rdb will be deleted if we use bg_unlink when shutdown'],
  'integration/rdb': ['failed bgsave prevents writes'],
  'integration/aof-multi-part': [
    'AOF multiple rewrite failures will open multiple INCR AOFs',
    "AOF rewrite doesn't open new aof when AOF turn off",
    'AOF enable/disable auto gc',
    'AOF can produce consecutive sequence number after reload',
    'AOF enable during BGSAVE will not write data util AOFRW finish',
    'AOF will trigger limit when AOFRW fails many times',
    '/^AOF will open a temporary INCR AOF ',
  ],
  'integration/corrupt-dump': [
    'corrupt payload: listpack too long entry len',
    'corrupt payload: listpack very long entry len',
    'corrupt payload: hash listpack with duplicate records - convert',
    ...[
      'NPD in streamIteratorGetID',
      'listpack NPD on invalid stream',
      'stream bad lp_count - unsanitized',
      'infinite loop',
      'negative reply length',
      'stream with no records',
      'stream listpack valgrind issue',
      'stream listpack lpPrev valgrind issue',
      'gcc asan reports false leak on assert',
      'lpFind invalid access',
    ].map((what) => `corrupt payload: fuzzer findings - ${what}`),
  ],
}
const PROGRESS_WIDTH = 90

const { values } = parseArgs({
  options: {
    mode: { type: 'string', default: 'external' },
    unit: { type: 'string', multiple: true },
    all: { type: 'boolean', default: false },
    fast: { type: 'boolean', default: false },
    tags: { type: 'string' },
    suite: { type: 'string' },
    errors: { type: 'string', default: '3' },
  },
})

process.exit(await main())

async function main(): Promise<number> {
  if (Bun.which('tclsh') === null) {
    console.log('The suite is written in Tcl: install tclsh (Debian: apt-get install tcl).')
    return values.fast ? 0 : 1
  }
  const { mode } = values
  if (mode !== 'external' && mode !== 'self') {
    console.log(`There is no mode '${mode}': external or self.`)
    return 1
  }
  if (mode === 'self') await buildExecutable()
  const suite = await getSuite(values.suite).catch((error: Error) => {
    if (!values.fast) throw error
    console.log(`Redis's own suite is left out: ${error.message}`)
    return undefined
  })
  if (suite === undefined) return 0
  const units = values.unit ?? (values.all ? await allUnits(suite) : usualUnits(mode))
  const results: UnitResult[] = []
  for (const [i, unit] of units.entries()) {
    const head = `[${i + 1}/${units.length}] ${unit}`
    const leftOut = values.all ? [] : (LEFT_OUT[unit] ?? [])
    const result = await runUnit(mode, suite, unit, values.tags, leftOut, (line) =>
      progress(`${head} ${line}`),
    )
    progress('')
    results.push(result)
    report(result)
  }
  table(results)
  return results.every(({ failed, end }) => failed.length === 0 && end === 'done') ? 0 : 1
}

function usualUnits(mode: Mode): readonly string[] {
  if (values.fast) return FAST_UNITS
  return mode === 'self' ? [...UNITS, ...SELF_UNITS] : UNITS
}

async function allUnits(suite: string): Promise<string[]> {
  const command = ['tclsh', 'tests/test_helper.tcl', '--list-tests']
  const child = Bun.spawn(command, { cwd: suite, stdout: 'pipe', stderr: 'ignore' })
  return (await new Response(child.stdout).text()).trim().split('\n')
}

function report({ unit, failed, end }: UnitResult): void {
  for (const { name, error } of failed) {
    console.log(`${unit}: ${name}`)
    for (const line of error.split('\n').slice(0, Number(values.errors))) console.log(`    ${line}`)
  }
  if (end !== 'done') console.log(`${unit}: did not come to its end (${end})`)
}

function table(results: readonly UnitResult[]): void {
  const width = Math.max(8, ...results.map(({ unit }) => unit.length))
  const row = (name: string, ...cells: readonly (string | number)[]) =>
    `${name.padEnd(width)}${cells.map((cell) => String(cell).padStart(9)).join('')}`
  console.log(row('', 'ok', 'failed', 'skipped', 'seconds'))
  for (const { unit, passed, failed, skipped, seconds, end } of results) {
    const line = row(unit, passed.length, failed.length, skipped.length, seconds.toFixed(1))
    console.log(end === 'done' ? line : `${line}  ${end}`)
  }
  const total = (count: (result: UnitResult) => number) =>
    results.reduce((sum, result) => sum + count(result), 0)
  const all = [total(({ passed }) => passed.length), total(({ failed }) => failed.length)]
  console.log(
    row(
      'together',
      ...all,
      total(({ skipped }) => skipped.length),
    ),
  )
}

/** One line that is written over, where there is a terminal. */
function progress(line: string): void {
  if (!process.stdout.isTTY) return
  process.stdout.write(`\r${line.slice(0, PROGRESS_WIDTH).padEnd(PROGRESS_WIDTH)}\r`)
}
