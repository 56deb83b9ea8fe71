/**
 * A library of functions as the server knows it.
 *
 * Thread: core.
 * Owns: nothing.
 * Never: changes once it is loaded.
 */
export interface LibraryFunction {
  readonly name: string
  readonly library: FunctionLibrary
  readonly description: string | undefined
  /** Bits of `run.ts`. */
  readonly flags: number
  /** Where the engine keeps it. */
  readonly ref: number
}

export interface FunctionLibrary {
  readonly name: string
  /** As it was loaded, its first line included. */
  readonly code: Buffer
  /** By name as it was registered. */
  readonly functions: Map<string, LibraryFunction>
}
