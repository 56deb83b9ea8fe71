/**
 * What the client was asked on its command line and by its environment.
 *
 * Thread: any.
 * Owns: the names of the options.
 * Never: opens anything.
 */

import { splitInline } from '../lib/resp/inline.ts'

/** How replies are shown. */
export type OutputMode = 'pretty' | 'raw' | 'csv' | 'json'

export interface TlsOptions {
  readonly caFile: string | undefined
  readonly certFile: string | undefined
  readonly keyFile: string | undefined
  readonly insecure: boolean
  readonly serverName: string | undefined
}

export interface Options {
  readonly host: string
  readonly port: number
  /** Path of a unix socket; it goes before host and port. */
  readonly socket: string | undefined
  readonly user: string | undefined
  readonly password: string | undefined
  /** The password stood on the command line, where others may read it. */
  readonly passwordShown: boolean
  readonly noAuthWarning: boolean
  readonly db: number
  /** Undefined: whatever the server begins with. */
  readonly protocol: 2 | 3 | undefined
  readonly tls: TlsOptions | undefined
  /** Undefined: pretty on a terminal, else raw. */
  readonly output: OutputMode | undefined
  /** JSON in ASCII. */
  readonly quotedJson: boolean
  readonly itemDelimiter: string
  readonly replyDelimiter: string
  /** How often a command runs; -1: for ever. */
  readonly repeat: number
  readonly intervalMs: number
  readonly lastArgumentFromStdin: boolean
  /** The argument that standard input stands for (-X). */
  readonly stdinTag: string | undefined
  /** Arguments are read as words in quotes. */
  readonly quotedInput: boolean
  readonly askPassword: boolean
  /** Follow redirections of a cluster. */
  readonly cluster: boolean
  /** Of keys, for the modes that look at all of them. */
  readonly pattern: Uint8Array | undefined
  /** Elements that MEMORY USAGE looks at (--memkeys). */
  readonly memorySamples: number | undefined
  /** A script (--eval). */
  readonly scriptFile: string | undefined
  readonly failOnError: boolean
  readonly verbose: boolean
  readonly showPushes: boolean | undefined
  readonly mode: Mode
  readonly pipeTimeoutMs: number
  readonly command: readonly string[]
}

/** `command`: the command of the line, or those of standard input. */
export type Mode =
  | 'command'
  | 'pipe'
  | 'demo'
  | 'scan'
  | 'stat'
  | 'bigkeys'
  | 'memkeys'
  | 'hotkeys'
  | 'latency'
  | 'latency-history'
  | 'version'
  | 'help'

type Draft = { -readonly [Name in keyof Options]: Options[Name] }
type TlsDraft = { -readonly [Name in keyof TlsOptions]: TlsOptions[Name] }

interface Parse {
  readonly draft: Draft
  readonly tls: TlsDraft
  useTls: boolean
  /** What is wrong; empty while all is well. */
  problem: string
}

const DEFAULT_PORT = 6379
const PIPE_TIMEOUT_S = 30
/** Options that are the name of a mode. */
const MODES: readonly Mode[] = [
  ...(['pipe', 'demo', 'scan', 'stat', 'bigkeys', 'memkeys', 'hotkeys', 'latency'] as const),
  ...(['latency-history', 'version', 'help'] as const),
]

/** Options without a value. */
const FLAGS: Record<string, (parse: Parse) => void> = {
  '-2': ({ draft }) => {
    draft.protocol = 2
  },
  '-3': ({ draft }) => {
    draft.protocol = 3
  },
  '-x': ({ draft }) => {
    draft.lastArgumentFromStdin = true
  },
  '-e': ({ draft }) => {
    draft.failOnError = true
  },
  '-c': ({ draft }) => {
    draft.cluster = true
  },
  '--quoted-input': ({ draft }) => {
    draft.quotedInput = true
  },
  '--askpass': ({ draft }) => {
    draft.askPassword = true
  },
  '-v': ({ draft }) => {
    draft.mode = 'version'
  },
  '--raw': ({ draft }) => {
    draft.output = 'raw'
  },
  '--no-raw': ({ draft }) => {
    draft.output = 'pretty'
  },
  '--csv': ({ draft }) => {
    draft.output = 'csv'
  },
  '--json': ({ draft }) => {
    draft.output = 'json'
    draft.protocol ??= 3
  },
  '--quoted-json': ({ draft }) => {
    draft.output = 'json'
    draft.quotedJson = true
    draft.protocol ??= 3
  },
  '--tls': (parse) => {
    parse.useTls = true
  },
  '--insecure': ({ tls }) => {
    tls.insecure = true
  },
  '--no-auth-warning': ({ draft }) => {
    draft.noAuthWarning = true
  },
  '--verbose': ({ draft }) => {
    draft.verbose = true
  },
  ...Object.fromEntries(
    MODES.map((mode) => [
      `--${mode}`,
      ({ draft }: Parse) => {
        draft.mode = mode
      },
    ]),
  ),
}

