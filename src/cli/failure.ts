/**
 * Why the client cannot go on.
 *
 * Thread: any.
 * Owns: the text.
 * Never: prints it.
 */
export class Failure extends Error {
  override readonly name = 'Failure'
}
