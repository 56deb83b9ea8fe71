/**
 * The engine that EVAL's scripts live in.
 *
 * Thread: core.
 * Owns: what only scripts are given.
 * Never: keeps an engine.
 */
import { ScriptEngine } from './engine.ts'
import type { LuaMachine } from './lua/machine.ts'
import type { Library } from './lua/sandbox.ts'
import { handleError } from './script-error.ts'
import type { Scripting } from './scripting.ts'

/** What functions of an engine find there. */
export type FurnishedEngine = Pick<ScriptEngine, 'machine' | 'nested'>

export function makeScriptEngine(scripting: Scripting): ScriptEngine {
  return new ScriptEngine(scripting, ({ machine }) => scriptLibraries(machine))
}

/** An engine for a script that is debugged. `functions`: take the place of those of `redis`. */
export function makeDebugEngine(
  scripting: Scripting,
  functions: (engine: FurnishedEngine) => Library['functions'],
): ScriptEngine {
  return new ScriptEngine(scripting, (engine) => [
    ...scriptLibraries(engine.machine),
    { name: 'redis', functions: functions(engine) },
  ])
}

/** What only scripts are given. Where nobody debugs, there is nothing to break into. */
function scriptLibraries(machine: LuaMachine): readonly Library[] {
  const boolean = (value: number) => (state: number) => {
    machine.api.lua_pushboolean(state, value)
    return 1
  }
  const functions = { replicate_commands: boolean(1), breakpoint: boolean(0), debug: () => 0 }
  const handler = { __redis__err__handler: (state: number) => handleError(machine, state) }
  return [
    { name: 'redis', functions },
    { name: '', functions: handler },
  ]
}
