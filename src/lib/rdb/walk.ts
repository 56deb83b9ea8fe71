/**
 * The structure of an RDB file, from its first byte to behind its checksum, without building any
 * value: for checking a file, and for finding where it ends when something follows it.
 *
 * Thread: any.
 * Owns: which pieces each opcode and type is made of.
 * Never: holds more than one string.
 *
 * @see https://rdb.fnordig.de/file_format.html
 */
import type { ByteSource } from '../bytes/byte-source.ts'
import { Crc64 } from '../crc64.ts'
import { lzfDecompress } from '../lzf.ts'
import {
  LENGTH_14,
  LENGTH_32,
  LENGTH_64,
  LENGTH_SPECIAL,
  OPCODE_AUX,
  OPCODE_END,
  OPCODE_EXPIRE_MS,
  OPCODE_EXPIRE_SECONDS,
  OPCODE_FREQ,
  OPCODE_FUNCTION,
  OPCODE_IDLE,
  OPCODE_MODULE_AUX,
  OPCODE_RESIZE_DB,
  OPCODE_SELECT_DB,
  OPCODE_SLOT_INFO,
  RDB_HASH,
  RDB_HASH_LISTPACK,
  RDB_HASH_LISTPACK_EX,
  RDB_HASH_METADATA,
  RDB_HASH_ZIPLIST,
  RDB_HASH_ZIPMAP,
  RDB_LIST,
  RDB_LIST_QUICKLIST,
  RDB_LIST_QUICKLIST_ZIPLIST,
  RDB_LIST_ZIPLIST,
  RDB_MODULE,
  RDB_SET,
  RDB_SET_INTSET,
  RDB_SET_LISTPACK,
  RDB_SORTED_SET,
  RDB_SORTED_SET_LISTPACK,
  RDB_SORTED_SET_TEXT,
  RDB_SORTED_SET_ZIPLIST,
  RDB_STREAM,
  RDB_STREAM_2,
  RDB_STREAM_3,
  RDB_STRING,
  RDB_VERSION_MAX,
  STRING_INT_8,
  STRING_INT_16,
  STRING_INT_32,
  STRING_LZF,
} from './format.ts'

/** Who is told what the file holds. */
export interface RdbVisitor {
  aux(key: Buffer, value: Buffer): void
  database(index: number): void
  key(name: Buffer): void
  /** The key's value was passed; `deadlineMs`: -1 for none. */
  value(deadlineMs: number): void
  /** 'ok', or 'off' when the file was saved without one. */
  checksum(outcome: 'ok' | 'off'): void
}

/** What the walk was at when it stopped, in the words of redis-check-rdb. */
export type RdbDoing =
  | 'start'
  | 'read-type'
  | 'read-expire'
  | 'read-key'
  | 'read-object-value'
  | 'check-sum'
  | 'read-len'
  | 'read-aux'
  | 'read-module-aux'
  | 'read-functions'

/** Thrown inside; `problem` comes back from `walk`. */
class Stopped {
  readonly problem: string

  constructor(problem: string) {
    this.problem = problem
  }
}

const UNEXPECTED_END = new Stopped('Unexpected EOF reading RDB file')
const HEADER_SIZE = 9
const FIRST_CHECKED_VERSION = 5
/** Strings longer than this are not looked at. */
const SHOWN_SIZE_MAX = 64 * 1024
/** Marks of the values in a module's data. */
const MODULE_END = 0
const MODULE_FLOAT = 3
const MODULE_DOUBLE = 4
const MODULE_STRING = 5

export class RdbWalk {
  readonly #source: ByteSource
  readonly #visitor: RdbVisitor
  doing: RdbDoing = 'start'
  /** Type of the value in progress; -1: none. */
  type = -1

  constructor(source: ByteSource, visitor: RdbVisitor) {
    this.#source = source
    this.#visitor = visitor
  }

  /** Walks the file to behind its end. Gives what is wrong with it, empty for nothing. */
  walk(): string {
    try {
      this.#walk()
      return ''
    } catch (error) {
      if (error instanceof Stopped) return error.problem
      throw error
    }
  }

