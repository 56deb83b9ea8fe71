/**
 * LOLWUT: a picture for people, made anew each time: rabbits on a meadow.
 *
 * Thread: core.
 * Owns: nothing.
 * Never: is of any use.
 */
import { REDIS_VERSION } from '../../../config/version.ts'
import { command } from '../../command/command.ts'
import type { Call } from '../../engine/call.ts'
import { NOT_AN_INTEGER } from '../../engine/errors.ts'

const DEFAULT_COLUMNS = 66
const COLUMNS_MAX = 160
const RABBIT = ['(\\_/)', '(o.o)', '(")(")']
const RABBIT_WIDTH = 6
const GROUND = ' .,\'"`.  ,  '
const SKY = '        .     *       '
const SKY_ROWS = 3

export const lolwutCommand = command({
  name: 'LOLWUT',
  usage: '[VERSION version]',
  summary: 'Draws a picture, and tells the version.',
  since: '5.0.0',
  complexity: '',
  flags: ['readonly', 'fast'],
  reply: 'verbatim',

  run(call) {
    const columns = wantedColumns(call)
    const picture = meadow(columns, () => call.server.random.next() >>> 0)
    call.reply.verbatim(`${picture}\nRedis ver. ${REDIS_VERSION}\n`, 'txt')
  },
})

/** `LOLWUT [VERSION version] [columns]`. */
function wantedColumns({ args }: Call): number {
  let at = 1
  if (args.count > 2 && args.is(1, 'VERSION')) {
    if (!args.integer64(2)) throw NOT_AN_INTEGER
    at = 3
  }
  if (args.count <= at || !args.integer64(at) || args.high !== 0) return DEFAULT_COLUMNS
  return Math.min(Math.max(args.low, RABBIT_WIDTH), COLUMNS_MAX)
}

function meadow(columns: number, random: () => number): string {
  const rows: string[][] = []
  for (let row = 0; row < SKY_ROWS; row++) rows.push(scattered(columns, SKY, random))
  for (const _ of RABBIT) rows.push(scattered(columns, SKY, random))
  rows.push(scattered(columns, GROUND, random))
  let at = random() % RABBIT_WIDTH
  while (at + RABBIT_WIDTH <= columns) {
    // Some of them jump.
    const height = random() % SKY_ROWS
    for (let line = 0; line < RABBIT.length; line++) {
      const row = rows[SKY_ROWS + line - height]
      for (let i = 0; i < RABBIT[line].length; i++) row[at + i] = RABBIT[line][i]
    }
    at += RABBIT_WIDTH + 2 + (random() % (2 * RABBIT_WIDTH))
  }
  return rows.map((row) => `${row.join('').trimEnd()}\n`).join('')
}

function scattered(columns: number, from: string, random: () => number): string[] {
  return Array.from({ length: columns }, () => from[random() % from.length])
}
