/**
 * Fetches from memory what the next requests will look up. One after the other, each lookup among
 * many keys would wait for memory two or three times; several in a row wait together.
 *
 * Thread: core. Hot path.
 * Owns: nothing.
 * Never: changes anything, or minds what it finds.
 */
import { HEADER_WORDS, KIND_REQUESTS, REQUEST_HASH, REQUEST_SIZE } from '../../bridge/message.ts'
import { READ_AHEAD_COUNT } from '../../config/limits.ts'
import type { Db } from '../keyspace/db.ts'
import type { Keyspace } from '../keyspace/keyspace.ts'
import type { CoreLink } from './link.ts'

export class ReadAhead {
  /** What it has seen, which means nothing; it is kept so that the reading is not left out. */
  seen = 0
  readonly #keyspace: Keyspace

  constructor(keyspace: Keyspace) {
    this.#keyspace = keyspace
  }

  /** For requests of one record, from word `at` on. Gives the word after the last one. */
  requests(db: Db, words: Int32Array, at: number, end: number): number {
    let word = at
    for (let i = 0; i < READ_AHEAD_COUNT && word < end; i++) {
      const hash = words[word + REQUEST_HASH]
      if (hash !== 0) this.seen ^= db.touch(hash)
      word += words[word + REQUEST_SIZE]
    }
    return word
  }

  /**
   * For the first request of each record from the one at `offset` on, which is due. Gives how many
   * records it looked at.
   * MEASURED: bench/micro/execute.bench.ts, ten records at once.
   */
  records(link: CoreLink, offset: number): number {
    const { requests } = link
    let at = requests.following(offset)
    if (at < 0) return 1
    this.#first(link, offset >> 2)
    let count = 1
    for (; at >= 0 && count < READ_AHEAD_COUNT; at = requests.following(at)) {
      this.#first(link, at >> 2)
      count++
    }
    return count
  }

  #first(link: CoreLink, record: number): void {
    const { words } = link.requests
    if (words[record + 1] !== KIND_REQUESTS) return
    const hash = words[record + HEADER_WORDS + REQUEST_HASH]
    const session = link.session(words[record + 2])
    if (hash === 0 || session === undefined) return
    this.seen ^= this.#keyspace.dbs[session.dbIndex].touch(hash)
  }
}
