#!/usr/bin/env bun
/**
 * The client: one command, commands from standard input, or a prompt.
 *
 * Thread: the client's only one.
 * Owns: the process: its streams, signals and exit status.
 * Never: imports anything of the server.
 */
import { readFileSync, writeSync } from 'node:fs'
import { askPassword } from './ask-password.ts'
import { systemText } from './connection.ts'
import { runDemo } from './demo.ts'
import { type CommandDocs, readDocs } from './docs.ts'
import { Failure } from './failure.ts'
import { runInteractive } from './interactive.ts'
import { runLatency } from './latency.ts'
import { repeat, runLine } from './lines.ts'
import { type Options, parseOptions, unquoted } from './options.ts'
import { Output } from './output.ts'
import { runPipe } from './pipe.ts'
import { runScan } from './scan.ts'
import { Session } from './session.ts'
import { runStat } from './stat.ts'
import { runSurvey } from './survey.ts'

const COMMA = 44
const VERSION = 'redbun-cli 0.1.0'
const USAGE = `${VERSION}

Usage: client [options] [command [argument ...]]
  -h <host> -p <port>      server, 127.0.0.1 and 6379 unless told
  -s <path>                unix socket
  -a, --pass <password>    password; REDISCLI_AUTH in the environment is safer
  --user <name>            user, together with a password
  -u <uri>                 redis://[user[:password]@]host[:port][/db], or rediss://
  -n <db>                  database number
  -2, -3                   protocol version
  -r <count> -i <seconds>  repeat the command, pause between
  -x                       take the last argument from standard input
  -X <tag>                 take the argument that is this word from standard input
  -c                       follow redirections of a cluster
  -d, -D <text>            delimiters of raw items and of raw replies
  -e                       exit with 1 when the command answers an error
  --raw --no-raw           bytes as they come, or replies for people
  --csv --json             replies as CSV or JSON; --quoted-json in ASCII
  --tls --cacert --cert --key <file> --sni <name> --insecure
  --quoted-input           arguments are words in quotes: '"\\x00"'
  --scan                   the names of all keys; --pattern, --quoted-pattern <pattern>
  --bigkeys --memkeys      the biggest keys, by elements or by memory; --memkeys-samples <n>
  --hotkeys                the keys used most, with an lfu policy
  --stat                   a line a second about the server; -i
  --latency                how long a PING takes; --latency-history, -i
  --eval <file> [keys , arguments]   run a script
  --askpass                ask for the password
  --pipe                   requests from standard input, as they are
  --pipe-timeout <seconds> how long to wait for the last reply
  --show-pushes <yes|no>   show messages that come unasked
  --demo                   run a few commands and show their replies
  --no-auth-warning --verbose --version --help
Without a command: a prompt, or the lines of standard input.`

/** Writes all, also to a pipe whose reader is slow. */
function writeAll(file: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(file, bytes, at)
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined
      if (code === 'EPIPE') process.exit(0)
      if (code !== 'EAGAIN') throw error
      Bun.sleepSync(1)
    }
  }
}

const streams = {
  out: (text: string) => writeAll(1, Buffer.from(text, 'latin1')),
  err: (text: string) => writeAll(2, Buffer.from(text, 'latin1')),
}

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2), process.env)
  if (typeof options === 'string') {
    streams.err(`${options}\n`)
    return 1
  }
  const isTerminal = process.stdout.isTTY === true
  const output = new Output(options, streams, isTerminal)
  if (options.mode === 'version' || options.mode === 'help') {
    output.line(options.mode === 'version' ? VERSION : USAGE)
    return 0
  }
  if (options.passwordShown && !options.noAuthWarning) {
    output.error(
      "Warning: Using a password with '-a' or '-u' option on the command line interface may not be safe.",
    )
  }
  const password = options.askPassword ? await askPassword() : options.password
  return runMode({ ...options, password }, output, isTerminal)
}