/** Options with a value. */
const VALUES: Record<string, (parse: Parse, value: string) => void> = {
  '-h': ({ draft }, value) => {
    draft.host = value
  },
  '-p': (parse, value) => {
    const port = leadingInteger(value)
    if (port < 0 || port > 65535) parse.problem = 'Invalid server port.'
    parse.draft.port = port
  },
  '-s': ({ draft }, value) => {
    draft.socket = value
  },
  '-a': takePassword,
  '--pass': takePassword,
  '--user': ({ draft }, value) => {
    draft.user = value
  },
  '-u': takeUri,
  '-n': ({ draft }, value) => {
    draft.db = leadingInteger(value)
  },
  '-r': ({ draft }, value) => {
    draft.repeat = leadingInteger(value)
  },
  '-i': ({ draft }, value) => {
    draft.intervalMs = 1000 * (Number.parseFloat(value) || 0)
  },
  '-X': ({ draft }, value) => {
    draft.stdinTag = value
  },
  '--pattern': ({ draft }, value) => {
    draft.pattern = Buffer.from(value)
  },
  '--quoted-pattern': (parse, value) => {
    const pattern = unquoted(value)
    if (pattern === undefined)
      parse.problem = 'Invalid quoted string specified for --quoted-pattern.'
    parse.draft.pattern = pattern
  },
  '--memkeys-samples': ({ draft }, value) => {
    draft.mode = 'memkeys'
    draft.memorySamples = leadingInteger(value)
  },
  '--eval': ({ draft }, value) => {
    draft.scriptFile = value
  },
  '-d': ({ draft }, value) => {
    draft.itemDelimiter = value
  },
  '-D': ({ draft }, value) => {
    draft.replyDelimiter = value
  },
  '--cacert': ({ tls }, value) => {
    tls.caFile = value
  },
  '--cert': ({ tls }, value) => {
    tls.certFile = value
  },
  '--key': ({ tls }, value) => {
    tls.keyFile = value
  },
  '--sni': ({ tls }, value) => {
    tls.serverName = value
  },
  '--pipe-timeout': ({ draft }, value) => {
    draft.pipeTimeoutMs = 1000 * leadingInteger(value)
  },
  '--show-pushes': ({ draft }, value) => {
    draft.showPushes = /^y/i.test(value)
  },
}

/** Reads the arguments behind the program's name. Gives the text of what is wrong with them. */
export function parseOptions(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Options | string {
  const parse: Parse = {
    draft: defaults(environment),
    tls: {
      caFile: undefined,
      certFile: undefined,
      keyFile: undefined,
      insecure: false,
      serverName: undefined,
    },
    useTls: false,
    problem: '',
  }
  let at = 0
  for (; at < args.length && parse.problem === ''; at++) {
    const name = args[at]
    if (Object.hasOwn(FLAGS, name)) FLAGS[name](parse)
    else if (Object.hasOwn(VALUES, name) && at + 1 < args.length) VALUES[name](parse, args[++at])
    else if (name.startsWith('-')) return `Unrecognized option or bad number of args for: '${name}'`
    else break
  }
  if (parse.problem !== '') return parse.problem
  parse.draft.command = args.slice(at)
  if (parse.useTls) parse.draft.tls = parse.tls
  return parse.draft
}

function defaults(environment: Readonly<Record<string, string | undefined>>): Draft {
  return {
    host: '127.0.0.1',
    port: DEFAULT_PORT,
    socket: undefined,
    user: undefined,
    password: environment['REDISCLI_AUTH'],
    passwordShown: false,
    noAuthWarning: false,
    db: 0,
    protocol: undefined,
    tls: undefined,
    output: undefined,
    quotedJson: false,
    itemDelimiter: '\n',
    replyDelimiter: '\n',
    repeat: 1,
    intervalMs: 0,
    lastArgumentFromStdin: false,
    stdinTag: undefined,
    quotedInput: false,
    askPassword: false,
    cluster: false,
    pattern: undefined,
    memorySamples: undefined,
    scriptFile: undefined,
    failOnError: false,
    verbose: false,
    showPushes: undefined,
    mode: 'command',
    pipeTimeoutMs: 1000 * PIPE_TIMEOUT_S,
    command: [],
  }
}

function takePassword({ draft }: Parse, value: string): void {
  draft.password = value
  draft.passwordShown = true
}

/** `redis://[user[:password]@]host[:port][/db]`; `rediss` means TLS. */
function takeUri(parse: Parse, value: string): void {
  const match = /^(rediss?):\/\/(?:([^@]*)@)?(\[[^\]]*\]|[^:/]*)(?::(\d+))?(?:\/(\d+)?)?/.exec(
    value,
  )
  if (match === null) {
    parse.problem = 'Invalid URI scheme'
    return
  }
  const { draft } = parse
  const [, scheme, userInfo, host, port, db] = match
  if (scheme === 'rediss') parse.useTls = true
  if (userInfo !== undefined) {
    const colon = userInfo.indexOf(':')
    // DIFFERS: an empty user name stands for the default user; redis-cli 7.0 cannot log in with it.
    if (colon > 0) draft.user = decode(userInfo.slice(0, colon))
    takePassword(parse, decode(userInfo.slice(colon + 1)))
  }
  if (host !== '') draft.host = host.replace(/^\[|\]$/g, '')
  if (port !== undefined) draft.port = Number(port)
  if (db !== undefined) draft.db = Number(db)
}

function decode(text: string): string {
  return text.replace(/(?:%[0-9a-f]{2})+/gi, (bytes) =>
    Buffer.from(bytes.replaceAll('%', ''), 'hex').toString(),
  )
}

/** The bytes of one word in quotes; undefined when the text is something else. */
export function unquoted(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text)
  const words = splitInline(bytes, 0, bytes.length)
  return words?.length === 1 ? words[0] : undefined
}

/** As C's atoi: the digits in front, 0 when there are none. */
function leadingInteger(text: string): number {
  return Number.parseInt(text, 10) || 0
}
