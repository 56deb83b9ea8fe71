/**
 * DEBUG: for tests and for looking inside. One command to clients, as in Redis, though it has
 * subcommands.
 *
 * Thread: core.
 * Owns: which subcommands there are, and who may use them.
 * Never: crashes the server, whatever it is asked for.
 */
import { command } from '../../command/command.ts'
import type { Call } from '../../engine/call.ts'
import { CommandError, SYNTAX } from '../../engine/errors.ts'
import { loadAof } from '../persistence/aof-start.ts'
import { protection } from './allows.ts'
import {
  arenaCheck,
  digest,
  digestValue,
  htstats,
  htstatsKey,
  object,
  populate,
  quicklistPackedThreshold,
} from './debug-data.ts'
import { protocol } from './debug-protocol.ts'
import { reload } from './debug-reload.ts'
import { stopCore } from './debug-sleep.ts'
import { answerHelp } from './help.ts'
import { askForRewrite } from './rewrite.ts'

interface DebugSubcommand {
  readonly usage: string
  readonly summary: string
  /** Arguments beyond DEBUG and the subcommand, at least and at most. */
  readonly least: number
  readonly most: number
  run(call: Call): void
}

const SUBCOMMANDS: ReadonlyMap<string, DebugSubcommand> = new Map(
  Object.entries<DebugSubcommand>({
    'AOF-FLUSH-SLEEP': {
      usage: 'AOF-FLUSH-SLEEP <microseconds>',
      summary: 'Wait so long before each write to the append-only file.',
      least: 1,
      most: 1,
      run(call) {
        const microseconds = Number.parseInt(call.args.text(2), 10) || 0
        call.server.aof.sleepBeforeWrites(microseconds)
        call.reply.ok()
      },
    },
    'ARENA-CHECK': {
      usage: 'ARENA-CHECK',
      summary: 'Prove that every block of every arena is reachable exactly once.',
      least: 0,
      most: 0,
      run: arenaCheck,
    },
    'CONFIG-REWRITE-FORCE-ALL': {
      usage: 'CONFIG-REWRITE-FORCE-ALL',
      summary: 'Do CONFIG REWRITE with all settings, also those at their default.',
      least: 0,
      most: 0,
      run: (call) =>
        askForRewrite(call, true, (text) => `ERR CONFIG-REWRITE-FORCE-ALL failed: ${text}`),
    },
    DIGEST: {
      usage: 'DIGEST',
      summary: 'Give a digest of all the data.',
      least: 0,
      most: 0,
      run: digest,
    },
    'DIGEST-VALUE': {
      usage: 'DIGEST-VALUE <key> [<key> ...]',
      summary: 'Give the digest of the value of each key.',
      least: 0,
      most: Number.POSITIVE_INFINITY,
      run: digestValue,
    },
    ERROR: {
      usage: 'ERROR <text>',
      summary: 'Answer with this error.',
      least: 1,
      most: 1,
      // Not counted as an error of the server's own, as in Redis.
      run: ({ args, reply }) => reply.raw(`-${args.text(2).replace(/[\r\n]/g, ' ')}\r\n`),
    },
    HTSTATS: {
      usage: 'HTSTATS <dbid>',
      summary: 'Show how the tables of a database are filled.',
      least: 1,
      most: 1,
      run: htstats,
    },
    'HTSTATS-KEY': {
      usage: 'HTSTATS-KEY <key>',
      summary: 'Show how large the hash table of a value is.',
      least: 1,
      most: 1,
      run: htstatsKey,
    },
    LOADAOF: {
      usage: 'LOADAOF',
      summary: 'Write what is still to be written and load the append-only file.',
      least: 0,
      most: 0,
      run: loadAof,
    },
    LOG: {
      usage: 'LOG <text>',
      summary: 'Write a line into the log.',
      least: 1,
      most: 1,
      run(call) {
        call.server.log.warning(`DEBUG LOG: ${call.args.text(2)}`)
        call.reply.ok()
      },
    },
    OBJECT: {
      usage: 'OBJECT <key>',
      summary: 'Show where a value lies, how it is kept and how old it is.',
      least: 1,
      most: 1,
      run: object,
    },
    'PAUSE-CRON': {
      usage: 'PAUSE-CRON <0 | 1>',
      summary: 'Stop what is looked after periodically, or let it go on.',
      least: 1,
      most: 1,
      run({ args, server, reply }) {
        server.timers.cronPaused = Number.parseInt(args.text(2), 10) > 0
        reply.ok()
      },
    },
    POPULATE: {
      usage: 'POPULATE <count> [<prefix>] [<size>]',
      summary: 'Make keys that are not there, as strings named key:<number>.',
      least: 1,
      most: 3,
      run: populate,
    },
    PROTOCOL: {
      usage: 'PROTOCOL <type>',
      summary:
        'Answer with a value of that type: string, integer, double, bignum, null, array, set, map, attrib, push, verbatim, true, false.',
      least: 1,
      most: 1,
      run: protocol,
    },
    'QUICKLIST-PACKED-THRESHOLD': {
      usage: 'QUICKLIST-PACKED-THRESHOLD <size>',
      summary:
        'Keep elements of lists apart from others from this size on; 0: from 1gb, as in the beginning.',
      least: 1,
      most: 1,
      run: quicklistPackedThreshold,
    },
    REPLYBUFFER: {
      usage: 'REPLYBUFFER <PEAK-RESET-TIME <NEVER | RESET | time> | RESIZING <0 | 1>>',
      summary: 'Nothing: clients have no reply buffers of their own here that could be resized.',
      least: 2,
      most: 2,
      run({ args, reply }) {
        if (!args.is(2, 'PEAK-RESET-TIME') && !args.is(2, 'RESIZING')) throw SYNTAX
        reply.ok()
      },
    },
    'SET-ACTIVE-EXPIRE': {
      usage: 'SET-ACTIVE-EXPIRE <0 | 1>',
      summary: 'Turn off and on that keys are deleted when their time is over.',
      least: 1,
      most: 1,
      run(call) {
        const { keyspace, args } = call
        keyspace.activeExpire = Number.parseInt(args.text(2), 10) > 0
        keyspace.findNextDeadline()
        call.reply.ok()
      },
    },
    RELOAD: {
      usage: 'RELOAD [MERGE] [NOFLUSH] [NOSAVE]',
      summary:
        'Save the data and load the file. NOSAVE: load the file that is there. NOFLUSH: keep the keys; MERGE: those of the file take their places.',
      least: 0,
      most: 3,
      run: reload,
    },
    REPLICATE: {
      usage: 'REPLICATE <command> [<arg> ...]',
      summary: 'Send a command to the replicas that was not executed here.',
      least: 1,
      most: Number.POSITIVE_INFINITY,
      run({ args, server, reply }) {
        const argv: Buffer[] = []
        for (let i = 2; i < args.count; i++) argv.push(args.copy(i))
        server.replication.feign(argv)
        reply.ok()
      },
    },
    'SET-DISABLE-DENY-SCRIPTS': {
      usage: 'SET-DISABLE-DENY-SCRIPTS <0 | 1>',
      summary: 'Let scripts call what is not for scripts, too, or not.',
      least: 1,
      most: 1,
      run({ args, server, reply }) {
        server.scripting.run.allowsAll = Number.parseInt(args.text(2), 10) !== 0
        reply.ok()
      },
    },
    'SET-SKIP-CHECKSUM-VALIDATION': {
      usage: 'SET-SKIP-CHECKSUM-VALIDATION <0 | 1>',
      summary:
        'Let RESTORE take payloads, and RDB files be loaded, whatever their checksum; or not.',
      least: 1,
      most: 1,
      run({ args, keyspace, reply }) {
        keyspace.checksPayloads = Number.parseInt(args.text(2), 10) === 0
        reply.ok()
      },
    },
    SEGFAULT: {
      usage: 'SEGFAULT',
      summary: 'End the server as a wrong access to memory would.',
      least: 0,
      most: 0,
      run: ({ server }) => server.control.send({ type: 'crash', signal: 'SIGSEGV' }),
    },
    SLEEP: {
      usage: 'SLEEP <seconds>',
      summary: 'Stop everything for so long.',
      least: 1,
      most: 1,
      run: stopCore,
    },
  }),
)

