/**
 * A primary that is none: it answers a replica's requests as a test wants.
 *
 * Thread: any.
 * Owns: a listening socket, until it is stopped.
 * Never: knows what replication is.
 */
import type { Socket } from 'bun'

/** What a replica says before and beside the stream: an array of bulks without line ends in them. */
const REQUEST = /^\*\d+\r\n((?:\$\d+\r\n[^\r]*\r\n)+?)(?=\*|$)/

/** `begin` makes what is to be known of a link; `answer` is called for each request that comes on it. */
export function pretendPrimary<T>(
  begin: () => T,
  answer: (
    words: readonly string[],
    socket: Pick<Socket, 'write' | 'flush' | 'end'>,
    link: T,
  ) => void,
) {
  return Bun.listen<{ text: string; link: T }>({
    hostname: '127.0.0.1',
    port: 0,
    socket: {
      open(socket) {
        socket.data = { text: '', link: begin() }
      },
      data(socket, chunk) {
        const { data } = socket
        data.text += chunk.toString('latin1')
        for (;;) {
          const found = REQUEST.exec(data.text)
          if (found === null) return
          data.text = data.text.slice(found[0].length)
          const words = [...found[1].matchAll(/\$\d+\r\n([^\r]*)\r\n/g)].map(([, word]) => word)
          answer(words, socket, data.link)
        }
      },
    },
  })
}
