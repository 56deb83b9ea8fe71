/**
 * DEBUG DIGEST: one number for all the data, the same on every server that holds the same.
 *
 * A digest is 20 bytes that begin as zero. A piece is added in one of two ways:
 *
 *   as one of a set     digest = digest xor SHA-1(piece)
 *   in order            digest = SHA-1(digest xor SHA-1(piece))
 *
 * The first way forgets the order in which pieces come, the second keeps it. Elements with parts are
 * digested in order on their own and then added as one of a set.
 *
 * Thread: core.
 * Owns: the mixing.
 * Never: knows a type: each feeds its pieces through `DigestSink`.
 */
import type { Arena, Ref } from '../../../memory/arena.ts'
import type { Db } from '../../keyspace/db.ts'
import { entryHasDeadline, entryType, TYPE_STREAM } from '../../keyspace/entry.ts'
import type { Keyspace } from '../../keyspace/keyspace.ts'
import { type DigestSink, valueType } from '../../keyspace/value.ts'

export const DIGEST_SIZE = 20
/** Redis counts modules between hashes and streams. */
const STREAM_TYPE_NUMBER = 6
const EXPIRES = Buffer.from('!!expire!!')

class Digest implements DigestSink {
  readonly bytes = Buffer.alloc(DIGEST_SIZE)

  ordered(piece: Uint8Array): void {
    this.#xor(sha1(piece))
    sha1(this.bytes).copy(this.bytes)
  }

  unordered(...parts: Uint8Array[]): void {
    if (parts.length === 1) return this.#xor(sha1(parts[0]))
    const element = new Digest()
    for (const part of parts) element.ordered(part)
    this.#xor(sha1(element.bytes))
  }

  marked(mark: Uint8Array, ...parts: Uint8Array[]): void {
    const element = new Digest()
    for (const part of parts) element.ordered(part)
    element.#xor(sha1(mark))
    this.#xor(sha1(element.bytes))
  }

  #xor(bytes: Uint8Array): void {
    for (let i = 0; i < DIGEST_SIZE; i++) this.bytes[i] ^= bytes[i]
  }
}

/** Of all databases. */
export function keyspaceDigest(keyspace: Keyspace): Buffer {
  const total = new Digest()
  for (const db of keyspace.dbs) {
    if (db.size() === 0) continue
    total.ordered(bigEndian(db.index))
    db.forEach((ref) => {
      const digest = new Digest()
      digest.ordered(db.keyName(ref))
      addValue(digest, db.arena, ref)
      total.unordered(digest.bytes)
    })
  }
  return total.bytes
}

/** Of the value in an entry of `db`, whose arena is the one in use. */
export function valueDigest(db: Db, ref: Ref): Buffer {
  const digest = new Digest()
  addValue(digest, db.arena, ref)
  return digest.bytes
}

function addValue(digest: Digest, arena: Arena, ref: Ref): void {
  const type = entryType(arena, ref)
  digest.ordered(bigEndian(type === TYPE_STREAM ? STREAM_TYPE_NUMBER : type))
  valueType(type).digest(arena, ref, digest)
  if (entryHasDeadline(arena, ref)) digest.unordered(EXPIRES)
}

function bigEndian(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

function sha1(bytes: Uint8Array): Buffer {
  return new Bun.CryptoHasher('sha1').update(bytes).digest()
}
