/**
 * `--scan`: the names of all keys, or of those that match.
 *
 * Thread: the client's only one.
 * Owns: the cursor.
 * Never: keeps the names.
 */
import { quote } from '../lib/resp/reply-text.ts'
import { Failure } from './failure.ts'
import type { Options } from './options.ts'
import { textOf } from './output.ts'
import { pause } from './pause.ts'
import type { Session } from './session.ts'

/** Pages of names, as SCAN gives them. Throws: Failure. */
export async function* scanPages(
  session: Session,
  pattern: Uint8Array | undefined,
): AsyncGenerator<readonly Buffer[]> {
  let cursor = '0'
  do {
    const match = pattern === undefined ? [] : ['MATCH', pattern]
    const reply = await session.ask(['SCAN', cursor, ...match])
    if (reply === undefined) throw new Failure('Error: Server closed the connection')
    if (reply.type === 'error') throw new Failure(`ERROR: ${textOf(reply)}`)
    const [next, page] = reply.type === 'array' ? reply.items : []
    if (next?.type !== 'bulk' || page?.type !== 'array')
      throw new Failure('Non ARRAY response from SCAN!')
    cursor = next.bytes.toString('latin1')
    yield page.items.flatMap((item) => (item.type === 'bulk' ? [item.bytes] : []))
  } while (cursor !== '0')
}

/** Gives the exit status. Throws: Failure. */
export async function runScan(session: Session, options: Options): Promise<number> {
  const show = (name: Buffer) =>
    session.output.mode === 'pretty' ? quote(name) : name.toString('latin1')
  for await (const page of scanPages(session, options.pattern)) {
    if (page.length > 0) session.output.line(page.map(show).join('\n'))
    await pause(options.intervalMs)
  }
  return 0
}
