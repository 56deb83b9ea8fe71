/**
 * Attacks a start by the files of data: snapshots of every encoding and append-only files with their
 * manifest, changed, with checksums that are right as a rule. What is loaded can be used.
 *
 * Thread: any.
 * Owns: how sound files are made.
 * Never: gives one directory to two servers.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CommandTable } from '../../src/core/command/table.ts'
import { commandGroups } from '../../src/core/commands.ts'
import { crc64 } from '../../src/lib/crc64.ts'
import type { Dice } from '../conformance/dice.ts'
import { Generator } from '../conformance/generator.ts'
import { newPayloads, oldPayloads, USES } from '../conformance/payloads.ts'
import { encodeRequest } from '../support/argv.ts'
import { InProcessServer } from '../support/in-process.ts'
import { notation } from '../support/reply.ts'
import { makeDirectory, type RunningServer, startRedbun } from '../support/server.ts'
import { writtenPayloads } from './dump.ts'
import { mutated } from './mutate.ts'
import { expectStart } from './start.ts'
import type { Attack, Target } from './target.ts'

const CHECKSUM_SIZE = 8
const FOOTER_SIZE = 10
const KEYS_MAX = 6
const COMMANDS_MAX = 40
const LOADS_COUNT = 10
const ARENA_SIZE = 2 ** 20
const BASE = 'appendonly.aof.1.base.rdb'
const INCREMENT = 'appendonly.aof.1.incr.aof'
const MANIFEST = `file ${BASE} seq 1 type b\nfile ${INCREMENT} seq 1 type i\n`

const { entries } = new CommandTable(commandGroups)

export const rdb: Target = {
  name: 'rdb',
  summary: 'starts with a changed snapshot: loaded and used, or refused with a reason',
  async begin() {
    const kinds = await payloadKinds()
    return attackOf(async (dice, loader) => {
      await expectStart({ files: { 'dump.rdb': changedSnapshot(dice, kinds) } }, useAll)
      for (let i = 0; i < LOADS_COUNT; i++) {
        loader.load(changedSnapshot(dice, kinds), commandStream(dice))
      }
    })
  },
}

export const aof: Target = {
  name: 'aof',
  summary: 'starts with changed append-only files or manifest: loaded and used, or refused',
  async begin() {
    const kinds = await payloadKinds()
    return attackOf(async (dice, loader) => {
      const args = ['--appendonly', 'yes', '--aof-load-truncated', dice.word('yes no')]
      await expectStart({ args, files: appendOnlyFiles(dice, kinds) }, useAll)
      for (let i = 0; i < LOADS_COUNT; i++) {
        loader.load(snapshot(dice, kinds), mutated(commandStream(dice), dice))
      }
    })
  },
}

export async function payloadKinds(): Promise<Buffer[]> {
  const server = await startRedbun()
  try {
    return [...(await writtenPayloads(await server.connect())), ...oldPayloads(), ...newPayloads()]
  } finally {
    await server.stop('SIGKILL')
  }
}

/** A changed snapshot; its checksum is as often right as not looked at, and seldom wrong. */
export function changedSnapshot(dice: Dice, kinds: readonly Buffer[]): Buffer {
  const bytes = mutated(snapshot(dice, kinds).subarray(0, -CHECKSUM_SIZE), dice)
  const sum = Buffer.alloc(CHECKSUM_SIZE)
  if (dice.chance(70)) crc64(bytes, 0, bytes.length).write(sum, 0)
  else if (dice.chance(10)) sum.fill(1)
  return Buffer.concat([bytes, sum])
}

/** A sound file with some keys, some with deadlines, idle times and counts of use. */
export function snapshot(dice: Dice, kinds: readonly Buffer[]): Buffer {
  const parts: Buffer[] = [
    Buffer.from('REDIS0011\xfa\x09redis-ver\x067.0.15\xfa\x04bits\xc0\x40', 'latin1'),
  ]
  const count = 1 + dice.below(KEYS_MAX)
  parts.push(Buffer.of(0xfe, dice.below(3), 0xfb, count, 1))
  for (let i = 0; i < count; i++) {
    if (dice.chance(20)) parts.push(Buffer.from([0xfc, 0, 0, 0, 0, 0, 5, 0, 0]))
    if (dice.chance(10)) parts.push(Buffer.of(0xf8, 5))
    if (dice.chance(10)) parts.push(Buffer.of(0xf9, 7))
    const bytes = dice.pick(kinds)
    const value = bytes.subarray(1, bytes.length - FOOTER_SIZE)
    parts.push(bytes.subarray(0, 1), Buffer.from(`\x02k${i}`), value)
  }
  const library = "#!lua name=lib\nredis.register_function('f', function() return 1 end)"
  if (dice.chance(20)) {
    parts.push(Buffer.of(0xf5, 0x40, library.length), Buffer.from(library))
  }
  const body = Buffer.concat([...parts, Buffer.of(0xff), Buffer.alloc(CHECKSUM_SIZE)])
  crc64(body, 0, body.length - CHECKSUM_SIZE).write(body, body.length - CHECKSUM_SIZE)
  return body
}

