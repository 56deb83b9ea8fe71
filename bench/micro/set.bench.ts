/**
 * Sets against sets, alone on one thread.
 *
 *   two sets of 100 members, 50 of them in both ──▶ places of those 50 ──▶ a reply
 *
 * Goals: time of an intersection by entries, by members, of intsets, and of answering it.
 * Non-goals: finding the keys, rings, sockets.
 *
 * `bun bench/micro/set.bench.ts`; BENCH_SMOKE=1 runs each a few times, silently.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: prints a number whose result was not verified.
 */
import { Reply, type ReplySink } from '../../src/core/engine/reply.ts'
import { SetBuilder } from '../../src/core/types/set/builder.ts'
import { Found } from '../../src/core/types/set/found.ts'
import { Member } from '../../src/core/types/set/member.ts'
import { SET_TABLE } from '../../src/core/types/set/set.ts'
import { Sources } from '../../src/core/types/set/sources.ts'
import { Arena } from '../../src/memory/arena.ts'
import { finish, measure } from './measure.ts'

const SIZE = 100
const SHARED = SIZE / 2
const INTSET_MAX = 512
const SPACE_SIZE = 1024 * 1024
const space = Buffer.alloc(SPACE_SIZE)
const sink: ReplySink = { more: (reply) => reply.useSpace(space, 0, SPACE_SIZE) }
const reply = new Reply(sink)
const arena = new Arena(16 * 1024 * 1024)
arena.hashSeed = 12345

const member = new Member()
const found = new Found()

/** Sets of numbers behind `prefix`: from 0 on, and from half as many on. */
function pair(prefix: string): Sources {
  const sources = new Sources()
  sources.areTables = true
  for (const first of [0, SHARED]) {
    const builder = new SetBuilder(arena, INTSET_MAX, SIZE)
    for (let i = first; i < first + SIZE; i++) {
      const text = Buffer.from(prefix === '' ? `${i}` : prefix + String(i).padStart(12, '0'))
      builder.push(text, 0, text.length)
    }
    const at = sources.count++
    const isTable = builder.encoding === SET_TABLE
    sources.arenas[at] = arena
    sources.structures[at] = builder.structure
    sources.tables[at] = isTable
    sources.sizes[at] = builder.count
    if (!isTable) sources.areTables = false
  }
  return sources
}

function byMember(sources: Sources): number {
  sources.openFound(0, found)
  sources.walk(0)
  while (sources.next(member)) {
    if (sources.allHave(1, 2, member)) found.places.push(sources.place)
  }
  return found.count
}

function byEntry(sources: Sources): number {
  sources.openFound(0, found)
  sources.walk(0)
  while (sources.nextEntry()) if (sources.allHaveEntry(1, 2)) found.places.push(sources.place)
  return found.count
}

const maps = pair('element:')
const intsets = pair('')
measure('an intersection of maps by entries', SHARED, () => byEntry(maps))
measure('an intersection of maps by members', SHARED, () => byMember(maps))
measure('an intersection of intsets by members', SHARED, () => byMember(intsets))
measure('an intersection of maps by entries, answered', SHARED * 27, () => {
  byEntry(maps)
  reply.useSpace(space, 0, SPACE_SIZE)
  found.reply(reply)
  return reply.position
})
await finish()
