/**
 * Getting Redis's own test suite: it comes with the source package that Debian builds redis-server
 * from, and is kept outside of this repository.
 *
 * Thread: any.
 * Owns: the folder it unpacks to.
 * Never: builds anything, or changes the machine's package sources.
 */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A suite fits its own version only. */
export const SUITE_VERSION = '7.0'
const FETCH_TIMEOUT_MS = 300_000
const TOOLS = ['redis-cli', 'redis-benchmark', 'redis-check-aof']

/** The folder with the suite, fetched if need be. Throws: an Error that says what is missing. */
export async function getSuite(given: string | undefined): Promise<string> {
  const folder = given ?? join(tmpdir(), `redis-suite-${SUITE_VERSION}`)
  if (!existsSync(join(folder, 'tests/test_helper.tcl'))) await fetchSuite(folder)
  const version =
    /REDIS_VERSION "([\d.]+)"/.exec(readText(join(folder, 'src/version.h')))?.[1] ?? '?'
  if (!version.startsWith(`${SUITE_VERSION}.`)) {
    throw new Error(`${folder} holds the suite of ${version}; ${SUITE_VERSION} is wanted`)
  }
  // The suite calls the tools where a build would have put them.
  for (const tool of TOOLS) {
    const link = join(folder, 'src', tool)
    const path = Bun.which(tool)
    if (path !== null && !existsSync(link)) symlinkSync(path, link)
  }
  return folder
}

function readText(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : ''
}

async function fetchSuite(folder: string): Promise<void> {
  if (Bun.which('apt-get') === null) {
    throw new Error('without apt-get, unpack a Redis 7.0 source tree and name it with --suite')
  }
  const scratch = mkdtempSync(join(tmpdir(), 'redis-suite-'))
  try {
    const options = sourceOptions(scratch)
    await run(['apt-get', ...options, '-qq', 'update'], scratch)
    await run(['apt-get', ...options, '-qq', 'source', '--download-only', 'redis'], scratch)
    const archive = readdirSync(scratch).find((name) => /^redis_.*\.orig\.tar\.\w+$/.test(name))
    if (archive === undefined) throw new Error('the source package holds no archive')
    const unpacked = join(scratch, 'suite')
    mkdirSync(unpacked)
    await run(['tar', '-xf', archive, '-C', unpacked, '--strip-components=1'], scratch)
    rmSync(folder, { recursive: true, force: true })
    await run(['cp', '-r', unpacked, `${folder}.new`], scratch)
    renameSync(`${folder}.new`, folder)
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

/** Options that make apt read the machine's own sources as source packages, into `scratch`. */
function sourceOptions(scratch: string): string[] {
  const parts = join(scratch, 'parts')
  mkdirSync(parts)
  mkdirSync(join(scratch, 'lists/partial'), { recursive: true })
  const folder = '/etc/apt/sources.list.d'
  for (const name of existsSync(folder) ? readdirSync(folder) : []) {
    if (!name.endsWith('.sources')) continue
    const text = readText(join(folder, name)).replace(/^Types:.*$/gm, 'Types: deb-src')
    writeFileSync(join(parts, name), text)
  }
  const list = join(scratch, 'sources.list')
  const lines = readText('/etc/apt/sources.list').match(/^deb .*$/gm) ?? []
  writeFileSync(list, lines.map((line) => `${line.replace(/^deb /, 'deb-src ')}\n`).join(''))
  const settings = {
    'Dir::Etc::SourceList': list,
    'Dir::Etc::SourceParts': parts,
    'Dir::State::Lists': join(scratch, 'lists'),
    'APT::Sandbox::User': 'root',
  }
  return Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`])
}

async function run(command: readonly string[], directory: string): Promise<void> {
  const child = Bun.spawn([...command], {
    cwd: directory,
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: 'pipe',
    timeout: FETCH_TIMEOUT_MS,
  })
  const errors = await new Response(child.stderr).text()
  if ((await child.exited) !== 0) throw new Error(`${command.join(' ')}: ${errors.trim()}`)
}
