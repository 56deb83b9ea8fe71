/**
 * DEBUG SLEEP: nothing happens for a while.
 *
 * Thread: core.
 * Owns: nothing.
 * Never: sleeps itself: the bridge does.
 */
import { stopThread } from '../../../bridge/wake.ts'
import type { Call } from '../../engine/call.ts'

export function stopCore(call: Call): void {
  const seconds = Number.parseFloat(call.args.text(2))
  if (seconds > 0) stopThread(seconds * 1000)
  call.reply.ok()
}
