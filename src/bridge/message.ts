/**
 * The records that cross the rings: their kinds and fields. A record is a header of four words and
 * a payload:
 *
 *     word 0  size of the whole record in bytes (never the ring's pad mark)
 *     word 1  kind
 *     word 2  connection id
 *     word 3  kind-specific: see below
 *     ...     payload, padded to 8 bytes
 *
 * A request inside a payload, every part aligned to 4 bytes so that core compares words:
 *
 *     argc | command index (-1: none such) | hash of the first key, 0 if none | words of all this |
 *     { length, bytes, pad } ...
 *
 * Thread: any. Hot path.
 * Owns: record kinds and their layout.
 * Never: knows what a command does.
 */

export const HEADER_SIZE = 16
export const HEADER_WORDS = 4

// io to core.
/** Whole requests of one connection; word 3: payload bytes in use. */
export const KIND_REQUESTS = 1
/** A piece of one huge request; word 3: payload bytes in use; the first piece follows BEGIN. */
export const KIND_FRAGMENT_BEGIN = 2
export const KIND_FRAGMENT = 3
/** A new connection; payload: MessagePack `OpenedInfo`; word 3: its bytes. */
export const KIND_OPENED = 4
/** A connection is gone; no record of it follows. word 3: one of `CLOSED_…`. */
export const KIND_CLOSED = 5
/** The peer broke the protocol; payload: the error text to answer; word 3: its bytes. */
export const KIND_BROKEN = 6
/** A request to log in was just sent: io holds the rest until KIND_LOGIN_DONE answers. */
export const KIND_LOGIN = 8
/** MessagePack, rare; word 3: its bytes. Both ways. */
export const KIND_CONTROL = 7
/**
 * The answer to a dial; payload: MessagePack `DialedInfo`; word 3: its bytes. When the connection
 * stands, word 2 is its id.
 */
export const KIND_DIALED = 9
/** Bytes that came on a dialled connection, as they came; word 3: how many. */
export const KIND_CHUNK = 10

// core to io.
/** Reply bytes of one connection; word 3: how many. */
export const KIND_REPLY = 16
/** Close the connection once everything sent before has left. */
export const KIND_CLOSE_AFTER = 17
/** Close the connection now. */
export const KIND_CLOSE_NOW = 18
/** Which output limits hold for the connection; word 3: one of `CLASS_…`. */
export const KIND_CLASS = 19
/** Stop or go on reading requests of the connection; word 3: 1 to stop. */
export const KIND_HOLD = 20
/** Whether the connection has authenticated; word 3: 1 if so. Until then requests are short. */
export const KIND_AUTHENTICATED = 21
/** Answers KIND_LOGIN; word 3 as above. */
export const KIND_LOGIN_DONE = 22
/**
 * The same bytes to many connections; word 2: how many; word 3: bytes. Payload: the connections' ids,
 * a word each, then the bytes.
 */
export const KIND_BROADCAST = 23
/** Open a connection to another server; payload: MessagePack `DialOrder`; word 3: its bytes. */
export const KIND_DIAL = 24

// Core to disk thread and back; word 2: the job. KIND_CONTROL there is MessagePack of that job.
/** Bytes of a job, in order: of the file that it writes or reads; word 3: how many. */
export const KIND_JOB_BYTES = 32

export const CLOSED_BY_PEER = 0
export const CLOSED_BY_OUTPUT_LIMIT = 1
export const CLOSED_BY_QUERY_LIMIT = 2

export const CLASS_NORMAL = 0
export const CLASS_REPLICA = 1
export const CLASS_PUBSUB = 2

/** What io knows of a new connection. */
export interface OpenedInfo {
  /** 'ip:port' of the peer, or 'path:0' for a unix socket, as CLIENT LIST shows it. */
  readonly address: string
  readonly localAddress: string
  readonly fd: number
  readonly tls: boolean
  readonly unix: boolean
  /** The peer's address is a loopback one (protected mode lets it in). */
  readonly loopback: boolean
}

/** A connection that the core wants to have. */
export interface DialOrder {
  /** Comes back in the answer. */
  readonly number: number
  readonly host: string
  readonly port: number
  readonly tls: boolean
  /** The address that it comes from, if this machine has it; empty: any. */
  readonly source: string
}

/** What became of a dial. */
export interface DialedInfo {
  readonly number: number
  /** Empty when the connection stands. */
  readonly error: string
  readonly info: OpenedInfo
}

/** Words before the arguments of a request. */
export const REQUEST_HEADER_WORDS = 4
/** Which of them holds the command's index, which the hash, and which the size in words. */
export const REQUEST_COMMAND = 1
export const REQUEST_HASH = 2
export const REQUEST_SIZE = 3

/** Bytes that a request with these argument ranges takes inside a record. */
export function requestSize(offsets: Int32Array, argc: number): number {
  let size = REQUEST_HEADER_WORDS * 4
  for (let i = 0; i < argc; i++) {
    size += 4 + ((offsets[2 * i + 1] - offsets[2 * i] + 3) & ~3)
  }
  return size
}

/**
 * A connection id is a slot (low 20 bits) and a generation (high 12 bits): a reply that comes late
 * cannot reach the newcomer in the slot.
 */
export const SLOT_BITS = 20
export const SLOT_COUNT = 1 << SLOT_BITS

export function connectionSlot(connectionId: number): number {
  return connectionId & (SLOT_COUNT - 1)
}

export function connectionId(slot: number, generation: number): number {
  return (generation << SLOT_BITS) | slot
}
