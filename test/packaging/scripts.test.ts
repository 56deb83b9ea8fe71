/**
 * The package's scripts in the shells that run them: the system's, and on Windows the runtime's own,
 * which knows fewer words and has no program but Bun beside it.
 *
 * Thread: main.
 * Owns: folders with nothing but the scripts.
 * Never: installs a package.
 */
import { describe, expect, test } from 'bun:test'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeDirectory, ROOT } from '../support/server.ts'

const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
const installing = Object.keys(scripts).filter((name) => scripts[name].includes('bun install'))

/** What a script says in a folder whose packages are these. */
async function said(shell: string, name: string, packages: readonly string[]): Promise<string> {
  const directory = makeDirectory()
  for (const path of packages) mkdirSync(join(directory, path), { recursive: true })
  const own = { [name]: scripts[name].replace(/bun install.*/, 'echo installed') }
  writeFileSync(join(directory, 'package.json'), JSON.stringify({ name: 'x', scripts: own }))
  const child = Bun.spawn([process.execPath, 'run', '--silent', `--shell=${shell}`, name], {
    cwd: directory,
    env: { ...process.env, ...(shell === 'bun' ? { PATH: '' } : {}) },
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const text = await Promise.all(
    [child.stdout, child.stderr].map((one) => new Response(one).text()),
  )
  expect(await child.exited).toBe(0)
  rmSync(directory, { recursive: true })
  return text.join('').trim()
}

describe.each(['system', 'bun'])('in the shell %s', (shell) => {
  test.each(installing)('%s installs only what is missing', async (name) => {
    const needed = [...scripts[name].matchAll(/\(cd (\S+) /g)].map(([, path]) => path)
    expect(needed.length).toBeGreaterThan(0)
    expect(await said(shell, name, needed)).toBe('')
    for (const missing of needed) {
      const others = needed.filter((path) => path !== missing)
      expect(await said(shell, name, others)).toBe('installed')
    }
  })
})
