/**
 * Log levels, least important first, as the `loglevel` directive names them.
 *
 * Thread: any.
 * Owns: their order.
 * Never: logs.
 */

export const LOG_LEVELS = ['debug', 'verbose', 'notice', 'warning'] as const

export type LogLevel = (typeof LOG_LEVELS)[number]
