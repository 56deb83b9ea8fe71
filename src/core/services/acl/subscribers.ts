/**
 * Who listens to channels that he may not listen to any more.
 *
 * Thread: core.
 * Owns: the rule.
 * Never: ends a session.
 */
import type { Session } from '../../engine/session.ts'
import { allowsChannel, type Pattern } from './selector.ts'
import type { User } from './user.ts'

/** True when `after` lacks a pattern of channels that `before` has. */
export function losesChannels(before: User, after: User): boolean {
  if (allowsAllChannels(after)) return false
  if (allowsAllChannels(before)) return true
  const left = new Set(channelPatterns(after).map(({ text }) => text))
  return channelPatterns(before).some(({ text }) => !left.has(text))
}

/** True when the user may listen to everything that the session listens to. */
export function mayListen({ subscriptions }: Session, user: User): boolean {
  if (subscriptions === undefined || allowsAllChannels(user)) return true
  const allowed = channelPatterns(user)
  const { channels, patterns, shards } = subscriptions
  const isAllowed = (name: Buffer, isPattern: boolean) =>
    allowsChannel(allowed, name, 0, name.length, isPattern)
  return (
    [...patterns].every(({ name }) => isAllowed(name, true)) &&
    [...channels, ...shards].every(({ name }) => isAllowed(name, false))
  )
}

function allowsAllChannels({ selectors }: User): boolean {
  return selectors.some(({ allChannels }) => allChannels)
}

/** Those of all selectors: here, unlike for calls, they add up. */
function channelPatterns({ selectors }: User): Pattern[] {
  return selectors.flatMap(({ channels }) => channels)
}
