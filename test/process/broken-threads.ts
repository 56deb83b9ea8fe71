/**
 * Our server with one of its threads made to fail: `bun test/process/broken-threads.ts HOW PORT`.
 *
 *     core-ends     the core's Worker ends without a word
 *     core-throws   the core finds a control record in its ring that nobody can read
 *     io-ends       a further io thread ends
 *     io-throws     a further io thread gets a message that makes it throw
 *
 * Thread: main.
 * Owns: nothing: it listens in on the Workers that the server makes.
 * Never: changes what the server does otherwise.
 */
import { CORE_PARKED, REQUEST_HEAD, REQUEST_TAIL } from '../../src/bridge/memory.ts'
import { KIND_CONTROL } from '../../src/bridge/message.ts'
import { RingWriter } from '../../src/bridge/ring.ts'
import { wake } from '../../src/bridge/wake.ts'
import type { CoreStart } from '../../src/core/server.ts'

const [how = '', port = ''] = process.argv.slice(2)
/** From the first answer to when all threads are there. */
const SETTLE_MS = 300
const RETRY_MS = 20
const RECORD_SIZE = 24
/** No MessagePack begins with it. */
const NONSENSE = 0xc1

const workers: { readonly worker: Worker; readonly name: string }[] = []
let memory: CoreStart['memory'] | undefined

globalThis.Worker = new Proxy(globalThis.Worker, {
  construct(target, args: [string]) {
    const worker = new target(...args)
    workers.push({ worker, name: args[0].includes('/core/') ? 'core' : 'io' })
    const post = worker.postMessage.bind(worker)
    worker.postMessage = (message: CoreStart) => {
      memory ??= message.memory
      post(message)
    }
    return worker
  },
})
process.argv = [process.argv[0], 'main.ts', '--port', port, '--io-threads', '2', '--save', '']
await import('../../src/main.ts')
while (!(await answers())) await Bun.sleep(RETRY_MS)
setTimeout(breakThread, SETTLE_MS)

async function answers(): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = {
    open: (opened: { write(text: string): number }) => void opened.write('PING\r\n'),
    data: () => resolve(true),
    close: () => resolve(false),
  }
  try {
    const client = await Bun.connect({ hostname: '127.0.0.1', port: Number(port), socket })
    const answered = await promise
    client.terminate()
    return answered
  } catch {
    // Nobody listens yet.
    return false
  }
}

function breakThread(): void {
  const [thread, what] = how.split('-')
  const { worker } = workers.findLast(({ name }) => name === thread) ?? {}
  if (worker === undefined || memory === undefined) throw new Error(`no thread ${thread}`)
  if (what === 'ends') worker.terminate()
  else if (thread === 'io') worker.postMessage({ memory, settings: 1 })
  else writeNonsense(memory)
}

function writeNonsense(shared: CoreStart['memory']): void {
  const link = shared.links[1]
  const words = new Int32Array(link.words)
  const ring = new RingWriter(link.requests, words, REQUEST_HEAD, REQUEST_TAIL)
  const offset = ring.claim(RECORD_SIZE) >> 2
  ring.words[offset] = RECORD_SIZE
  ring.words[offset + 1] = KIND_CONTROL
  ring.words[offset + 2] = 0
  ring.words[offset + 3] = 1
  ring.words[offset + 4] = NONSENSE
  ring.commit(RECORD_SIZE)
  ring.publish()
  wake(new Int32Array(shared.process), CORE_PARKED)
}
