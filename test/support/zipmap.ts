/**
 * Writes zipmaps, which no server of today does: for tests of those who still have to read them.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: shares code with the reader.
 */
const LONG_LENGTH_MIN = 254

/** A zipmap of fields and values in turn; `unused`: bytes behind each value. */
export function zipmap(pieces: readonly string[], unused = 0): Buffer {
  const parts = pieces.map((text, i) => {
    const bytes = Buffer.from(text, 'latin1')
    if (i % 2 === 0) return Buffer.concat([length(bytes.length), bytes])
    const free = Buffer.alloc(unused, 0xee)
    return Buffer.concat([length(bytes.length), Buffer.of(unused), bytes, free])
  })
  const count = Math.min(pieces.length >> 1, LONG_LENGTH_MIN)
  return Buffer.concat([Buffer.of(count), ...parts, Buffer.of(0xff)])
}

function length(size: number): Buffer {
  if (size < LONG_LENGTH_MIN) return Buffer.of(size)
  const bytes = Buffer.alloc(5, LONG_LENGTH_MIN)
  bytes.writeUInt32LE(size, 1)
  return bytes
}
