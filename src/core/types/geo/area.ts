/**
 * Which cells of the grid have to be looked through for a circle or a box, and what lies within it.
 *
 * Thread: core.
 * Owns: the order of the cells: unsorted answers come in it, as Redis's do.
 * Never: leaves a cell out that may hold a match.
 */
import {
  GEO_STEP_MAX,
  type GeoCell,
  type GeoPoint,
  geoDecode,
  geoDistance,
  geoEncode,
  geoNeighbor,
  latitudeDegrees,
  longitudeDegrees,
  stepForRadius,
} from '../../../lib/geohash.ts'

/** A circle, or a box when `widthMeters` is not negative. */
export interface Shape {
  readonly center: GeoPoint
  /** Of the circle, or of the one around the box. */
  readonly radiusMeters: number
  readonly widthMeters: number
  readonly heightMeters: number
}

export const NO_BOX = -1

/** A range of 52-bit numbers: from `min` up to, but not including, `end`. */
export interface CellRange {
  readonly min: number
  readonly end: number
}

export function circle(center: GeoPoint, radiusMeters: number): Shape {
  return { center, radiusMeters, widthMeters: NO_BOX, heightMeters: NO_BOX }
}

export function box(center: GeoPoint, widthMeters: number, heightMeters: number): Shape {
  const radiusMeters = Math.sqrt((widthMeters / 2) ** 2 + (heightMeters / 2) ** 2)
  return { center, radiusMeters, widthMeters, heightMeters }
}

/** Meters from the shape's center, -1 when the point is not within it. */
export function distanceWithin(shape: Shape, point: GeoPoint): number {
  const { center, widthMeters, heightMeters } = shape
  if (widthMeters !== NO_BOX) {
    const alongMeridian = { longitude: point.longitude, latitude: center.latitude }
    if (geoDistance(point, alongMeridian) > heightMeters / 2) return -1
    const alongParallel = { longitude: center.longitude, latitude: point.latitude }
    if (geoDistance(point, alongParallel) > widthMeters / 2) return -1
    return geoDistance(center, point)
  }
  const meters = geoDistance(center, point)
  return meters > shape.radiusMeters ? -1 : meters
}

/** East and north of the cells around one, in the order in which they are looked through. */
const AROUND = [
  [0, 0],
  [0, 1],
  [0, -1],
  [1, 0],
  [-1, 0],
  [1, 1],
  [-1, 1],
  [1, -1],
  [-1, -1],
] as const

/** The ranges to look through, in order, none twice. */
export function cellRanges(shape: Shape): CellRange[] {
  const step = gridStep(shape)
  const cell = cellOf(shape.center, step)
  const bounds = boundsOf(shape)
  const area = geoDecode(cell)
  const skipped = {
    // A coarse cell has neighbours on its other side of the world.
    south: step >= 2 && area.latitudeMin < bounds.latitudeMin,
    north: step >= 2 && area.latitudeMax > bounds.latitudeMax,
    west: step >= 2 && area.longitudeMin < bounds.longitudeMin,
    east: step >= 2 && area.longitudeMax > bounds.longitudeMax,
  }
  const ranges: CellRange[] = []
  let last = -1
  for (const [east, north] of AROUND) {
    if ((north > 0 && skipped.north) || (north < 0 && skipped.south)) continue
    if ((east > 0 && skipped.east) || (east < 0 && skipped.west)) continue
    const { bits } = geoNeighbor(cell, east, north)
    // With huge shapes neighbours are one and the same cell.
    if (bits === last) continue
    last = bits
    const scale = 4 ** (GEO_STEP_MAX - step)
    ranges.push({ min: bits * scale, end: (bits + 1) * scale })
  }
  return ranges
}

/**
 * The grid whose cells around the center cover the shape.
 * QUIRK: at the edge of the world a neighbour lies on its other side and seems to cover nothing, so a
 * coarser grid is taken: the order of unsorted answers shows it.
 */
function gridStep(shape: Shape): number {
  const { center, radiusMeters } = shape
  const step = stepForRadius(radiusMeters, center.latitude)
  if (step === 1) return step
  const cell = cellOf(center, step)
  const bounds = boundsOf(shape)
  const covers =
    geoDecode(geoNeighbor(cell, 0, 1)).latitudeMax >= bounds.latitudeMax &&
    geoDecode(geoNeighbor(cell, 0, -1)).latitudeMin <= bounds.latitudeMin &&
    geoDecode(geoNeighbor(cell, 1, 0)).longitudeMax >= bounds.longitudeMax &&
    geoDecode(geoNeighbor(cell, -1, 0)).longitudeMin <= bounds.longitudeMin
  return covers ? step : step - 1
}

function cellOf({ longitude, latitude }: GeoPoint, step: number): GeoCell {
  return { bits: geoEncode(longitude, latitude, step), step }
}

function boundsOf({ center, radiusMeters, widthMeters, heightMeters }: Shape) {
  const { longitude, latitude } = center
  const isBox = widthMeters !== NO_BOX
  const latitudeDelta = latitudeDegrees(isBox ? heightMeters / 2 : radiusMeters)
  const towardsPole = latitude < 0 ? latitude - latitudeDelta : latitude + latitudeDelta
  const longitudeDelta = longitudeDegrees(isBox ? widthMeters / 2 : radiusMeters, towardsPole)
  return {
    longitudeMin: longitude - longitudeDelta,
    longitudeMax: longitude + longitudeDelta,
    latitudeMin: latitude - latitudeDelta,
    latitudeMax: latitude + latitudeDelta,
  }
}
