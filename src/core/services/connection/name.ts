/**
 * What a client may call itself.
 *
 * Thread: core.
 * Owns: the rule.
 * Never: stores a name.
 */
import { CommandError } from '../../engine/errors.ts'

/** `what`: begins the sentence of the error. Throws: CommandError. */
export function checkName(name: string, what: string): void {
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i)
    // Everything from '!' to '~': what can stand in a line of CLIENT LIST.
    if (code < 33 || code > 126) {
      throw new CommandError(`ERR ${what} cannot contain spaces, newlines or special characters.`)
    }
  }
}
