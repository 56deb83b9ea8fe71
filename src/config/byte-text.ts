/**
 * Byte strings: text in which every character is one byte, 0 to 255.
 *
 * A password or a file name may be any bytes. Text decoded as UTF-8 would make different invalid
 * bytes equal, so settings are kept as byte strings and decoded only where a person or the
 * operating system wants text.
 *
 * Thread: any.
 * Owns: the two conversions.
 * Never: loses a byte.
 */

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** Bytes as a byte string. */
export function fromBytes(bytes: Uint8Array): string {
  let text = ''
  for (let start = 0; start < bytes.length; start += 4096) {
    text += String.fromCharCode(...bytes.subarray(start, start + 4096))
  }
  return text
}

/** A byte string as bytes; a fresh array. */
export function toBytes(byteText: string): Uint8Array {
  const bytes = new Uint8Array(byteText.length)
  for (let index = 0; index < byteText.length; index++) bytes[index] = byteText.charCodeAt(index)
  return bytes
}

/** Ordinary text as the byte string of its UTF-8. */
export function fromUnicode(text: string): string {
  return fromBytes(encoder.encode(text))
}

/** A byte string read as UTF-8; what is not UTF-8 becomes the replacement character. */
export function toUnicode(byteText: string): string {
  return decoder.decode(toBytes(byteText))
}

/** ASCII letters in lower case, every other byte untouched. */
export function toLower(byteText: string): string {
  return byteText.replace(/[A-Z]/g, (letter) => letter.toLowerCase())
}
