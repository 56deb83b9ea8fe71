/**
 * Commands as bytes, for those who ask another server: the client, MIGRATE, a replica.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: on a path that runs for every command of a client.
 * @see https://redis.io/docs/latest/develop/reference/protocol-spec/
 */
const LINE_END = Buffer.from('\r\n')

/** One command as an array of bulk strings. Texts are written as UTF-8. */
export function encodeRequest(args: readonly (string | Uint8Array)[]): Buffer {
  const parts: Uint8Array[] = [Buffer.from(`*${args.length}\r\n`)]
  for (const arg of args) {
    const bytes = typeof arg === 'string' ? Buffer.from(arg) : arg
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, LINE_END)
  }
  return Buffer.concat(parts)
}
