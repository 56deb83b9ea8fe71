/**
 * Libraries as bytes, as FUNCTION DUMP gives them and files hold them: for each the opcode 245 and
 * its code as a string; behind all of them, in a dump, version and checksum as behind a value.
 *
 * Thread: core.
 * Owns: nothing.
 * Never: loads a library.
 */
import { OPCODE_FUNCTION, RDB_VERSION } from '../../../lib/rdb/format.ts'
import { payloadEnd, sealPayload } from '../../../lib/rdb/payload.ts'
import { RDB_CORRUPT, RdbReader } from '../../../lib/rdb/reader.ts'
import { RdbWriter } from '../../../lib/rdb/writer.ts'
import { CommandError } from '../../engine/errors.ts'
import type { FunctionLibrary } from './function-library.ts'

const BAD_PAYLOAD = new CommandError('ERR DUMP payload version or checksum are wrong')
const NOT_A_FUNCTION = new CommandError('ERR given type is not a function')
const BAD_LIBRARY = new CommandError('ERR Failed loading library data')

export function dumpLibraries(libraries: Iterable<FunctionLibrary>): Uint8Array {
  const writer = new RdbWriter()
  for (const { code } of libraries) {
    writer.byte(OPCODE_FUNCTION)
    writer.string(code, 0, code.length)
  }
  sealPayload(writer, RDB_VERSION)
  return writer.bytes.subarray(0, writer.length)
}

/** The codes in a dump, whose checksum counts if it `checks`. Throws: CommandError. */
export function libraryCodes(payload: Buffer, checks: boolean): Buffer[] {
  const end = payloadEnd(payload, 0, payload.length, checks)
  if (end < 0) throw BAD_PAYLOAD
  const words = new Int32Array(payload.buffer, payload.byteOffset & ~3, 0)
  const reader = new RdbReader()
  reader.open(payload, words, 0, end)
  const codes: Buffer[] = []
  try {
    while (reader.offset < end) {
      if (reader.byte() !== OPCODE_FUNCTION) throw NOT_A_FUNCTION
      reader.string()
      const at = reader.stringOffset
      codes.push(Buffer.from(reader.stringBytes.subarray(at, at + reader.stringLength)))
    }
  } catch (error) {
    if (error !== RDB_CORRUPT) throw error
    throw BAD_LIBRARY
  }
  return codes
}
