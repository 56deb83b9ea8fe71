/**
 * GEOSEARCH, GEOSEARCHSTORE and the older GEORADIUS family: members within a circle or a box.
 *
 * Thread: core.
 * Owns: the options, the order and the form of what is found.
 * Never: looks at members outside the cells that the shape touches.
 */

import { type GeoPoint, geoPoint } from '../../../lib/geohash.ts'
import type { Arena, Ref } from '../../../memory/arena.ts'
import { type CommandDefinition, command } from '../../command/command.ts'
import type { Args } from '../../engine/args.ts'
import type { Call } from '../../engine/call.ts'
import { CommandError, NOT_AN_INTEGER, SYNTAX } from '../../engine/errors.ts'
import { TYPE_SORTED_SET } from '../../keyspace/entry.ts'
import { box, cellRanges, circle, distanceWithin, type Shape } from './area.ts'
import { coordinates } from './geo.ts'
import { type Found, forEachInRange, memberPoint, storeFound } from './members.ts'
import { type BoxSize, parseBox, parsePoint, parseRadius, type Radius } from './parse.ts'

const COUNT_POSITIVE = new CommandError('ERR COUNT must be > 0')
const ANY_WITHOUT_COUNT = new CommandError('ERR the ANY argument requires COUNT argument')

/** What tells the commands apart. */
interface Form {
  /** Argument number of the key that is searched. */
  readonly keyIndex: number
  /** Argument number of the first option. */
  readonly optionIndex: number
  /** Where the middle comes from: the words before the options, or options. */
  readonly from: 'point' | 'member' | 'options'
  /** STORE and STOREDIST are options. */
  readonly mayStore: boolean
  /** Argument number of the key that GEOSEARCHSTORE writes; 0: none. */
  readonly destination: number
}

interface Query {
  center: GeoPoint | undefined
  fromMember: boolean
  radius: Radius | undefined
  box: BoxSize | undefined
  withDistance: boolean
  withHash: boolean
  withCoordinates: boolean
  any: boolean
  /** 0: all. */
  count: number
  /** 1: nearest first, -1: farthest first, 0: as found. */
  order: number
  /** Argument number of the key to be written; 0: none. */
  destination: number
  storesDistance: boolean
}

function search(call: Call, form: Form): void {
  const { args, db } = call
  const ref = db.readTyped(args, form.keyIndex, TYPE_SORTED_SET)
  const { arena } = db
  const query = parseQuery(call, form, arena, ref)
  if (ref === 0) return answerNothing(call, form, query)
  const shape = shapeOf(query)
  // Counting what is nearest means to sort, unless any will do.
  const order = query.order === 0 && query.count > 0 && !query.any ? 1 : query.order
  let found = collect(arena, ref, shape, query.any ? query.count : 0)
  if (order !== 0) found = found.toSorted((a, b) => order * (a.meters - b.meters))
  if (query.count > 0) found = found.slice(0, query.count)
  const unit = unitOf(query)
  if (query.destination === 0) return answer(call, query, found, unit)
  const byDistance = query.storesDistance
  const scoreOf = (one: Found) => (byDistance ? one.meters / unit : one.score)
  storeFound(call, query.destination, found, storeEvent(form), scoreOf)
}

function storeEvent(form: Form): 'georadiusstore' | 'geosearchstore' {
  return form.destination > 0 ? 'geosearchstore' : 'georadiusstore'
}

function answerNothing(call: Call, form: Form, query: Query): void {
  if (query.destination === 0) call.reply.array(0)
  else storeFound(call, query.destination, [], storeEvent(form), () => 0)
}

function answer(call: Call, query: Query, found: readonly Found[], unit: number): void {
  const { reply } = call
  const { withDistance, withHash, withCoordinates } = query
  const extras = Number(withDistance) + Number(withHash) + Number(withCoordinates)
  reply.array(found.length)
  for (const { member, score, meters } of found) {
    if (extras > 0) reply.array(1 + extras)
    reply.bulkBytes(member)
    if (withDistance) reply.bulkText((meters / unit).toFixed(4))
    if (withHash) reply.integer(score)
    if (withCoordinates) coordinates(reply, geoPoint(score))
  }
}

/** `limit`: enough are found then; 0: all. */
function collect(arena: Arena, ref: Ref, shape: Shape, limit: number): Found[] {
  const found: Found[] = []
  for (const { min, end } of cellRanges(shape)) {
    forEachInRange(arena, ref, min, end, (bytes, offset, length, score) => {
      const meters = distanceWithin(shape, geoPoint(score))
      if (meters >= 0) {
        found.push({ member: Buffer.from(bytes.subarray(offset, offset + length)), score, meters })
      }
      return limit === 0 || found.length < limit
    })
    if (limit > 0 && found.length >= limit) break
  }
  return found
}

