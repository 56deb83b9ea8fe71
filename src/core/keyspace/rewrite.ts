/**
 * A key as the commands that make it anew: for an append-only file whose base is commands.
 *
 * A type says how; one that does not is made by RESTORE.
 *
 * Thread: core.
 * Owns: the list of types; how many elements a command has.
 * Never: forgets a deadline.
 */
import { sealPayload } from '../../lib/rdb/payload.ts'
import { RdbWriter } from '../../lib/rdb/writer.ts'
import type { Arena, Ref } from '../../memory/arena.ts'
import { entryKeyLength, entryKeyOffset } from '../../memory/entry.ts'
import { entryDeadline, entryType } from './entry.ts'
import { saveValue } from './persist.ts'

/** Takes a command; its arguments are gone after the call. */
export type TakeCommand = (argv: readonly Uint8Array[]) => void

/** Gives the commands that make the value of an entry, whose key is `key`. */
export type ValueRewrite = (arena: Arena, ref: Ref, key: Buffer, take: TakeCommand) => void

/** Elements of one command, as in Redis. */
const ITEMS_MAX = 64
const RESTORE = Buffer.from('RESTORE')
const PEXPIREAT = Buffer.from('PEXPIREAT')
const NO_TTL = Buffer.from('0')

const byType: (ValueRewrite | undefined)[] = []

export function registerRewrite(type: number, rewrite: ValueRewrite): void {
  byType[type] = rewrite
}

/** Gives the commands that make an entry with everything that belongs to it. */
export function rewriteEntry(arena: Arena, ref: Ref, take: TakeCommand): void {
  const at = entryKeyOffset(ref)
  const key = Buffer.from(arena.bytes.subarray(at, at + entryKeyLength(arena, ref)))
  const rewrite = byType[entryType(arena, ref)]
  if (rewrite === undefined) take([RESTORE, key, NO_TTL, payloadOf(arena, ref)])
  else rewrite(arena, ref, key, take)
  const deadlineMs = entryDeadline(arena, ref)
  if (deadlineMs >= 0) take([PEXPIREAT, key, Buffer.from(String(deadlineMs))])
}

/** Gathers elements into commands of at most 64. */
export class Elements {
  readonly #head: readonly Uint8Array[]
  readonly #take: TakeCommand
  #argv: Uint8Array[]
  #count = 0

  /** `head`: what each command begins with. */
  constructor(head: readonly Uint8Array[], take: TakeCommand) {
    this.#head = head
    this.#take = take
    this.#argv = [...head]
  }

  /** Adds one element, of several parts if need be; they have to stay as they are. */
  add(...parts: readonly Uint8Array[]): void {
    this.#argv.push(...parts)
    if (++this.#count === ITEMS_MAX) this.end()
  }

  end(): void {
    if (this.#count > 0) this.#take(this.#argv)
    this.#argv = [...this.#head]
    this.#count = 0
  }
}

function payloadOf(arena: Arena, ref: Ref): Buffer {
  const writer = new RdbWriter()
  sealPayload(writer, saveValue(arena, ref, writer))
  return writer.bytes.subarray(0, writer.length)
}
