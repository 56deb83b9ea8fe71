/**
 * A client for tests: sends bytes, hands out replies in the order they come.
 *
 * Thread: any.
 * Owns: one socket, and replies that nobody has asked for yet.
 * Never: reconnects, retries or sorts pushes out.
 */
import type { Socket } from 'bun'
import { argumentsOf, type CommandText, encodeRequest } from './argv.ts'
import { notation, type Reply, ReplyParser } from './reply.ts'

export interface Address {
  readonly host?: string
  readonly port?: number
  readonly unix?: string
  readonly tls?: Bun.TLSOptions
}

/** How long a reply may take before a test gives up, unless it says otherwise. */
export const REPLY_TIMEOUT_MS = 10_000

export class ConnectionEnded extends Error {}

interface Waiting {
  readonly resolve: (reply: Reply) => void
  readonly reject: (error: Error) => void
}

export class Client {
  readonly #parser = new ReplyParser()
  readonly #replies: Reply[] = []
  readonly #waiting: Waiting[] = []
  #socket: Socket<undefined> | undefined = undefined
  #output: Uint8Array[] = []
  #failure: Error | undefined = undefined
  readonly #ended = Promise.withResolvers<void>()
  #drained: (() => void) | undefined = undefined
  bytesReceived = 0

  /** Throws: what connecting throws. */
  static async connect(address: Address): Promise<Client> {
    const client = new Client()
    const socket = {
      binaryType: 'buffer' as const,
      data: (_: Socket<undefined>, chunk: Buffer) => client.#received(chunk),
      drain: () => client.#write(),
      close: () => client.#end(new ConnectionEnded('the connection was closed')),
      error: (_: Socket<undefined>, error: Error) => client.#end(error),
    }
    if (address.unix !== undefined) {
      client.#socket = await Bun.connect({ unix: address.unix, socket, data: undefined })
    } else {
      client.#socket = await Bun.connect({
        hostname: address.host ?? '127.0.0.1',
        port: address.port ?? 6379,
        socket,
        data: undefined,
        ...(address.tls === undefined ? {} : { tls: address.tls }),
      })
    }
    return client
  }

  /** Resolves when the connection has been closed by either side. */
  get ended(): Promise<void> {
    return this.#ended.promise
  }

  get isEnded(): boolean {
    return this.#failure !== undefined
  }

  /** Replies that have come and were not asked for. */
  get unread(): number {
    return this.#replies.length
  }

  /** Sends bytes as they are. */
  write(bytes: Uint8Array | string): void {
    this.#output.push(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
    if (this.#output.length === 1) this.#write()
  }

  send(command: CommandText): void {
    this.write(encodeRequest(argumentsOf(command)))
  }

  /** Resolves when everything written has been taken by the kernel. */
  async flushed(): Promise<void> {
    if (this.#output.length === 0) return
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#drained = resolve
    await promise
  }

  /** Throws: ConnectionEnded, or an Error when nothing came in time. */
  async next(timeoutMs = REPLY_TIMEOUT_MS): Promise<Reply> {
    const reply = this.#replies.shift()
    if (reply !== undefined) return reply
    if (this.#failure !== undefined) throw this.#failure
    const { promise, resolve, reject } = Promise.withResolvers<Reply>()
    const waiting = { resolve, reject }
    this.#waiting.push(waiting)
    const timer = setTimeout(() => {
      const index = this.#waiting.indexOf(waiting)
      if (index >= 0) this.#waiting.splice(index, 1)
      reject(new Error(`no reply within ${timeoutMs} ms`))
    }, timeoutMs)
    try {
      return await promise
    } finally {
      clearTimeout(timer)
    }
  }

  async call(command: CommandText, timeoutMs = REPLY_TIMEOUT_MS): Promise<Reply> {
    this.send(command)
    return await this.next(timeoutMs)
  }

  /** The reply in the notation of reply.ts. */
  async ask(command: CommandText, timeoutMs = REPLY_TIMEOUT_MS): Promise<string> {
    return notation(await this.call(command, timeoutMs))
  }

  /** The bytes of a bulk or simple reply as text. Throws: an Error for an error reply. */
  async text(command: CommandText): Promise<string> {
    const reply = await this.call(command)
    if (reply.kind === '-') throw new Error(notation(reply))
    return reply.bytes?.toString('latin1') ?? ''
  }

  pause(): void {
    this.#socket?.pause()
  }

  resume(): void {
    this.#socket?.resume()
  }

  /** Closes politely. */
  close(): void {
    this.#socket?.end()
  }

  /** Shuts the sending side; replies still come. */
  shutdown(): void {
    this.#socket?.shutdown()
  }

  /** Closes at once. */
  terminate(): void {
    this.#socket?.terminate()
  }

  #write(): void {
    while (this.#output.length > 0) {
      const bytes = this.#output[0]
      const sent = this.#socket?.write(bytes) ?? -1
      if (sent < 0) {
        this.#output.length = 0
        break
      }
      if (sent < bytes.length) {
        this.#output[0] = bytes.subarray(sent)
        return
      }
      this.#output.shift()
    }
    this.#drained?.()
    this.#drained = undefined
  }

  #received(chunk: Buffer): void {
    this.bytesReceived += chunk.length
    try {
      for (const reply of this.#parser.feed(chunk)) {
        const waiting = this.#waiting.shift()
        if (waiting === undefined) this.#replies.push(reply)
        else waiting.resolve(reply)
      }
    } catch (error) {
      this.#end(error as Error)
      this.#socket?.terminate()
    }
  }

  #end(error: Error): void {
    if (this.#failure !== undefined) return
    this.#failure = error
    for (const waiting of this.#waiting.splice(0)) waiting.reject(error)
    this.#ended.resolve()
    this.#drained?.()
  }
}