function shapeOf({ center, radius, box: size }: Query): Shape {
  const middle = center ?? { longitude: 0, latitude: 0 }
  if (size !== undefined) return box(middle, size.width * size.unit, size.height * size.unit)
  return circle(middle, radius === undefined ? 0 : radius.radius * radius.unit)
}

function unitOf({ radius, box: size }: Query): number {
  return radius?.unit ?? size?.unit ?? 1
}

function parseQuery(call: Call, form: Form, arena: Arena, ref: Ref): Query {
  const { args } = call
  const query: Query = {
    center: undefined,
    fromMember: false,
    radius: undefined,
    box: undefined,
    withDistance: false,
    withHash: false,
    withCoordinates: false,
    any: false,
    count: 0,
    order: 0,
    destination: form.destination,
    storesDistance: false,
  }
  if (form.from === 'point') {
    query.center = parsePoint(args, 2)
    query.radius = parseRadius(args, 4)
  } else if (form.from === 'member' && ref !== 0) {
    query.center = memberPoint(args, 2, arena, ref)
    query.radius = parseRadius(args, 3)
  }
  for (let i = form.optionIndex; i < args.count; ) {
    const taken = commonOption(args, i, query)
    i += taken > 0 ? taken : formOption(args, i, form, query, arena, ref)
  }
  check(args, form, query)
  return query
}

/** Reads an option that all have. Gives how many arguments it takes, 0 when it is another one. */
function commonOption(args: Args, i: number, query: Query): number {
  if (args.is(i, 'WITHDIST')) query.withDistance = true
  else if (args.is(i, 'WITHHASH')) query.withHash = true
  else if (args.is(i, 'WITHCOORD')) query.withCoordinates = true
  else if (args.is(i, 'ANY')) query.any = true
  else if (args.is(i, 'ASC')) query.order = 1
  else if (args.is(i, 'DESC')) query.order = -1
  else if (args.is(i, 'COUNT') && i + 1 < args.count) {
    if (!args.integer64(i + 1)) throw NOT_AN_INTEGER
    query.count = args.high * 0x100000000 + (args.low >>> 0)
    if (query.count <= 0) throw COUNT_POSITIVE
    return 2
  } else return 0
  return 1
}

/** Reads an option that only some have. Gives how many arguments it takes. */
function formOption(
  args: Args,
  i: number,
  form: Form,
  query: Query,
  arena: Arena,
  ref: Ref,
): number {
  const left = args.count - 1 - i
  if (form.mayStore && left >= 1 && (args.is(i, 'STORE') || args.is(i, 'STOREDIST'))) {
    query.storesDistance = args.is(i, 'STOREDIST')
    query.destination = i + 1
    return 2
  }
  if (form.from !== 'options') throw SYNTAX
  if (form.destination > 0 && args.is(i, 'STOREDIST')) {
    query.storesDistance = true
    return 1
  }
  const placed = query.fromMember || query.center !== undefined
  const shaped = query.radius !== undefined || query.box !== undefined
  if (!placed && left >= 1 && args.is(i, 'FROMMEMBER')) {
    query.fromMember = true
    if (ref !== 0) query.center = memberPoint(args, i + 1, arena, ref)
    return 2
  }
  if (!placed && left >= 2 && args.is(i, 'FROMLONLAT')) {
    query.center = parsePoint(args, i + 1)
    return 3
  }
  if (!shaped && left >= 2 && args.is(i, 'BYRADIUS')) {
    query.radius = parseRadius(args, i + 1)
    return 3
  }
  if (!shaped && left >= 3 && args.is(i, 'BYBOX')) {
    query.box = parseBox(args, i + 1)
    return 4
  }
  throw SYNTAX
}

function check(args: Args, form: Form, query: Query): void {
  const extras = query.withDistance || query.withHash || query.withCoordinates
  if (query.destination > 0 && extras) {
    const what = form.destination > 0 ? 'GEOSEARCHSTORE' : 'STORE option in GEORADIUS'
    throw new CommandError(
      `ERR ${what} is not compatible with WITHDIST, WITHHASH and WITHCOORD options`,
    )
  }
  if (form.from === 'options') {
    const name = args.shown(0)
    if (!query.fromMember && query.center === undefined) {
      throw new CommandError(
        `ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for ${name}`,
      )
    }
    if (query.radius === undefined && query.box === undefined) {
      throw new CommandError(`ERR exactly one of BYRADIUS and BYBOX can be specified for ${name}`)
    }
  }
  if (query.any && query.count === 0) throw ANY_WITHOUT_COUNT
}

