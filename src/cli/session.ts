/**
 * A talk with one server: connects when it must, runs commands, shows replies, and knows what the
 * prompt should say.
 *
 * Thread: the client's only one.
 * Owns: the connection, the database number, whether MULTI is open.
 * Never: reads what the user types.
 */
import type { Reply } from '../lib/resp/reply-parser.ts'
import { type Connection, open } from './connection.ts'
import type { Options } from './options.ts'
import { isPage, type Output, textOf, word } from './output.ts'

const STREAMING = new Set(['subscribe', 'psubscribe', 'ssubscribe', 'monitor', 'sync', 'psync'])
const SLOW_MS = 500
const REDIRECTIONS_MAX = 16
const REDIRECTION = /^(MOVED|ASK) (\d+) (.*):(\d+)$/

export class Session {
  readonly output: Output
  #options: Options
  #connection: Connection | undefined
  #db: number
  #inTransaction = false
  /** The connection was closed because the user wanted no more of a stream. */
  wasInterrupted = false
  /** Pushes are shown as they come. */
  readonly #showPushes: boolean
  #stopStreaming: (() => void) | undefined

  constructor(options: Options, output: Output, isTerminal: boolean) {
    this.#options = options
    this.output = output
    this.#db = options.db
    this.#showPushes = options.showPushes ?? isTerminal
  }

  get isConnected(): boolean {
    return this.#connection !== undefined && this.#connection.closed === undefined
  }

  get prompt(): string {
    if (!this.isConnected) return 'not connected> '
    const { host, port, socket } = this.#options
    const name = host.includes(':') ? `[${host}]` : host
    const place = socket === undefined ? `${name}:${port}` : `redis ${socket}`
    const db = this.#db === 0 ? '' : `[${this.#db}]`
    return `${place}${db}${this.#inTransaction ? '(TX)' : ''}> `
  }

  /** The connection itself, ready for use, for who wants to talk to it alone. */
  async take(): Promise<Connection | undefined> {
    return (await this.connect()) ? this.#connection : undefined
  }

  /** Turns to another server; the next command connects. */
  useServer(host: string, port: number): void {
    this.close()
    this.#options = { ...this.#options, host, port, socket: undefined }
  }

  close(): void {
    this.#connection?.close()
    this.#connection = undefined
    this.#inTransaction = false
  }

  /** Ends MONITOR or a subscription that is being shown. False when there is none. */
  interrupt(): boolean {
    const stop = this.#stopStreaming
    stop?.()
    return stop !== undefined
  }

