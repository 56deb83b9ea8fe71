/**
 * Arriving bytes become requests in the ring. Whole requests only: what is unfinished stays here,
 * and a request too long for one record crosses in fragments. Everything one chunk held is published
 * at once, and the core is woken only if it sleeps.
 *
 * Thread: io. Hot path.
 * Owns: the record being written; connections that wait for room in the ring.
 * Never: waits for the core: a socket whose requests find no room is paused.
 */
import { encode } from '@msgpack/msgpack'
import { CORE_PARKED, SPACE_WANTED } from '../bridge/memory.ts'
import {
  type DialedInfo,
  HEADER_SIZE,
  KIND_BROKEN,
  KIND_CHUNK,
  KIND_CLOSED,
  KIND_DIALED,
  KIND_FRAGMENT,
  KIND_FRAGMENT_BEGIN,
  KIND_LOGIN,
  KIND_OPENED,
  KIND_REQUESTS,
  type OpenedInfo,
  REQUEST_COMMAND,
  REQUEST_HASH,
  REQUEST_HEADER_WORDS,
  REQUEST_SIZE,
  requestSize,
} from '../bridge/message.ts'
import type { RingWriter } from '../bridge/ring.ts'
import { raiseFlag, wake } from '../bridge/wake.ts'
import { REQUEST_RECORD_SIZE, WAKE_CHUNK_COUNT, WAKE_SIZE } from '../config/limits.ts'
import { CommandLookup } from '../lib/command-lookup.ts'
import { hashBytes, hashWords } from '../lib/hash.ts'
import { BROKEN, COMPLETE, RequestParser } from '../lib/resp/request-parser.ts'
import type { Connection } from './connection.ts'
import { Fragments } from './fragments.ts'
import { SpareInputs } from './spare-input.ts'

/** What arrived of a connection and could not be handed over yet. */
export class Unfinished {
  bytes: Buffer
  start: number
  end: number
  /** How far its first, incomplete request was read. */
  readonly parser: RequestParser
  fragments: Fragments | undefined = undefined
  /** The most that it held, once it has a buffer of its own; before, `bytes` is what arrived. */
  peakSize = 0

  constructor(bytes: Buffer, start: number, end: number, parser: RequestParser) {
    this.bytes = bytes
    this.start = start
    this.end = end
    this.parser = parser
  }

  get size(): number {
    return this.end - this.start
  }

  /** Bytes that are not part of an argument read to its end. */
  get unreadSize(): number {
    return Math.max(this.size - this.parser.readSize, 0)
  }

  /**
   * Adds a chunk of the connection. `wanted`: bytes that are known to follow at least; `bulkSize`: those
   * of the argument that they end.
   */
  append(connection: Connection, chunk: Buffer, wanted: number, bulkSize: number): void {
    const size = this.size
    if (this.end + chunk.length > this.bytes.length) {
      const needed = size + Math.max(chunk.length, wanted)
      // A known length is allocated once; an unknown one by doubling. What an argument lets be copied for
      // it is no more than twice its own length.
      const isKnown = wanted > size || 2 * bulkSize > size
      const capacity = isKnown ? needed : Math.max(needed, 2 * size)
      const { spareInput } = connection
      const fits = spareInput !== undefined && spareInput.length >= capacity
      const bytes = fits ? spareInput : Buffer.allocUnsafe(capacity)
      connection.spareInput = undefined
      this.bytes.copy(bytes, 0, this.start, this.end)
      this.bytes = bytes
      this.start = 0
      this.end = size
    }
    chunk.copy(this.bytes, this.end)
    this.end += chunk.length
    this.peakSize = Math.max(this.peakSize, this.size)
  }
}

/** What a run over the bytes of a connection ended with. */
const WANTS_BYTES = 0
const WANTS_ROOM = 1
const WANTS_FRAGMENTS = 2
const WANTS_NOTHING = 3
const WANTS_LOGIN = 4

const EMPTY = new Uint8Array(0)
const LOGIN_COMMANDS = [Buffer.from('auth'), Buffer.from('hello')]
/** MEASURED: up to here a loop over words beats Buffer.copy; bench/micro/ring.bench.ts. */
const COPY_BY_WORDS_MAX = 40
/** Bytes of a command's name that two words hold. */
const NAME_KEPT_MAX = 8

