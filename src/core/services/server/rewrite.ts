/**
 * Asking the main thread to rewrite the configuration file: the caller waits for the outcome, nobody
 * else does.
 *
 * Thread: core.
 * Owns: nothing.
 * Never: touches the file.
 */
import type { Call } from '../../engine/call.ts'
import { CommandError } from '../../engine/errors.ts'

const NO_CONFIG_FILE = new CommandError('ERR The server is running without a config file')

/** `all`: also the settings at their default. `refusal` makes the error from what went wrong. */
export function askForRewrite(
  call: Call,
  all: boolean,
  refusal: (problem: string) => string,
): void {
  const { server } = call
  if (server.start.configFile === '') throw NO_CONFIG_FILE

  const settings = server.settings.toPlain()
  // Who has an ACL file has no users in this one.
  const users = server.settings.raw('aclfile') === '' ? server.users.linesForFile() : []
  const answer = call.answerLater()
  server.control.ask(
    (number) => ({ type: 'rewrite', number, settings, users, all }),
    (problem) => {
      server.log.notice(
        problem === ''
          ? 'CONFIG REWRITE executed with success.'
          : `CONFIG REWRITE failed: ${problem}`,
      )
      answer((reply) => {
        if (problem === '') reply.ok()
        else reply.error(refusal(problem))
      })
    },
  )
}
