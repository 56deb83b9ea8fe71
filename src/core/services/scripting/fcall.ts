/**
 * FCALL and FCALL_RO: calls functions of libraries.
 *
 * Thread: core. Hot path.
 * Owns: nothing: functions.ts keeps the functions.
 * Never: propagates the call: what the function does is propagated call by call.
 */

import { INTEGER_OK, integerNumber, parseInteger } from '../../../lib/bytes/integer.ts'
import { command } from '../../command/command.ts'
import type { Call } from '../../engine/call.ts'
import { CommandError } from '../../engine/errors.ts'
import { scriptCallFlags } from './call-flags.ts'
import { NEGATIVE_KEYS, TOO_MANY_KEYS } from './scripting.ts'

const NOT_FOUND = new CommandError('ERR Function not found')
const BAD_KEY_COUNT = new CommandError('ERR Bad number of keys provided')
const USAGE = 'function numkeys [key [key ...]] [arg [arg ...]]'
const FLAGS = ['noscript', 'stale', 'skip_monitor', 'no_mandatory_keys'] as const
const EFFORT = 'Depends on the function that is executed.'

export const fcallCommand = command({
  name: 'FCALL',
  usage: USAGE,
  summary: 'Calls a function.',
  since: '7.0.0',
  complexity: EFFORT,
  flags: [...FLAGS, 'may_replicate'],
  access: 'rw access update',
  reply: 'any',
  callFlags,

  run(call) {
    callFunction(call, false)
  },
})

export const fcallRoCommand = command({
  name: 'FCALL_RO',
  usage: USAGE,
  summary: 'Calls a function that may only read.',
  since: '7.0.0',
  complexity: EFFORT,
  flags: ['readonly', ...FLAGS],
  access: 'ro access',
  reply: 'any',
  callFlags,

  run(call) {
    callFunction(call, true)
  },
})

function callFunction(call: Call, readOnly: boolean): void {
  call.server.scripting.announce(call)
  const { args, server } = call
  const { functions } = server.scripting
  const one = functions.find(args.text(1))
  if (one === undefined) throw NOT_FOUND
  const at = args.offsets[2]
  if (parseInteger(args.bytes, at, at + args.lengths[2]) !== INTEGER_OK) throw BAD_KEY_COUNT
  const keyCount = integerNumber()
  if (keyCount > args.count - 3) throw TOO_MANY_KEYS
  if (keyCount < 0) throw NEGATIVE_KEYS
  functions.perform(call, one, keyCount, readOnly)
}

function callFlags(call: Call, flags: number): number {
  const one = call.server.scripting.functions.find(call.args.text(1))
  return one === undefined ? flags : scriptCallFlags(flags, one.flags)
}
