/**
 * Commands whose usage line says too little for random arguments to get far: most of their calls
 * come from here.
 *
 * Thread: any.
 * Owns: one generator a command.
 * Never: knows how a server answers.
 */
import type { Dice } from './dice.ts'
import { oldPayloads } from './payloads.ts'
import { STREAM_TUNED } from './streams.ts'

/** Gives the arguments after the name. `key`: a key that has the right type as a rule. */
export type Tuned = (dice: Dice, key: () => string) => string[]

const far = (dice: Dice) => String(100_000 + dice.below(900_000))
const small = (dice: Dice) => dice.word('0 1 2 3 4 5 7 8 9 10 -1 -2 -3 -10 100 -100')
const value = (dice: Dice) =>
  dice.word('a b abc 0 1 -1 10 3.5 12345678901 9223372036854775807 foobar')
const offset = (dice: Dice) => dice.word('0 1 2 3 7 8 9 15 16 31 32 63 64 100 1000 4294967296 -1 a')
const type = (dice: Dice) =>
  dice.word('u1 u2 u3 u8 u16 u32 u63 u64 i1 i5 i8 i16 i32 i63 i64 i65 u0 x8 i')
const score = (dice: Dice) => dice.word('0 1 2 3 -1 1.5 -1.5 inf -inf 1e10 0.1 nan')
const bound = (dice: Dice) => dice.word('0 1 2 3 (1 (2 -inf +inf inf (0.5 -1')
const drawn = (dice: Dice) => dice.word('0 1 2 5 100 -1 -5 -9223372036854775808 a')
const lexBound = (dice: Dice) => dice.word('- + [a (a [b (b [c (abc [ a')

/** Values of all encodings that there have been. */
const PAYLOADS = oldPayloads().map((payload) => payload.toString('latin1'))
/** How long to wait where nothing comes: never for ever. */
const moment = (dice: Dice) => dice.word('0.001 0.001 0.001 0.002 -1 a')
const side = (dice: Dice) => dice.word('LEFT RIGHT left x')
const counted = (dice: Dice) => (dice.chance(50) ? ['COUNT', dice.word('1 2 100 0 a')] : [])

const condition = (dice: Dice) => (dice.chance(40) ? [dice.word('NX XX GT LT')] : [])

function fields(dice: Dice): string[] {
  const names = several(dice, () => [dice.word('a b c d')])
  return ['FIELDS', String(names.length), ...names]
}

function waiting(dice: Dice, key: () => string): string[] {
  return [...several(dice, () => [key()], 3), moment(dice)]
}

/** Options of SET-like commands that say until when. */
function expiry(dice: Dice): string[] {
  switch (dice.below(6)) {
    case 0:
      return [dice.word('EX PX ex'), far(dice)]
    case 1:
      return ['EXAT', String(4_102_444_800 + dice.below(1000))]
    case 2:
      return ['PXAT', String(4_102_444_800_000 + dice.below(1000))]
    case 3:
      return [dice.word('EX PX EXAT PXAT'), dice.word('0 -1 a -9223372036854775808 1.5')]
    default:
      return []
  }
}

function several(dice: Dice, make: () => string[], most = 4): string[] {
  return Array.from({ length: 1 + dice.below(most) }, make).flat()
}

/** By numbers or the elements' own texts: of others, which of equals comes first is often chance's. */
function sorting(dice: Dice, key: () => string): string[] {
  return [
    key(),
    ...(dice.chance(50) ? ['BY', dice.word('s* * h*->a')] : ['ALPHA']),
    ...(dice.chance(40) ? ['LIMIT', small(dice), small(dice)] : []),
    ...(dice.chance(40) ? ['GET', dice.word('# * s* h*->a none')] : []),
    ...(dice.chance(40) ? [dice.word('ASC DESC x')] : []),
  ]
}

function bitfield(dice: Dice): string[] {
  const at = () => dice.word('0 1 3 5 7 8 13 31 #0 #1 #2 #7 100 -1 # a 4294967295999')
  const number = () =>
    dice.word('0 1 -1 2 100 127 128 255 256 -128 65535 9223372036854775807 -9223372036854775808 a')
  switch (dice.below(4)) {
    case 0:
      return ['GET', type(dice), at()]
    case 1:
      return ['SET', type(dice), at(), number()]
    case 2:
      return ['INCRBY', type(dice), at(), number()]
    default:
      return ['OVERFLOW', dice.word('WRAP SAT FAIL wrap x')]
  }
}

