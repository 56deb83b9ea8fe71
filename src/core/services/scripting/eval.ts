/**
 * EVAL and EVALSHA, and their forms for scripts that only read.
 *
 * Thread: core. Hot path.
 * Owns: nothing: scripts.ts keeps the scripts.
 * Never: propagates a script: what it does is propagated call by call.
 */
import { command } from '../../command/command.ts'
import type { Call } from '../../engine/call.ts'
import { CommandError } from '../../engine/errors.ts'
import { scriptCallFlags } from './call-flags.ts'
import { debugSessions } from './lazy.ts'
import { NEGATIVE_KEYS, TOO_MANY_KEYS } from './scripting.ts'
import { scriptShebang } from './shebang.ts'

const NO_SCRIPT = new CommandError('NOSCRIPT No matching script. Please use EVAL.')
const DEBUG_BY_SHA = new CommandError('ERR Please use EVAL instead of EVALSHA for debugging')
const FLAGS = ['noscript', 'stale', 'skip_monitor', 'no_mandatory_keys'] as const
const EFFORT = 'Depends on the script that is executed.'

const usage = (script: string) => `${script} numkeys [key [key ...]] [arg [arg ...]]`

export const evalCommand = command({
  name: 'EVAL',
  usage: usage('script'),
  summary: 'Runs a Lua script on the server.',
  since: '2.6.0',
  complexity: EFFORT,
  flags: [...FLAGS, 'may_replicate'],
  access: 'rw access update',
  reply: 'any',
  callFlags: bodyFlags,

  run(call) {
    runBody(call, false)
  },
})

export const evalRoCommand = command({
  name: 'EVAL_RO',
  usage: usage('script'),
  summary: 'Runs a Lua script on the server that may only read.',
  since: '7.0.0',
  complexity: EFFORT,
  flags: ['readonly', ...FLAGS],
  access: 'ro access',
  reply: 'any',
  callFlags: bodyFlags,

  run(call) {
    runBody(call, true)
  },
})

export const evalshaCommand = command({
  name: 'EVALSHA',
  usage: usage('sha1'),
  summary: 'Runs a Lua script that the server knows by its SHA-1.',
  since: '2.6.0',
  complexity: EFFORT,
  flags: [...FLAGS, 'may_replicate'],
  access: 'rw access update',
  reply: 'any',
  callFlags: shaFlags,

  run(call) {
    runSha(call, false)
  },
})

export const evalshaRoCommand = command({
  name: 'EVALSHA_RO',
  usage: usage('sha1'),
  summary: 'Runs a Lua script that the server knows by its SHA-1 and that may only read.',
  since: '7.0.0',
  complexity: EFFORT,
  flags: ['readonly', ...FLAGS],
  access: 'ro access',
  reply: 'any',
  callFlags: shaFlags,

  run(call) {
    runSha(call, true)
  },
})

function runBody(call: Call, readOnly: boolean): void {
  call.server.scripting.announce(call)
  if (isDebugged(call)) return debugBody(call, readOnly)
  const keyCount = countKeys(call)
  const { scripts } = call.server.scripting
  scripts.perform(call, scripts.load(call.args.text(1)), keyCount, readOnly)
}

/** DIFFERS: what is inside a transaction is not debugged; its replies have begun before. */
function isDebugged({ session, mayBlock }: Call): boolean {
  return session.debugsScripts && mayBlock
}

// alloc: cold, scripts that are debugged
function debugBody(call: Call, readOnly: boolean): void {
  const { scripts } = call.server.scripting
  debugSessions().debugScript(call, (engine) => {
    const keyCount = countKeys(call)
    scripts.performIn(engine, call, scripts.load(call.args.text(1)), keyCount, readOnly)
  })
}

function runSha(call: Call, readOnly: boolean): void {
  call.server.scripting.announce(call)
  const { scripts } = call.server.scripting
  if (call.args.lengths[1] !== 40) throw NO_SCRIPT
  if (isDebugged(call)) throw DEBUG_BY_SHA
  const keyCount = countKeys(call)
  const script = scripts.find(call.args.text(1))
  if (script === undefined) throw NO_SCRIPT
  scripts.perform(call, script, keyCount, readOnly)
}

/** Throws: CommandError. */
function countKeys({ args }: Call): number {
  const count = args.integer(2)
  if (count > args.count - 3) throw TOO_MANY_KEYS
  if (count < 0) throw NEGATIVE_KEYS
  return count
}

// alloc: cold, only when a gate may be shut
function bodyFlags(call: Call, flags: number): number {
  const text = call.args.text(1)
  const known = call.server.scripting.scripts.findText(text)
  const declared = known?.flags ?? declaredFlags(text)
  return declared === undefined ? flags : scriptCallFlags(flags, declared)
}

/** What a script declares that has not been run yet; undefined when it cannot be run. */
function declaredFlags(text: string): number | undefined {
  try {
    return scriptShebang(text).flags
  } catch (mistake) {
    if (mistake instanceof CommandError) return undefined
    throw mistake
  }
}

function shaFlags(call: Call, flags: number): number {
  const known = call.server.scripting.scripts.find(call.args.text(1))
  return known === undefined ? flags : scriptCallFlags(flags, known.flags)
}
