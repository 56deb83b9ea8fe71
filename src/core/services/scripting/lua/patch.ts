/**
 * The interpreter's code with what makes it Redis's: whole numbers (`wide-integers.ts`), and read-only
 * tables. Redis's own Lua knows them, plain Lua 5.1 does not: there a script can overwrite
 * `redis.call` or `string.rep` for everybody who comes after it. Proxies with metatables would be
 * seen by `pairs` and `getmetatable`, and every access would take a detour; so the few functions of
 * the interpreter that write into tables get a check in front.
 *
 * A table's header is `next (4 bytes) | type (4) | marked (1)`. The collector uses bits 0 to 6 of
 * `marked` and keeps the seventh as it is: that is the read-only mark. The check, as it stands in
 * front of luaH_set(L, table, key) and its like:
 *
 *     if (table[5] & 0x80) __syscall_rmdir(L)     an import that nothing else can reach without `os`
 *
 * The functions have no names in the module. They are found by what calls them: the last call of
 * lua_settable is luaV_settable; lua_rawset's first one after its arguments are found is luaH_set,
 * and lua_rawseti's luaH_setnum, which lie next to each other.
 *
 * Thread: core.
 * Owns: nothing.
 * Never: guesses: a module that looks otherwise is refused.
 *
 * @see https://webassembly.github.io/spec/core/binary/modules.html
 */
import { assert } from '../../../../lib/assert.ts'
import { isFormat, withWideFormat, withWideInteger } from './wide-integers.ts'

export const MARKED_OFFSET = 5
export const READ_ONLY_BIT = 0x80
/** The import that is called when a script writes into a read-only table. */
export const READ_ONLY_IMPORT = '__syscall_rmdir'

const HEADER_SIZE = 8
const SECTION_IMPORT = 2
const SECTION_EXPORT = 7
const SECTION_CODE = 10
const KIND_FUNCTION = 0
const OP_CALL = 0x10
const OP_TEE = 0x22

interface Section {
  readonly id: number
  readonly start: number
  readonly end: number
}

class Reader {
  readonly bytes: Uint8Array
  at: number

  constructor(bytes: Uint8Array, at: number) {
    this.bytes = bytes
    this.at = at
  }

  /** An unsigned LEB128 number. */
  number(): number {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = this.bytes[this.at++]
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
  }

  text(): string {
    const length = this.number()
    this.at += length
    return Buffer.from(this.bytes.subarray(this.at - length, this.at)).toString('latin1')
  }
}

/** The interpreter's bytes with all of it in place. */
export function patched(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const sections = sectionsOf(bytes)
  const imports = functionImports(bytes, sections)
  const exports = functionExports(bytes, sections)
  const code = sections.find(({ id }) => id === SECTION_CODE)
  const complain = imports.indexOf(READ_ONLY_IMPORT)
  assert(code !== undefined && complain >= 0, 'the interpreter has code and the import')
  if (code === undefined) return Buffer.from(bytes)
  const bodies = bodiesOf(bytes, code)
  const bodyOf = (index: number) => bodies[index - imports.length]
  const find = (name: string) => exports.get(name) ?? -1
  const set = onlyCall(bodyOf(find('lua_rawset')), 3)
  const setNumber = onlyCall(bodyOf(find('lua_rawseti')), 3)
  assert(setNumber === set + 1, 'luaH_setnum follows luaH_set')
  const changed = new Map<number, Uint8Array>()
  for (const index of [set, setNumber, setNumber + 1]) {
    changed.set(index - imports.length, withPrefix(bodyOf(index), tableCheck(complain)))
  }
  const setMetatable = find('lua_setmetatable')
  changed.set(
    setMetatable - imports.length,
    withPrefix(bodyOf(setMetatable), metatableCheck(complain)),
  )
  const toInteger = find('lua_tointeger')
  changed.set(toInteger - imports.length, withWideInteger(bodyOf(toInteger)))
  const format = bodies.findIndex(isFormat)
  assert(format >= 0, 'the interpreter has string.format')
  changed.set(format, withWideFormat(bodies[format]))
  const parts: Uint8Array[] = [numberBytes(bodies.length)]
  bodies.forEach((body, i) => {
    const used = changed.get(i) ?? body
    parts.push(numberBytes(used.length), used)
  })
  const section = Buffer.concat(parts)
  const head = bytes.subarray(0, startOfSection(sections, code))
  const size = numberBytes(section.length)
  const tail = bytes.subarray(code.end)
  return new Uint8Array(Buffer.concat([head, Buffer.of(SECTION_CODE), size, section, tail]))
}

