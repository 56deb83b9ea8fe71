/**
 * Chance for the model tests: xorshift numbers from a seed that the test prints.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: differs between two runs, unless REDBUN_SEED asks for it.
 */

/** Numbers in [0, 1) from a seed; the environment's REDBUN_SEED is mixed in. */
export function seededRandom(seed: number, what: string): () => number {
  const mixed = (seed + Number(process.env['REDBUN_SEED'] ?? 0)) | 0
  console.log(`seed ${mixed} (${what})`)
  let state = Math.imul(mixed, 0x9e3779b1) ^ 0x2545f491
  if (state === 0) state = 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
}
