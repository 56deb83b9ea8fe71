/**
 * Texts that nobody can guess: digests of a secret that the process was started with, each with
 * another number.
 *
 * Thread: core.
 * Owns: the secret.
 * Never: tells it, or gives the same text twice.
 */
export class Secrets {
  readonly #secret: Uint8Array
  #next = 0

  /** `secret`: random bytes from the system. */
  constructor(secret: Uint8Array) {
    this.#secret = secret
  }

  /** So many hexadecimal digits. */
  hexadecimal(count: number): string {
    let text = ''
    while (text.length < count) {
      const hasher = new Bun.CryptoHasher('sha256', this.#secret)
      text += hasher.update(`${this.#next++}`).digest('hex')
    }
    return text.slice(0, count)
  }
}