export const TUNED: Readonly<Record<string, Tuned>> = {
  set: (dice, key) => [
    key(),
    value(dice),
    ...(dice.chance(25) ? [dice.word('NX XX nx')] : []),
    ...(dice.chance(20) ? ['GET'] : []),
    ...(dice.chance(40) ? expiry(dice) : dice.chance(15) ? ['KEEPTTL'] : []),
  ],
  getex: (dice, key) => [key(), ...(dice.chance(30) ? ['PERSIST'] : expiry(dice))],
  setrange: (dice, key) => [key(), offset(dice), dice.word('a abc 0 xyz12')],
  getrange: (dice, key) => [key(), small(dice), small(dice)],
  incrby: (dice, key) => [key(), dice.word('1 -1 10 9223372036854775807 -9223372036854775808 0 a')],
  decrby: (dice, key) => [key(), dice.word('1 -1 10 9223372036854775807 -9223372036854775808 0 a')],
  incrbyfloat: (dice, key) => [key(), dice.word('1 -1 0.5 3.0e3 1.25 -2.75 0 nan inf a 1e17')],
  mset: (dice, key) => several(dice, () => [key(), value(dice)]),
  msetnx: (dice, key) => several(dice, () => [key(), value(dice)], 2),
  lcs: (dice, key) => [
    key(),
    key(),
    ...(dice.chance(30) ? ['LEN'] : dice.chance(50) ? ['IDX'] : []),
    ...(dice.chance(30) ? ['MINMATCHLEN', small(dice)] : []),
    ...(dice.chance(30) ? ['WITHMATCHLEN'] : []),
  ],
  setbit: (dice, key) => [key(), offset(dice), dice.word('0 1 0 1 2 a')],
  getbit: (dice, key) => [key(), offset(dice)],
  bitcount: (dice, key) => [
    key(),
    ...(dice.chance(70) ? [small(dice), small(dice)] : []),
    ...(dice.chance(40) ? [dice.word('BIT BYTE bit x')] : []),
  ],
  bitpos: (dice, key) => [
    key(),
    dice.word('0 1 0 1 2'),
    ...(dice.chance(60) ? [small(dice)] : []),
    ...(dice.chance(50) ? [small(dice)] : []),
    ...(dice.chance(30) ? [dice.word('BIT BYTE')] : []),
  ],
  bitop: (dice, key) => [
    dice.word('AND OR XOR NOT and x'),
    key(),
    ...several(dice, () => [key()], 3),
  ],
  bitfield: (dice, key) => [key(), ...several(dice, () => bitfield(dice))],
  bitfield_ro: (dice, key) => [key(), ...several(dice, () => ['GET', type(dice), offset(dice)], 3)],
  sort: (dice, key) => [...sorting(dice, key), ...(dice.chance(25) ? ['STORE', key()] : [])],
  sort_ro: sorting,
  pfadd: (dice, key) => [key(), ...several(dice, () => [`element ${dice.below(300)}`], 20)],
  pfdebug: (dice, key) => [dice.word('GETREG DECODE ENCODING TODENSE x'), key()],
  expire: (dice, key) => [key(), far(dice), ...(dice.chance(40) ? [dice.word('NX XX GT LT')] : [])],
  pexpire: (dice, key) => [
    key(),
    far(dice),
    ...(dice.chance(40) ? [dice.word('NX XX GT LT')] : []),
  ],
  scan: (dice) => [
    '0',
    ...(dice.chance(40) ? ['MATCH', dice.word('* s* ?1 [sl]*')] : []),
    'COUNT',
    '100000',
    ...(dice.chance(40) ? ['TYPE', dice.word('string list hash set zset stream x STRING')] : []),
  ],
  hrandfield: (dice, key) => [
    key(),
    ...(dice.chance(80) ? [drawn(dice)] : []),
    ...(dice.chance(30) ? ['WITHVALUES'] : []),
  ],
  srandmember: (dice, key) => [key(), ...(dice.chance(80) ? [drawn(dice)] : [])],
  zrandmember: (dice, key) => [
    key(),
    ...(dice.chance(80) ? [drawn(dice)] : []),
    ...(dice.chance(30) ? ['WITHSCORES'] : []),
  ],
  sscan: (_, key) => [key(), '0', 'COUNT', '100000'],
  hscan: (_, key) => [key(), '0', 'COUNT', '100000'],
  zscan: (_, key) => [key(), '0', 'COUNT', '100000'],
  zadd: (dice, key) => [
    key(),
    ...(dice.chance(40) ? [dice.word('NX XX GT LT CH INCR')] : []),
    ...(dice.chance(20) ? [dice.word('GT LT CH INCR')] : []),
    ...several(dice, () => [score(dice), dice.word('a b c d e f')]),
  ],
  zrange: (dice, key) => {
    const by = dice.below(3)
    const range = by === 0 ? small : by === 1 ? bound : lexBound
    return [
      key(),
      range(dice),
      range(dice),
      ...(by === 0 ? [] : [by === 1 ? 'BYSCORE' : 'BYLEX']),
      ...(dice.chance(30) ? ['REV'] : []),
      ...(dice.chance(30) ? ['LIMIT', small(dice), small(dice)] : []),
      ...(dice.chance(30) ? ['WITHSCORES'] : []),
    ]
  },
  zrangebyscore: (dice, key) => [
    key(),
    bound(dice),
    bound(dice),
    ...(dice.chance(30) ? ['WITHSCORES'] : []),
    ...(dice.chance(30) ? ['LIMIT', small(dice), small(dice)] : []),
  ],
  // WITHSCORE came with Redis 7.2.
  zrank: (dice, key) => [key(), value(dice)],
  zrevrank: (dice, key) => [key(), value(dice)],
  zcount: (dice, key) => [key(), bound(dice), bound(dice)],
  zlexcount: (dice, key) => [key(), lexBound(dice), lexBound(dice)],
  sintercard: (dice, key) => [
    '2',
    key(),
    key(),
    ...(dice.chance(30) ? ['LIMIT', small(dice)] : []),
  ],
  linsert: (dice, key) => [key(), dice.word('BEFORE AFTER x'), dice.word('a b c'), value(dice)],
  lpos: (dice, key) => [
    key(),
    dice.word('a b c'),
    ...(dice.chance(40) ? ['RANK', dice.word('1 2 -1 -2 0')] : []),
    ...(dice.chance(40) ? ['COUNT', dice.word('0 1 2 -1')] : []),
    ...(dice.chance(20) ? ['MAXLEN', dice.word('0 1 3 -1')] : []),
  ],
  rpush: (dice, key) => [key(), ...several(dice, () => [dice.word('a b c d 1 2')])],
  lpush: (dice, key) => [key(), ...several(dice, () => [dice.word('a b c d 1 2')])],
  sadd: (dice, key) => [key(), ...several(dice, () => [dice.word('a b c 1 2 3 100000 x')])],
  hset: (dice, key) => [key(), ...several(dice, () => [dice.word('a b c d'), value(dice)])],
  ...STREAM_TUNED,
  // All of a set, or nothing: the rest is chance.
  spop: (dice, key) => [key(), dice.word('0 100000 100000 -1 a')],
  restore: (dice, key) => [
    key(),
    dice.word('0 0 0 1000000 -1 a'),
    dice.chance(95) ? dice.pick(PAYLOADS) : value(dice),
    ...(dice.chance(80) ? ['REPLACE'] : []),
    ...(dice.chance(10) ? [dice.word('ABSTTL IDLETIME FREQ x'), small(dice)] : []),
  ],
  blpop: waiting,
  brpop: waiting,
  bzpopmin: waiting,
  bzpopmax: waiting,
  brpoplpush: (dice, key) => [key(), key(), moment(dice)],
  blmove: (dice, key) => [key(), key(), side(dice), side(dice), moment(dice)],
  blmpop: (dice, key) => [moment(dice), '2', key(), key(), side(dice), ...counted(dice)],
  bzmpop: (dice, key) => [moment(dice), '1', key(), dice.word('MIN MAX x'), ...counted(dice)],
  hexpire: (dice, key) => [key(), far(dice), ...condition(dice), ...fields(dice)],
  hpexpire: (dice, key) => [key(), `${far(dice)}000`, ...condition(dice), ...fields(dice)],
  hexpireat: (dice, key) => [key(), dice.word('1 5000000000'), ...condition(dice), ...fields(dice)],
  hpexpireat: (dice, key) => [key(), '5000000000000', ...condition(dice), ...fields(dice)],
  hpersist: (dice, key) => [key(), ...fields(dice)],
  httl: (dice, key) => [key(), ...fields(dice)],
  hexpiretime: (dice, key) => [key(), ...fields(dice)],
  rename: (_, key) => [key(), key()],
  copy: (dice, key) => [key(), key(), ...(dice.chance(40) ? ['REPLACE'] : [])],
}
