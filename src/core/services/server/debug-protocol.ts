/**
 * DEBUG PROTOCOL: a reply of every type, for those who write clients.
 *
 * Thread: core.
 * Owns: the values, which are Redis's own.
 * Never: means anything.
 */
import type { Call } from '../../engine/call.ts'
import { CommandError } from '../../engine/errors.ts'
import type { Reply } from '../../engine/reply.ts'

const NOT_RESP2 = new CommandError('ERR RESP2 is not supported by this command')

const REPLIES: Readonly<Record<string, (reply: Reply) => void>> = {
  STRING: (reply) => reply.bulkText('Hello World'),
  INTEGER: (reply) => reply.integer(12345),
  DOUBLE: (reply) => reply.double(3141 / 1000),
  BIGNUM: (reply) => reply.bigNumber('1234567999999999999999999999999999999'),
  NULL: (reply) => reply.nil(),
  ARRAY(reply) {
    reply.array(3)
    for (let i = 0; i < 3; i++) reply.integer(i)
  },
  SET(reply) {
    reply.set(3)
    for (let i = 0; i < 3; i++) reply.integer(i)
  },
  MAP(reply) {
    reply.map(3)
    for (let i = 0; i < 3; i++) {
      reply.integer(i)
      reply.boolean(i === 1)
    }
  },
  ATTRIB(reply) {
    if (reply.protocol === 3) {
      reply.attribute(1)
      reply.bulkText('key-popularity')
      reply.array(2)
      reply.bulkText('key:123')
      reply.integer(90)
    }
    reply.bulkText('Some real reply following the attribute')
  },
  PUSH(reply) {
    if (reply.protocol !== 3) throw NOT_RESP2
    reply.push(2)
    reply.bulkText('server-cpu-usage')
    reply.integer(42)
    // A push is not the answer: that one follows.
    reply.bulkText('Some real reply following the push reply')
  },
  VERBATIM: (reply) => reply.verbatim('This is a verbatim\nstring', 'txt'),
  TRUE: (reply) => reply.boolean(true),
  FALSE: (reply) => reply.boolean(false),
}

const WRONG_NAME = new CommandError(
  `ERR Wrong protocol type name. Please use one of the following: ${Object.keys(REPLIES).join('|').toLowerCase()}`,
)

export function protocol({ args, reply }: Call): void {
  const write = REPLIES[args.text(2).toUpperCase()]
  if (write === undefined) throw WRONG_NAME
  write(reply)
}
