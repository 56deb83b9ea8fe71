/**
 * CLIENT TRACKING, CACHING, GETREDIR, TRACKINGINFO: client-side caching.
 *
 * Thread: core.
 * Owns: which options go together.
 * Never: remembers a key: services/tracking does.
 */
import type { CommandDefinition } from '../../command/command.ts'
import type { Call } from '../../engine/call.ts'
import { CommandError, NOT_AN_INTEGER, SYNTAX } from '../../engine/errors.ts'
import type { Session } from '../../engine/session.ts'
import type { TrackingOptions } from '../tracking/tracking.ts'

const REDIRECTED_TWICE = new CommandError('ERR A client can only redirect to a single other client')
const NO_RECEIVER = new CommandError('ERR The client ID you want redirect to does not exist')
const PREFIX_ALONE = new CommandError('ERR PREFIX option requires BCAST mode to be enabled')
const SWITCHES_BCAST = new CommandError(
  "ERR You can't switch BCAST mode on/off before disabling tracking for this client, and then re-enabling it with a different mode.",
)
const BCAST_WITH_CHOICE = new CommandError('ERR OPTIN and OPTOUT are not compatible with BCAST')
const BOTH_CHOICES = new CommandError("ERR You can't specify both OPTIN mode and OPTOUT mode")
const SWITCHES_CHOICE = new CommandError(
  "ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then re-enabling it with a different mode.",
)
const CACHING_WITHOUT_TRACKING = new CommandError(
  'ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled',
)
const CACHING_YES = new CommandError(
  'ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.',
)
const CACHING_NO = new CommandError(
  'ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.',
)

export const clientTracking: CommandDefinition = {
  name: 'TRACKING',
  usage:
    '<status: ON | OFF> [REDIRECT client-id] [PREFIX prefix [PREFIX prefix ...]] [BCAST] [OPTIN] ' +
    '[OPTOUT] [NOLOOP]',
  summary: 'Tells the connection, or another one, when keys that it has read change.',
  since: '6.0.0',
  complexity: 'O(1). Some options may introduce additional complexity.',
  flags: ['noscript', 'loading', 'stale'],
  reply: 'ok',

  run(call) {
    const { args, server, session, reply } = call
    const { options, prefixes } = parseOptions(call)
    if (args.is(2, 'ON')) {
      checkOptions(session, options, prefixes)
      server.tracking.enable(session, options, prefixes)
    } else if (args.is(2, 'OFF')) {
      server.tracking.disable(session)
    } else {
      throw SYNTAX
    }
    reply.ok()
  },
}

function parseOptions(call: Call): { options: TrackingOptions; prefixes: string[] } {
  const { args } = call
  const options = { redirectId: 0, broadcast: false, optIn: false, optOut: false, noLoop: false }
  const prefixes: string[] = []
  for (let i = 3; i < args.count; i++) {
    const hasMore = i + 1 < args.count
    if (args.is(i, 'REDIRECT') && hasMore) {
      if (options.redirectId !== 0) throw REDIRECTED_TWICE
      options.redirectId = receiver(call, ++i)
    } else if (args.is(i, 'BCAST')) {
      options.broadcast = true
    } else if (args.is(i, 'OPTIN')) {
      options.optIn = true
    } else if (args.is(i, 'OPTOUT')) {
      options.optOut = true
    } else if (args.is(i, 'NOLOOP')) {
      options.noLoop = true
    } else if (args.is(i, 'PREFIX') && hasMore) {
      prefixes.push(args.text(++i))
    } else {
      throw SYNTAX
    }
  }
  return { options, prefixes }
}

/** The number of a client that is there. */
function receiver({ args, server }: Call, index: number): number {
  if (!args.integer64(index)) throw NOT_AN_INTEGER
  const id = args.high * 0x100000000 + (args.low >>> 0)
  if (server.clients.byId(id) === undefined) throw NO_RECEIVER
  return id
}

