/**
 * Texts of the debugging client as C understands them.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: complains.
 */

/** Up to a NUL. */
export function cString(text: string): string {
  const end = text.indexOf('\0')
  return end < 0 ? text : text.slice(0, end)
}

/** The number that a text begins with; 0 when it begins with none. */
export function leadingInteger(text: string): number {
  return Number(/^\s*([+-]?\d+)/.exec(text)?.[1] ?? 0) + 0
}
