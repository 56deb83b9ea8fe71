/**
 * What happens to keys, for whoever wants to know: notifications are published from here, watched
 * and cached keys are invalidated. Databases look at one number, `wanted`; as long as it is 0 nobody
 * is told anything.
 *
 * Thread: core. Hot path.
 * Owns: the names of the events and the class of each; who listens.
 * Never: decides what a listener makes of it.
 */

/** The class of each event, by its letter in `notify-keyspace-events`. */
const EVENT_CLASSES = {
  append: '$',
  copy_to: 'g',
  del: 'g',
  evicted: 'e',
  expire: 'g',
  expired: 'x',
  georadiusstore: 'z',
  geosearchstore: 'z',
  hdel: 'h',
  hexpire: 'h',
  hexpired: 'h',
  hincrby: 'h',
  hincrbyfloat: 'h',
  hpersist: 'h',
  hset: 'h',
  incrby: '$',
  incrbyfloat: '$',
  keymiss: 'm',
  linsert: 'l',
  lpop: 'l',
  lpush: 'l',
  lrem: 'l',
  lset: 'l',
  ltrim: 'l',
  move_from: 'g',
  move_to: 'g',
  new: 'n',
  persist: 'g',
  pfadd: '$',
  rename_from: 'g',
  rename_to: 'g',
  restore: 'g',
  rpop: 'l',
  rpush: 'l',
  sadd: 's',
  sdiffstore: 's',
  set: '$',
  setbit: '$',
  setrange: '$',
  sinterstore: 's',
  sortstore: 'l',
  spop: 's',
  srem: 's',
  sunionstore: 's',
  xadd: 't',
  xdel: 't',
  'xgroup-create': 't',
  'xgroup-createconsumer': 't',
  'xgroup-delconsumer': 't',
  'xgroup-destroy': 't',
  'xgroup-setid': 't',
  xsetid: 't',
  xtrim: 't',
  zadd: 'z',
  zdiffstore: 'z',
  zincr: 'z',
  zinterstore: 'z',
  zpopmax: 'z',
  zpopmin: 'z',
  zrangestore: 'z',
  zrem: 'z',
  zremrangebylex: 'z',
  zremrangebyrank: 'z',
  zremrangebyscore: 'z',
  zunionstore: 'z',
} as const

export type EventName = keyof typeof EVENT_CLASSES

const CLASS_LETTERS = 'g$lshzxetdmn'
/** The classes that `A` stands for. */
const ALL_LETTERS = 'g$lshzxetd'

/** The bits of classes given by their letters; other letters count for nothing. */
// alloc: at start and for CONFIG SET
export function eventClasses(letters: string): number {
  let bits = 0
  for (const letter of letters.replace('A', ALL_LETTERS)) {
    const at = CLASS_LETTERS.indexOf(letter)
    if (at >= 0) bits |= 1 << at
  }
  return bits
}

export const CLASS_MISS = eventClasses('m')
export const CLASS_NEW = eventClasses('n')
/** Not a class of events: somebody wants to know that a key changed, whatever the event. */
const CHANGES = 1 << CLASS_LETTERS.length

const CLASS_OF = new Map<string, number>(
  Object.entries(EVENT_CLASSES).map(([name, letter]) => [name, eventClasses(letter)]),
)

/** Is told of events. The key's bytes are valid during the call only. */
export interface EventListener {
  /** Bits of the classes it wants. */
  readonly classes: number
  notify(event: EventName, dbIndex: number, bytes: Buffer, offset: number, length: number): void
}

/** Is told of keys whose value or deadline changed, that came or went. Bytes as above. */
export interface ChangeListener {
  readonly active: boolean
  keyChanged(dbIndex: number, bytes: Buffer, offset: number, length: number, event: EventName): void
}

export class KeyEvents {
  readonly #eventListeners: EventListener[] = []
  readonly #changeListeners: ChangeListener[] = []
  /** Bits of what anybody wants. */
  wanted = 0

  attachEvents(listener: EventListener): void {
    this.#eventListeners.push(listener)
    this.refresh()
  }

  attachChanges(listener: ChangeListener): void {
    this.#changeListeners.push(listener)
    this.refresh()
  }

  /** Looks again at what listeners want: `classes` or `active` of one has changed. */
  // alloc: seldom
  refresh(): void {
    this.wanted = 0
    for (const { classes } of this.#eventListeners) this.wanted |= classes
    if (this.#changeListeners.some(({ active }) => active)) this.wanted |= CHANGES
  }

  /** A key changed, which is an event. */
  changed(event: EventName, dbIndex: number, bytes: Buffer, offset: number, length: number): void {
    this.modified(event, dbIndex, bytes, offset, length)
    this.notify(event, dbIndex, bytes, offset, length)
  }

  /** As `changed`, but nobody is notified. */
  modified(event: EventName, dbIndex: number, bytes: Buffer, offset: number, length: number): void {
    const listeners = this.#changeListeners
    for (let i = 0; i < listeners.length; i++) {
      if (listeners[i].active) listeners[i].keyChanged(dbIndex, bytes, offset, length, event)
    }
  }

  /** An event that is no change, or not a change of its own. */
  notify(event: EventName, dbIndex: number, bytes: Buffer, offset: number, length: number): void {
    const classes = CLASS_OF.get(event) ?? 0
    if ((this.wanted & classes) === 0) return
    const listeners = this.#eventListeners
    for (let i = 0; i < listeners.length; i++) {
      const listener = listeners[i]
      if ((listener.classes & classes) === 0) continue
      listener.notify(event, dbIndex, bytes, offset, length)
    }
  }
}
