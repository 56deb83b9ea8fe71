/**
 * The bytes of an RDB file on their way to the disk thread, which compresses what the core has left:
 *
 *     count of strings | { offset in the bytes, length } ... | bytes
 *
 * Three kinds of words, then the file's bytes, in which the strings that are named stand bare. A
 * string that begins in one record may go on in the next ones.
 *
 * Thread: any.
 * Owns: the layout.
 * Never: compresses.
 */

/** Words before the pairs. */
export const RDB_RECORD_HEAD_WORDS = 1

/** Bytes before the file's bytes in a record that names `stringCount` strings. */
export function rdbRecordHeadSize(stringCount: number): number {
  return (RDB_RECORD_HEAD_WORDS + 2 * stringCount) * 4
}
