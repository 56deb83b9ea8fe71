/**
 * The Lua 5.1 interpreter: PUC Lua compiled to WebAssembly, as the package `wasmoon-lua5.1` brings
 * it. Read and compiled when the first script comes, so that a server without scripts pays nothing.
 *
 * Thread: core.
 * Owns: the compiled module.
 * Never: reads any other file.
 */
import { readFileSync } from 'node:fs'
import path from 'wasmoon-lua5.1/dist/liblua5.1.wasm' with { type: 'file' }
import { patched } from './patch.ts'

let compiled: WebAssembly.Module | undefined

/** The interpreter's module, as `patch.ts` has it. */
export function luaModule(): WebAssembly.Module {
  compiled ??= new WebAssembly.Module(patched(readFileSync(path)))
  return compiled
}
