/**
 * The server in a process of its own: from the sources, compiled, or as an executable.
 *
 * The core thread loads its modules while this one loads its own: that is half of the time to the
 * first answer.
 *
 * Thread: main.
 * Owns: the order of loading.
 * Never: reads an argument; imports the server itself: each form of it has files of its own.
 */
import type { Host, ThreadKind } from './host.ts'

/** The server's code, in one of its forms. */
export interface Form {
  /** Loads `command.ts`, and with it all else of the main thread. */
  command(): Promise<{ readonly main: (host: Host) => void }>
  /** The address of what a Worker runs. */
  thread(kind: ThreadKind): string
  /** As of `Host`. */
  readonly note: string
  /** The doors are open and the data are there. */
  ready(): void
}

/** Where the main thread's code lies beside an entry, without extension. */
export const COMMAND_FILE = 'process/command'
/** And that of the other threads. */
export const THREAD_FILES: Readonly<Record<ThreadKind, string>> = {
  core: 'core/thread',
  io: 'io/worker',
  disk: 'disk/worker',
}

/** Does what the command line asks for. */
export async function launch(form: Form): Promise<void> {
  const core = new Worker(form.thread('core'))
  core.onerror = (event) => {
    console.error(`The core thread cannot be loaded: ${event.message}`)
    process.exit(1)
  }
  const { main } = await form.command()
  main({
    isOwn: true,
    sharesPort: false,
    note: form.note,
    thread: (kind) => (kind === 'core' ? core : new Worker(form.thread(kind))),
    ready: () => form.ready(),
    shutdownFailed() {},
    exit: (status) => process.exit(status),
  })
}
