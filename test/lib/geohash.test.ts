/**
 * Positions as numbers.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: asks a server: test/commands/geo.test.ts does.
 */
import { describe, expect, test } from 'bun:test'
import {
  GEO_STEP_MAX,
  geoDecode,
  geoDistance,
  geoEncode,
  geoNeighbor,
  geoPoint,
  geoText,
  LATITUDE_MAX,
  LONGITUDE_MAX,
  stepForRadius,
} from '../../src/lib/geohash.ts'
import { Random } from '../../src/lib/random.ts'

const PALERMO = { longitude: 13.361389, latitude: 38.115556 }

function somewhere(random: Random): { longitude: number; latitude: number } {
  return {
    longitude: (random.below(2_000_001) / 1e6 - 1) * LONGITUDE_MAX,
    latitude: (random.below(2_000_001) / 1e6 - 1) * LATITUDE_MAX,
  }
}

describe('geohash', () => {
  test('is the number that Redis stores', () => {
    const bits = geoEncode(PALERMO.longitude, PALERMO.latitude, GEO_STEP_MAX)
    expect(bits).toBe(3479099956230698)
    expect(geoPoint(bits).longitude.toFixed(17)).toBe('13.36138933897018433')
    expect(geoPoint(bits).latitude.toFixed(17)).toBe('38.11555639549629859')
    expect(geoText(geoPoint(bits))).toBe('sqc8b49rny0')
  })

  test('lies in its own cell, at every step', () => {
    const random = new Random(1)
    for (let i = 0; i < 2000; i++) {
      const { longitude, latitude } = somewhere(random)
      const step = 1 + random.below(GEO_STEP_MAX)
      const area = geoDecode({ bits: geoEncode(longitude, latitude, step), step })
      // The last cell has its outer edge, which positions may lie on.
      if (longitude < LONGITUDE_MAX) {
        expect(area.longitudeMin).toBeLessThanOrEqual(longitude)
        expect(area.longitudeMax).toBeGreaterThan(longitude)
      }
      if (latitude < LATITUDE_MAX) {
        expect(area.latitudeMin).toBeLessThanOrEqual(latitude)
        expect(area.latitudeMax).toBeGreaterThan(latitude)
      }
    }
  })

  test('has neighbours that share an edge, around the world', () => {
    const random = new Random(2)
    for (let i = 0; i < 500; i++) {
      const { longitude, latitude } = somewhere(random)
      const step = 2 + random.below(GEO_STEP_MAX - 1)
      const cell = { bits: geoEncode(longitude * 0.9, latitude * 0.9, step), step }
      const area = geoDecode(cell)
      const east = geoDecode(geoNeighbor(cell, 1, 0))
      if (area.longitudeMax < LONGITUDE_MAX) expect(east.longitudeMin).toBe(area.longitudeMax)
      else expect(east.longitudeMin).toBe(-LONGITUDE_MAX)
      expect(geoNeighbor(geoNeighbor(cell, 1, 1), -1, -1)).toEqual(cell)
    }
  })

  test('is as far from one side as from the other', () => {
    const random = new Random(3)
    for (let i = 0; i < 500; i++) {
      const a = somewhere(random)
      const b = somewhere(random)
      expect(geoDistance(a, b)).toBeCloseTo(geoDistance(b, a), 6)
      expect(geoDistance(a, a)).toBe(0)
    }
  })

  test('takes coarser grids for larger circles and towards the poles', () => {
    expect(stepForRadius(0, 0)).toBe(26)
    expect(stepForRadius(1e9, 0)).toBe(1)
    expect(stepForRadius(1000, 0)).toBeGreaterThan(stepForRadius(10_000, 0))
    expect(stepForRadius(1000, 70)).toBe(stepForRadius(1000, 0) - 1)
    expect(stepForRadius(1000, -81)).toBe(stepForRadius(1000, 0) - 2)
  })
})