const UNITS = '<unit: M | KM | FT | MI>'
const OPTIONS =
  '[WITHCOORD] [WITHDIST] [WITHHASH] [count: COUNT count [ANY]@6.2.0] [order: ASC | DESC]'
const LATE_ANY = '[WITHCOORD] [WITHDIST] [WITHHASH] [count: COUNT count [ANY]] [order: ASC | DESC]'
const STORING = '[STORE key] [STOREDIST key]'
const BY =
  '<from: FROMMEMBER member | FROMLONLAT longitude latitude> ' +
  `<by: <circle: BYRADIUS radius ${UNITS}> | <box: BYBOX width height ${UNITS}>> ` +
  '[order: ASC | DESC] [count: COUNT count [ANY]]'
const COMPLEXITY =
  'O(N+log(M)) where N is the number of members in the cells that the shape touches and M the number of those within it'

type Own = 'name' | 'usage' | 'summary' | 'since'

function searching(
  own: Pick<CommandDefinition, Own>,
  form: Form,
  more: Partial<CommandDefinition>,
): CommandDefinition {
  return command({
    complexity: COMPLEXITY,
    flags: form.mayStore || form.destination > 0 ? ['write', 'denyoom'] : ['readonly'],
    access: 'ro access',
    reply: 'any',
    run: (call) => search(call, form),
    ...own,
    ...more,
  })
}

const ANY_CAME = ['6.2.0', 'ANY came.'] as const
const UNITS_CAME = ['7.0.0', 'Units may be in capitals.'] as const
const STORE_ACCESS = { access: ['ro access', 'ow update', 'ow update'] } as const
const POINT: Form = {
  keyIndex: 1,
  optionIndex: 6,
  from: 'point',
  mayStore: false,
  destination: 0,
}
const MEMBER: Form = { ...POINT, optionIndex: 5, from: 'member' }
const SEARCH: Form = { ...POINT, optionIndex: 2, from: 'options' }

export const georadiusCommand = searching(
  {
    name: 'GEORADIUS',
    usage: `key longitude latitude radius ${UNITS} ${OPTIONS} ${STORING}`,
    summary: 'Gives the members within a circle around a position, or stores them.',
    since: '3.2.0',
  },
  { ...POINT, mayStore: true },
  {
    ...STORE_ACCESS,
    history: [ANY_CAME, UNITS_CAME],
    deprecated: {
      since: '6.2.0',
      replacedBy: '`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` argument',
    },
  },
)

export const georadiusRoCommand = searching(
  {
    name: 'GEORADIUS_RO',
    usage: `key longitude latitude radius ${UNITS} ${OPTIONS}`,
    summary: 'Gives the members within a circle around a position.',
    since: '3.2.10',
  },
  POINT,
  {
    history: [ANY_CAME],
    deprecated: { since: '6.2.0', replacedBy: '`GEOSEARCH` with the `BYRADIUS` argument' },
  },
)

export const georadiusbymemberCommand = searching(
  {
    name: 'GEORADIUSBYMEMBER',
    usage: `key member radius ${UNITS} ${LATE_ANY} ${STORING}`,
    summary: 'Gives the members within a circle around a member, or stores them.',
    since: '3.2.0',
  },
  { ...MEMBER, mayStore: true },
  {
    ...STORE_ACCESS,
    history: [UNITS_CAME],
    deprecated: {
      since: '6.2.0',
      replacedBy: '`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` and `FROMMEMBER` arguments',
    },
  },
)

export const georadiusbymemberRoCommand = searching(
  {
    name: 'GEORADIUSBYMEMBER_RO',
    usage: `key member radius ${UNITS} ${LATE_ANY}`,
    summary: 'Gives the members within a circle around a member.',
    since: '3.2.10',
  },
  MEMBER,
  {
    deprecated: {
      since: '6.2.0',
      replacedBy: '`GEOSEARCH` with the `BYRADIUS` and `FROMMEMBER` arguments',
    },
  },
)

export const geosearchCommand = searching(
  {
    name: 'GEOSEARCH',
    usage: `key ${BY} [WITHCOORD] [WITHDIST] [WITHHASH]`,
    summary: 'Gives the members within a circle or a box.',
    since: '6.2.0',
  },
  SEARCH,
  { history: [UNITS_CAME] },
)

export const geosearchstoreCommand = searching(
  {
    name: 'GEOSEARCHSTORE',
    usage: `destination source ${BY} [STOREDIST]`,
    summary: 'Stores the members within a circle or a box.',
    since: '6.2.0',
  },
  { ...SEARCH, keyIndex: 2, optionIndex: 3, destination: 1 },
  { access: ['ow update', 'ro access'], history: [UNITS_CAME] },
)
