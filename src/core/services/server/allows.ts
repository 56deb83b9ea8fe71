/**
 * The `enable-…` directives: who may do what can harm the machine.
 *
 * Thread: core.
 * Owns: the rule.
 * Never: does the harm.
 */
import type { Session } from '../../engine/session.ts'

/** `value`: of the directive: 'yes', 'no', or 'local' for connections from this machine. */
export function allows(value: string, session: Session): boolean {
  const { unix, loopback } = session.info
  return value === 'yes' || (value === 'local' && (unix || loopback))
}
