/**
 * `--check-rdb`: whether an RDB file, or the RDB part of an append-only file, is in order; what is
 * said is what redis-check-rdb says.
 *
 * DIFFERS: the structure and the checksum are checked; what is inside compact encodings is when it
 * is loaded.
 *
 * Thread: main.
 * Owns: the words.
 * Never: changes a file.
 */
import { closeSync, openSync, readSync } from 'node:fs'
import { REDIS_VERSION } from '../config/version.ts'
import { ByteSource } from '../lib/bytes/byte-source.ts'
import { type RdbVisitor, RdbWalk } from '../lib/rdb/walk.ts'
import { systemErrorText } from '../lib/system-error.ts'

const TYPE_NAMES = [
  ...['string', 'list-linked', 'set-hashtable', 'zset-v1', 'hash-hashtable', 'zset-v2'],
  ...['module-value', '', '', 'hash-zipmap', 'list-ziplist', 'set-intset', 'zset-ziplist'],
  ...['hash-ziplist', 'quicklist', 'stream', 'hash-listpack', 'zset-listpack', 'quicklist-v2'],
]

export type Say = (line: string) => void

/** Checks what `source` gives, up to behind the RDB file's end. False when it is not in order. */
export function checkRdb(name: string, source: ByteSource, say: Say): boolean {
  let key = ''
  let [keys, expires, expired] = [0, 0, 0]
  const nowMs = Date.now()
  const tell = (text: string) => say(`[offset ${source.position}] ${text}`)
  const visitor: RdbVisitor = {
    aux: (field, value) =>
      tell(`AUX FIELD ${field.toString('latin1')} = '${value.toString('latin1')}'`),
    database: (index) => tell(`Selecting DB ID ${index}`),
    key(bytes) {
      key = bytes.toString('latin1')
      keys++
    },
    value(deadlineMs) {
      key = ''
      if (deadlineMs === -1) return
      expires++
      if (deadlineMs < nowMs) expired++
    },
    checksum: (outcome) =>
      tell(
        outcome === 'ok'
          ? 'Checksum OK'
          : 'RDB file was saved with checksum disabled: no check performed.',
      ),
  }
  tell(`Checking RDB file ${name}`)
  const walk = new RdbWalk(source, visitor)
  const problem = walk.walk()
  if (problem === '') {
    tell('\\o/ RDB looks OK! \\o/')
  } else {
    say('--- RDB ERROR DETECTED ---')
    tell(problem)
    say(`[additional info] While doing: ${walk.doing}`)
    if (key !== '') say(`[additional info] Reading key '${key}'`)
    if (walk.type >= 0) {
      say(`[additional info] Reading type ${walk.type} (${TYPE_NAMES[walk.type] || 'unknown'})`)
    }
  }
  say(`[info] ${keys} keys read`)
  say(`[info] ${expires} expires`)
  say(`[info] ${expired} already expired`)
  return problem === ''
}

/** The whole of `--check-rdb`. Gives the exit status. */
export function checkRdbMain(words: readonly string[], say: Say): number {
  if (words.length !== 1) {
    say('Usage: --check-rdb <rdb-file-name>')
    return 1
  }
  if (words[0] === '-v' || words[0] === '--version') {
    say(`redis-check-rdb ${REDIS_VERSION}`)
    return 0
  }
  try {
    const file = openSync(words[0], 'r')
    const source = new ByteSource((into) => readSync(file, into))
    const isFine = checkRdb(words[0], source, say)
    closeSync(file)
    return isFine ? 0 : 1
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === undefined) throw error
    say(`Cannot open file ${words[0]}: ${systemErrorText(code, message)}`)
    return 1
  }
}
