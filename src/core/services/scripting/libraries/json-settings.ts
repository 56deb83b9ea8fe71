/**
 * The settings of one `cjson`, which lie in a row.
 *
 * Thread: core.
 * Owns: their order and what they are at first.
 * Never: keeps them.
 */

/** Settings by their place in the block. */
export const SPARSE_CONVERT = 0
export const SPARSE_RATIO = 1
export const SPARSE_SAFE = 2
export const ENCODE_DEPTH = 3
export const DECODE_DEPTH = 4
export const ENCODE_INVALID = 5
export const DECODE_INVALID = 6
export const KEEP_BUFFER = 7
export const PRECISION = 8
export const DEFAULTS = [0, 2, 10, 1000, 1000, 0, 1, 1, 14]

/** Reads one setting. */
export type Setting = (place: number) => number
