/**
 * Replies that tell a time which nobody can foresee.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: lets anything but a number stand where a time is told.
 */

/** As the notation of reply.ts says, with `:#` for any integer. */
export function timed(text: string): RegExp {
  const literal = text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  return new RegExp(`^${literal.replaceAll(':#', ':\\d+')}$`)
}
