/**
 * Every named limit that is not a setting: the bounds nobody can change at run time.
 *
 * Thread: any.
 * Owns: the numbers and the reason for each.
 * Never: reads a setting.
 */

/** The most addresses one `bind` directive may name. */
export const BIND_ADDRESSES_MAX = 16

/** `hz` is kept between these two, whatever a client asks for. */
export const HZ_MIN = 1
export const HZ_MAX = 500

/** A host name announced to others is shorter than this many bytes. */
export const HOST_NAME_SIZE_MAX = 256

/** How deep `include` may nest: a file that includes itself stops here instead of filling memory. */
export const INCLUDE_DEPTH_MAX = 32

/** A memory amount with more digits than this is not a number to anybody. */
export const MEMORY_DIGITS_MAX = 127
/** Request bytes that the core has executed and not given back yet, at most. */
export const REQUEST_RELEASE_SIZE = 256 * 1024
/** Expired keys deleted in one turn before requests are looked at again. */
export const EXPIRE_SLICE_KEY_COUNT = 256
/** The core looks at its clock at least this often. */
export const SLEEP_MS_MAX = 100
/** With more connections active than this, nobody spins. */
export const SPIN_CONNECTIONS_MAX = 2
/** Looks at the request rings before the core sleeps. */
export const SPIN_TURNS = 20_000
/** Arenas of just under 2 GiB each, at most. */
export const ARENA_COUNT_MAX = 64
/** Queries of the slow log hold at most this many arguments, and this many bytes of each. */
export const SLOW_LOG_ARGUMENT_COUNT = 32
export const SLOW_LOG_ARGUMENT_SIZE = 128
/** Reply bytes that io has sent and not given back yet, at most. */
export const REPLY_RELEASE_SIZE = 256 * 1024
