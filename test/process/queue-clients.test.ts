/**
 * Queues of jobs that live on Redis, against our server: BullMQ under load, and Bee-Queue.
 *
 * Thread: any.
 * Owns: one server process.
 * Never: knows how a library works.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import BeeQueue from 'bee-queue'
import { FlowProducer, Queue, QueueEvents, Worker } from 'bullmq'
import { type RunningServer, startRedbun } from '../support/server.ts'

const JOB_COUNT = 500
const LIMIT = { max: 10, duration: 200 }

let server: RunningServer

beforeAll(async () => {
  server = await startRedbun()
})
afterAll(() => server.stop())

const connectionOf = () => ({ host: '127.0.0.1', port: server.port, maxRetriesPerRequest: null })

async function until(done: () => boolean, withinMs = 20_000): Promise<void> {
  const endMs = performance.now() + withinMs
  while (!done() && performance.now() < endMs) await Bun.sleep(10)
  expect(done()).toBe(true)
}

describe('BullMQ', () => {
  test('has 500 jobs done once each, by three workers', async () => {
    const connection = connectionOf()
    const queue = new Queue('many', { connection })
    const done: number[] = []
    const workers = Array.from({ length: 3 }, () => {
      return new Worker<{ n: number }>('many', async ({ data }) => void done.push(data.n), {
        connection,
        concurrency: 10,
      })
    })
    const numbers = Array.from({ length: JOB_COUNT }, (_, n) => n)
    await queue.addBulk(
      numbers.map((n) => ({ name: 'job', data: { n }, opts: { priority: n % 3 } })),
    )
    await until(() => done.length >= JOB_COUNT)
    await Promise.all(workers.map((worker) => worker.close()))
    expect(done.toSorted((a, b) => a - b)).toEqual(numbers)
    expect(await queue.getJobCounts('completed', 'failed', 'active', 'prioritized')).toEqual({
      completed: JOB_COUNT,
      failed: 0,
      active: 0,
      prioritized: 0,
    })
    await queue.close()
  }, 30_000)

  test('keeps to the rate that a worker is limited to', async () => {
    const connection = connectionOf()
    const queue = new Queue('limited', { connection })
    const startedMs: number[] = []
    const worker = new Worker('limited', async () => void startedMs.push(performance.now()), {
      connection,
      limiter: LIMIT,
      concurrency: 50,
    })
    await queue.addBulk(Array.from({ length: 35 }, () => ({ name: 'job', data: {} })))
    await until(() => startedMs.length >= 35)
    // The first of each lot of ten waited for the end of the time of those before.
    expect((startedMs[34] ?? 0) - (startedMs[0] ?? 0)).toBeGreaterThan(2 * LIMIT.duration)
    await worker.close()
    await queue.close()
  }, 30_000)

  test('does the children of a flow before their parent', async () => {
    const connection = connectionOf()
    const order: string[] = []
    const worker = new Worker(
      'flow',
      async (job) => {
        order.push(job.name)
        if (job.name !== 'parent') return job.data.value
        return Object.values(await job.getChildrenValues<number>()).reduce((a, b) => a + b, 0)
      },
      { connection },
    )
    const events = new QueueEvents('flow', { connection })
    await events.waitUntilReady()
    const flows = new FlowProducer({ connection })
    const child = (value: number) => ({
      name: `child ${value}`,
      queueName: 'flow',
      data: { value },
    })
    const { job } = await flows.add({
      name: 'parent',
      queueName: 'flow',
      children: [{ ...child(1), children: [child(10)] }, child(2), child(3)],
    })
    expect(await job.waitUntilFinished(events, 10_000)).toBe(6)
    expect(order.at(-1)).toBe('parent')
    expect(order.indexOf('child 10')).toBeLessThan(order.indexOf('child 1'))
    expect(order).toHaveLength(5)
    await Promise.all([worker.close(), events.close(), flows.close()])
  }, 30_000)
})

describe('Bee-Queue', () => {
  test('has jobs done, retried, delayed, and their progress told', async () => {
    const redis = { host: '127.0.0.1', port: server.port }
    const queue = new BeeQueue<{ n: number }>('bees', { redis, activateDelayedJobs: true })
    const producer = new BeeQueue<{ n: number }>('bees', { redis, isWorker: false })
    await Promise.all([queue.ready(), producer.ready()])
    let failures = 0
    queue.process(5, async (job) => {
      job.reportProgress({ page: job.data.n })
      if (job.data.n === 13 && failures++ === 0) throw new Error('once')
      return job.data.n * 2
    })
    const results: number[] = []
    const pages: number[] = []
    const order = async (n: number, delayMs = 0) => {
      const job = producer.createJob({ n }).retries(1)
      if (delayMs > 0) job.delayUntil(Date.now() + delayMs)
      job.on('succeeded', (result) => results.push(result))
      job.on('progress', (progress: { page: number }) => pages.push(progress.page))
      await job.save()
    }
    for (let n = 0; n < 50; n++) await order(n)
    await order(100, 300)
    await until(() => results.length >= 51)
    const expected = [...Array.from({ length: 50 }, (_, n) => n), 100]
    expect(results.toSorted((a, b) => a - b)).toEqual(expected.map((n) => n * 2))
    expect(new Set(pages)).toEqual(new Set(expected))
    expect(failures).toBe(2)
    const health = await queue.checkHealth()
    expect([health.succeeded, health.failed, health.waiting]).toEqual([51, 0, 0])
    await Promise.all([queue.close(), producer.close()])
  }, 30_000)
})