/** What Redis offers here to make a server crash or leak, for tests of itself. */
const REFUSED = new Set(
  'ASSERT CRASH-AND-RECOVER LEAK MALLCTL MALLCTL-STR OOM PANIC RESTART'.split(' '),
)

export const debugCommand = command({
  name: 'DEBUG',
  usage: '',
  summary: 'Helps to find out what is going on.',
  since: '1.0.0',
  complexity: 'Depends on subcommand.',
  flags: ['admin', 'noscript', 'loading', 'stale'],
  protectedBy: 'enable-debug-command',
  answersLater: true,
  arity: -2,
  internal: true,
  reply: 'any',

  run(call) {
    const { args, server, session, entry } = call
    const refusal = protection(server, session, entry)
    if (refusal !== undefined) throw refusal
    const word = args.text(1).toUpperCase()
    if (word === 'HELP' && args.count === 2) {
      return answerHelp(call, 'DEBUG', [...SUBCOMMANDS.values()])
    }
    if (REFUSED.has(word)) {
      throw new CommandError(`ERR DEBUG ${word} is refused: this server is not crashed on request`)
    }
    const subcommand = SUBCOMMANDS.get(word)
    const given = args.count - 2
    if (subcommand === undefined || given < subcommand.least || given > subcommand.most) {
      throw new CommandError(
        `ERR unknown subcommand or wrong number of arguments for '${args.text(1)}'. Try DEBUG HELP.`,
      )
    }
    subcommand.run(call)
  },
})
