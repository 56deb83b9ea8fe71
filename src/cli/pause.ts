/**
 * Letting time pass.
 *
 * Thread: the client's only one.
 * Owns: nothing.
 * Never: keeps the processor busy.
 */

/** Resolves after so many milliseconds; at once for 0. */
export function pause(ms: number): Promise<void> {
  return ms > 0 ? new Promise((resolve) => setTimeout(resolve, ms)) : Promise.resolve()
}
