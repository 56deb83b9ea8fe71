/**
 * Which arguments of a call are channels: from the usage line, as everything else.
 *
 * Thread: core.
 * Owns: the rule.
 * Never: knows who listens.
 */
import type { CommandDefinition } from './command.ts'
import type { Argument } from './usage.ts'

export const CHANNELS_NONE = 0
/** The first argument is one. */
export const CHANNELS_FIRST = 1
/** All arguments are. */
export const CHANNELS_ALL = 2
/** All arguments are patterns of channels. */
export const CHANNELS_PATTERNS = 3

/** Who leaves channels or asks about them may do without naming any, and may name every one. */
export function channelsOf(definition: CommandDefinition, usage: readonly Argument[]): number {
  const first = usage[0]
  if (!definition.flags.includes('pubsub') || first === undefined || first.optional) {
    return CHANNELS_NONE
  }
  if (first.name === 'pattern') return CHANNELS_PATTERNS
  if (first.name !== 'channel' && first.name !== 'shardchannel') return CHANNELS_NONE
  return first.multiple ? CHANNELS_ALL : CHANNELS_FIRST
}
