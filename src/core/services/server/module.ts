/**
 * MODULE: extensions, of which there are none. They are compiled for Redis itself, so that loading
 * one fails as it does there when the file is no module.
 *
 * Thread: core.
 * Owns: nothing.
 * Never: opens a file.
 */
import { type CommandDefinition, command } from '../../command/command.ts'
import type { Call } from '../../engine/call.ts'
import { CommandError } from '../../engine/errors.ts'
import { protection } from './allows.ts'
import { helpSubcommand } from './help.ts'

const CANNOT_LOAD = new CommandError(
  'ERR Error loading the extension. Please check the server logs.',
)
const NOT_LOADED = new CommandError('ERR Error unloading module: no such module with that name')

const moduleList: CommandDefinition = {
  name: 'LIST',
  usage: '',
  summary: 'Lists the modules that are loaded, which are none.',
  since: '4.0.0',
  complexity: 'O(N) where N is the number of loaded modules.',
  flags: ['admin', 'noscript'],
  tips: ['nondeterministic_output_order'],
  reply: 'array',

  run({ reply }) {
    reply.array(0)
  },
}

const moduleLoad: CommandDefinition = {
  name: 'LOAD',
  usage: 'path [arg [arg ...]]',
  summary: 'Fails: modules are compiled for Redis itself.',
  since: '4.0.0',
  complexity: 'O(1)',
  flags: ['admin', 'noscript', 'no_async_loading'],
  protectedBy: 'enable-module-command',
  reply: 'ok',
  run: refuseLoading,
}

const moduleLoadex: CommandDefinition = {
  name: 'LOADEX',
  usage: 'path [CONFIG <configs: name value> [CONFIG ...]] [ARGS <args: arg> [...]]',
  summary: 'Fails: modules are compiled for Redis itself.',
  since: '7.0.0',
  complexity: 'O(1)',
  flags: ['admin', 'noscript', 'no_async_loading'],
  protectedBy: 'enable-module-command',
  reply: 'ok',
  run: refuseLoading,
}

const moduleUnload: CommandDefinition = {
  name: 'UNLOAD',
  usage: 'name',
  summary: 'Fails: there is nothing to unload.',
  since: '4.0.0',
  complexity: 'O(1)',
  flags: ['admin', 'noscript', 'no_async_loading'],
  protectedBy: 'enable-module-command',
  reply: 'ok',

  run(call) {
    checkAllowed(call)
    throw NOT_LOADED
  },
}

const subcommands: readonly CommandDefinition[] = [
  moduleList,
  moduleLoad,
  moduleLoadex,
  moduleUnload,
]

export const moduleCommand = command({
  name: 'MODULE',
  usage: '',
  summary: 'Looks after modules, of which there are none.',
  since: '4.0.0',
  complexity: 'Depends on subcommand.',
  flags: [],
  reply: 'any',
  subcommands: [...subcommands, helpSubcommand('MODULE', '5.0.0', () => subcommands)],
})

function refuseLoading(call: Call): void {
  checkAllowed(call)
  const path = call.args.shown(2)
  call.server.log.warning(`Module ${path} failed to load: modules are compiled for Redis itself`)
  throw CANNOT_LOAD
}

function checkAllowed({ server, session, entry }: Call): void {
  const refusal = protection(server, session, entry)
  if (refusal !== undefined) throw refusal
}
