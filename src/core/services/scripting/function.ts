/**
 * FUNCTION: looks after libraries of functions.
 *
 * Thread: core.
 * Owns: nothing: functions.ts keeps the libraries.
 * Never: runs a function.
 */
import { matchGlob } from '../../../lib/glob.ts'
import { type CommandDefinition, command } from '../../command/command.ts'
import type { Call } from '../../engine/call.ts'
import { CommandError } from '../../engine/errors.ts'
import type { Reply } from '../../engine/reply.ts'
import { helpSubcommand } from '../server/help.ts'
import type { FunctionLibrary, LibraryFunction } from './function-library.ts'
import { dumpLibraries, libraryCodes } from './function-payload.ts'
import type { RestorePolicy } from './functions.ts'
import { SCRIPT_FLAG_NAMES } from './run.ts'
import { BUSY_SCRIPT } from './scripting.ts'

const CODE_MISSING = new CommandError('ERR Function code is missing')
const NO_LIBRARY = new CommandError('ERR Library not found')
const FLUSH_MODE = new CommandError('ERR FUNCTION FLUSH only supports SYNC|ASYNC option')
const NO_LIBRARY_NAME = new CommandError('ERR library name argument was not given')
const BAD_POLICY = new CommandError(
  'ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE.',
)
const ALL_SUCCEED = ['request_policy:all_shards', 'response_policy:all_succeeded']
const ENGINE = 'LUA'

const functionDelete: CommandDefinition = {
  name: 'DELETE',
  usage: 'library-name',
  summary: 'Removes a library.',
  since: '7.0.0',
  complexity: 'O(1)',
  flags: ['write', 'noscript'],
  tips: ALL_SUCCEED,
  reply: 'ok',

  run({ args, reply, server, keyspace }) {
    if (!server.scripting.functions.remove(args.text(2))) throw NO_LIBRARY
    keyspace.dirty++
    reply.ok()
  },
}

const functionDump: CommandDefinition = {
  name: 'DUMP',
  usage: '',
  summary: 'Returns all libraries as bytes that FUNCTION RESTORE takes.',
  since: '7.0.0',
  complexity: 'O(N) where N is the number of functions',
  flags: ['noscript'],
  reply: 'bulk',

  run({ reply, server }) {
    reply.bulkBytes(dumpLibraries(server.scripting.functions.libraries()))
  },
}

const functionFlush: CommandDefinition = {
  name: 'FLUSH',
  usage: '[ASYNC | SYNC]',
  summary: 'Removes all libraries.',
  since: '7.0.0',
  complexity: 'O(N) where N is the number of functions deleted',
  flags: ['write', 'noscript'],
  tips: ALL_SUCCEED,
  reply: 'ok',

  run({ args, reply, server, keyspace }) {
    if (args.count > 3) throw wrongCount(args.text(1))
    if (args.count === 3 && !args.is(2, 'SYNC') && !args.is(2, 'ASYNC')) throw FLUSH_MODE
    server.scripting.functions.flush()
    keyspace.dirty++
    reply.ok()
  },
}

const functionKill: CommandDefinition = {
  name: 'KILL',
  usage: '',
  summary: 'Ends the function that runs, if it has not written anything.',
  since: '7.0.0',
  complexity: 'O(1)',
  flags: ['noscript', 'allow_busy'],
  tips: ['request_policy:all_shards', 'response_policy:one_succeeded'],
  reply: 'ok',

  run({ reply, server }) {
    server.scripting.kill(true)
    reply.ok()
  },
}

const functionList: CommandDefinition = {
  name: 'LIST',
  usage: '[LIBRARYNAME library-name-pattern] [WITHCODE]',
  summary: 'Returns the libraries with their functions, all or those whose names match.',
  since: '7.0.0',
  complexity: 'O(N) where N is the number of functions',
  flags: ['noscript'],
  tips: ['nondeterministic_output_order'],
  reply: 'array',

  run(call) {
    const { reply, server } = call
    const { pattern, withCode } = listOptions(call)
    const libraries = [...server.scripting.functions.libraries()].filter(
      ({ name }) => pattern === undefined || nameMatches(pattern, name),
    )
    reply.array(libraries.length)
    for (const library of libraries) replyLibrary(reply, library, withCode)
  },
}

const functionLoad: CommandDefinition = {
  name: 'LOAD',
  usage: '[REPLACE] function-code',
  summary: 'Adds a library, and returns its name.',
  since: '7.0.0',
  complexity: 'O(1) (considering compilation time is redundant)',
  flags: ['write', 'denyoom', 'noscript'],
  tips: ALL_SUCCEED,
  reply: 'bulk',

  run({ args, reply, server, keyspace }) {
    let replace = false
    for (let i = 2; i < args.count - 1; i++) {
      if (!args.is(i, 'REPLACE')) {
        throw new CommandError(`ERR Unknown option given: ${args.shown(i)}`)
      }
      replace = true
    }
    if (args.count < 3) throw CODE_MISSING
    const name = server.scripting.functions.load(args.copy(args.count - 1), replace)
    keyspace.dirty++
    reply.bulkText(name)
  },
}

