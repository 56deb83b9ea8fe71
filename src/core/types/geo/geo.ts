/**
 * GEOADD, GEOPOS, GEODIST, GEOHASH: positions as scores of a sorted set.
 *
 * Thread: core.
 * Owns: how positions and distances are written.
 * Never: keeps anything of its own: a geo key is a sorted set.
 */
import {
  GEO_STEP_MAX,
  type GeoPoint,
  geoDistance,
  geoEncode,
  geoPoint,
  geoText,
} from '../../../lib/geohash.ts'
import { command } from '../../command/command.ts'
import type { Call } from '../../engine/call.ts'
import { SYNTAX } from '../../engine/errors.ts'
import type { Reply } from '../../engine/reply.ts'
import { TYPE_SORTED_SET } from '../../keyspace/entry.ts'
import { addPositions, memberScore } from './members.ts'
import { parsePoint, parseUnit } from './parse.ts'

/** Digits behind the point of a coordinate, before zeros at the end are left out. */
const COORDINATE_DIGITS = 17

/** Longitude and latitude, as clients get them. */
export function coordinates(reply: Reply, { longitude, latitude }: GeoPoint): void {
  reply.array(2)
  coordinate(reply, longitude)
  coordinate(reply, latitude)
}

function coordinate(reply: Reply, degrees: number): void {
  const text = degrees.toFixed(COORDINATE_DIGITS).replace(/\.?0+$/, '')
  if (reply.protocol === 3) reply.raw(`,${text}\r\n`)
  else reply.bulkText(text)
}

export const geoaddCommand = command({
  name: 'GEOADD',
  usage:
    'key [condition: NX | XX]@6.2.0 [change:CH]@6.2.0 longitude latitude member ' +
    '[longitude latitude member ...]',
  summary: 'Adds members with their positions.',
  since: '3.2.0',
  complexity: 'O(log(N)) for each member, where N is the number of members of the sorted set',
  flags: ['write', 'denyoom'],
  access: 'rw update',
  history: [['6.2.0', 'CH, NX and XX came.']],
  reply: 'integer',

  run(call) {
    const { args } = call
    const options = { nx: false, xx: false, ch: false }
    let first = 2
    for (; first < args.count; first++) {
      if (args.is(first, 'NX')) options.nx = true
      else if (args.is(first, 'XX')) options.xx = true
      else if (args.is(first, 'CH')) options.ch = true
      else break
    }
    const words = args.count - first
    if (words === 0 || words % 3 !== 0 || (options.nx && options.xx)) throw SYNTAX
    const scores: number[] = []
    for (let i = first; i < args.count; i += 3) {
      const { longitude, latitude } = parsePoint(args, i)
      scores.push(geoEncode(longitude, latitude, GEO_STEP_MAX))
    }
    addPositions(call, first, scores, options)
  },
})

export const geoposCommand = command({
  name: 'GEOPOS',
  usage: 'key member [member ...]',
  summary: 'Gives the positions of members.',
  since: '3.2.0',
  complexity: 'O(1) for each member',
  flags: ['readonly'],
  access: 'ro access',
  arity: -2,
  reply: 'array',

  run(call) {
    eachMember(call, (score) => {
      if (Number.isNaN(score)) call.reply.nilArray()
      else coordinates(call.reply, geoPoint(score))
    })
  },
})

export const geohashCommand = command({
  name: 'GEOHASH',
  usage: 'key member [member ...]',
  summary: 'Gives the positions of members as geohash texts.',
  since: '3.2.0',
  complexity: 'O(1) for each member',
  flags: ['readonly'],
  access: 'ro access',
  arity: -2,
  reply: 'array',

  run(call) {
    eachMember(call, (score) => {
      if (Number.isNaN(score)) call.reply.nil()
      else call.reply.bulkText(geoText(geoPoint(score)))
    })
  },
})

export const geodistCommand = command({
  name: 'GEODIST',
  usage: 'key member1 member2 [unit: M | KM | FT | MI]',
  summary: 'Gives the distance between two members.',
  since: '3.2.0',
  complexity: 'O(1)',
  flags: ['readonly'],
  access: 'ro access',
  reply: 'bulk | nil',

  run(call) {
    const { args, db, reply } = call
    let unit = 1
    if (args.count === 5) unit = parseUnit(args, 4)
    else if (args.count > 5) throw SYNTAX
    const ref = db.readTyped(args, 1, TYPE_SORTED_SET)
    if (ref === 0) return reply.nil()
    const first = memberScore(args, 2, db.arena, ref)
    const second = memberScore(args, 3, db.arena, ref)
    if (Number.isNaN(first) || Number.isNaN(second)) return reply.nil()
    const meters = geoDistance(geoPoint(first), geoPoint(second))
    reply.bulkText((meters / unit).toFixed(4))
  },
})

/** Gives the score of every member that is asked for, NaN for one that is not there. */
function eachMember(call: Call, answer: (score: number) => void): void {
  const { args, db, reply } = call
  const ref = db.readTyped(args, 1, TYPE_SORTED_SET)
  const { arena } = db
  reply.array(args.count - 2)
  for (let i = 2; i < args.count; i++) {
    answer(ref === 0 ? Number.NaN : memberScore(args, i, arena, ref))
  }
}
