/**
 * Starts with files that nobody should trust: the server serves, or says in its log why it does not
 * and ends with a status that tells so.
 *
 * Thread: any.
 * Owns: the process, and how long it may take.
 * Never: knows what is in the files.
 */
import { Client } from '../support/client.ts'
import { notation } from '../support/reply.ts'
import { launchRedbun, type RunningServer, type ServerOptions } from '../support/server.ts'
import { BOUNDED, expectBounds, expectNoFault, said } from './health.ts'

const STARTED_WITHIN_MS = 30_000
const POLL_MS = 5
/** A warning in the log that not every start writes, or what is said before there is a log. */
const REASON =
  / # (?!oO0|Redbun version|Warning: no config|Configuration loaded)|FATAL CONFIG FILE ERROR/

/** `use`: what is done with a server that serves. Throws: an Error that says what it did wrong. */
export async function expectStart(
  options: ServerOptions,
  use: (server: RunningServer) => Promise<void>,
): Promise<void> {
  const server = await launchRedbun({ ...options, args: [...BOUNDED, ...(options.args ?? [])] })
  try {
    if (await isServed(server)) {
      expectBounds(server)
      await use(server)
      expectNoFault(server)
      if (!server.isRunning) throw new Error(`it served and has ended:\n${said(server)}`)
      return
    }
    const { exitCode, signalCode } = server.child
    expectNoFault(server)
    const text = said(server)
    if (exitCode === null) throw new Error(`it was ended by ${signalCode}:\n${text}`)
    if (exitCode === 0) throw new Error(`it ended as if all were well:\n${text}`)
    if (!REASON.test(text)) throw new Error(`it does not say why it ended:\n${text}`)
  } finally {
    await server.stop('SIGKILL')
  }
}

/** False when it has ended. Throws: an Error when it does neither for long. */
async function isServed(server: RunningServer): Promise<boolean> {
  for (const deadline = performance.now() + STARTED_WITHIN_MS; server.isRunning; ) {
    const reply = await greeting(server)
    // Whatever it is but that: a changed configuration may want a password.
    if (reply !== '' && !reply.startsWith('-LOADING')) return true
    if (performance.now() > deadline) throw new Error(`it hangs:\n${said(server)}`)
    await Bun.sleep(POLL_MS)
  }
  return false
}

/** Empty without one. */
async function greeting(server: RunningServer): Promise<string> {
  try {
    const client = await Client.connect(server.address)
    const reply = await client.call('PING', STARTED_WITHIN_MS)
    client.terminate()
    return notation(reply)
  } catch {
    // Not yet, or not any more.
    return ''
  }
}
