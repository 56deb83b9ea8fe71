/**
 * The numbers of Redis's RDB format, which files and DUMP payloads share.
 *
 * Thread: any.
 * Owns: the numbers.
 * Never: reads or writes a byte.
 */

/** Written unless a value needs a newer one: Redis 7.0. */
export const RDB_VERSION = 10
/** The newest that is understood: Redis 7.4. */
export const RDB_VERSION_MAX = 12

export const RDB_STRING = 0
export const RDB_LIST = 1
export const RDB_SET = 2
export const RDB_SORTED_SET_TEXT = 3
export const RDB_HASH = 4
export const RDB_SORTED_SET = 5
export const RDB_MODULE_OLD = 6
export const RDB_MODULE = 7
export const RDB_HASH_ZIPMAP = 9
export const RDB_LIST_ZIPLIST = 10
export const RDB_SET_INTSET = 11
export const RDB_SORTED_SET_ZIPLIST = 12
export const RDB_HASH_ZIPLIST = 13
export const RDB_LIST_QUICKLIST_ZIPLIST = 14
export const RDB_STREAM = 15
export const RDB_HASH_LISTPACK = 16
export const RDB_SORTED_SET_LISTPACK = 17
export const RDB_LIST_QUICKLIST = 18
export const RDB_STREAM_2 = 19
/** From here on: RDB version 11. */
export const RDB_SET_LISTPACK = 20
export const RDB_STREAM_3 = 21
/** From here on: RDB version 12. */
export const RDB_HASH_METADATA = 24
export const RDB_HASH_LISTPACK_EX = 25

/** Node containers of RDB_LIST_QUICKLIST. */
export const QUICKLIST_PLAIN = 1
export const QUICKLIST_PACKED = 2

/** What stands where a type number could stand in a file. */
export const OPCODE_SLOT_INFO = 244
export const OPCODE_FUNCTION = 245
export const OPCODE_FUNCTION_OLD = 246
export const OPCODE_MODULE_AUX = 247
export const OPCODE_IDLE = 248
export const OPCODE_FREQ = 249
export const OPCODE_AUX = 250
export const OPCODE_RESIZE_DB = 251
export const OPCODE_EXPIRE_MS = 252
export const OPCODE_EXPIRE_SECONDS = 253
export const OPCODE_SELECT_DB = 254
export const OPCODE_END = 255

/**
 * Lengths begin with two bits that say how they go on:
 *
 *     00xxxxxx                       6 bits
 *     01xxxxxx xxxxxxxx              14 bits
 *     10000000 + 4 bytes             32 bits, high byte first
 *     10000001 + 8 bytes             64 bits, high byte first
 *     11xxxxxx                       no length: a string in a special form
 */
export const LENGTH_14 = 0x40
export const LENGTH_32 = 0x80
export const LENGTH_64 = 0x81
export const LENGTH_SPECIAL = 0xc0

/** Special forms of a string. */
export const STRING_INT_8 = 0
export const STRING_INT_16 = 1
export const STRING_INT_32 = 2
export const STRING_LZF = 3

/** Bytes behind the value in a DUMP payload: version and checksum. */
export const PAYLOAD_FOOTER_SIZE = 10