  /** Connects unless it is connected. Says why when it can't. */
  async connect(): Promise<boolean> {
    if (this.isConnected) return true
    const opened = await open(this.#options)
    if (typeof opened === 'string') {
      const { host, port, socket } = this.#options
      const place = socket ?? `${host}:${port}`
      this.output.error(`Could not connect to Redis at ${place}: ${opened}`)
      return false
    }
    this.#connection = opened
    this.#inTransaction = false
    return this.#introduce()
  }

  /** Logs in, chooses protocol and database. What the server refuses is said and let pass. */
  async #introduce(): Promise<boolean> {
    const { user, password, protocol } = this.#options
    if (password !== undefined) {
      const login = user === undefined ? ['AUTH', password] : ['AUTH', user, password]
      const reply = await this.ask(login)
      if (reply?.type === 'error') this.output.error(`AUTH failed: ${textOf(reply)}`)
    }
    if (protocol !== undefined && this.isConnected) {
      const reply = await this.ask(['HELLO', String(protocol)])
      if (reply?.type === 'error') this.output.error(`HELLO ${protocol} failed: ${textOf(reply)}`)
    }
    if (this.#db !== 0 && this.isConnected) {
      const reply = await this.ask(['SELECT', String(this.#db)])
      if (reply?.type === 'error') {
        this.output.error(`SELECT ${this.#db} failed: ${textOf(reply)}`)
        this.#db = 0
      }
    }
    if (!this.isConnected) this.#sayClosed()
    return this.isConnected
  }

  /** Sends a command and gives its reply without showing it; undefined when the connection closed. */
  async ask(args: readonly (string | Uint8Array)[]): Promise<Reply | undefined> {
    const connection = this.#connection
    if (connection === undefined) return undefined
    connection.send(args)
    return this.#answer(connection)
  }

  /** As `ask`, for several commands in one go. */
  async askAll(
    requests: readonly (readonly (string | Uint8Array)[])[],
  ): Promise<Reply[] | undefined> {
    const connection = this.#connection
    if (connection === undefined) return undefined
    for (const args of requests) connection.send(args)
    const replies: Reply[] = []
    for (let i = 0; i < requests.length; i++) {
      const reply = await this.#answer(connection)
      if (reply === undefined) return undefined
      replies.push(reply)
    }
    return replies
  }

  /**
   * Follows a cluster's redirections: asks the server that the reply names, until one answers. The
   * server of a slot that moved is the one talked to from then on.
   */
  async #redirected(args: readonly Uint8Array[], first: Reply): Promise<Reply | undefined> {
    let reply: Reply | undefined = first
    for (let hops = 0; hops < REDIRECTIONS_MAX && reply?.type === 'error'; hops++) {
      const [, kind, slot, named, port] = REDIRECTION.exec(textOf(reply)) ?? []
      if (named === undefined || port === undefined) return reply
      // An empty host is the one that answered.
      const host = named === '' ? this.#options.host : named
      if (this.output.mode === 'pretty') {
        this.output.line(`-> Redirected to slot [${slot}] located at ${host}:${port}`)
      }
      this.useServer(host, Number(port))
      if (!(await this.connect())) return undefined
      if (kind === 'ASK') await this.ask(['ASKING'])
      reply = await this.ask(args)
    }
    return reply
  }

  async #answer(connection: Connection): Promise<Reply | undefined> {
    for (;;) {
      const reply = await connection.read()
      if (reply?.type !== 'push') return reply
      if (this.#showPushes) this.output.push(reply)
    }
  }

  /**
   * Runs a command and shows its reply. False when there was none, or when it was an error that is
   * to fail the program (`failOnError`).
   */
  async run(args: readonly Uint8Array[], failOnError = false): Promise<boolean> {
    if (!(await this.connect())) return false
    const name = word(args[0])
    if (STREAMING.has(name)) return this.#stream(args, name)
    const startMs = performance.now()
    let reply = await this.ask(args)
    if (this.#options.cluster && reply !== undefined) reply = await this.#redirected(args, reply)
    if (reply === undefined) {
      // Nobody answers SHUTDOWN.
      if (name === 'shutdown') {
        this.close()
        return true
      }
      this.#sayClosed()
      return false
    }
    if (failOnError && reply.type === 'error') {
      this.output.replyError(reply)
      return false
    }
    this.output.reply(reply, isPage(args))
    const elapsedMs = performance.now() - startMs
    if (elapsedMs >= SLOW_MS && this.output.mode === 'pretty') {
      this.output.line(`(${(elapsedMs / 1000).toFixed(2)}s)`)
    }
    this.#follow(name, args, reply)
    return true
  }

  /** Keeps up with what a command changed of the talk itself. */
  #follow(name: string, args: readonly Uint8Array[], reply: Reply): void {
    const isError = reply.type === 'error'
    if (name === 'exec' || name === 'discard') {
      if (!isError || name === 'exec') this.#inTransaction = false
    } else if (isError) return
    else if (name === 'multi') this.#inTransaction = true
    else if (name === 'reset') {
      this.#inTransaction = false
      this.#db = 0
    } else if (name === 'select' && args.length === 2 && !this.#inTransaction) {
      this.#db = Number.parseInt(word(args[1]), 10) || 0
    }
  }

  /** Shows all that comes until the connection closes or `interrupt` is called. */
  async #stream(args: readonly Uint8Array[], name: string): Promise<boolean> {
    const connection = this.#connection as Connection
    connection.send(args)
    this.wasInterrupted = false
    this.#stopStreaming = () => {
      this.wasInterrupted = true
      connection.close()
    }
    if (name !== 'monitor' && this.output.mode !== 'raw') {
      this.output.line('Reading messages... (press Ctrl-C to quit)')
    }
    for (;;) {
      const reply = await connection.read()
      if (reply === undefined) break
      // RESP3 sends messages as pushes; here they were asked for.
      this.output.reply(reply.type === 'push' ? { ...reply, type: 'array' } : reply)
      if (reply.type !== 'error') continue
      // Nothing will follow: the server did not understand.
      this.#stopStreaming = undefined
      return true
    }
    this.#stopStreaming = undefined
    if (!this.wasInterrupted) this.#sayClosed()
    this.close()
    return this.wasInterrupted
  }

  #sayClosed(): void {
    this.output.error(`Error: ${this.#connection?.closed ?? 'Server closed the connection'}`)
    this.close()
  }
}
