/**
 * The string's RDB bytes: one string, in the shortest form it has.
 *
 * Thread: core.
 * Owns: nothing.
 * Never: keeps an encoding that SET would not give.
 */
import { INTEGER_OK, integerHigh, integerLow, parseInteger } from '../../../lib/bytes/integer.ts'
import { RDB_STRING } from '../../../lib/rdb/format.ts'
import type { RdbReader } from '../../../lib/rdb/reader.ts'
import type { Arena } from '../../../memory/arena.ts'
import { blobCreate, blobFree } from '../../../memory/blob.ts'
import { copyBytes } from '../../../memory/copy.ts'
import { entryValueWord, TYPE_STRING } from '../../keyspace/entry.ts'
import type { ValuePersistence } from '../../keyspace/persist.ts'
import type { CopyTarget } from '../../keyspace/value.ts'
import { EMBSTR_SIZE_MAX } from './string.ts'
import { STRING_EMBSTR, STRING_INT, STRING_RAW, StringView } from './view.ts'

/** The most digits, and a sign. */
const INTEGER_SIZE_MAX = 20
const INTEGER_VALUE_SIZE = 8
const LENGTH_SIZE = 4
const REF_SIZE = 4

const view = new StringView()

export const stringPersistence: ValuePersistence = {
  rdbTypes: [RDB_STRING],

  rdbType() {
    return RDB_STRING
  },

  save(arena, ref, writer) {
    view.open(arena, ref)
    writer.string(view.bytes, view.offset, view.length)
  },

  load(_rdbType, reader, arena, target) {
    reader.string()
    const { stringBytes, stringOffset, stringLength } = reader
    const end = stringOffset + stringLength
    if (
      stringLength <= INTEGER_SIZE_MAX &&
      parseInteger(stringBytes, stringOffset, end) === INTEGER_OK
    ) {
      const to = target.create(TYPE_STRING, STRING_INT, INTEGER_VALUE_SIZE)
      const word = entryValueWord(arena, to)
      arena.words[word] = integerLow()
      arena.words[word + 1] = integerHigh()
    } else if (stringLength <= EMBSTR_SIZE_MAX) {
      loadShort(reader, arena, target)
    } else {
      loadRaw(reader, arena, target)
    }
  },
}

function loadShort(reader: RdbReader, arena: Arena, target: CopyTarget): void {
  const length = reader.stringLength
  const size = LENGTH_SIZE + ((length + 3) & ~3)
  const word = entryValueWord(arena, target.create(TYPE_STRING, STRING_EMBSTR, size))
  arena.words[word] = length
  copyBytes(
    arena.bytes,
    arena.words,
    (word + 1) << 2,
    reader.stringBytes,
    reader.stringWords,
    reader.stringOffset,
    length,
  )
}

function loadRaw(reader: RdbReader, arena: Arena, target: CopyTarget): void {
  const { stringBytes, stringWords, stringOffset, stringLength } = reader
  const blob = blobCreate(arena, stringBytes, stringWords, stringOffset, stringLength)
  let to = 0
  try {
    to = target.create(TYPE_STRING, STRING_RAW, REF_SIZE)
  } finally {
    if (to === 0) blobFree(arena, blob)
  }
  arena.words[entryValueWord(arena, to)] = blob
}
