/**
 * Crashes on purpose: a server dies, or its disk fails, at one of the fault points of the append-only
 * file while clients write; it is started again, and what they know is compared with what is there.
 *
 * Thread: any.
 * Owns: the plan of a crash, and what has to hold after it.
 * Never: leaves anything to chance but what the seed says.
 */
import { rmSync } from 'node:fs'
import { Dice } from '../conformance/dice.ts'
import { ConnectionEnded } from '../support/client.ts'
import { makeDirectory, type RunningServer, startRedbun } from '../support/server.ts'
import { faults, Writers } from './writers.ts'

type Policy = 'always' | 'everysec'

export interface Plan {
  readonly seed: number
  readonly policy: Policy
  /** For REDBUN_FAULTS; empty: the process is killed under load. */
  readonly fault: string
  readonly rewrites: boolean
  readonly preamble: boolean
  readonly writers: number
  readonly writeMs: number
}

/** Points of the append-only file that are passed while clients write. */
const WRITE_POINTS = ['aof-write', 'aof-sync', 'aof-truncate']
const REWRITE_POINTS = [
  ...['aof-open', 'aof-rename', 'aof-remove', 'aof-sync-directory', 'aof-close', 'aof-size'],
  ...['manifest-open', 'manifest-write', 'manifest-sync', 'manifest-close', 'manifest-rename'],
  'manifest-sync-directory',
  ...['rdb-open', 'rdb-write', 'rdb-sync', 'rdb-close', 'rdb-rename', 'rdb-sync-directory'],
]
/** Before the server is ready nothing has been written. */
const STARTED_WITHIN_MS = 20_000
/** What everysec promises. */
const EVERYSEC_MS = 2000

/** A plan for every seed: all points and all actions come soon. */
export function planOf(seed: number): Plan {
  const dice = new Dice(seed)
  const rewrites = dice.chance(60)
  const fault = dice.chance(20) ? '' : faultOf(dice, rewrites)
  return {
    seed,
    policy: dice.chance(60) ? 'always' : 'everysec',
    fault,
    rewrites,
    preamble: dice.chance(70),
    writers: 1 + dice.below(8),
    writeMs: 200 + dice.below(500),
  }
}

function faultOf(dice: Dice, rewrites: boolean): string {
  const point = dice.pick(rewrites && dice.chance(75) ? REWRITE_POINTS : WRITE_POINTS)
  const isWrite = point.endsWith('write')
  const action = dice.word(isWrite ? 'die tear short EIO ENOSPC' : 'die die EIO ENOSPC')
  // A few are passed at the start, where dying is allowed but says little.
  const count = 1 + dice.below(point === 'aof-write' || point === 'aof-sync' ? 40 : 6)
  const stays = action !== 'die' && action !== 'tear' && dice.chance(30) ? '+' : ''
  const cut = point === 'aof-truncate' ? `,aof-write:${1 + dice.below(20)}:ENOSPC` : ''
  return `${point}:${count}${stays}:${action}${cut}`
}

function argsOf({ policy, preamble }: Plan, directory: string): string[] {
  return [
    ...['--dir', directory, '--appendonly', 'yes', '--appendfsync', policy],
    ...['--aof-use-rdb-preamble', preamble ? 'yes' : 'no', '--auto-aof-rewrite-percentage', '0'],
  ]
}

/** Runs a plan. Gives what is wrong, empty for nothing. */
export async function crash(plan: Plan): Promise<string[]> {
  const directory = makeDirectory()
  try {
    return await inDirectory(plan, directory)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

async function inDirectory(plan: Plan, directory: string): Promise<string[]> {
  const args = argsOf(plan, directory)
  let server: RunningServer
  try {
    server = await startRedbun({ args, environment: { REDBUN_FAULTS: plan.fault } })
  } catch (error) {
    // The fault came before the server was ready: it may end, with a reason or by the fault.
    const said = String(error)
    if (!said.includes('did not start')) return [said]
    return await check(plan, directory, new Writers({ port: 1 }, 0), performance.now())
  }
  const writers = new Writers(server.address, plan.writers)
  const running = writers.run()
  const rewriting = plan.rewrites ? rewriteOften(server, plan.writeMs) : Promise.resolve()
  await Bun.sleep(plan.writeMs)
  writers.stop()
  if (plan.fault === '' && server.isRunning) server.child.kill('SIGKILL')
  await Promise.all([running, rewriting])
  const endedMs = performance.now()
  const problems = unexpectedEnd(plan, server)
  if (server.isRunning) server.child.kill('SIGKILL')
  await server.child.exited
  problems.push(...(await check(plan, directory, writers, endedMs)))
  const log = server.log
  await server.stop('SIGKILL')
  return problems.length === 0 ? [] : [...problems, `before:\n${log}`]
}

/** A server ends by its fault or with a reason, not otherwise. */
function unexpectedEnd({ fault }: Plan, server: RunningServer): string[] {
  if (server.isRunning || fault === '') return []
  const { log } = server
  if (/die|tear/.test(fault) && server.child.signalCode === 'SIGKILL') return []
  if (/Exiting\.\.\./.test(log)) return []
  return [`the server has ended: ${server.child.exitCode} ${server.child.signalCode}`]
}

async function rewriteOften(server: RunningServer, forMs: number): Promise<void> {
  try {
    const client = await server.connect()
    for (const endMs = performance.now() + forMs; performance.now() < endMs; ) {
      await client.call('BGREWRITEAOF', 60_000)
      await Bun.sleep(20)
    }
    client.terminate()
  } catch (error) {
    // The server is gone.
    const { code } = error as NodeJS.ErrnoException
    if (!(error instanceof ConnectionEnded) && code === undefined) throw error
  }
}

/** Starts again without faults, and asks what is there. */
async function check(
  plan: Plan,
  directory: string,
  writers: Writers,
  endedMs: number,
): Promise<string[]> {
  let server: RunningServer
  try {
    server = await startRedbun({ args: argsOf(plan, directory) })
  } catch (error) {
    return [`it does not start again: ${error}`]
  }
  const client = await server.connect()
  const deadline = performance.now() + STARTED_WITHIN_MS
  while ((await client.ask('PING')) !== '+PONG' && performance.now() < deadline) {
    await Bun.sleep(10)
  }
  const beforeMs = plan.policy === 'always' ? endedMs : endedMs - EVERYSEC_MS
  const found = await faults(client, writers.states, beforeMs)
  if ((await client.ask('DEBUG ARENA-CHECK')) !== '+OK') found.push('the arena is not in order')
  if ((await client.ask('SET after 1')) !== '+OK') found.push('it takes no writes')
  const log = found.length === 0 ? '' : server.log
  await server.stop('SIGKILL')
  return log === '' ? [] : [...found, `after:\n${log}`]
}
