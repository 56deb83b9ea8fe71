/**
 * The commands that one selector allows: a bit for each command and subcommand, and whether commands
 * that are yet to come are allowed, too.
 *
 * Thread: core. Hot path.
 * Owns: the bits.
 * Never: knows keys or channels.
 */
import { toLower } from '../../../config/byte-text.ts'
import { type CommandEntry, type CommandTable, FLAG_NO_AUTH } from '../../command/table.ts'
import type { Args } from '../../engine/args.ts'

export class CommandSet {
  readonly #table: CommandTable
  readonly #bits: Int32Array
  /** Nothing has been taken away since all were allowed. */
  all = false
  /** Also those that later versions bring. */
  future = false
  /** First arguments with which a command that is not allowed is, by the command's number. */
  readonly firstArguments = new Map<number, string[]>()

  constructor(table: CommandTable) {
    this.#table = table
    this.#bits = new Int32Array((table.entries.length + 31) >> 5)
  }

  // alloc: when a user changes
  copy(): CommandSet {
    const copy = new CommandSet(this.#table)
    copy.#bits.set(this.#bits)
    copy.all = this.all
    copy.future = this.future
    this.firstArguments.forEach((list, index) => {
      copy.firstArguments.set(index, list.slice())
    })
    return copy
  }

  allowAll(): void {
    this.#bits.fill(-1)
    this.all = true
    this.future = true
    this.firstArguments.clear()
  }

  denyAll(): void {
    this.#bits.fill(0)
    this.all = false
    this.future = false
    this.firstArguments.clear()
  }

  /** A command with its subcommands, or one subcommand. */
  // alloc: when a user changes
  set(entry: CommandEntry, allowed: boolean): void {
    this.#setBit(entry.index, allowed)
    this.firstArguments.delete(entry.index)
    entry.subcommands?.forEach((child) => {
      this.#setBit(child.index, allowed)
    })
  }

  /** Every command of a category, by its bit. */
  setCategory(category: number, allowed: boolean): void {
    const { entries } = this.#table
    for (let i = 0; i < entries.length; i++) {
      if ((entries[i].categories & category) !== 0) this.set(entries[i], allowed)
    }
  }

  /** Allows a command when its first argument is `text`, in any case. */
  // alloc: when a user changes
  addFirstArgument(entry: CommandEntry, text: string): void {
    const list = this.firstArguments.get(entry.index) ?? []
    const lower = toLower(text)
    if (!list.some((known) => toLower(known) === lower)) list.push(text)
    this.firstArguments.set(entry.index, list)
  }

  has(entry: CommandEntry): boolean {
    return (this.#bits[entry.index >> 5] & (1 << (entry.index & 31))) !== 0
  }

  /** `from`: the number of the argument that is the command's name. */
  allows(entry: CommandEntry, args: Args, from: number): boolean {
    if (this.all || this.has(entry) || (entry.flagBits & FLAG_NO_AUTH) !== 0) return true
    const list = this.firstArguments.get(entry.index)
    if (list === undefined || args.count - from < 2) return false
    const given = toLower(args.shown(from + 1))
    for (let i = 0; i < list.length; i++) {
      if (toLower(list[i]) === given) return true
    }
    return false
  }

  #setBit(index: number, allowed: boolean): void {
    if (allowed) {
      this.#bits[index >> 5] |= 1 << (index & 31)
    } else {
      this.#bits[index >> 5] &= ~(1 << (index & 31))
      this.all = false
    }
  }
}
