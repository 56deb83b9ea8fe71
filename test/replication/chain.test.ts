/**
 * Replicas of replicas: the stream is the same to the end of the chain, so everybody can follow
 * everybody.
 *
 * Thread: any.
 * Owns: the seeds.
 * Never: looks inside a server.
 */
import { expect, setDefaultTimeout, test } from 'bun:test'
import { redisServerPath } from '../support/server.ts'
import { info, type Kind, linked, onStage, PATIENCE_MS, sameData, until, Writer } from './stage.ts'

setDefaultTimeout(PATIENCE_MS)

const CHAINS: readonly (readonly Kind[])[] =
  redisServerPath === ''
    ? [['redbun', 'redbun', 'redbun']]
    : [
        ['redbun', 'redbun', 'redis', 'redbun'],
        ['redis', 'redbun', 'redbun', 'redis'],
      ]

test.concurrent.each(CHAINS)('%s, %s, %s, ...', (...kinds: readonly Kind[]) =>
  onStage(async (stage) => {
    const chain = [await stage.start(kinds[0])]
    const writer = await Writer.begin(chain[0], 6)
    for (const kind of kinds.slice(1)) {
      const next = await stage.follow(kind, chain[chain.length - 1])
      await linked(next)
      chain.push(next)
    }
    await Bun.sleep(300)
    await writer.stop()
    await sameData(...chain)

    // The last one goes on at the first: no copy is needed.
    const last = await chain[chain.length - 1].connect()
    const first = await chain[0].connect()
    const copies = await info(first, 'sync_full')
    await last.call(`REPLICAOF 127.0.0.1 ${chain[0].port}`)
    await until('the link', () => info(last, 'master_link_status'), 'up')
    const second = await Writer.begin(chain[0], 7)
    await Bun.sleep(200)
    await second.stop()
    await sameData(...chain)
    expect(await info(first, 'sync_full')).toBe(copies)

    // The head is gone: the next takes over, and the rest of the chain stays in step.
    await chain[0].stop('SIGKILL')
    const heir = await chain[1].connect()
    await heir.call('REPLICAOF NO ONE')
    await last.call(`REPLICAOF 127.0.0.1 ${chain[1].port}`)
    await until('the link', () => info(last, 'master_link_status'), 'up')
    const third = await Writer.begin(chain[1], 8)
    await Bun.sleep(200)
    await third.stop()
    await sameData(...chain.slice(1))
  }),
)
