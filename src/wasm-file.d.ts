/**
 * WebAssembly files imported with `{ type: 'file' }`: what comes is the path where they can be read.
 *
 * Thread: any.
 * Owns: the type.
 * Never: runs.
 */
declare module '*.wasm' {
  const path: string
  // biome-ignore lint/style/noDefaultExport: this is how such a file is imported
  export default path
}
