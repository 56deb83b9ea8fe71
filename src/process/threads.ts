/**
 * The Workers of one server: watched while it lives, stopped when it ends.
 *
 * Thread: main.
 * Owns: who of them has stopped.
 * Never: ends a Worker: whoever gave it may give it to another server.
 */

export class Threads {
  readonly #watched: { readonly worker: Worker; readonly onClose: () => void }[] = []

  /** `failed` hears what was wrong; nothing when the thread has just ended. */
  watch(worker: Worker, failed: (what: string) => void): void {
    const onClose = () => failed('')
    worker.onerror = (event) => failed(event.message)
    worker.addEventListener('close', onClose)
    this.#watched.push({ worker, onClose })
  }

  /** Asks each to let go of everything; over when all have, and then nobody is watched. */
  async stop(): Promise<void> {
    await Promise.all(this.#watched.map(({ worker }) => stopped(worker)))
    for (const { worker, onClose } of this.#watched) {
      worker.removeEventListener('close', onClose)
      worker.onerror = null
      worker.onmessage = null
    }
  }
}

function stopped(worker: Worker): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  worker.onmessage = ({ data }) => {
    if (data === 'stopped') resolve()
  }
  worker.postMessage('stop')
  return promise
}
