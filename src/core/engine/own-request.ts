/**
 * Commands that no io thread has laid out, those of a primary's stream and of an append-only file:
 * which one it is, and its arguments as calls expect them, each at a whole word.
 *
 * Thread: core. Hot path.
 * Owns: the memory that the arguments of the commands in progress lie in.
 * Never: runs anything.
 */
import { REQUEST_HASH, REQUEST_HEADER_WORDS, REQUEST_SIZE } from '../../bridge/message.ts'
import { hashWords } from '../../lib/hash.ts'
import type { CommandEntry, CommandTable } from '../command/table.ts'
import type { Db } from '../keyspace/db.ts'
import type { Args } from './args.ts'
import type { ReadAhead } from './read-ahead.ts'

const START_WORDS = 1024
/** Up to here a loop is faster than a call into the runtime. */
const SHORT_SIZE_MAX = 20

/** As readers leave a command: argument `i` begins at `offsets[2 * i]`, ends before the next. */
export interface ReadCommand {
  readonly argc: number
  readonly bytes: Buffer
  readonly offsets: Int32Array
}

export class OwnRequest {
  readonly #commands: CommandTable
  readonly #hashSeed: number
  #words = new Int32Array(START_WORDS)
  #bytes = Buffer.from(this.#words.buffer)
  /** Words of the commands laid out, one behind the other. */
  size = 0

  constructor(commands: CommandTable, hashSeed: number) {
    this.#commands = commands
    this.#hashSeed = hashSeed
  }

  /** What a command is called by: a container's name alone, or with one of its subcommands. */
  find({ bytes, offsets, argc }: ReadCommand): CommandEntry | undefined {
    const entry = this.#commands.find(bytes, offsets[0], offsets[1])
    if (entry?.subcommands === undefined || argc < 2) return entry
    return this.#commands.findSubcommand(entry, bytes, offsets[2], offsets[3])
  }

  /** Copies the command's arguments and opens them as those of a call of `entry`. */
  open(args: Args, command: ReadCommand, entry: CommandEntry): void {
    this.clear()
    this.openAt(args, this.append(command, entry), entry)
  }

  /** What was laid out is done with. */
  clear(): void {
    this.size = 0
  }

  /** Lays a command out behind those before it. Gives where it begins. */
  append({ bytes, offsets, argc }: ReadCommand, entry: CommandEntry): number {
    const start = this.size
    let size = REQUEST_HEADER_WORDS
    for (let i = 0; i < argc; i++) size += 1 + ((offsets[2 * i + 1] - offsets[2 * i] + 3) >> 2)
    if (start + size > this.#words.length) this.#grow(start + size)
    const words = this.#words
    const { firstKeyIndex } = entry
    words[start] = argc
    words[start + 1] = entry.index
    words[start + REQUEST_HASH] = 0
    words[start + REQUEST_SIZE] = size
    let word = start + REQUEST_HEADER_WORDS
    for (let i = 0; i < argc; i++) {
      const length = offsets[2 * i + 1] - offsets[2 * i]
      const wordCount = (length + 3) >> 2
      words[word] = length
      // Comparisons read whole words: behind the last byte lie zeros.
      if (wordCount > 0) words[word + wordCount] = 0
      this.#copy(bytes, offsets[2 * i], (word + 1) << 2, length)
      if (i === firstKeyIndex && i !== 0) {
        words[start + REQUEST_HASH] = hashWords(words, word + 1, length, this.#hashSeed)
      }
      word += 1 + wordCount
    }
    this.size = word
    return start
  }

  /** Opens the arguments of the command that begins at word `at`, as those of a call of `entry`. */
  openAt(args: Args, at: number, entry: CommandEntry): void {
    args.open(this.#bytes, this.#words, at)
    args.hashIsOf(entry.firstKeyIndex)
  }

  /** Fetches from memory what the calls of these commands will look up. */
  readAhead(reader: ReadAhead, db: Db): void {
    reader.requests(db, this.#words, 0, this.size)
  }

  #copy(source: Buffer, from: number, to: number, length: number): void {
    const bytes = this.#bytes
    if (length > SHORT_SIZE_MAX) source.copy(bytes, to, from, from + length)
    else for (let k = 0; k < length; k++) bytes[to + k] = source[from + k]
  }

  // alloc: for the longest yet
  #grow(size: number): void {
    const words = new Int32Array(Math.max(size, this.#words.length * 2))
    words.set(this.#words)
    this.#words = words
    this.#bytes = Buffer.from(words.buffer)
  }
}
