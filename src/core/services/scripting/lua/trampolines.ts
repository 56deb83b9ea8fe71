/**
 * JavaScript functions as entries of the interpreter's function table, where Lua looks for the C
 * functions that it calls. Only functions of WebAssembly may stand there; a module that imports
 * functions and exports them again makes such ones, and is small enough to be written by hand:
 *
 *     type 0: (i32) -> i32     a function that scripts call: takes L, gives the number of results
 *     type 1: (i32, i32) -> () a hook
 *     import "c" "0" type, "c" "1" type, ...     export "0" function 0, "1" function 1, ...
 *
 * Thread: core.
 * Owns: nothing.
 * Never: wraps a call in anything: an error of Lua passes through as it was thrown.
 *
 * @see https://webassembly.github.io/spec/core/binary/modules.html
 */

/** Called by Lua: `state` is the thread that calls. Gives how many results lie on its stack. */
export type Callback = (state: number) => number
export type Hook = (state: number, record: number) => void

const HEADER = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0]
const I32 = 0x7f
const TYPES = [2, 0x60, 1, I32, 1, I32, 0x60, 2, I32, I32, 0]
const SECTION_TYPE = 1
const SECTION_IMPORT = 2
const SECTION_EXPORT = 7
const KIND_FUNCTION = 0

/** Appends the functions to the table. Gives the index of the first. */
export function addToTable(
  table: WebAssembly.Table,
  callbacks: readonly Callback[],
  hooks: readonly Hook[],
): number {
  const functions: (Callback | Hook)[] = [...callbacks, ...hooks]
  const module = new WebAssembly.Module(moduleBytes(callbacks.length, hooks.length))
  const instance = new WebAssembly.Instance(module, { c: Object.fromEntries(functions.entries()) })
  const first = table.grow(functions.length)
  functions.forEach((_, i) => {
    table.set(first + i, instance.exports[i])
  })
  return first
}

function moduleBytes(callbackCount: number, hookCount: number): Uint8Array<ArrayBuffer> {
  const count = callbackCount + hookCount
  const imports: number[] = []
  const exports: number[] = []
  for (let i = 0; i < count; i++) {
    const name = nameBytes(String(i))
    imports.push(...nameBytes('c'), ...name, KIND_FUNCTION, i < callbackCount ? 0 : 1)
    exports.push(...name, KIND_FUNCTION, ...number(i))
  }
  return new Uint8Array([
    ...HEADER,
    ...section(SECTION_TYPE, TYPES),
    ...section(SECTION_IMPORT, [...number(count), ...imports]),
    ...section(SECTION_EXPORT, [...number(count), ...exports]),
  ])
}

function section(id: number, content: readonly number[]): number[] {
  return [id, ...number(content.length), ...content]
}

function nameBytes(name: string): number[] {
  return [...number(name.length), ...Buffer.from(name)]
}

/** Unsigned LEB128. */
function number(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...number(value >>> 7)]
}
