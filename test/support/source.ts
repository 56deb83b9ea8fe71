/**
 * Source files as tidy.test.ts looks at them: code without comments and string contents, imports,
 * and functions, found by the indentation that the formatter guarantees.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: understands types; whatever needs them is the compiler's business.
 */
import { readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { Glob } from 'bun'

export interface Import {
  /** Path from the repository's root, or a package's name. */
  readonly path: string
  readonly isTypeOnly: boolean
  readonly line: number
}

export interface SourceFunction {
  readonly name: string
  /** Lines counted from 1, both included. */
  readonly firstLine: number
  /** Where its body opens. */
  readonly bodyLine: number
  readonly lastLine: number
}

export interface SourceFile {
  /** From the repository's root: 'src/core/loop.ts'. */
  readonly path: string
  readonly text: string
  readonly lines: readonly string[]
  /** As `lines`, comments and the insides of strings blanked out; `${` in templates too. */
  readonly code: readonly string[]
  readonly imports: readonly Import[]
  readonly functions: readonly SourceFunction[]
}

/** All files of a folder, by path. */
export function readSources(root: string, pattern: string): SourceFile[] {
  const paths = [...new Glob(pattern).scanSync({ cwd: root })].sort()
  return paths.map((path) => parseSource(path, readFileSync(join(root, path), 'utf8')))
}

export function parseSource(path: string, text: string): SourceFile {
  const lines = text.split('\n')
  const code = blank(text).split('\n')
  return { path, text, lines, code, imports: findImports(path, text), functions: functionsOf(code) }
}

/** Blanks out comments and what stands between quotes; every other character keeps its place. */
export function blank(text: string): string {
  // Comments, strings, templates without nesting, and regular expressions where one may begin.
  const pattern =
    /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\[\s\S])*`|(?<=[(,=:[!&|?{};]\s*|return )\/(?![*/])(?:[^/\\\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/g
  return text.replace(pattern, (found) => {
    const hollow = found.replace(/[^\n]/g, ' ')
    if (found.startsWith('/')) return hollow
    return found[0] + hollow.slice(1, -1) + found.at(-1)
  })
}

function findImports(path: string, text: string): Import[] {
  const imports: Import[] = []
  const statement =
    /^(?:import|export)\s+(type\s+)?((?:[\w*\s,{}]|\s)*?)\s*(?:from\s+)?'([^'\n]+)'/gm
  for (const match of text.matchAll(statement)) {
    const names = /^\{([\s\S]*)\}$/.exec(match[2].trim())?.[1]
    const onlyTypes =
      match[1] !== undefined ||
      (names?.split(',').every((name) => name.trim() === '' || /^\s*type\s/.test(name)) ?? false)
    imports.push({
      path: resolvePath(path, match[3]),
      isTypeOnly: onlyTypes,
      line: lineAt(text, match.index),
    })
  }
  // A thread's entry and a file loaded on demand are named in the code.
  for (const match of text.matchAll(/(?:new URL\(|\bimport\(|require\()\s*'(\.[^']+)'/g)) {
    imports.push({
      path: resolvePath(path, match[1]),
      isTypeOnly: true,
      line: lineAt(text, match.index),
    })
  }
  return imports
}

function resolvePath(from: string, specifier: string): string {
  return specifier.startsWith('.') ? normalize(join(dirname(from), specifier)) : specifier
}

function lineAt(text: string, index: number): number {
  return text.slice(0, index).split('\n').length
}

const FUNCTION =
  /^(\s*)(?:export )?(?:async )?(?:function\*? ?(\w+)|(?:(?:static|get|set|async|override|readonly) )*([#\w]+)(?:<[^(]*>)?\((?!.*\) => .*[^{]$)|(?:const|readonly) ([#\w]+) = (?:async )?\()/
const NOT_A_NAME = /^(?:if|for|while|switch|catch|return|super|throw|assert|expect|with)$/

function functionsOf(code: readonly string[]): SourceFunction[] {
  const functions: SourceFunction[] = []
  for (let i = 0; i < code.length; i++) {
    const match = FUNCTION.exec(code[i])
    const name = match?.[2] ?? match?.[3] ?? match?.[4]
    if (match === null || name === undefined || NOT_A_NAME.test(name)) continue
    const indent = match[1]
    const opens = bodyStart(code, i, indent)
    if (opens < 0) continue
    const last = code.findIndex((line, at) => at > opens && line.startsWith(`${indent}}`))
    if (last < 0) continue
    functions.push({ name, firstLine: i + 1, bodyLine: opens + 1, lastLine: last + 1 })
  }
  return functions
}

/** The line on which the body opens; -1 when what looked like a function is a call. */
function bodyStart(code: readonly string[], first: number, indent: string): number {
  if (/\{\s*$/.test(code[first])) return /\)[^()]*\{\s*$/.test(code[first]) ? first : -1
  if (!/\(\s*$/.test(code[first])) return -1
  const close = code.findIndex((line, at) => at > first && line.startsWith(`${indent})`))
  return close > 0 && /^\s*\).*\{\s*$/.test(code[close]) ? close : -1
}
