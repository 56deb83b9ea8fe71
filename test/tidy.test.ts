/**
 * House rules that a machine can check: who may import whom, what each thread may touch, the shape
 * of files, and what the hot path may not do.
 *
 * Thread: any.
 * Owns: the rules.
 * Never: checks what the compiler or the formatter checks.
 */
import { describe, expect, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { blank, parseSource, readSources, type SourceFile } from './support/source.ts'

const ROOT = resolve(import.meta.dir, '..')
const sources = readSources(ROOT, 'src/**/*.ts').filter(({ path }) => !path.endsWith('.d.ts'))
const byPath = new Map(sources.map((file) => [file.path, file]))
const everything = [
  ...sources,
  ...readSources(ROOT, 'test/**/*.ts'),
  ...readSources(ROOT, 'bench/**/*.ts'),
]

/** Rooms, and which others' values each may import. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  lib: [],
  config: ['lib'],
  bridge: ['lib', 'config'],
  memory: ['lib', 'config'],
  io: ['lib', 'config', 'bridge'],
  disk: ['lib', 'config', 'bridge'],
  core: ['lib', 'config', 'bridge', 'memory'],
  cli: ['lib', 'config'],
  process: ['lib', 'config', 'bridge', 'io', 'disk'],
  embedded: ['lib', 'config', 'bridge', 'io', 'process'],
  main: ['lib', 'config', 'bridge', 'process'],
}

/** Inside core: a folder may import those before it; 'root' are the files of core itself. */
const CORE_ORDER = ['command', 'engine', 'keyspace', 'types', 'services', 'root']

const FILE_LINES_MAX = 600
const FUNCTION_LINES_MAX = 70
/** Tables: one entry after the other, no logic to hold in the head. */
const LONG_TABLES = ['src/config/params.ts']

/** Places where a rule is broken: `path:line text`. */
type Breaches = string[]

function room(path: string): string {
  const [, first] = path.split('/')
  return first === 'main.ts' || first === 'compiled.ts' ? 'main' : first
}

function corePart(path: string): string {
  const parts = path.split('/')
  return parts.length > 3 ? parts[2] : 'root'
}

/** Lines of code that match, as breaches. */
function lines(files: readonly SourceFile[], pattern: RegExp): Breaches {
  return files.flatMap((file) =>
    file.code.flatMap((line, i) =>
      pattern.test(line) ? [`${file.path}:${i + 1} ${file.lines[i].trim()}`] : [],
    ),
  )
}

const inRooms = (...rooms: readonly string[]) =>
  sources.filter(({ path }) => rooms.includes(room(path)))
const outside = (...rooms: readonly string[]) =>
  sources.filter(({ path }) => !rooms.includes(room(path)))

describe('imports', () => {
  test('values are imported from rooms below only', () => {
    const breaches: Breaches = []
    for (const { path, imports } of sources) {
      const from = room(path)
      expect(MAY_IMPORT).toHaveProperty(from)
      for (const one of imports) {
        if (one.isTypeOnly || !one.path.startsWith('src/')) continue
        const to = room(one.path)
        if (to !== from && !MAY_IMPORT[from].includes(to)) {
          breaches.push(`${path}:${one.line} ${from} imports ${one.path}`)
        }
      }
    }
    expect(breaches).toEqual([])
  })

  test('inside core, values are imported leftwards only', () => {
    const breaches: Breaches = []
    for (const { path, imports } of inRooms('core')) {
      for (const one of imports) {
        if (one.isTypeOnly || !one.path.startsWith('src/core/')) continue
        const from = CORE_ORDER.indexOf(corePart(path))
        const to = CORE_ORDER.indexOf(corePart(one.path))
        expect([path, from >= 0 && to >= 0]).toEqual([path, true])
        if (to > from) breaches.push(`${path}:${one.line} imports ${one.path}`)
      }
    }
    expect(breaches).toEqual([])
  })

  test('no value import closes a circle', () => {
    const state = new Map<string, 'open' | 'done'>()
    const circles: string[] = []
    const visit = (path: string, trail: readonly string[]): void => {
      if (state.get(path) === 'done') return
      if (state.get(path) === 'open') {
        circles.push([...trail.slice(trail.indexOf(path)), path].join(' -> '))
        return
      }
      state.set(path, 'open')
      for (const one of byPath.get(path)?.imports ?? []) {
        if (!one.isTypeOnly && one.path.startsWith('src/')) visit(one.path, [...trail, path])
      }
      state.set(path, 'done')
    }
    for (const { path } of sources) visit(path, [])
    expect(circles).toEqual([])
  })

  test('every import of a file names one that exists', () => {
    const breaches = everything.flatMap(({ path, imports }) =>
      imports
        .filter((one) => /^(src|test|bench)\//.test(one.path) && !existsSync(join(ROOT, one.path)))
        .map((one) => `${path}:${one.line} ${one.path}`),
    )
    expect(breaches).toEqual([])
  })

  test('every file of src is imported by another or is an entry', () => {
    // The toolbox may be ahead of its users, not of its tests.
    const users = [...sources, ...everything.filter(({ path }) => path.startsWith('test/lib/'))]
    const imported = new Set(users.flatMap(({ imports }) => imports.map(({ path }) => path)))
    const entries = [
      'src/main.ts',
      'src/compiled.ts',
      'src/process/compile.ts',
      'src/cli/main.ts',
      'src/embedded/create-server.ts',
    ]
    const dead = sources.map(({ path }) => path).filter((path) => !imported.has(path))
    expect(dead.filter((path) => !entries.includes(path))).toEqual([])
  })

  test('src imports no test and no bench', () => {
    const breaches = sources.flatMap(({ path, imports }) =>
      imports.filter((one) => /^(test|bench)\//.test(one.path)).map((one) => `${path} ${one.path}`),
    )
    expect(breaches).toEqual([])
  })
})

describe('threads', () => {
  test('core and bridge have no async function', () => {
    expect(lines(inRooms('core', 'bridge'), /\basync (?!:)|\bawait\b/)).toEqual([])
  })

  test('Atomics stand in bridge only', () => {
    expect(lines(outside('bridge'), /\bAtomics\b/)).toEqual([])
  })

  test('core reads the time in clock.ts only; lib and memory never', () => {
    const files = inRooms('core', 'lib', 'memory').filter(
      ({ path }) => basename(path) !== 'clock.ts',
    )
    expect(lines(files, /\b(Date\.now|performance\.(now|timeOrigin)|new Date\(\))/)).toEqual([])
  })

  test('nothing is left to Math.random', () => {
    expect(lines(sources, /\bMath\.random\b/)).toEqual([])
  })

  test('sockets are opened in io and by the client only', () => {
    expect(lines(outside('io', 'cli'), /\bBun\.(listen|connect|serve|udpSocket)\b/)).toEqual([])
  })

  test('core, lib, memory and bridge touch no file and no process', () => {
    const breaches = inRooms('core', 'lib', 'memory', 'bridge').flatMap(({ path, imports }) =>
      imports
        .filter((one) => /^(node:|bun:|bun$)/.test(one.path) && !one.isTypeOnly)
        .map((one) => `${path}:${one.line} ${one.path}`),
    )
    // The one file that is read is code: an interpreter that comes as a package's file.
    const allowed =
      /( (node:crypto|node:os|bun:jsc)|^src\/bridge\/\S+ bun:ffi|\/lua\/binary\.ts\S* node:fs)$/
    expect(breaches.filter((breach) => !allowed.test(breach))).toEqual([])
    const used = lines(inRooms('core', 'lib', 'memory', 'bridge'), /\bBun\.(file|write|spawn)\b/)
    expect(used).toEqual([])
  })
})

describe('files', () => {
  test('begin by saying what they are, whose thread, what they own and never do', () => {
    const breaches = everything
      .filter(({ text }) => {
        const header = /^(?:#!.*\n)?\/\*\*\n( \*.*\n)+? \*\/\n/.exec(text)?.[0] ?? ''
        return !/^ \* Thread: /m.test(header) || !/Owns: /.test(header) || !/Never: /.test(header)
      })
      .map(({ path }) => path)
    expect(breaches).toEqual([])
  })

  test(`hold at most ${FILE_LINES_MAX} lines`, () => {
    const long = sources.filter(({ path, lines: all }) => {
      return all.length > FILE_LINES_MAX + 1 && !LONG_TABLES.includes(path)
    })
    expect(long.map(({ path, lines: all }) => `${path} ${all.length - 1}`)).toEqual([])
  })

  test(`hold functions of at most ${FUNCTION_LINES_MAX} lines`, () => {
    const long = sources.flatMap(({ path, functions }) =>
      functions
        .map((one) => ({ ...one, size: one.lastLine - one.firstLine + 1 }))
        .filter(({ size }) => size > FUNCTION_LINES_MAX)
        .map(({ name, firstLine, size }) => `${path}:${firstLine} ${name} ${size}`),
    )
    expect(long).toEqual([])
  })

  test('have names in kebab-case that say more than "helpers"', () => {
    const name = /^[a-z0-9]+(-[a-z0-9]+)*(\.(test|bench|stress|d))*\.ts$/
    const empty = /^(utils?|common|helpers?|manager|types|index|misc)\.ts$/
    const wrong = everything
      .map(({ path }) => path)
      .filter((path) => {
        return !name.test(basename(path)) || empty.test(basename(path))
      })
    expect(wrong).toEqual([])
  })

  test('have named exports only', () => {
    expect(lines(everything, /^export default\b|^export \* from/)).toEqual([])
  })

  test('leave no TODO without the number of its issue', () => {
    const found = everything.flatMap(({ path, lines: all }) =>
      all.flatMap((line, i) =>
        /\b(TODO|FIXME|XXX)\b(?!\(#\d+\))/.test(line) && !path.endsWith('tidy.test.ts')
          ? [`${path}:${i + 1} ${line.trim()}`]
          : [],
      ),
    )
    expect(found).toEqual([])
  })

  test('catch nothing to forget it', () => {
    const found = everything.flatMap(({ path, text }) => {
      const code = blank(text)
      return [...code.matchAll(/\bcatch(?: \(\w+\))? \{\s*\}/g)].map(
        (match) => `${path}:${code.slice(0, match.index).split('\n').length}`,
      )
    })
    expect(found).toEqual([])
  })

  test('collect every command they define', async () => {
    const { commandGroups } = await import('../src/core/commands.ts')
    const collected = new Set(commandGroups.flatMap(({ definitions }) => definitions))
    const lost: Breaches = []
    for (const { path, text } of inRooms('core')) {
      if (!/ = command\(/.test(text)) continue
      const exported: Record<string, unknown> = await import(join(ROOT, path))
      for (const [name, value] of Object.entries(exported)) {
        if (!/^export const \w+ = command\(/m.test(text) || typeof value !== 'object') continue
        const isCommand = value !== null && 'name' in value && 'usage' in value && 'flags' in value
        if (isCommand && !collected.has(value as never)) lost.push(`${path} ${name}`)
      }
    }
    expect(lost).toEqual([])
  })

  test('decide nothing by the name of a command', () => {
    const files = inRooms('core').filter(({ path }) => !path.startsWith('src/core/command/'))
    expect(lines(files, /\b(entry|command|lastCommand)\.(name|upperName|fullName) [!=]==/)).toEqual(
      [],
    )
  })
})

/**
 * In files that say `Hot path.`, a line that allocates says why that is fine: `// alloc: ...`, on the
 * line or the one above it, or above the function for all of it, where "cold" will do too.
 * Constructors, errors and what stands outside functions are free.
 */
describe('hot path', () => {
  const ALLOCATES =
    /\bnew [A-Z]|(?<![\w.])\.\.\.[\w[(]|=>|`|\bfor \((const|let) .+ of |\.(map|filter|slice|subarray|concat)\(/
  const FREE = /^\s*(throw\b|assert\(|readonly |\/\/|[|}\])]*\s*(else )?throw\b)|throw new/

  test('allocates nothing without saying why', () => {
    const hot = sources.filter(({ text }) => /^ \* (Thread: .*)?Hot path\./m.test(text))
    expect(hot.length).toBeGreaterThan(10)
    expect(hot.flatMap(allocations)).toEqual([])
  })

  function allocations(file: SourceFile): Breaches {
    const found: Breaches = []
    for (const one of file.functions) {
      if (one.name === 'constructor' || isCold(file, one.firstLine)) continue
      for (let line = one.bodyLine + 1; line < one.lastLine; line++) {
        const code = file.code[line - 1]
        if (!ALLOCATES.test(code) || FREE.test(code) || explained(file, line)) continue
        found.push(`${file.path}:${line} ${file.lines[line - 1].trim()}`)
      }
    }
    return [...new Set(found)]
  }

  /** Whether what stands above a function says that it is cold, or why it may allocate. */
  function isCold(file: SourceFile, firstLine: number): boolean {
    for (let line = firstLine; line > 0; line--) {
      const text = file.lines[line - 1]
      if (/\bcold\b|alloc: /i.test(text)) return true
      if (line < firstLine && !/^\s*(\*|\/\*\*|\/\/)/.test(text)) return false
    }
    return false
  }

  function explained(file: SourceFile, line: number): boolean {
    return [line - 1, line, line + 1].some((at) => file.lines[at - 1]?.includes('alloc: '))
  }
})

describe('these rules', () => {
  test('see code, not comments and strings', () => {
    const code = blank("a('Atomics') // Math.random\n/* await */ b(/`/, `x`)\n")
    expect(code).not.toMatch(/Atomics|Math|await/)
    expect(code).toContain('b(')
    expect(code.split('\n')).toHaveLength(3)
  })

  test('find imports and functions', () => {
    const file = parseSource(
      'src/core/a.ts',
      "import { b, type C } from '../lib/b.ts'\nimport type { D } from './d.ts'\nimport {\n  type E,\n} from './e.ts'\nexport function f(\n  a: number,\n): void {\n  if (a > 1) {\n  }\n}\nclass G {\n  #h(x: string): void {\n  }\n}\n",
    )
    expect(file.imports.map(({ path, isTypeOnly }) => [path, isTypeOnly])).toEqual([
      ['src/lib/b.ts', false],
      ['src/core/d.ts', true],
      ['src/core/e.ts', true],
    ])
    expect(file.functions).toEqual([
      { name: 'f', firstLine: 6, bodyLine: 8, lastLine: 11 },
      { name: '#h', firstLine: 13, bodyLine: 13, lastLine: 14 },
    ])
  })
})