export class Intake {
  readonly #ring: RingWriter
  readonly #link: Int32Array
  readonly #process: Int32Array
  #lookup: CommandLookup = new CommandLookup([])
  readonly #hashSeed: number
  readonly #parser: RequestParser
  readonly #starved: Set<Connection> = new Set()
  readonly spares = new SpareInputs()
  /** Records that come before any request: openings and closings that found no room. */
  #urgent: (() => boolean)[] = []
  /** The record being written; -1: none. */
  #record = -1
  #recordId = 0
  /** Command of the request written last. */
  #command = -1
  #keyIndex = 0
  /** Its name: -1 if that is too long to be kept, and its first words. */
  #nameLength = -1
  #name1 = 0
  #name2 = 0
  /** The commands after which a client may have other limits. */
  #logins: readonly number[] = []
  /** Chunks published since the core was last woken. */
  #unwoken = 0
  /** Bytes of them, about. */
  #unwokenSize = 0
  #at = 0
  #limit = 0
  /** Writes a line of the debug log; undefined when that level is off. */
  debug: ((text: string) => void) | undefined = undefined
  /** Requests longer than this are refused by the parser: `proto-max-bulk-len`. */
  bulkSizeMax: number
  #taken = 0

  constructor(
    ring: RingWriter,
    link: Int32Array,
    process: Int32Array,
    hashSeed: number,
    bulkSizeMax: number,
  ) {
    this.#ring = ring
    this.#link = link
    this.#process = process
    this.#hashSeed = hashSeed
    this.bulkSizeMax = bulkSizeMax
    this.#parser = new RequestParser(bulkSizeMax)
  }

