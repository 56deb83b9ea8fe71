/**
 * What the gates go by when a script has declared what it does: its flags in place of those of EVAL
 * or FCALL.
 *
 * Thread: core. Hot path.
 * Owns: nothing.
 * Never: changes anything for a script that declares nothing.
 */
import { FLAG_DENYOOM, FLAG_MAY_REPLICATE, FLAG_STALE, FLAG_WRITE } from '../../command/table.ts'
import { SCRIPT_ALLOW_OOM, SCRIPT_ALLOW_STALE, SCRIPT_COMPAT, SCRIPT_NO_WRITES } from './run.ts'

/** `flags`: the command's; `declared`: the script's. */
export function scriptCallFlags(flags: number, declared: number): number {
  if ((declared & SCRIPT_COMPAT) !== 0) return flags
  let changed = flags & ~(FLAG_STALE | FLAG_DENYOOM | FLAG_WRITE | FLAG_MAY_REPLICATE)
  if ((declared & (SCRIPT_ALLOW_OOM | SCRIPT_NO_WRITES)) === 0) changed |= FLAG_DENYOOM
  if ((declared & SCRIPT_NO_WRITES) === 0) changed |= FLAG_WRITE
  if ((declared & SCRIPT_ALLOW_STALE) !== 0) changed |= FLAG_STALE
  return changed
}
