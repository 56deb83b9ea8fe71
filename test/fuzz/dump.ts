/**
 * Attacks RESTORE: with payloads of every encoding that were changed and sealed with a right checksum.
 * What is taken is a value like any other.
 *
 * Thread: any.
 * Owns: one server.
 * Never: sends a payload whose checksum is wrong: it would not be looked at.
 */
import type { Dice } from '../conformance/dice.ts'
import { newPayloads, oldPayloads, USES, WRITTEN } from '../conformance/payloads.ts'
import type { Client } from '../support/client.ts'
import { forged, sealed } from '../support/payload.ts'
import { type RunningServer, startRedbun } from '../support/server.ts'
import { BOUNDED, expectHealth } from './health.ts'
import { mutated } from './mutate.ts'
import { attackOn, type Target } from './target.ts'

const PAYLOADS_COUNT = 60
const FOOTER_SIZE = 10
/** What RESTORE may say. */
const REPLIES = /^(\+OK|-ERR Bad data format|-OOM )/

export const dump: Target = {
  name: 'dump',
  summary: 'RESTORE of changed payloads of every encoding, then commands on what was taken',
  async begin() {
    const server = await startRedbun({ args: BOUNDED })
    const written = await writtenPayloads(await server.connect())
    const kinds = [...written, ...oldPayloads(), ...newPayloads()]
    return attackOn(server, (dice) => round(server, kinds, dice))
  },
}

/** What our own DUMP writes of each kind of value. */
export async function writtenPayloads(client: Client): Promise<Buffer[]> {
  const found: Buffer[] = []
  for (const lines of WRITTEN) {
    await client.call('FLUSHALL')
    for (const line of lines) await client.call(line)
    found.push((await client.call('DUMP k')).bytes ?? Buffer.alloc(0))
  }
  return found
}

async function round(server: RunningServer, kinds: readonly Buffer[], dice: Dice): Promise<void> {
  const client = await server.connect()
  try {
    await client.call('FLUSHALL')
    for (let i = 0; i < PAYLOADS_COUNT; i++) {
      await restore(client, `k${i % 5}`, changed(dice.pick(kinds), dice))
    }
    const found = await client.ask('DEBUG ARENA-CHECK')
    if (found !== '+OK') throw new Error(`the arena says ${found}`)
  } catch (error) {
    // A server that has ended is the better message.
    await expectHealth(server)
    throw error
  }
  client.terminate()
  await expectHealth(server)
}

async function restore(client: Client, key: string, bytes: Buffer): Promise<void> {
  const reply = await client.ask(['RESTORE', key, '0', bytes, 'REPLACE'])
  if (!REPLIES.test(reply)) throw new Error(`RESTORE of ${bytes.toString('hex')} says ${reply}`)
  if (reply !== '+OK') return
  const type = await client.ask(['TYPE', key])
  for (const line of ['DUMP KEY', 'DEBUG DIGEST-VALUE KEY', ...(USES[type] ?? [])]) {
    await client.call(line.replaceAll('KEY', key))
  }
}

function changed(bytes: Buffer, dice: Dice): Buffer {
  if (dice.chance(60)) return forged(bytes, () => dice.next())
  const body = mutated(bytes.subarray(0, -FOOTER_SIZE), dice)
  return sealed(Buffer.concat([body, bytes.subarray(-FOOTER_SIZE)]))
}
