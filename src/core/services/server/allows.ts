/**
 * The `enable-…` directives: who may do what can harm the machine.
 *
 * Thread: core.
 * Owns: the rule.
 * Never: does the harm.
 */
import type { CommandEntry } from '../../command/table.ts'
import { CommandError } from '../../engine/errors.ts'
import type { Session } from '../../engine/session.ts'
import type { Server } from '../../server.ts'

/** `value`: of the directive: 'yes', 'no', or 'local' for connections from this machine. */
export function allows(value: string, session: Session): boolean {
  const { unix, loopback } = session.info
  return value === 'yes' || (value === 'local' && (unix || loopback))
}

/** The error of a call that its directive does not allow; undefined: it does, or none has to. */
export function protection(
  server: Server,
  session: Session,
  entry: CommandEntry,
): CommandError | undefined {
  const { protectedBy } = entry.definition
  if (protectedBy === undefined || allows(server.settings.text(protectedBy), session)) {
    return undefined
  }
  const { upperName } = entry.parent ?? entry
  return new CommandError(
    `ERR ${upperName} command not allowed. If the ${protectedBy} option is set to "local", you can run it from a local connection, otherwise you need to set this option in the configuration file, and then restart the server.`,
  )
}