/** Commands as a file or a link holds them, some in transactions. */
export function commandStream(dice: Dice): Buffer {
  const generator = new Generator(dice, entries)
  const requests: Buffer[] = [request('SELECT', '0')]
  for (let count = 1 + dice.below(COMMANDS_MAX); count > 0; count--) {
    const command = request(...generator.next())
    const isAlone = dice.chance(80)
    requests.push(...(isAlone ? [command] : [request('MULTI'), command, request('EXEC')]))
  }
  return Buffer.concat(requests)
}

function appendOnlyFiles(dice: Dice, kinds: readonly Buffer[]): Record<string, Buffer> {
  const what = dice.below(10)
  const increment = commandStream(dice)
  const changed = what < 6 ? mutated(increment, dice) : increment
  // From before there was a manifest.
  if (dice.chance(10)) return { 'appendonly.aof': Buffer.concat([snapshot(dice, kinds), changed]) }
  const manifest = Buffer.from(MANIFEST)
  return {
    [`appendonlydir/${BASE}`]: what === 6 ? changedSnapshot(dice, kinds) : snapshot(dice, kinds),
    [`appendonlydir/${INCREMENT}`]: changed,
    'appendonlydir/appendonly.aof.manifest': what > 6 ? mutated(manifest, dice) : manifest,
  }
}

function request(...words: readonly string[]): Buffer {
  return encodeRequest(words.map((word) => Buffer.from(word, 'latin1')))
}

function attackOf(round: (dice: Dice, loader: Loader) => Promise<void>): Attack {
  const loader = new Loader()
  return {
    round: (dice) => round(dice, loader),
    async end() {
      loader.end()
    },
  }
}

/** Loads files in this process: a start of another takes longer than hundreds of these. */
class Loader {
  readonly #directory = makeDirectory()
  #server: InProcessServer | undefined = undefined

  constructor() {
    mkdirSync(join(this.#directory, 'appendonlydir'))
  }

  /** Throws: an Error for what is neither taken nor refused. */
  load(base: Buffer, increment: Buffer): void {
    const parts: Record<string, string | Buffer> = {
      'appendonly.aof.manifest': MANIFEST,
      [BASE]: base,
      [INCREMENT]: increment,
    }
    for (const [name, bytes] of Object.entries(parts)) {
      writeFileSync(join(this.#directory, 'appendonlydir', name), bytes)
    }
    this.#server ??= new InProcessServer({
      arenaCount: 3,
      arenaSize: ARENA_SIZE,
      settings: { dir: this.#directory },
    })
    this.#server.messages.length = 0
    const client = this.#server.connect()
    client.write(request('DEBUG', 'LOADAOF'))
    if (this.#server.messages.some(({ type }) => type === 'fatal')) {
      // It would have ended.
      this.#server = undefined
      return
    }
    client.write(request('DEBUG', 'ARENA-CHECK'))
    const replies = [notation(client.next(0)), notation(client.next(0))]
    client.close()
    if (replies.join() !== '+OK,+OK') throw new Error(`to load and to check says ${replies}`)
  }

  end(): void {
    rmSync(this.#directory, { recursive: true, force: true })
  }
}

/** Reads, changes and dumps all that has been loaded. */
async function useAll(server: RunningServer): Promise<void> {
  const client = await server.connect()
  for (let db = 0; db < 3; db++) {
    await client.call(['SELECT', String(db)])
    const { items } = await client.call('KEYS *')
    for (const key of items ?? []) {
      const name = key.bytes ?? Buffer.alloc(0)
      const type = await client.ask(['TYPE', name])
      for (const line of ['DUMP KEY', ...(USES[type] ?? [])]) {
        await client.call(line.split(' ').map((word) => (word === 'KEY' ? name : word)))
      }
    }
  }
  const found = await client.ask('DEBUG ARENA-CHECK')
  if (found !== '+OK') throw new Error(`the arena says ${found}`)
}
