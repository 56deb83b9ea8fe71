/**
 * Commands that no io thread has laid out, those of a primary's stream and of an append-only file:
 * which one it is, and its arguments as calls expect them, each at a whole word.
 *
 * Thread: core. Hot path.
 * Owns: the memory that the arguments of the command in progress lie in.
 * Never: runs anything.
 */
import { REQUEST_HASH, REQUEST_HEADER_WORDS, REQUEST_SIZE } from '../../bridge/message.ts'
import { hashWords } from '../../lib/hash.ts'
import type { CommandEntry, CommandTable } from '../command/table.ts'
import type { Args } from './args.ts'

const START_WORDS = 1024

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
  open(args: Args, { bytes, offsets, argc }: ReadCommand, entry: CommandEntry): void {
    let size = REQUEST_HEADER_WORDS
    for (let i = 0; i < argc; i++) size += 1 + ((offsets[2 * i + 1] - offsets[2 * i] + 3) >> 2)
    if (size > this.#words.length) {
      this.#words = new Int32Array(Math.max(size, this.#words.length * 2)) // alloc: the longest yet
      this.#bytes = Buffer.from(this.#words.buffer)
    }
    const words = this.#words
    const { firstKeyIndex } = entry
    words[0] = argc
    words[1] = entry.index
    words[REQUEST_HASH] = 0
    words[REQUEST_SIZE] = size
    let word = REQUEST_HEADER_WORDS
    for (let i = 0; i < argc; i++) {
      const length = offsets[2 * i + 1] - offsets[2 * i]
      const wordCount = (length + 3) >> 2
      words[word] = length
      // Comparisons read whole words: behind the last byte lie zeros.
      if (wordCount > 0) words[word + wordCount] = 0
      bytes.copy(this.#bytes, (word + 1) << 2, offsets[2 * i], offsets[2 * i + 1])
      if (i === firstKeyIndex && i !== 0) {
        words[REQUEST_HASH] = hashWords(words, word + 1, length, this.#hashSeed)
      }
      word += 1 + wordCount
    }
    args.open(this.#bytes, words, 0)
    args.hashIsOf(firstKeyIndex)
  }
}
