/**
 * The Worker that holds a server, with a core that can be made to end: by any message on the
 * channel 'fragile'.
 *
 * Thread: a Worker of the tests.
 * Owns: nothing: it listens in on the Workers that the server makes.
 * Never: changes what the server does otherwise.
 */
import '../../src/embedded/worker.ts'

const cores: Worker[] = []

globalThis.Worker = new Proxy(globalThis.Worker, {
  construct(target, args: [string]) {
    const worker = new target(...args)
    if (args[0].includes('/core/')) cores.push(worker)
    return worker
  },
})
const orders = new BroadcastChannel('fragile')
orders.onmessage = () => cores[0].terminate()
orders.unref()
