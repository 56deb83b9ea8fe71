/**
 * Ending the sessions of users that are gone or may do less.
 *
 * Thread: core.
 * Owns: nothing.
 * Never: takes the answer from somebody who ends his own session.
 */
import type { Session } from '../../engine/session.ts'
import type { Server } from '../../server.ts'

/** `caller` has been answered already. */
export function endSessions(server: Server, sessions: readonly Session[], caller: Session): void {
  for (const session of sessions) {
    // DIFFERS: Redis 7.0 crashes when a subscriber takes its own channels away.
    if (session === caller) server.clients.closeAfterReply(session)
    else server.clients.kill(session)
  }
}
