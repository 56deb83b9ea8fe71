/**
 * Mass insertion: requests from standard input go to the server as they are, replies are counted.
 *
 * Thread: the client's only one.
 * Owns: the count.
 * Never: looks inside a request.
 */
import type { Connection } from './connection.ts'
import type { Output } from './output.ts'

/** Bytes of the word that shows the end: nobody sends it by chance. */
const MARK_SIZE = 20

/** Gives the exit status: 1 when there was an error. */
export async function runPipe(
  connection: Connection,
  input: AsyncIterable<Uint8Array>,
  output: Output,
  timeoutMs: number,
): Promise<number> {
  const mark = Buffer.from(crypto.getRandomValues(new Uint8Array(MARK_SIZE)))
  const counting = count(connection, mark, output)
  for await (const chunk of input) {
    await connection.sendBytes(chunk)
    if (connection.closed !== undefined) break
  }
  // A line end first: the input may end in the middle of an inline request.
  await connection.sendBytes(Buffer.from('\r\n'))
  connection.send(['ECHO', mark])
  output.line('All data transferred. Waiting for the last reply...')
  let timer: ReturnType<typeof setTimeout> | undefined
  if (timeoutMs > 0) {
    timer = setTimeout(() => {
      output.error(`No replies for ${timeoutMs / 1000} seconds: exiting.`)
      connection.close()
    }, timeoutMs)
  }
  const { errors, replies, isWhole } = await counting
  clearTimeout(timer)
  if (isWhole) output.line('Last reply received from server.')
  else output.error('Error: Server closed the connection')
  output.line(`errors: ${errors}, replies: ${replies}`)
  return errors > 0 || !isWhole ? 1 : 0
}

async function count(
  connection: Connection,
  mark: Buffer,
  output: Output,
): Promise<{ errors: number; replies: number; isWhole: boolean }> {
  let errors = 0
  let replies = 0
  for (;;) {
    const reply = await connection.read()
    if (reply === undefined) return { errors, replies, isWhole: false }
    if (reply.type === 'push') continue
    if (reply.type === 'bulk' && reply.bytes.equals(mark)) return { errors, replies, isWhole: true }
    replies++
    if (reply.type !== 'error') continue
    errors++
    output.replyError(reply)
  }
}