function checkOptions(
  { tracking }: Session,
  options: TrackingOptions,
  prefixes: readonly string[],
): void {
  const { broadcast, optIn, optOut } = options
  if (!broadcast && prefixes.length > 0) throw PREFIX_ALONE
  if (tracking !== undefined && tracking.broadcast !== broadcast) throw SWITCHES_BCAST
  if (broadcast && (optIn || optOut)) throw BCAST_WITH_CHOICE
  if (optIn && optOut) throw BOTH_CHOICES
  if ((optIn && tracking?.optOut) || (optOut && tracking?.optIn)) throw SWITCHES_CHOICE
  checkOverlaps(prefixes, [...(tracking?.prefixes ?? [])].sort())
}

/** A key may match one prefix of a client only. */
function checkOverlaps(prefixes: readonly string[], existing: readonly string[]): void {
  for (const [i, one] of prefixes.entries()) {
    for (const other of existing)
      if (overlap(one, other)) throw overlapping(one, 'an existing', other)
    for (const other of prefixes.slice(i + 1)) {
      if (overlap(one, other)) throw overlapping(one, 'another provided', other)
    }
  }
}

function overlap(a: string, b: string): boolean {
  return a.startsWith(b) || b.startsWith(a)
}

function overlapping(one: string, which: string, other: string): CommandError {
  return new CommandError(
    `ERR Prefix '${one}' overlaps with ${which} prefix '${other}'. Prefixes for a single client must not overlap.`,
  )
}

export const clientCaching: CommandDefinition = {
  name: 'CACHING',
  usage: '<mode: YES | NO>',
  summary: 'Says whether the keys of the next call are tracked, in OPTIN or OPTOUT mode.',
  since: '6.0.0',
  complexity: 'O(1)',
  flags: ['noscript', 'loading', 'stale'],
  reply: 'ok',

  run({ args, session, reply }) {
    const { tracking } = session
    if (tracking === undefined) throw CACHING_WITHOUT_TRACKING
    if (args.is(2, 'YES')) {
      if (!tracking.optIn) throw CACHING_YES
    } else if (args.is(2, 'NO')) {
      if (!tracking.optOut) throw CACHING_NO
    } else {
      throw SYNTAX
    }
    tracking.caching = true
    reply.ok()
  },
}

export const clientGetredir: CommandDefinition = {
  name: 'GETREDIR',
  usage: '',
  summary: 'Returns the number of the connection that gets the invalidation messages of this one.',
  since: '6.0.0',
  complexity: 'O(1)',
  flags: ['noscript', 'loading', 'stale'],
  reply: 'integer',

  run({ session, reply }) {
    reply.integer(session.tracking?.redirectId ?? -1)
  },
}

export const clientTrackinginfo: CommandDefinition = {
  name: 'TRACKINGINFO',
  usage: '',
  summary: 'Tells how client-side caching is set up for the connection.',
  since: '6.2.0',
  complexity: 'O(1)',
  flags: ['noscript', 'loading', 'stale'],
  reply: 'map',

  run({ session, reply }) {
    const { tracking } = session
    const flags = flagsOf(session)
    reply.map(3)
    reply.bulkText('flags')
    reply.set(flags.length)
    for (const flag of flags) reply.bulkText(flag)
    reply.bulkText('redirect')
    reply.integer(tracking?.redirectId ?? -1)
    reply.bulkText('prefixes')
    const prefixes = [...(tracking?.prefixes ?? [])].sort()
    reply.array(prefixes.length)
    for (const prefix of prefixes) reply.bulkText(prefix)
  },
}

function flagsOf({ tracking }: Session): string[] {
  if (tracking === undefined) return ['off']
  const flags = ['on']
  if (tracking.broadcast) flags.push('bcast')
  if (tracking.optIn) flags.push('optin')
  if (tracking.optIn && tracking.caching) flags.push('caching-yes')
  if (tracking.optOut) flags.push('optout')
  if (tracking.optOut && tracking.caching) flags.push('caching-no')
  if (tracking.noLoop) flags.push('noloop')
  if (tracking.brokenRedirect) flags.push('broken_redirect')
  return flags
}