const functionRestore: CommandDefinition = {
  name: 'RESTORE',
  usage: 'serialized-value [policy: FLUSH | APPEND | REPLACE]',
  summary: 'Adds the libraries of a dump to those that are there, or puts them in their place.',
  since: '7.0.0',
  complexity: 'O(N) where N is the number of functions on the payload',
  flags: ['write', 'denyoom', 'noscript'],
  tips: ALL_SUCCEED,
  reply: 'ok',

  run({ args, reply, server, keyspace }) {
    if (args.count > 4) throw wrongCount(args.text(1))
    let policy: RestorePolicy = 'append'
    if (args.count === 4) {
      if (args.is(3, 'FLUSH')) policy = 'flush'
      else if (args.is(3, 'REPLACE')) policy = 'replace'
      else if (!args.is(3, 'APPEND')) throw BAD_POLICY
    }
    server.scripting.functions.restoreAll(
      libraryCodes(args.copy(2), keyspace.checksPayloads),
      policy,
    )
    keyspace.dirty++
    reply.ok()
  },
}

const functionStats: CommandDefinition = {
  name: 'STATS',
  usage: '',
  summary: 'Returns what function runs, and how many libraries and functions there are.',
  since: '7.0.0',
  complexity: 'O(1)',
  flags: ['noscript', 'allow_busy'],
  tips: ['nondeterministic_output', 'request_policy:all_shards', 'response_policy:special'],
  reply: 'map',

  run({ reply, server }) {
    const { functions, run } = server.scripting
    if (run.caller !== undefined && !run.isFunction) throw BUSY_SCRIPT
    reply.map(2)
    reply.bulkText('running_script')
    if (run.caller === undefined) reply.nil()
    else replyRunning(reply, run.name, run.caller, server.scripting.elapsedUs())
    reply.bulkText('engines')
    reply.map(1)
    reply.bulkText(ENGINE)
    reply.map(2)
    reply.bulkText('libraries_count')
    reply.integer(functions.libraryCount)
    reply.bulkText('functions_count')
    reply.integer(functions.functionCount)
  },
}

const subcommands: readonly CommandDefinition[] = [
  functionDelete,
  functionDump,
  functionFlush,
  functionKill,
  functionList,
  functionLoad,
  functionRestore,
  functionStats,
]

export const functionCommand = command({
  name: 'FUNCTION',
  usage: '',
  summary: 'Looks after libraries of functions.',
  since: '7.0.0',
  complexity: 'Depends on subcommand.',
  flags: [],
  reply: 'any',
  subcommands: [...subcommands, helpSubcommand('FUNCTION', '7.0.0', () => subcommands)],
})

function wrongCount(subcommand: string): CommandError {
  return new CommandError(
    `ERR unknown subcommand or wrong number of arguments for '${subcommand}'. Try FUNCTION HELP.`,
  )
}

function replyRunning(reply: Reply, name: string, { args }: Call, elapsedUs: number): void {
  reply.map(3)
  reply.bulkText('name')
  reply.bulkText(name)
  reply.bulkText('command')
  reply.array(args.count)
  for (let i = 0; i < args.count; i++) reply.bulkBytes(args.copy(i))
  reply.bulkText('duration_ms')
  reply.integer(Math.floor(elapsedUs / 1000))
}

interface ListOptions {
  readonly pattern: string | undefined
  readonly withCode: boolean
}

function listOptions({ args }: Call): ListOptions {
  let pattern: string | undefined
  let withCode = false
  for (let i = 2; i < args.count; i++) {
    if (!withCode && args.is(i, 'WITHCODE')) withCode = true
    else if (pattern === undefined && args.is(i, 'LIBRARYNAME')) {
      if (i + 1 === args.count) throw NO_LIBRARY_NAME
      pattern = args.text(++i)
    } else throw new CommandError(`ERR Unknown argument ${args.shown(i)}`)
  }
  return { pattern, withCode }
}

function nameMatches(pattern: string, name: string): boolean {
  const glob = Buffer.from(pattern, 'latin1')
  const text = Buffer.from(name, 'latin1')
  return matchGlob(glob, 0, glob.length, text, 0, text.length, true)
}

function replyLibrary(reply: Reply, library: FunctionLibrary, withCode: boolean): void {
  reply.map(withCode ? 4 : 3)
  reply.bulkText('library_name')
  reply.bulkText(library.name)
  reply.bulkText('engine')
  reply.bulkText(ENGINE)
  reply.bulkText('functions')
  reply.array(library.functions.size)
  for (const one of library.functions.values()) replyFunction(reply, one)
  if (!withCode) return
  reply.bulkText('library_code')
  reply.bulkBytes(library.code)
}

function replyFunction(reply: Reply, one: LibraryFunction): void {
  const flags = SCRIPT_FLAG_NAMES.filter(([, bit]) => (one.flags & bit) !== 0)
  reply.map(3)
  reply.bulkText('name')
  reply.bulkText(one.name)
  reply.bulkText('description')
  if (one.description === undefined) reply.nil()
  else reply.bulkText(one.description)
  reply.bulkText('flags')
  reply.set(flags.length)
  for (const [name] of flags) reply.simple(name)
}
