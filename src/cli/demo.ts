/**
 * Four commands and what the server answers to them: a first look at a running server.
 *
 * Thread: the client's only one.
 * Owns: the commands.
 * Never: leaves anything behind: its key expires.
 */
import type { Session } from './session.ts'

const COMMANDS = [
  ['PING'],
  ['NOSUCHCOMMAND', 'with', 'arguments'],
  ['SET', 'redbun:demo', 'Hello from Redbun', 'EX', '60'],
  ['GET', 'redbun:demo'],
] as const

/** False when a command got no reply. */
export async function runDemo(session: Session): Promise<boolean> {
  for (const command of COMMANDS) {
    if (!(await session.connect())) return false
    const words = command.map((word) => (word.includes(' ') ? JSON.stringify(word) : word))
    session.output.line(session.prompt + words.join(' '))
    if (!(await session.run(command.map((word) => Buffer.from(word))))) return false
  }
  return true
}
