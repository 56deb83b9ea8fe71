/**
 * Geo commands.
 *
 * Thread: any.
 * Owns: rows.
 * Never: compares what Redis leaves open: the order of equal distances.
 */
import { describe } from 'bun:test'
import { Random } from '../../src/lib/random.ts'
import { save, suite } from '../support/check.ts'

const SICILY = 'GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania'
const UNIT = '-ERR unsupported unit provided. please use M, KM, FT, MI'

describe('GEOADD', () => {
  suite('adds positions as scores', (check) => {
    check(SICILY, ':2')
    check('ZSCORE g Palermo', '$3479099956230698')
    check('ZSCORE g Catania', '$3479447370796909')
    check('TYPE g', '+zset')
    check('GEOADD g CH NX 1 1 q 13.361389 38.2 Palermo', ':1')
    check('GEOADD g XX CH 1 1 r 13.361389 38.2 Palermo', ':1')
    check('GEOADD g xx 1 2 q', ':0')
    check('ZCARD g', ':3')
  })

  suite('takes positions on the edge', (check) => {
    for (const position of ['180 85.05112878', '-180 -85.05112878', '0 0', '180 0', '-180 0']) {
      check(`GEOADD g ${position} a`, (text) => text.startsWith(':'))
      check(
        'GEOPOS g a',
        save('position', () => true),
      )
      check(
        'ZSCORE g a',
        save('score', () => true),
      )
    }
  })

  suite('refuses what is no position', (check) => {
    for (const bad of ['181 1', '1 86', '-180.1 0', 'inf 1', '1e17 1', '1e308 1']) {
      check(`GEOADD g ${bad} a`, /^-ERR invalid longitude,latitude pair /)
    }
    check('GEOADD g 181 1 a', '-ERR invalid longitude,latitude pair 181.000000,1.000000')
    check('GEOADD g 200 -0 a', '-ERR invalid longitude,latitude pair 200.000000,-0.000000')
    check('GEOADD g inf 1 a', '-ERR invalid longitude,latitude pair inf,1.000000')
    check('GEOADD g x 1 a', '-ERR value is not a valid float')
    check('GEOADD g nan 1 a', '-ERR value is not a valid float')
    check('GEOADD g nx xx 1 1 a', '-ERR syntax error')
    check('GEOADD g 1 1 a 2', '-ERR syntax error')
    check('GEOADD g FOO 1 1 q', '-ERR syntax error')
    check('GEOADD g NX 1 1', '-ERR syntax error')
    check('GEOADD g 1 1', "-ERR wrong number of arguments for 'geoadd' command")
    check('GEOADD g 1 1 a 200 1 b', /^-ERR invalid/)
    check('EXISTS g', ':0')
    check('SET s x', '+OK')
    check('GEOADD s 1 1 a', '-WRONGTYPE Operation against a key holding the wrong kind of value')
  })
})

describe('GEOPOS, GEOHASH, GEODIST', () => {
  suite('tell where members are', (check) => {
    check(SICILY, ':2')
    check('GEOPOS g Palermo z', '*2 *2 $13.36138933897018433 $38.11555639549629859 *nil')
    check('GEOPOS g', '*0')
    check('GEOPOS nokey a b', '*2 *nil *nil')
    check('GEOHASH g Palermo z Catania', '*3 $sqc8b49rny0 (nil) $sqdtr74hyu0')
    check('GEOHASH nokey a', '*1 (nil)')
    check('GEODIST g Palermo Catania', '$166274.1516')
    check('GEODIST g Palermo Catania km', '$166.2742')
    check('GEODIST g Palermo Catania MI', '$103.3182')
    check('GEODIST g Palermo Catania Ft', '$545518.8700')
    check('GEODIST g Palermo Palermo', '$0.0000')
    check('GEODIST g Palermo z', '(nil)')
    check('GEODIST nokey a b', '(nil)')
    check('GEODIST g Palermo Catania foo', UNIT)
    check('GEODIST g Palermo Catania m x', '-ERR syntax error')
    check('SET s x', '+OK')
    check('GEOPOS s a', '-WRONGTYPE Operation against a key holding the wrong kind of value')
  })

  suite('in RESP3', (check) => {
    check('HELLO 3', (text) => text.startsWith('%'))
    check(SICILY, ':2')
    check('GEOPOS g Palermo z', '*2 *2 ,13.36138933897018433 ,38.11555639549629859 _')
    check('GEODIST g Palermo Catania', '$166274.1516')
    check('GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 200 km ASC WITHDIST WITHCOORD', (text) =>
      text.startsWith('*2 *3 $Catania $56.4413 *2 ,15.08726745843887329'),
    )
  })
})

