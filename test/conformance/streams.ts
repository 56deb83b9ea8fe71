/**
 * Stream commands at random, without what two servers may rightly answer differently: ids are never
 * the clock's, nothing waits, and no limit on idle time lies near what a run takes.
 *
 * Thread: any.
 * Owns: one generator a command.
 * Never: knows how a server answers.
 */
import type { Dice } from './dice.ts'
import type { Tuned } from './tuned.ts'

const entryId = (dice: Dice) =>
  dice.word(
    '1 2 3 1-1 1-2 1-3 2-1 2-2 5-0 5-1 5-2 9-1 9-5 50-1 50-3 200-1 0 0-1 7-18446744073709551615 ' +
      '18446744073709551615-18446744073709551614 1-01 x 1- - + 1-2-3',
  )
const likelyId = (dice: Dice) => dice.word('1-1 1-2 1-3 2-0 2-1 5-0 5-1 5-2 9-0 9-1 50-0 50-1')
const newId = (dice: Dice) =>
  dice.chance(85) ? dice.word('1-* 2-* 5-* 9-* 9-* 50-* 50-* 200-*') : entryId(dice)
const edge = (dice: Dice) => (dice.chance(45) ? dice.word('- +') : openId(dice))
const openId = (dice: Dice) => (dice.chance(25) ? `(${entryId(dice)}` : entryId(dice))
const group = (dice: Dice) => dice.word('g g g h groups-have-long-names')
const consumer = (dice: Dice) => dice.word('alice alice bob carol')
const count = (dice: Dice) => dice.word('0 1 1 2 3 10 -1 x')
const idle = (dice: Dice) => dice.word('0 0 0 0 1000000000 -5 x')
const maybe = (dice: Dice, percent: number, ...words: string[]) =>
  dice.chance(percent) ? words : []

function pairs(dice: Dice): string[] {
  const fields = dice.chance(70) ? ['f'] : dice.chance(50) ? ['f', 'g'] : ['g', '12', 'f']
  return fields.flatMap((field) => [
    field,
    dice.word(
      `v 1 -1 127 128 4095 4096 -4097 40000 8388608 9223372036854775807 a ${'x'.repeat(70)}`,
    ),
  ])
}

function trim(dice: Dice): string[] {
  const byLength = dice.chance(60)
  const threshold = byLength ? dice.word('0 1 2 3 5 10 30 -1') : entryId(dice)
  return [
    byLength ? 'MAXLEN' : 'MINID',
    ...maybe(dice, 60, dice.word('= ~ ~')),
    threshold,
    ...maybe(dice, 20, 'LIMIT', dice.word('0 1 5 100 -1')),
  ]
}

function streams(dice: Dice, key: () => string, id: () => string): string[] {
  const keys = Array.from({ length: dice.chance(70) ? 1 : 2 }, key)
  return ['STREAMS', ...keys, ...keys.map(id)]
}

export const STREAM_TUNED: Readonly<Record<string, Tuned>> = {
  xadd: (dice, key) => [
    key(),
    ...maybe(dice, 5, 'NOMKSTREAM'),
    ...(dice.chance(10) ? trim(dice) : []),
    newId(dice),
    ...pairs(dice),
  ],
  xtrim: (dice, key) => [key(), ...trim(dice)],
  xdel: (dice, key) => [key(), ...Array.from({ length: 1 + dice.below(3) }, () => likelyId(dice))],
  xrange: (dice, key) => [key(), edge(dice), edge(dice), ...maybe(dice, 40, 'COUNT', count(dice))],
  xrevrange: (dice, key) => [
    ...[key(), edge(dice), edge(dice)],
    ...maybe(dice, 40, 'COUNT', count(dice)),
  ],
  xsetid: (dice, key) => [
    ...[key(), entryId(dice)],
    ...maybe(dice, 40, 'ENTRIESADDED', dice.word('0 5 100 -1 x')),
    ...maybe(dice, 40, 'MAXDELETEDID', entryId(dice)),
  ],
  xread: (dice, key) => [
    ...maybe(dice, 40, 'COUNT', count(dice)),
    ...streams(dice, key, () => (dice.chance(20) ? dice.word('$ >') : likelyId(dice))),
  ],
  xreadgroup: (dice, key) => [
    ...['GROUP', group(dice), consumer(dice)],
    ...maybe(dice, 60, 'COUNT', count(dice)),
    ...maybe(dice, 20, 'NOACK'),
    ...streams(dice, key, () => (dice.chance(60) ? '>' : dice.chance(50) ? '0' : entryId(dice))),
  ],
  'xgroup|create': (dice, key) => [
    ...[key(), group(dice), dice.chance(40) ? '$' : dice.chance(50) ? '0' : entryId(dice)],
    ...maybe(dice, 40, 'MKSTREAM'),
    ...maybe(dice, 20, 'ENTRIESREAD', dice.word('0 1 5 -1 -2 x')),
  ],
  'xgroup|setid': (dice, key) => [
    ...[key(), group(dice), dice.chance(40) ? '$' : entryId(dice)],
    ...maybe(dice, 20, 'ENTRIESREAD', dice.word('0 1 5 -1 -2 x')),
  ],
  'xgroup|destroy': (dice, key) => [key(), group(dice)],
  'xgroup|createconsumer': (dice, key) => [key(), group(dice), consumer(dice)],
  'xgroup|delconsumer': (dice, key) => [key(), group(dice), consumer(dice)],
  xack: (dice, key) => [
    ...[key(), group(dice)],
    ...Array.from({ length: 1 + dice.below(3) }, () => likelyId(dice)),
  ],
  xclaim: (dice, key) => [
    ...[key(), group(dice), consumer(dice), idle(dice)],
    ...Array.from({ length: 1 + dice.below(3) }, () => likelyId(dice)),
    ...maybe(dice, 20, dice.word('IDLE TIME'), dice.word('0 1000 -1 9223372036854775807 x')),
    ...maybe(dice, 20, 'RETRYCOUNT', dice.word('0 5 -1 9223372036854775807 x')),
    ...maybe(dice, 30, 'FORCE'),
    ...maybe(dice, 30, 'JUSTID'),
    ...maybe(dice, 20, 'LASTID', entryId(dice)),
  ],
  xautoclaim: (dice, key) => [
    ...[key(), group(dice), consumer(dice), idle(dice), edge(dice)],
    ...maybe(dice, 50, 'COUNT', dice.word('1 2 3 0 -1 x')),
    ...maybe(dice, 30, 'JUSTID'),
  ],
  xpending: (dice, key) => [
    ...[key(), group(dice)],
    ...(dice.chance(30)
      ? []
      : [...maybe(dice, 30, 'IDLE', idle(dice)), edge(dice), edge(dice), count(dice)]),
    ...maybe(dice, 30, consumer(dice)),
  ],
  'xinfo|stream': (dice, key) => [
    key(),
    ...maybe(dice, 50, 'FULL', ...maybe(dice, 50, 'COUNT', count(dice))),
  ],
  'xinfo|groups': (_, key) => [key()],
  'xinfo|consumers': (dice, key) => [key(), group(dice)],
}

/** What these commands answer of times, made alike for two servers that ran at the same time. */
export const TELL_TIMES: ReadonlySet<string> = new Set(['XPENDING', 'XINFO'])
