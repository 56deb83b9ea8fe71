/**
 * The table `redis` that scripts and functions are given, but for what belongs to one of them alone.
 *
 * Thread: core.
 * Owns: nothing.
 * Never: runs a command itself: `nested-call.ts` does.
 */
import { LOG_LEVELS } from '../../../config/log-levels.ts'
import { REDIS_VERSION } from '../../../config/version.ts'
import { sha1 } from '../../../lib/sha1.ts'
import { AUDIENCE_ALL, AUDIENCE_AOF, AUDIENCE_REPLICAS } from '../../engine/propagation.ts'
import type { Server } from '../../server.ts'
import { LUA_NUMBER, LUA_STRING, LUA_TABLE, type LuaMachine } from './lua/machine.ts'
import type { Library } from './lua/sandbox.ts'
import type { NestedCall } from './nested-call.ts'
import type { ScriptRun } from './run.ts'
import { pushError, raiseError } from './script-error.ts'

const LOG_LEVEL_MAX = 3

export function redisApi(
  server: Server,
  machine: LuaMachine,
  nested: NestedCall,
  run: ScriptRun,
): Library {
  const { api } = machine
  return {
    name: 'redis',
    functions: {
      call: (state) => nested.make(state, true),
      pcall: (state) => nested.make(state, false),
      error_reply: (state) => errorReply(machine, state),
      status_reply: (state) => statusReply(machine, state),
      sha1hex: (state) => sha1hex(machine, state),
      log: (state) => log(server, machine, state),
      setresp: (state) => setResp(machine, state, nested, run),
      set_repl: (state) => setRepl(machine, state, run),
      acl_check_cmd: (state) => {
        api.lua_pushboolean(state, nested.isAllowed(state) ? 1 : 0)
        return 1
      },
    },
    values: {
      LOG_DEBUG: 0,
      LOG_VERBOSE: 1,
      LOG_NOTICE: 2,
      LOG_WARNING: LOG_LEVEL_MAX,
      REPL_NONE: 0,
      REPL_AOF: AUDIENCE_AOF,
      REPL_SLAVE: AUDIENCE_REPLICAS,
      REPL_REPLICA: AUDIENCE_REPLICAS,
      REPL_ALL: AUDIENCE_ALL,
      REDIS_VERSION,
      REDIS_VERSION_NUM: versionNumber(REDIS_VERSION),
    },
  }
}

/** '7.0.15' as 0x0007000f. */
function versionNumber(version: string): number {
  const [major, minor, patch] = version.split('.').map(Number)
  return (major << 16) | (minor << 8) | patch
}

function isSingleString(machine: LuaMachine, state: number): boolean {
  const { api } = machine
  return api.lua_gettop(state) === 1 && api.lua_type(state, 1) === LUA_STRING
}

function errorReply(machine: LuaMachine, state: number): number {
  if (!isSingleString(machine, state)) {
    pushError(machine, state, 'wrong number or type of arguments')
    return 1
  }
  const given = machine.textOf(state, 1)
  const end = given.indexOf('\0')
  const text = end < 0 ? given : given.slice(0, end)
  pushError(machine, state, text[0] === '-' ? text : `-${text}`)
  return 1
}

function statusReply(machine: LuaMachine, state: number): number {
  if (!isSingleString(machine, state)) {
    pushError(machine, state, 'wrong number or type of arguments')
    return 1
  }
  machine.api.lua_createtable(state, 0, 1)
  machine.api.lua_pushvalue(state, 1)
  machine.api.lua_setfield(state, -2, machine.text('ok'))
  return 1
}

function sha1hex(machine: LuaMachine, state: number): number {
  if (machine.api.lua_gettop(state) !== 1) raiseError(machine, state, 'wrong number of arguments')
  const at = machine.string(state, 1)
  const length = at === 0 ? 0 : machine.length
  machine.pushText(state, sha1(machine.bytes.subarray(at, at + length)))
  return 1
}

function log(server: Server, machine: LuaMachine, state: number): number {
  const { api } = machine
  const count = api.lua_gettop(state)
  if (count < 2) raiseError(machine, state, 'redis.log() requires two arguments or more.')
  if (api.lua_isnumber(state, 1) === 0) {
    raiseError(machine, state, 'First argument must be a number (log level).')
  }
  const level = Math.trunc(api.lua_tonumber(state, 1))
  if (!(level >= 0 && level <= LOG_LEVEL_MAX)) raiseError(machine, state, 'Invalid debug level.')
  const parts: string[] = []
  for (let i = 2; i <= count; i++) {
    if (api.lua_isstring(state, i) !== 0) parts.push(utf8Of(machine, state, i))
  }
  server.log.write(LOG_LEVELS[level], parts.join(' '))
  return 0
}

function utf8Of(machine: LuaMachine, state: number, index: number): string {
  const at = machine.string(state, index)
  return machine.bytes.utf8Slice(at, at + machine.length)
}

function setResp(machine: LuaMachine, state: number, nested: NestedCall, run: ScriptRun): number {
  const { api } = machine
  if (run.caller === undefined) {
    raiseError(machine, state, 'redis.setresp can only be called inside a script invocation')
  }
  if (api.lua_gettop(state) !== 1) {
    raiseError(machine, state, 'redis.setresp() requires one argument.')
  }
  const version = api.lua_tonumber(state, 1)
  if (version !== 2 && version !== 3) {
    raiseError(machine, state, 'RESP version must be 2 or 3.')
  }
  nested.session.protocol = version
  return 0
}

function setRepl(machine: LuaMachine, state: number, run: ScriptRun): number {
  if (run.caller === undefined) {
    raiseError(machine, state, 'redis.set_repl can only be called inside a script invocation')
  }
  if (machine.api.lua_gettop(state) !== 1) {
    raiseError(machine, state, 'redis.set_repl() requires two arguments.')
  }
  const audience = Math.trunc(machine.api.lua_tonumber(state, 1))
  if ((audience & ~AUDIENCE_ALL) !== 0) {
    const flags = 'REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE'
    raiseError(machine, state, `Invalid replication flags. Use ${flags}.`)
  }
  run.audience = audience
  return 0
}

/**
 * Lua's pcall as Redis changed it: of an error table only the text is given.
 * QUIRK: so `pcall(redis.call, ...)` gives a string where redis.pcall gives a table.
 */
export function protectedCall(machine: LuaMachine, state: number): number {
  const { api } = machine
  const count = api.lua_gettop(state)
  if (count === 0) {
    api.lua_pushboolean(state, 0)
    machine.pushText(state, 'attempt to call a nil value')
    return 2
  }
  api.lua_pushboolean(state, 1)
  api.lua_insert(state, 1)
  if (api.lua_pcall(state, count - 1, -1, 0) === 0) return api.lua_gettop(state)
  api.lua_remove(state, 1)
  if (api.lua_type(state, -1) === LUA_TABLE) {
    api.lua_getfield(state, -1, machine.text('err'))
    const type = api.lua_type(state, -1)
    if (type === LUA_STRING || type === LUA_NUMBER) api.lua_replace(state, -2)
    else api.lua_settop(state, -2)
  }
  api.lua_pushboolean(state, 0)
  api.lua_insert(state, 1)
  return api.lua_gettop(state)
}