function sectionsOf(bytes: Uint8Array): Section[] {
  const sections: Section[] = []
  const reader = new Reader(bytes, HEADER_SIZE)
  while (reader.at < bytes.length) {
    const id = bytes[reader.at++]
    const size = reader.number()
    sections.push({ id, start: reader.at, end: reader.at + size })
    reader.at += size
  }
  return sections
}

/** Where the section's id stands: right behind the one before. */
function startOfSection(sections: readonly Section[], section: Section): number {
  const index = sections.indexOf(section)
  return index === 0 ? HEADER_SIZE : sections[index - 1].end
}

/** Names of the imported functions, which have the first indices. */
function functionImports(bytes: Uint8Array, sections: readonly Section[]): string[] {
  const names: string[] = []
  const section = sections.find(({ id }) => id === SECTION_IMPORT)
  if (section === undefined) return names
  const reader = new Reader(bytes, section.start)
  for (let count = reader.number(); count > 0; count--) {
    reader.text()
    names.push(reader.text())
    assert(bytes[reader.at++] === KIND_FUNCTION, 'the interpreter imports functions only')
    reader.number()
  }
  return names
}

function functionExports(bytes: Uint8Array, sections: readonly Section[]): Map<string, number> {
  const indices = new Map<string, number>()
  const section = sections.find(({ id }) => id === SECTION_EXPORT)
  if (section === undefined) return indices
  const reader = new Reader(bytes, section.start)
  for (let count = reader.number(); count > 0; count--) {
    const name = reader.text()
    const kind = bytes[reader.at++]
    const index = reader.number()
    if (kind === KIND_FUNCTION) indices.set(name, index)
  }
  return indices
}

function bodiesOf(bytes: Uint8Array, { start }: Section): Uint8Array[] {
  const bodies: Uint8Array[] = []
  const reader = new Reader(bytes, start)
  for (let count = reader.number(); count > 0; count--) {
    const size = reader.number()
    bodies.push(bytes.subarray(reader.at, reader.at + size))
    reader.at += size
  }
  return bodies
}

/**
 * The function that a small body calls, told by its index being written in `indexSize - 1` bytes
 * behind the call, and its result being kept at once (local.tee).
 */
function onlyCall(body: Uint8Array, indexSize: number): number {
  for (let at = 0; at + indexSize < body.length; at++) {
    if (body[at] !== OP_CALL || body[at + indexSize] !== OP_TEE) continue
    if ((body[at + 1] & 0x80) === 0 || (body[at + 2] & 0x80) !== 0) continue
    return new Reader(body, at + 1).number()
  }
  assert(false, 'the interpreter is laid out otherwise')
  return -1
}

/** The body with instructions in front, behind the declaration of its locals. */
function withPrefix(body: Uint8Array, prefix: readonly number[]): Uint8Array {
  const reader = new Reader(body, 0)
  for (let groups = reader.number(); groups > 0; groups--) {
    reader.number()
    reader.at++
  }
  return Buffer.concat([body.subarray(0, reader.at), Buffer.from(prefix), body.subarray(reader.at)])
}

/** For a function whose arguments are L and a table. */
function tableCheck(complain: number): readonly number[] {
  return [0x20, 1, ...markCheck(complain)]
}

/**
 * For lua_setmetatable(L, 1), as the script's own `setmetatable` calls it, having seen that the first
 * value above L->base, at 12, is a table. Everybody else counts from the top.
 */
function metatableCheck(complain: number): readonly number[] {
  const table = [0x20, 0, 0x28, 2, 12, 0x28, 2, 0]
  return [0x20, 1, 0x41, 1, 0x46, 0x04, 0x40, ...table, ...markCheck(complain), 0x0b]
}

/** Takes a table from the stack and complains if it is marked. */
function markCheck(complain: number): readonly number[] {
  // i32.load8_u offset=5; i32.const 128; i32.and; if; local.get 0; call; drop; end
  return [
    0x2d,
    0,
    MARKED_OFFSET,
    0x41,
    0x80,
    1,
    0x71,
    0x04,
    0x40,
    0x20,
    0,
    0x10,
    complain,
    0x1a,
    0x0b,
  ]
}

function numberBytes(value: number): Uint8Array {
  const bytes: number[] = []
  let rest = value
  do {
    const low = rest & 0x7f
    rest = Math.floor(rest / 128)
    bytes.push(rest > 0 ? low | 0x80 : low)
  } while (rest > 0)
  return Buffer.from(bytes)
}
