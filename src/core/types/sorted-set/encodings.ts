/**
 * The two encodings of a sorted set, as entries name them. Either value is two words: the listpack
 * and nothing, or the byte map and the byte tree.
 *
 * Thread: any.
 * Owns: the numbers.
 * Never: changes.
 */
export const SORTED_SET_LISTPACK = 0
export const SORTED_SET_TREE = 1
export const SORTED_SET_VALUE_SIZE = 8
