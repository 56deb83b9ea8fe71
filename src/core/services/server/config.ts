/**
 * CONFIG: the settings as a client sees and changes them.
 *
 * Thread: core.
 * Owns: nothing: settings.ts knows values and texts, control.ts who is told.
 * Never: shows a secret to MONITOR or the slow log.
 */
import { toLower } from '../../../config/byte-text.ts'
import { definition, findName, type Name } from '../../../config/params.ts'
import { setError } from '../../../config/settings.ts'
import { type CommandDefinition, command } from '../../command/command.ts'
import type { Call } from '../../engine/call.ts'
import { CommandError, LOADING, SYNTAX } from '../../engine/errors.ts'
import { CANNOT_TURN_ON } from '../persistence/aof.ts'
import { allows } from './allows.ts'
import { helpSubcommand } from './help.ts'
import { askForRewrite } from './rewrite.ts'

const configGet: CommandDefinition = {
  name: 'GET',
  usage: '<parameter: parameter> [...]',
  summary: 'Returns the values of the settings whose names match.',
  since: '2.0.0',
  complexity: 'O(N) when N is the number of configuration parameters provided',
  flags: ['admin', 'noscript', 'loading', 'stale'],
  reply: 'map',

  run(call) {
    const { args, reply, server } = call
    const patterns: string[] = []
    for (let i = 2; i < args.count; i++) patterns.push(args.text(i))
    const found = server.settings.get(patterns)
    reply.map(found.length)
    for (const [name, value] of found) {
      reply.bulkText(name)
      reply.bulkText(value)
    }
  },
}

const configSet: CommandDefinition = {
  name: 'SET',
  usage: 'parameter value [parameter value ...]',
  summary: 'Changes settings, all of them or none.',
  since: '2.0.0',
  complexity: 'O(N) when N is the number of configuration parameters provided',
  flags: ['admin', 'noscript', 'loading', 'stale'],
  answersLater: true,
  tips: ['request_policy:all_nodes', 'response_policy:all_succeeded'],
  reply: 'ok',

  run(call) {
    const { args, server, session } = call
    if (args.count % 2 !== 0) throw SYNTAX
    const pairs = settingPairs(call)
    if (server.loading.isBusy && pairs.some(([given]) => isHeldWhileLoading(given))) throw LOADING
    const result = server.settings.set(pairs, {
      protectedAllowed: allows(server.settings.text('enable-protected-configs'), session),
    })
    if (!result.ok) throw new CommandError(result.error)

    server.control.settingsChanged()
    if (result.changed.includes('appendonly') && !server.aof.follow(session.queue !== undefined)) {
      server.log.warning(
        'Failed applying new configuration. Possibly related to new appendonly setting. Restoring previous settings.',
      )
      result.undo()
      server.control.settingsChanged()
      const given = pairs.find(([name]) => toLower(name) === 'appendonly')?.[0] ?? ''
      throw new CommandError(setError(given, CANNOT_TURN_ON))
    }
    const told = result.changed.filter((name) => concernsOthers(name))
    if (told.some((name) => mayFail(name))) {
      announceAndWait(call, told, pairs, result.undo)
      return
    }
    if (told.length > 0) server.control.announce(told)
    call.reply.ok()
  },
}

const configResetstat: CommandDefinition = {
  name: 'RESETSTAT',
  usage: '',
  summary: 'Lets all counters that INFO shows begin again.',
  since: '2.0.0',
  complexity: 'O(1)',
  flags: ['admin', 'noscript', 'loading', 'stale'],
  reply: 'ok',

  run(call) {
    call.server.stats.reset()
    call.reply.ok()
  },
}

const configRewrite: CommandDefinition = {
  name: 'REWRITE',
  usage: '',
  summary: 'Writes the settings as they are into the configuration file.',
  since: '2.8.0',
  complexity: 'O(1)',
  flags: ['admin', 'noscript', 'loading', 'stale'],
  answersLater: true,
  reply: 'ok',

  run(call) {
    askForRewrite(call, false, (problem) => `ERR Rewriting config file: ${problem}`)
  },
}

const subcommands: readonly CommandDefinition[] = [
  configGet,
  configSet,
  configResetstat,
  configRewrite,
]

export const configCommand = command({
  name: 'CONFIG',
  usage: '',
  summary: 'Looks after the settings.',
  since: '2.0.0',
  complexity: 'Depends on subcommand.',
  flags: [],
  reply: 'any',
  subcommands: [...subcommands, helpSubcommand('CONFIG', '5.0.0', () => subcommands)],
})

function settingPairs(call: Call): [string, string][] {
  const { args } = call
  const pairs: [string, string][] = []
  for (let i = 2; i < args.count; i += 2) {
    const given = args.text(i)
    const name = findName(toLower(given))
    if (name !== undefined && definition(name).secret === true) call.redact(i + 1)
    pairs.push([given, args.text(i + 1)])
  }
  return pairs
}

/** True when what is being loaded depends on it. */
function isHeldWhileLoading(given: string): boolean {
  const name = findName(toLower(given))
  return name === 'dir' || name === 'appendonly'
}

/** True when only the main thread finds out whether it can be done. */
function mayFail(name: Name): boolean {
  if (name === 'port' || name === 'bind' || name === 'dir') return true
  return name.startsWith('tls-') || name.startsWith('oom-score-adj')
}

/** Answers when the main thread has; what it could not do is undone. */
function announceAndWait(
  call: Call,
  names: readonly Name[],
  pairs: readonly (readonly [string, string])[],
  undo: () => void,
): void {
  const { server } = call
  const answer = call.answerLater()
  server.control.announce(names, (problem, about) => {
    if (problem !== '') {
      server.log.warning(
        `Failed applying new configuration. Possibly related to new ${about} setting. Restoring previous settings.`,
      )
      undo()
      server.control.settingsChanged()
      server.control.announce(names)
    }
    const given = pairs.find(([name]) => findName(toLower(name)) === about)?.[0] ?? about
    answer((reply) => {
      if (problem === '') reply.ok()
      else reply.error(setError(given, problem))
    })
  })
}

/** True when other threads act on the directive. */
function concernsOthers(name: Name): boolean {
  return definition(name).tells.some((listener) => listener !== 'core')
}
