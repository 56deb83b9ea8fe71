/**
 * Methods of Buffer that Bun has (they come from Node) and its types leave out.
 *
 * Thread: any.
 * Owns: their types.
 * Never: runs.
 */
interface Buffer {
  latin1Slice(start: number, end: number): string
  utf8Slice(start: number, end: number): string
  latin1Write(text: string, offset: number): number
}