async function runMode(options: Options, output: Output, isTerminal: boolean): Promise<number> {
  const { mode } = options
  const session = new Session(options, output, isTerminal)
  if (mode === 'demo') return (await runDemo(session)) ? 0 : 1
  if (mode === 'pipe') return pipe(options, output)
  if (mode !== 'command') {
    if (!(await session.connect())) return 1
    if (mode === 'scan') return runScan(session, options)
    if (mode === 'stat') return runStat(session, options)
    if (mode === 'latency' || mode === 'latency-history') return runLatency(session, options)
    return runSurvey(session, options)
  }
  if (options.command.length > 0 || options.scriptFile !== undefined) {
    return runOnce(options, session)
  }
  if (process.stdin.isTTY && !options.lastArgumentFromStdin) {
    await runInteractive(session, options)
    return 0
  }
  return runInput(options, session)
}

async function runOnce(options: Options, session: Session): Promise<number> {
  const { command, scriptFile, stdinTag } = options
  let args: Uint8Array[] = command.map((word) => Buffer.from(word))
  if (options.quotedInput) {
    const words = command.map(unquoted)
    args = words.filter((word) => word !== undefined)
    if (args.length < words.length) {
      session.output.line('Invalid quoted string')
      return 1
    }
  }
  if (options.lastArgumentFromStdin) args.push(await Bun.stdin.bytes())
  if (stdinTag !== undefined) {
    const at = command.indexOf(stdinTag)
    if (at < 0) throw new Failure('Using -X option but stdin tag not match.')
    args[at] = await Bun.stdin.bytes()
  }
  if (scriptFile !== undefined) args = scriptCall(scriptFile, args)
  const isDone = await repeat(options.repeat, options.intervalMs, () =>
    session.run(args, options.failOnError),
  )
  return isDone ? 0 : 1
}

/** A call of the script in a file. `words`: keys, a comma, arguments. */
function scriptCall(file: string, words: readonly Uint8Array[]): Uint8Array[] {
  let script: Buffer
  try {
    script = readFileSync(file)
  } catch (error) {
    if (!(error instanceof Error)) throw error
    throw new Failure(`Can't open file '${file}': ${systemText(error)}`)
  }
  const comma = words.findIndex((word) => word.length === 1 && word[0] === COMMA)
  const keys = comma < 0 ? words : words.slice(0, comma)
  const rest = comma < 0 ? [] : words.slice(comma + 1)
  return [Buffer.from('EVAL'), script, Buffer.from(String(keys.length)), ...keys, ...rest]
}

/** Each line of standard input is a command. */
async function runInput(options: Options, session: Session): Promise<number> {
  if (!(await session.connect())) return 1
  let docs: CommandDocs | undefined
  const loadDocs = async (): Promise<CommandDocs> => {
    docs ??= readDocs(await session.ask(['COMMAND', 'DOCS']))
    return docs
  }
  for await (const line of linesOf(Bun.stdin.stream())) {
    if (!(await runLine(line, session, options, loadDocs))) break
  }
  return 0
}

async function* linesOf(input: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let rest: Uint8Array[] = []
  for await (const chunk of input) {
    let from = 0
    for (let to = chunk.indexOf(10); to >= 0; to = chunk.indexOf(10, from)) {
      yield Buffer.concat([...rest, chunk.subarray(from, to)])
      rest = []
      from = to + 1
    }
    if (from < chunk.length) rest.push(chunk.subarray(from))
  }
  if (rest.length > 0) yield Buffer.concat(rest)
}

async function pipe(options: Options, output: Output): Promise<number> {
  const session = new Session(options, output, false)
  const connection = await session.take()
  if (connection === undefined) return 1
  return runPipe(connection, Bun.stdin.stream(), output, options.pipeTimeoutMs)
}

main().then(
  (status) => process.exit(status),
  (error) => {
    if (!(error instanceof Failure)) throw error
    streams.err(`${error.message}\n`)
    process.exit(1)
  },
)
