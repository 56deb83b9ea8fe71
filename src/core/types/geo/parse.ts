/**
 * The arguments that geo commands share: positions, units, and what a search is about.
 *
 * Thread: core.
 * Owns: their error texts.
 * Never: looks at a key.
 */
import { parseDouble } from '../../../lib/bytes/double.ts'
import { type GeoPoint, LATITUDE_MAX, LONGITUDE_MAX } from '../../../lib/geohash.ts'
import type { Args } from '../../engine/args.ts'
import { CommandError, NOT_A_FLOAT } from '../../engine/errors.ts'

const BAD_UNIT = new CommandError('ERR unsupported unit provided. please use M, KM, FT, MI')
const BAD_RADIUS = new CommandError('ERR need numeric radius')
const NEGATIVE_RADIUS = new CommandError('ERR radius cannot be negative')
const BAD_WIDTH = new CommandError('ERR need numeric width')
const BAD_HEIGHT = new CommandError('ERR need numeric height')
const NEGATIVE_BOX = new CommandError('ERR height or width cannot be negative')

/** Meters in a unit. Throws: CommandError. */
export function parseUnit(args: Args, index: number): number {
  if (args.is(index, 'M')) return 1
  if (args.is(index, 'KM')) return 1000
  if (args.is(index, 'FT')) return 0.3048
  if (args.is(index, 'MI')) return 1609.34
  throw BAD_UNIT
}

/** A longitude and the latitude after it. Throws: CommandError. */
export function parsePoint(args: Args, index: number): GeoPoint {
  const longitude = number(args, index, NOT_A_FLOAT)
  const latitude = number(args, index + 1, NOT_A_FLOAT)
  if (Math.abs(longitude) <= LONGITUDE_MAX && Math.abs(latitude) <= LATITUDE_MAX) {
    return { longitude, latitude }
  }
  const shown = `${shownDegrees(longitude)},${shownDegrees(latitude)}`
  throw new CommandError(`ERR invalid longitude,latitude pair ${shown}`)
}

/** A radius and the unit after it. */
export interface Radius {
  readonly radius: number
  /** Meters in the unit. */
  readonly unit: number
}

export function parseRadius(args: Args, index: number): Radius {
  const radius = number(args, index, BAD_RADIUS)
  if (radius < 0) throw NEGATIVE_RADIUS
  return { radius, unit: parseUnit(args, index + 1) }
}

/** Width, height, unit. */
export interface BoxSize {
  readonly width: number
  readonly height: number
  readonly unit: number
}

export function parseBox(args: Args, index: number): BoxSize {
  const width = number(args, index, BAD_WIDTH)
  const height = number(args, index + 1, BAD_HEIGHT)
  if (width < 0 || height < 0) throw NEGATIVE_BOX
  return { width, height, unit: parseUnit(args, index + 2) }
}

function shownDegrees(value: number): string {
  if (!Number.isFinite(value)) return value < 0 ? '-inf' : 'inf'
  if (Object.is(value, -0)) return '-0.000000'
  // Beyond this `toFixed` writes an exponent.
  return Math.abs(value) < 1e21 ? value.toFixed(6) : `${BigInt(value)}.000000`
}

function number(args: Args, index: number, error: CommandError): number {
  const at = args.offsets[index]
  const value = parseDouble(args.bytes, at, at + args.lengths[index])
  if (Number.isNaN(value)) throw error
  return value
}
