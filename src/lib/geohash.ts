/**
 * Positions on earth as 52-bit numbers, and distances between them.
 *
 * A position is a cell of a grid: 2^step cells along each axis, their numbers interleaved bit by bit,
 * longitude in the odd bits. Cells that share leading bits lie near each other, so the cells of a
 * coarser grid are ranges of numbers of a finer one.
 *
 * The grid's latitudes end where those of the Web Mercator projection do (EPSG:3857); the earth is a
 * sphere of the mean radius that Redis takes. Distances are by the haversine formula (R. W. Sinnott,
 * "Virtues of the Haversine", 1984).
 *
 * Thread: any.
 * Owns: nothing.
 * Never: makes a number beyond 2^52.
 *
 * @see https://redis.io/docs/latest/commands/geoadd/
 */

export const LONGITUDE_MAX = 180
export const LATITUDE_MAX = 85.05112878
/** Bits of each axis at the finest grid. */
export const GEO_STEP_MAX = 26
const EARTH_RADIUS_METERS = 6372797.560856
/** Half the length of the equator in the projection, in meters. */
const MERCATOR_MAX = 20037726.37
const TEXT_ALPHABET = '0123456789bcdefghjkmnpqrstuvwxyz'
const TEXT_LENGTH = 11
const TEXT_BITS = 5
/** The latitudes of a grid that texts are written by. */
const TEXT_LATITUDE_MAX = 90

/** A cell of a grid: `bits` is its number, below 4^`step`. */
export interface GeoCell {
  readonly bits: number
  readonly step: number
}

/** The edges of a cell, in degrees. */
export interface GeoArea {
  readonly longitudeMin: number
  readonly longitudeMax: number
  readonly latitudeMin: number
  readonly latitudeMax: number
}

export interface GeoPoint {
  readonly longitude: number
  readonly latitude: number
}

/** The cell that a position lies in. The position is within the limits of the grid. */
export function geoEncode(
  longitude: number,
  latitude: number,
  step: number,
  latitudeMax = LATITUDE_MAX,
): number {
  const cells = 2 ** step
  const x = Math.floor(((longitude + LONGITUDE_MAX) / (2 * LONGITUDE_MAX)) * cells)
  const y = Math.floor(((latitude + latitudeMax) / (2 * latitudeMax)) * cells)
  return interleave(x, y)
}

/** The edges of a cell. */
export function geoDecode({ bits, step }: GeoCell): GeoArea {
  const cells = 2 ** step
  const x = squeeze(Math.floor(bits / 2))
  const y = squeeze(bits)
  return {
    longitudeMin: -LONGITUDE_MAX + (x / cells) * (2 * LONGITUDE_MAX),
    longitudeMax: -LONGITUDE_MAX + ((x + 1) / cells) * (2 * LONGITUDE_MAX),
    latitudeMin: -LATITUDE_MAX + (y / cells) * (2 * LATITUDE_MAX),
    latitudeMax: -LATITUDE_MAX + ((y + 1) / cells) * (2 * LATITUDE_MAX),
  }
}

/** The middle of a cell of the finest grid. */
export function geoPoint(bits: number): GeoPoint {
  const area = geoDecode({ bits, step: GEO_STEP_MAX })
  return {
    longitude: clamp((area.longitudeMin + area.longitudeMax) / 2, LONGITUDE_MAX),
    latitude: clamp((area.latitudeMin + area.latitudeMax) / 2, LATITUDE_MAX),
  }
}

/** The cell so many columns to the east and rows to the north, around the world. */
export function geoNeighbor({ bits, step }: GeoCell, east: number, north: number): GeoCell {
  const cells = 2 ** step
  const x = (squeeze(Math.floor(bits / 2)) + east + cells) % cells
  const y = (squeeze(bits) + north + cells) % cells
  return { bits: interleave(x, y), step }
}

