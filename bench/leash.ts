/**
 * Processes that the bench starts die with it, however it ends.
 *
 * Thread: main.
 * Owns: the list of those that run.
 * Never: ends a process that the bench did not start.
 */

/** The kernel's own leash, where the machine has the tool: it holds even if the bench is killed. */
const PREFIX = Bun.which('setpriv') === null ? [] : ['setpriv', '--pdeathsig', 'KILL']

const running = new Set<Bun.Subprocess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => process.exit(130))
}

/** `command` with what holds it. */
export function leashed(command: readonly string[]): string[] {
  return [...PREFIX, ...command]
}

/** Kills the process when the bench ends before it. */
export function hold<T extends Bun.Subprocess>(child: T): T {
  running.add(child)
  child.exited.finally(() => running.delete(child))
  return child
}
