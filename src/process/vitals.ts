/**
 * What only the process as a whole knows about itself.
 *
 * Thread: main.
 * Owns: nothing.
 * Never: decides by it.
 */

/** RSS in bytes, processor time of all threads in microseconds. */
export function processValues(): Record<string, number> {
  const usage = process.cpuUsage()
  return {
    rss: process.memoryUsage.rss(),
    userUs: usage.user,
    systemUs: usage.system,
  }
}