/**
 * The text by which a position is known elsewhere (geohash.org): 11 letters.
 * QUIRK: 52 bits fill ten letters and two bits; the last letter is always '0'. GEOHASH shows it.
 */
export function geoText({ longitude, latitude }: GeoPoint): string {
  const bits = geoEncode(longitude, latitude, GEO_STEP_MAX, TEXT_LATITUDE_MAX)
  let text = ''
  for (let i = 1; i < TEXT_LENGTH; i++) {
    const shifted = Math.floor(bits / 2 ** (2 * GEO_STEP_MAX - i * TEXT_BITS))
    text += TEXT_ALPHABET[shifted % 2 ** TEXT_BITS]
  }
  return `${text}${TEXT_ALPHABET[0]}`
}

/** Meters along the surface. */
export function geoDistance(a: GeoPoint, b: GeoPoint): number {
  const latitudeA = radians(a.latitude)
  const latitudeB = radians(b.latitude)
  const v = Math.sin((radians(b.longitude) - radians(a.longitude)) / 2)
  // On one meridian the formula is the difference of latitudes.
  if (v === 0) return EARTH_RADIUS_METERS * Math.abs(latitudeB - latitudeA)
  const u = Math.sin((latitudeB - latitudeA) / 2)
  const square = u * u + Math.cos(latitudeA) * Math.cos(latitudeB) * v * v
  return 2 * EARTH_RADIUS_METERS * Math.asin(Math.sqrt(square))
}

/** Degrees of latitude that so many meters are. */
export function latitudeDegrees(meters: number): number {
  return degrees(meters / EARTH_RADIUS_METERS)
}

/** Degrees of longitude that so many meters are at a latitude. */
export function longitudeDegrees(meters: number, latitude: number): number {
  return degrees(meters / EARTH_RADIUS_METERS / Math.cos(radians(latitude)))
}

/** The finest grid whose cells, with their eight neighbours, cover a circle at a latitude. */
export function stepForRadius(radiusMeters: number, latitude: number): number {
  if (radiusMeters === 0) return GEO_STEP_MAX
  let step = 1
  for (let range = radiusMeters; range < MERCATOR_MAX; range *= 2) step++
  step -= 2
  // Cells are narrower towards the poles.
  if (Math.abs(latitude) > 66) step--
  if (Math.abs(latitude) > 80) step--
  return Math.min(Math.max(step, 1), GEO_STEP_MAX)
}

/** `x` in the odd bits, `y` in the even ones; each below 2^26. */
function interleave(x: number, y: number): number {
  const low = spread(y & 0x1fff) | (spread(x & 0x1fff) << 1)
  const high = spread(y >>> 13) | (spread(x >>> 13) << 1)
  return high * 2 ** 26 + low
}

/** The even bits of a number below 2^52, side by side. */
function squeeze(bits: number): number {
  return (gather(Math.floor(bits / 2 ** 26)) << 13) | gather(bits % 2 ** 26)
}

/** Puts a zero between the bits of a number below 2^13. */
function spread(value: number): number {
  let bits = (value | (value << 8)) & 0x00ff00ff
  bits = (bits | (bits << 4)) & 0x0f0f0f0f
  bits = (bits | (bits << 2)) & 0x33333333
  return (bits | (bits << 1)) & 0x55555555
}

/** Takes every other bit of a number below 2^26. */
function gather(value: number): number {
  let bits = value & 0x55555555
  bits = (bits | (bits >>> 1)) & 0x33333333
  bits = (bits | (bits >>> 2)) & 0x0f0f0f0f
  bits = (bits | (bits >>> 4)) & 0x00ff00ff
  return (bits | (bits >>> 8)) & 0x0000ffff
}

function radians(value: number): number {
  return value * (Math.PI / 180)
}

function degrees(value: number): number {
  return value / (Math.PI / 180)
}

function clamp(value: number, limit: number): number {
  return Math.min(Math.max(value, -limit), limit)
}