  /** At debug level: a request was understood. Arguments are not shown, they may be secrets. */
  #tell(connection: Connection, parser: RequestParser): void {
    const { bytes, offsets, argc } = parser
    const name = JSON.stringify(
      bytes.latin1Slice(offsets[0], Math.min(offsets[1], offsets[0] + 128)),
    )
    this.debug?.(`Parsed command ${name} of ${argc} words, id ${connection.id}`) // alloc: debug level
  }

  /** The commands that are known from now on. */
  // alloc: at start
  useLookup(lookup: CommandLookup): void {
    this.#lookup = lookup
    this.#nameLength = -1
    this.#logins = LOGIN_COMMANDS.map((name) => lookup.lookup(name, 0, name.length))
  }

  /** Takes a chunk that belongs to nobody else: what is unfinished may keep it. */
  take(connection: Connection, chunk: Buffer): void {
    const unfinished = connection.unfinished
    if (unfinished !== undefined) {
      const { neededBytes, unfinishedSize } = unfinished.parser
      unfinished.append(connection, chunk, neededBytes, unfinishedSize)
      if (!connection.starved && !connection.held) this.#continue(connection, unfinished)
    } else if (connection.starved || connection.held || this.#urgent.length > 0) {
      this.#keep(connection, chunk, 0)
      if (this.#urgent.length > 0) this.#starve(connection)
    } else {
      const parser = this.#parser
      parser.authenticated = connection.authenticated
      parser.reset(chunk, 0, chunk.length)
      const outcome = this.#requests(connection, parser, 0)
      if (outcome !== WANTS_NOTHING && this.#taken < chunk.length) {
        this.#keep(connection, chunk, this.#taken)
        if (outcome === WANTS_ROOM) this.#starve(connection)
        else if (outcome !== WANTS_LOGIN)
          this.#continue(connection, connection.unfinished as unknown as Unfinished)
      }
    }
    this.#unwokenSize += chunk.length
    this.#publish()
  }

  /** Takes a chunk of a dialled connection; it crosses as it is. */
  // alloc: only where the ring is full
  takeRaw(connection: Connection, chunk: Buffer): void {
    const { unfinished } = connection
    if (unfinished !== undefined) {
      unfinished.append(connection, chunk, 0, -1)
    } else {
      const sent = this.#urgent.length > 0 ? 0 : this.#chunks(connection, chunk, 0, chunk.length)
      if (sent < chunk.length) {
        this.#keep(connection, chunk, sent)
        this.#starve(connection)
      }
    }
    this.#publish()
  }

  /** Sends what fits of the bytes from `start`. Gives the position after it. */
  #chunks(connection: Connection, bytes: Buffer, start: number, end: number): number {
    this.#endRecord()
    let at = start
    while (at < end) {
      const size = Math.min(end - at, REQUEST_RECORD_SIZE - HEADER_SIZE)
      const offset = this.#ring.claim((HEADER_SIZE + size + 7) & ~7)
      if (offset < 0) break
      bytes.copy(this.#ring.bytes, offset + HEADER_SIZE, at, at + size)
      this.#commit(offset, KIND_CHUNK, connection.id, size, size)
      at += size
    }
    return at
  }

  /** Room may have come: everybody who waited tries again. */
  // alloc: only while connections wait for room
  pump(): void {
    while (this.#urgent.length > 0) {
      if (!this.#urgent[0]()) {
        raiseFlag(this.#link, SPACE_WANTED)
        this.#publish()
        return
      }
      this.#urgent.shift()
    }
    for (const connection of this.#starved) {
      this.#starved.delete(connection)
      connection.starved = false
      const { unfinished } = connection
      if (unfinished !== undefined && !connection.held) this.#continue(connection, unfinished)
      if (connection.starved) break
      connection.resumeIfIdle()
    }
    this.#publish()
  }

  /**
   * True when room has come for those who wait. To be looked at after parking: the core may have
   * made room between a claim that failed and the flag that asks for a wake-up.
   */
  get mayPump(): boolean {
    return this.hasStarved && this.#ring.roomGrew()
  }

  get hasStarved(): boolean {
    return this.#starved.size > 0 || this.#urgent.length > 0
  }

  /** Goes on with a connection that the core had held. */
  release(connection: Connection): void {
    const { unfinished } = connection
    if (unfinished !== undefined && !connection.starved) this.#continue(connection, unfinished)
    this.#publish()
    connection.resumeIfIdle()
  }

  // alloc: once a connection
  opened(connection: Connection, info: OpenedInfo): void {
    const payload = encode(info)
    this.#orLater(() => this.#rare(KIND_OPENED, connection.id, payload, payload.length))
  }

  /** Says what became of a dial; `connectionId`: 0 when there is no connection. */
  // alloc: once a dial
  dialed(connectionId: number, info: DialedInfo): void {
    const payload = encode(info)
    this.#orLater(() => this.#rare(KIND_DIALED, connectionId, payload, payload.length))
  }

  /** `reason`: one of `CLOSED_…`. Nothing of the connection follows. */
  // alloc: once a connection
  closed(connection: Connection, reason: number): void {
    this.#starved.delete(connection)
    connection.unfinished = undefined
    this.#orLater(() => this.#rare(KIND_CLOSED, connection.id, EMPTY, reason))
  }

  // alloc: records that are rare
  control(kind: number, payload: Uint8Array): void {
    this.#orLater(() => this.#rare(kind, 0, payload, payload.length))
  }

  #orLater(write: () => boolean): void {
    if (this.#urgent.length > 0 || !write()) {
      this.#urgent.push(write)
      raiseFlag(this.#link, SPACE_WANTED)
    }
    this.#publish()
  }

  /** Writes a record that is not requests. False when there is no room. */
  #rare(kind: number, connectionId: number, payload: Uint8Array, value: number): boolean {
    this.#endRecord()
    const offset = this.#ring.claim((HEADER_SIZE + payload.length + 7) & ~7)
    if (offset < 0) return false
    this.#ring.bytes.set(payload, offset + HEADER_SIZE)
    this.#commit(offset, kind, connectionId, payload.length, value)
    return true
  }

  #commit(offset: number, kind: number, id: number, payloadSize: number, value: number): void {
    const { words } = this.#ring
    const size = (HEADER_SIZE + payloadSize + 7) & ~7
    words[offset >> 2] = size
    words[(offset >> 2) + 1] = kind
    words[(offset >> 2) + 2] = id
    words[(offset >> 2) + 3] = value
    this.#ring.commit(size)
  }

  /** Hands over the whole requests in a row that fit. `#taken` is then the position after them. */
  #requests(connection: Connection, parser: RequestParser, start: number): number {
    this.#taken = start
    for (;;) {
      const outcome = parser.next()
      if (outcome !== COMPLETE) {
        this.#taken = parser.position
        this.#endRecord()
        if (outcome !== BROKEN) return WANTS_BYTES
        this.#broken(connection, parser.error)
        return WANTS_NOTHING
      }
      const size = requestSize(parser.offsets, parser.argc)
      if (size > REQUEST_RECORD_SIZE - HEADER_SIZE) {
        this.#endRecord()
        return WANTS_FRAGMENTS
      }
      if (!this.#room(connection, size)) {
        this.#endRecord()
        return WANTS_ROOM
      }
      this.#write(parser, size)
      if (this.debug !== undefined) this.#tell(connection, parser)
      this.#taken = parser.position
      if (!connection.authenticated && this.#logins.includes(this.#command)) {
        connection.held = true
        this.#orLater(() => this.#rare(KIND_LOGIN, connection.id, EMPTY, 0)) // alloc: a login
        return WANTS_LOGIN
      }
    }
  }

  /** Goes on with what a connection has kept, from where its first request begins. */
  #continue(connection: Connection, unfinished: Unfinished): void {
    const { parser } = unfinished
    if (connection.raw) {
      unfinished.start = this.#chunks(
        connection,
        unfinished.bytes,
        unfinished.start,
        unfinished.end,
      )
      if (unfinished.size > 0) this.#starve(connection)
      else this.#finished(connection, unfinished)
      return
    }
    for (;;) {
      if (unfinished.fragments !== undefined && !this.#sendFragments(connection, unfinished)) {
        return this.#starve(connection)
      }
      parser.authenticated = connection.authenticated
      parser.resume(unfinished.bytes, unfinished.start, unfinished.end)
      const outcome = this.#requests(connection, parser, unfinished.start)
      unfinished.start = this.#taken
      if (outcome === WANTS_ROOM) return this.#starve(connection)
      if (outcome !== WANTS_FRAGMENTS) break
      unfinished.fragments = this.#cut(unfinished)
    }
    if (connection.deaf || unfinished.size === 0) this.#finished(connection, unfinished)
  }

  #finished(connection: Connection, { bytes, peakSize }: Unfinished): void {
    connection.unfinished = undefined
    if (peakSize > 0) this.spares.keep(connection, bytes, peakSize)
  }

  #keep(connection: Connection, chunk: Buffer, start: number): void {
    connection.unfinished = new Unfinished(
      // alloc: only for what a chunk does not end
      chunk,
      start,
      chunk.length,
      new RequestParser(this.bulkSizeMax), // alloc: as above
    )
  }

  #starve(connection: Connection): void {
    connection.starved = true
    this.#starved.add(connection)
    raiseFlag(this.#link, SPACE_WANTED)
    connection.pauseIfBusy()
  }

  /** Prepares the request that the parser has just read for crossing in pieces. */
  // alloc: a request longer than a record
  #cut(unfinished: Unfinished): Fragments {
    const { parser } = unfinished
    const { bytes, offsets, argc } = parser
    const command = this.#lookup.lookup(bytes, offsets[0], offsets[1])
    const key = command < 0 ? 0 : this.#lookup.firstKeyIndex(command)
    const hash =
      key === 0 || key >= argc
        ? 0
        : hashBytes(
            bytes,
            offsets[2 * key],
            offsets[2 * key + 1] - offsets[2 * key],
            this.#hashSeed,
          )
    // The words of an inline request lie apart from what arrived, and only for now.
    const words = bytes === unfinished.bytes ? undefined : Buffer.from(bytes)
    const sourceSize = parser.position - unfinished.start
    const start = words === undefined ? unfinished.start : 0
    return new Fragments(offsets, argc, start, sourceSize, command, hash, words)
  }

  // alloc: a connection's end
  #broken(connection: Connection, error: string): void {
    connection.deaf = true
    connection.unfinished = undefined
    const payload = Buffer.from(error, 'latin1')
    this.#orLater(() => this.#rare(KIND_BROKEN, connection.id, payload, payload.length))
  }

  /** Makes sure that a request of `size` bytes can be written to the connection's open record. */
  #room(connection: Connection, size: number): boolean {
    if (this.#record >= 0) {
      if (this.#at + size <= this.#limit) return true
      this.#endRecord()
    }
    if (this.#urgent.length > 0) return false
    const offset = this.#ring.claim(HEADER_SIZE + size)
    if (offset < 0) return false
    const room = this.#ring.room(offset)
    this.#record = offset
    this.#at = offset + HEADER_SIZE
    this.#limit = offset + Math.min(room, REQUEST_RECORD_SIZE)
    this.#recordId = connection.id
    return true
  }

  /** Writes the parser's request at the end of the open record. */
  #write(parser: RequestParser, size: number): void {
    const { words } = this.#ring
    const { bytes, offsets, argc } = parser
    const first = this.#at >> 2
    let word = first + REQUEST_HEADER_WORDS
    const nameLength = offsets[1] - offsets[0]
    words[word] = nameLength
    this.#copy(bytes, offsets[0], nameLength, word + 1)
    if (!this.#isNameAt(word)) this.#lookUp(bytes, offsets[0], nameLength, word)
    const keyIndex = this.#keyIndex
    words[first] = argc
    words[first + REQUEST_COMMAND] = this.#command
    words[first + REQUEST_HASH] = 0
    words[first + REQUEST_SIZE] = size >> 2
    word += 1 + ((nameLength + 3) >> 2)
    for (let i = 1; i < argc; i++) {
      const start = offsets[2 * i]
      const length = offsets[2 * i + 1] - start
      words[word] = length
      this.#copy(bytes, start, length, word + 1)
      if (i === keyIndex) {
        words[first + REQUEST_HASH] = hashWords(words, word + 1, length, this.#hashSeed)
      }
      word += 1 + ((length + 3) >> 2)
    }
    this.#at = word << 2
  }

  /** True when the name at this word is that of the request before, whose command is known. */
  #isNameAt(word: number): boolean {
    const { words } = this.#ring
    const length = words[word]
    if (length !== this.#nameLength || words[word + 1] !== this.#name1) return false
    return length <= 4 || words[word + 2] === this.#name2
  }

  /** Looks the command up, and keeps what there is to compare of its name if that is all of it. */
  #lookUp(bytes: Buffer, start: number, length: number, word: number): void {
    const { words } = this.#ring
    const command = this.#lookup.lookup(bytes, start, start + length)
    this.#command = command
    this.#keyIndex = command < 0 ? 0 : this.#lookup.firstKeyIndex(command)
    this.#nameLength = length > 0 && length <= NAME_KEPT_MAX ? length : -1
    this.#name1 = length > 0 ? words[word + 1] : 0
    this.#name2 = length > 4 ? words[word + 2] : 0
  }

  /** Copies bytes of any alignment to whole words; what pads the last word is zero. */
  #copy(bytes: Buffer, start: number, length: number, word: number): void {
    const { words } = this.#ring
    if (length > COPY_BY_WORDS_MAX) {
      words[word + ((length - 1) >> 2)] = 0
      bytes.copy(this.#ring.bytes, word << 2, start, start + length)
      return
    }
    let at = start
    let to = word
    for (const end = start + (length & ~3); at < end; at += 4) {
      words[to++] = bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)
    }
    const tail = length & 3
    if (tail === 0) return
    let last = bytes[at]
    if (tail > 1) last |= bytes[at + 1] << 8
    if (tail > 2) last |= bytes[at + 2] << 16
    words[to] = last
  }

  #endRecord(): void {
    const offset = this.#record
    if (offset < 0) return
    this.#record = -1
    const size = this.#at - offset - HEADER_SIZE
    this.#commit(offset, KIND_REQUESTS, this.#recordId, size, size)
  }

  #publish(): void {
    if (!this.#ring.publish()) return
    this.#unwoken++
    if (this.#unwoken >= WAKE_CHUNK_COUNT || this.#unwokenSize >= WAKE_SIZE) this.wakeCore()
  }

  /**
   * Wakes the core if it sleeps and something was published since. Waking costs more than executing
   * a request, so it is done for several chunks at once, and at the end of the turn.
   */
  wakeCore(): void {
    if (this.#unwoken === 0) return
    this.#unwoken = 0
    this.#unwokenSize = 0
    wake(this.#process, CORE_PARKED)
  }

  /** True when something was published and the core may not know yet. */
  get hasUnwoken(): boolean {
    return this.#unwoken > 0
  }

  /** Sends what fits of a huge request. False when some is left. */
  #sendFragments(connection: Connection, unfinished: Unfinished): boolean {
    const fragments = unfinished.fragments as Fragments
    if (!fragments.began) {
      const size = fragments.encodedSize
      if (!this.#rare(KIND_FRAGMENT_BEGIN, connection.id, EMPTY, size)) return false
      fragments.began = true
    }
    while (!fragments.done) {
      const left = fragments.encodedSize - fragments.position
      const size = Math.min(left, REQUEST_RECORD_SIZE - HEADER_SIZE)
      const offset = this.#ring.claim(HEADER_SIZE + size)
      if (offset < 0) {
        this.#publish()
        return false
      }
      const { bytes, words } = this.#ring
      const at = offset + HEADER_SIZE
      fragments.fill(unfinished.bytes, unfinished.start, bytes, words, at, size)
      this.#commit(offset, KIND_FRAGMENT, connection.id, size, size)
      this.#publish()
    }
    unfinished.start += fragments.sourceSize
    unfinished.fragments = undefined
    return true
  }
}
