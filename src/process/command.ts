/**
 * What the command line asks for: to serve, or to say something and end.
 *
 * Thread: main.
 * Owns: usage and version texts.
 * Never: listens or starts a thread itself.
 */
import { type CommandLine, parseCommandLine } from '../config/command-line.ts'
import { REDBUN_VERSION, REDIS_VERSION } from '../config/version.ts'
import { checkAofMain, print } from './check-aof.ts'
import { checkRdbMain } from './check-rdb.ts'
import { loadConfiguration } from './configuration.ts'
import type { Host } from './host.ts'
import { Logger } from './logger.ts'
import { ServerProcess } from './server-process.ts'

const USAGE = `Usage: bun run server [/path/to/redis.conf] [options] [-]
       bun run server - (read config from stdin)
       bun run server -v or --version
       bun run server -h or --help
       bun run server --check-aof [--fix|--truncate-to-timestamp $timestamp] <file.manifest|file.aof>
       bun run server --check-rdb <file.rdb>

Examples:
       bun run server (run the server with default conf)
       echo 'maxmemory 128mb' | bun run server -
       bun run server /etc/redis/6379.conf
       bun run server --port 7777
       bun run server /etc/myredis.conf --loglevel verbose -
`

/** Does what the command line asks for. `host`: where a server will live. */
export function main(host: Host): void {
  const line = parseCommandLine(process.argv.slice(2))
  if (line.task === 'serve') return serve(line, host)
  if (line.task === 'version') {
    console.log(`Redbun server v=${REDBUN_VERSION} redis=${REDIS_VERSION} bun=${Bun.version}`)
    process.exit(0)
  }
  const say = (text: string) => print(`${text}\n`)
  if (line.task === 'check-aof') process.exit(checkAofMain(line.words, say, print))
  if (line.task === 'check-rdb') process.exit(checkRdbMain(line.words, say))
  if (line.task === 'help') {
    process.stderr.write(USAGE)
  } else if (line.task === 'refuse') {
    process.stderr.write(line.text)
  } else {
    process.stderr.write(
      `--${line.task} is not part of Redbun: it tests the machine, not a server.\n`,
    )
  }
  process.exit(1)
}

function serve(line: Extract<CommandLine, { task: 'serve' }>, host: Host): void {
  const logger = new Logger()
  const configuration = loadConfiguration(line)
  if (!('settings' in configuration)) {
    if (configuration.to === 'stderr') process.stderr.write(configuration.text)
    else logger.warning(configuration.text)
    process.exit(1)
  }
  const { settings } = configuration
  if (line.standardInput) logger.notice('Reading config from stdin')
  logger.configure(settings.text('logfile'), settings.text('loglevel'))
  new ServerProcess(configuration, logger, host).run()
}
