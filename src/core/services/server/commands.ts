/**
 * The server group.
 *
 * Thread: core.
 * Owns: which files it consists of.
 * Never: defines a command.
 */
import { collect } from '../../command/command.ts'
import * as command from './command.ts'
import * as config from './config.ts'
import * as databases from './databases.ts'
import * as debug from './debug.ts'
import * as info from './info.ts'
import * as latency from './latency-commands.ts'
import * as lolwut from './lolwut.ts'
import * as memory from './memory.ts'
import * as module from './module.ts'
import * as role from './role.ts'
import * as shutdown from './shutdown.ts'
import * as slowlog from './slowlog.ts'

export const serverCommands = collect(
  'server',
  command,
  config,
  databases,
  debug,
  info,
  latency,
  lolwut,
  memory,
  module,
  role,
  shutdown,
  slowlog,
)
