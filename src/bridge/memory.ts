/**
 * The words that threads share beside the rings: who sleeps, how far each ring is, what is counted.
 *
 * Thread: any.
 * Owns: the position of every shared word, one cache line (two, against prefetching) for each.
 * Never: holds a key, a value or a request.
 */
import { DISK_RING_SIZE } from '../config/limits.ts'

/** 32 words are 128 bytes: a cache line and the neighbour that processors fetch along with it. */
const LINE = 32

/** Words of one link (an io thread and the core). */
export const REQUEST_HEAD = 0 * LINE
export const REQUEST_TAIL = 1 * LINE
export const REPLY_HEAD = 2 * LINE
export const REPLY_TAIL = 3 * LINE
/** 1 while the io thread sleeps in its event loop and wants to be woken for replies. */
export const IO_PARKED = 4 * LINE
/** 1 while the io thread has requests that found no room in the ring. */
export const SPACE_WANTED = 5 * LINE
/** 1 while the core sleeps on a full reply ring until io makes room. */
export const ROOM_WANTED = 6 * LINE
/** Connections that sent something lately, as the io thread sees it. */
export const ACTIVE_CONNECTIONS = 7 * LINE
const LINK_WORDS = 8 * LINE

/** Words of the link between the core and the disk thread. */
export const TO_DISK_HEAD = 0 * LINE
export const TO_DISK_TAIL = 1 * LINE
export const FROM_DISK_HEAD = 2 * LINE
export const FROM_DISK_TAIL = 3 * LINE
/** 1 while the disk thread sleeps in its event loop and wants to be woken. */
export const DISK_PARKED = 4 * LINE
/** 1 while the core waits for room in the ring to the disk thread. */
export const DISK_ROOM_WANTED = 5 * LINE
/** 1 while the disk thread has records that found no room in the ring to the core. */
export const CORE_ROOM_WANTED = 6 * LINE
/** Bytes of the append-only file that are on the disk, modulo 2^32. */
export const AOF_SYNCED = 7 * LINE
const DISK_WORDS = 8 * LINE

/** Words of the whole process. */
export const CORE_PARKED = 0 * LINE
/** Sockets accepted and not yet closed, over all io threads: `maxclients` is held against it. */
export const CONNECTED = 1 * LINE
/** Counted from 1, the processor on which the core has settled; negative where the others join it; 0: none. */
export const CORE_PROCESSOR = 2 * LINE
const PROCESS_WORDS = 3 * LINE

/** Counters of one io thread, in doubles: written by that thread only, read by the core for INFO. */
export const BYTES_IN = 0
export const BYTES_OUT = 1
export const REJECTED = 2
export const READS = 3
export const WRITES = 4
/** Bytes of unfinished requests, of what is set aside for them, and of replies that peers have not taken. */
export const HELD_BYTES = 5
const COUNTERS = 8

/** Per connection slot of an io thread, in words: written by that thread, read for CLIENT LIST. */
export const SLOT_INPUT_BYTES = 0
export const SLOT_OUTPUT_BYTES = 1
/** Of the input, what is not part of an argument read to its end. */
export const SLOT_UNREAD_BYTES = 2
/** What is set aside for input and holds none. */
export const SLOT_SPARE_BYTES = 3
export const SLOT_WORDS = 4

export interface LinkMemory {
  readonly words: SharedArrayBuffer
  readonly requests: SharedArrayBuffer
  readonly replies: SharedArrayBuffer
  readonly counters: SharedArrayBuffer
  readonly slots: SharedArrayBuffer
}

/** Between the core and the disk thread. Pages that are not touched cost nothing. */
export interface DiskMemory {
  readonly words: SharedArrayBuffer
  readonly toDisk: SharedArrayBuffer
  readonly fromDisk: SharedArrayBuffer
}

export interface BridgeMemory {
  readonly process: SharedArrayBuffer
  readonly links: readonly LinkMemory[]
  readonly disk: DiskMemory
}

/** Makes the shared memory of a process with `linkCount` io threads. Ring sizes are powers of 2. */
export function createBridgeMemory(
  linkCount: number,
  requestRingSize: number,
  replyRingSize: number,
  slotCount: number,
  diskRingSize: number = DISK_RING_SIZE,
): BridgeMemory {
  const links: LinkMemory[] = []
  for (let i = 0; i < linkCount; i++) {
    links.push({
      words: new SharedArrayBuffer(LINK_WORDS * 4),
      requests: new SharedArrayBuffer(requestRingSize),
      replies: new SharedArrayBuffer(replyRingSize),
      counters: new SharedArrayBuffer(COUNTERS * 8),
      slots: new SharedArrayBuffer(slotCount * SLOT_WORDS * 4),
    })
  }
  const disk = {
    words: new SharedArrayBuffer(DISK_WORDS * 4),
    toDisk: new SharedArrayBuffer(diskRingSize),
    fromDisk: new SharedArrayBuffer(diskRingSize),
  }
  return { process: new SharedArrayBuffer(PROCESS_WORDS * 4), links, disk }
}