describe('GEOSEARCH and GEORADIUS', () => {
  suite('find what is near', (check) => {
    check(SICILY, ':2')
    check('GEORADIUS g 15 37 200 km', '*2 $Palermo $Catania')
    check('GEORADIUS g 15 37 200 km ASC', '*2 $Catania $Palermo')
    check('GEORADIUS g 15 37 200 km DESC COUNT 1', '*1 $Palermo')
    check('GEORADIUS g 15 37 200 km COUNT 1', '*1 $Catania')
    check('GEORADIUS g 15 37 200 km COUNT 1 ANY', '*1 $Palermo')
    check(
      'GEORADIUS g 15 37 200 km WITHDIST WITHCOORD WITHHASH ASC COUNT 1',
      '*1 *4 $Catania $56.4413 :3479447370796909 *2 $15.08726745843887329 $37.50266842333162032',
    )
    check('GEORADIUS_RO g 15 37 100 km', '*1 $Catania')
    check('GEORADIUSBYMEMBER g Palermo 200 km', '*2 $Palermo $Catania')
    check('GEORADIUSBYMEMBER_RO g Palermo 100 km', '*1 $Palermo')
    check('GEOSEARCH g FROMLONLAT 15 37 BYBOX 400 400 km ASC', '*2 $Catania $Palermo')
    check('GEOSEARCH g FROMMEMBER Palermo BYRADIUS 200 km DESC', '*2 $Catania $Palermo')
    check('GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 0 km', '*0')
    check('GEORADIUS g 1 1 inf km ASC', '*2 $Catania $Palermo')
    check('GEORADIUS nokey 15 37 200 km', '*0')
    check('GEORADIUSBYMEMBER nokey zz -200 xx', '*0')
  })

  suite('store what they find', (check) => {
    check(SICILY, ':2')
    check('GEORADIUS g 15 37 200 km STORE d', ':2')
    check('ZRANGE d 0 -1 WITHSCORES', '*4 $Palermo $3479099956230698 $Catania $3479447370796909')
    check('GEORADIUS g 15 37 200 km STORE d STOREDIST e', ':2')
    check(
      'ZRANGE e 0 -1 WITHSCORES',
      '*4 $Catania $56.441257870158204 $Palermo $190.44242984775784',
    )
    check('GEOSEARCHSTORE d g FROMLONLAT 15 37 BYBOX 400 400 km STOREDIST', ':2')
    check('ZRANGE d 0 -1', '*2 $Catania $Palermo')
    check('GEOSEARCHSTORE d g FROMLONLAT 15 37 BYBOX 400 400 km COUNT 1', ':1')
    check('GEOSEARCHSTORE g g FROMLONLAT 15 37 BYBOX 400 400 km', ':2')
    check('GEOSEARCHSTORE d g FROMLONLAT 0 0 BYRADIUS 1 m', ':0')
    check('EXISTS d', ':0')
    check('SET d x', '+OK')
    check('GEORADIUS nokey 15 37 200 km STORE d', ':0')
    check('EXISTS d', ':0')
  })

  suite('refuse what they do not understand', (check) => {
    check(SICILY, ':2')
    check('GEORADIUS g 15 37 -200 km', '-ERR radius cannot be negative')
    check('GEORADIUS g 15 37 x km', '-ERR need numeric radius')
    check('GEORADIUS g 15 37 200 foo', UNIT)
    check('GEORADIUS g 15 91 200 km', /^-ERR invalid longitude,latitude pair 15.000000,91.000000/)
    check('GEORADIUS g 15 37 200 km STORE', '-ERR syntax error')
    check('GEORADIUS_RO g 15 37 200 km STORE d', '-ERR syntax error')
    check(
      'GEORADIUS g 15 37 200 km STORE d WITHDIST',
      '-ERR STORE option in GEORADIUS is not compatible with WITHDIST, WITHHASH and WITHCOORD options',
    )
    check('GEORADIUSBYMEMBER g zz 200 km', '-ERR could not decode requested zset member')
    check('GEOSEARCH g FROMMEMBER zz BYRADIUS 1 km', '-ERR could not decode requested zset member')
    check('GEOSEARCH g FROMLONLAT 15 37 BYBOX 400 400 km ANY', /the ANY argument requires COUNT/)
    check('GEOSEARCH g FROMLONLAT 15 37 BYBOX 4 -4 km', '-ERR height or width cannot be negative')
    check('GEOSEARCH g FROMLONLAT 15 37 BYBOX x 400 km', '-ERR need numeric width')
    check('GEOSEARCH g FROMLONLAT 15 37 BYBOX 1 x km', '-ERR need numeric height')
    check('GEOSEARCH g FROMLONLAT 15 37 BYBOX 4 4 km COUNT 0', '-ERR COUNT must be > 0')
    check('GEOSEARCH g FROMLONLAT 15 37 BYBOX 4 4 km STORE d', '-ERR syntax error')
    check('GEOSEARCH g FROMLONLAT 15 37 BYBOX 4 4 km STOREDIST', '-ERR syntax error')
    check('GEOSEARCH g FROMLONLAT 15 37 FROMMEMBER a BYRADIUS 1 km', '-ERR syntax error')
    check('GEOSEARCH g BYRADIUS 1 km BYBOX 1 1 km', '-ERR syntax error')
    check(
      'GEOSEARCH g BYRADIUS 1 km ASC ASC ASC',
      '-ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for GEOSEARCH',
    )
    check(
      'GEOSEARCH g FROMLONLAT 1 1 ASC ASC ASC',
      '-ERR exactly one of BYRADIUS and BYBOX can be specified for GEOSEARCH',
    )
    check(
      'GEOSEARCHSTORE d g FROMLONLAT 15 37 BYBOX 400 400 km WITHDIST',
      '-ERR GEOSEARCHSTORE is not compatible with WITHDIST, WITHHASH and WITHCOORD options',
    )
    check('SET s x', '+OK')
    check(
      'GEORADIUS s x y z w',
      '-WRONGTYPE Operation against a key holding the wrong kind of value',
    )
  })

  suite('look through the same cells in the same order', (check) => {
    const random = new Random(7)
    const degree = (limit: number) => ((random.below(2001) / 1000 - 1) * limit).toFixed(6)
    for (let i = 0; i < 300; i++) {
      check(`GEOADD g ${degree(180)} ${degree(85)} m${i}`, ':1')
    }
    // A pattern that always holds: what all targets answer has to be the same.
    for (let i = 0; i < 150; i++) {
      const size = 10 ** (2 + random.below(6))
      const by = random.below(2) === 0 ? `BYRADIUS ${size}` : `BYBOX ${size} ${size / 2}`
      const name = `r${i}`
      const from = `FROMLONLAT ${degree(180)} ${degree(85)}`
      check(
        `GEOSEARCH g ${from} ${by} m WITHDIST`,
        save(name, () => true),
      )
    }
  })
})
