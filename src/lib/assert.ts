/**
 * The check of an invariant. It stays on in production: a broken invariant is our mistake, and going
 * on would spread it.
 *
 * Thread: any. Hot path.
 * Owns: nothing.
 * Never: is used for a client's mistake or for the state of the world.
 */

/** What `assert` throws: nothing catches it by name, the process reports it and stops. */
export class AssertionError extends Error {
  override readonly name = 'AssertionError'
}

/** Throws an `AssertionError` unless `condition` holds. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionError(message) // alloc: the process ends here
}
