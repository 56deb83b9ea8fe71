/**
 * The two version numbers the server reports: the Redis it answers as, and its own.
 *
 * Thread: any.
 * Owns: both constants.
 * Never: computes anything.
 */

/** The Redis version whose behaviour, texts and formats the server follows. */
export const REDIS_VERSION = '7.0.15'

/** Redbun's own version. */
export const REDBUN_VERSION = '0.1.0'