  #walk(): void {
    const source = this.#source
    const sum = new Crc64()
    source.sum = sum
    const header = this.#bytes(HEADER_SIZE).toString('latin1')
    if (!header.startsWith('REDIS')) {
      throw new Stopped('Wrong signature trying to load DB from file')
    }
    const version = Number.parseInt(header.slice(5), 10) || 0
    if (version < 1 || version > RDB_VERSION_MAX) {
      throw new Stopped(`Can't handle RDB format version ${version}`)
    }
    while (this.#item());
    source.sum = undefined
    if (version < FIRST_CHECKED_VERSION) return
    this.doing = 'check-sum'
    const expected = this.#bytes(8)
    if (expected.every((byte) => byte === 0)) return this.#visitor.checksum('off')
    if (!sum.matches(expected, 0)) throw new Stopped('RDB CRC error')
    this.#visitor.checksum('ok')
  }

  #deadlineMs = -1

  /** Passes one opcode or key. False after the last. */
  #item(): boolean {
    this.doing = 'read-type'
    const code = this.#byte()
    switch (code) {
      case OPCODE_END:
        return false
      case OPCODE_EXPIRE_SECONDS:
        this.doing = 'read-expire'
        this.#deadlineMs = this.#bytes(4).readInt32LE() * 1000
        return true
      case OPCODE_EXPIRE_MS:
        this.doing = 'read-expire'
        this.#deadlineMs = Number(this.#bytes(8).readBigInt64LE())
        return true
      case OPCODE_FREQ:
        this.#byte()
        return true
      case OPCODE_IDLE:
        this.#size()
        return true
      case OPCODE_SELECT_DB:
        this.doing = 'read-len'
        this.#visitor.database(this.#size())
        return true
      case OPCODE_RESIZE_DB:
        this.doing = 'read-len'
        this.#sizes(2)
        return true
      case OPCODE_SLOT_INFO:
        this.#sizes(3)
        return true
      case OPCODE_AUX:
        this.doing = 'read-aux'
        this.#visitor.aux(Buffer.from(this.#string()), this.#string())
        return true
      case OPCODE_MODULE_AUX:
        this.doing = 'read-module-aux'
        this.#sizes(3)
        this.#moduleData()
        return true
      case OPCODE_FUNCTION:
        this.doing = 'read-functions'
        this.#skipString()
        return true
      default:
        this.#key(code)
        return true
    }
  }

  #key(type: number): void {
    if (!isValueType(type)) throw new Stopped(`Invalid object type: ${type}`)
    this.type = type
    this.doing = 'read-key'
    this.#visitor.key(this.#string())
    this.doing = 'read-object-value'
    this.#value(type)
    this.#visitor.value(this.#deadlineMs)
    this.type = -1
    this.#deadlineMs = -1
  }

  #value(type: number): void {
    switch (type) {
      case RDB_LIST:
      case RDB_SET:
      case RDB_LIST_QUICKLIST_ZIPLIST:
        return this.#repeat(1)
      case RDB_HASH:
        return this.#repeat(2)
      case RDB_SORTED_SET_TEXT:
        return this.#each(() => {
          this.#skipString()
          const length = this.#byte()
          if (length < 253) this.#skip(length)
        })
      case RDB_SORTED_SET:
        return this.#each(() => {
          this.#skipString()
          this.#skip(8)
        })
      case RDB_LIST_QUICKLIST:
        return this.#each(() => {
          this.#size()
          this.#skipString()
        })
      case RDB_HASH_METADATA:
        this.#skip(8)
        return this.#each(() => {
          this.#size()
          this.#skipString()
          this.#skipString()
        })
      case RDB_HASH_LISTPACK_EX:
        this.#skip(8)
        return this.#skipString()
      case RDB_MODULE:
        this.#size()
        return this.#moduleData()
      case RDB_STREAM:
      case RDB_STREAM_2:
      case RDB_STREAM_3:
        return this.#stream(type)
      default:
        return this.#skipString()
    }
  }

  #stream(type: number): void {
    this.#repeat(2)
    this.#sizes(type === RDB_STREAM ? 3 : 8)
    this.#each(() => {
      this.#skipString()
      this.#sizes(type === RDB_STREAM ? 2 : 3)
      this.#each(() => {
        this.#skip(24)
        this.#size()
      })
      this.#each(() => {
        this.#skipString()
        this.#skip(type === RDB_STREAM_3 ? 16 : 8)
        this.#each(() => this.#skip(16))
      })
    })
  }

  #moduleData(): void {
    for (;;) {
      const mark = this.#size()
      if (mark === MODULE_END) return
      if (mark === MODULE_STRING) this.#skipString()
      else if (mark === MODULE_FLOAT) this.#skip(4)
      else if (mark === MODULE_DOUBLE) this.#skip(8)
      else this.#size()
    }
  }

  /** A count, then so many times `strings` strings. */
  #repeat(strings: number): void {
    this.#each(() => {
      for (let i = 0; i < strings; i++) this.#skipString()
    })
  }

  #each(pass: () => void): void {
    for (let left = this.#size(); left > 0; left--) pass()
  }

  #sizes(count: number): void {
    for (let i = 0; i < count; i++) this.#size()
  }

  #size(): number {
    return this.#sizeFrom(this.#byte())
  }

  #sizeFrom(first: number): number {
    if (first < LENGTH_14) return first
    if (first < LENGTH_32) return ((first & 0x3f) << 8) | this.#byte()
    if (first === LENGTH_32) return this.#bytes(4).readUInt32BE()
    if (first === LENGTH_64) return Number(this.#bytes(8).readBigUInt64BE())
    throw UNEXPECTED_END
  }

  /** A string, at least its beginning. */
  #string(): Buffer {
    const first = this.#byte()
    if (first < LENGTH_SPECIAL) return this.#text(this.#sizeFrom(first))
    switch (first & 0x3f) {
      case STRING_INT_8:
        return Buffer.from(String(this.#bytes(1).readInt8()))
      case STRING_INT_16:
        return Buffer.from(String(this.#bytes(2).readInt16LE()))
      case STRING_INT_32:
        return Buffer.from(String(this.#bytes(4).readInt32LE()))
      case STRING_LZF:
        return this.#packed()
      default:
        throw UNEXPECTED_END
    }
  }

  #packed(): Buffer {
    const packedSize = this.#size()
    const size = this.#size()
    if (size > SHOWN_SIZE_MAX || packedSize > SHOWN_SIZE_MAX) {
      this.#skip(packedSize)
      return Buffer.alloc(0)
    }
    const text = Buffer.alloc(size)
    if (lzfDecompress(this.#bytes(packedSize), 0, packedSize, text, 0, size) !== size) {
      throw new Stopped('Invalid LZF compressed string')
    }
    return text
  }

  #text(size: number): Buffer {
    if (size <= SHOWN_SIZE_MAX) return this.#bytes(size)
    this.#skip(size)
    return Buffer.alloc(0)
  }

  #skipString(): void {
    const first = this.#byte()
    if (first < LENGTH_SPECIAL) return this.#skip(this.#sizeFrom(first))
    const form = first & 0x3f
    if (form > STRING_LZF) throw UNEXPECTED_END
    if (form !== STRING_LZF) return this.#skip(1 << form)
    const packedSize = this.#size()
    this.#size()
    this.#skip(packedSize)
  }

  #byte(): number {
    const byte = this.#source.byte()
    if (byte < 0) throw UNEXPECTED_END
    return byte
  }

  #bytes(size: number): Buffer {
    const bytes = this.#source.take(size)
    if (bytes === undefined) throw UNEXPECTED_END
    return bytes
  }

  #skip(size: number): void {
    if (this.#source.skip(size) < size) throw UNEXPECTED_END
  }
}

const VALUE_TYPES: ReadonlySet<number> = new Set([
  ...[RDB_STRING, RDB_LIST, RDB_SET, RDB_SORTED_SET_TEXT, RDB_HASH, RDB_SORTED_SET, RDB_MODULE],
  ...[RDB_HASH_ZIPMAP, RDB_LIST_ZIPLIST, RDB_SET_INTSET, RDB_SORTED_SET_ZIPLIST, RDB_HASH_ZIPLIST],
  ...[RDB_LIST_QUICKLIST_ZIPLIST, RDB_STREAM, RDB_HASH_LISTPACK, RDB_SORTED_SET_LISTPACK],
  ...[RDB_LIST_QUICKLIST, RDB_STREAM_2, RDB_SET_LISTPACK, RDB_STREAM_3, RDB_HASH_METADATA],
  RDB_HASH_LISTPACK_EX,
])

function isValueType(type: number): boolean {
  return VALUE_TYPES.has(type)
}
