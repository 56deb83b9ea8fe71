/**
 * CONFIG REWRITE: the configuration file with today's settings in it. ACL SAVE: the file of users.
 *
 * Thread: main.
 * Owns: replacing a file so that it is whole at every moment.
 * Never: touches a line that says the same as before.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import type { FromCore } from '../bridge/control.ts'
import { fromBytes, fromUnicode, toBytes, toUnicode } from '../config/byte-text.ts'
import { rewriteConfig } from '../config/rewrite.ts'
import { Settings } from '../config/settings.ts'
import { syncDirectoryUnguarded } from '../disk/files.ts'

/** Gives the problem in words, empty when the file is written. */
export function rewriteConfiguration(
  file: string,
  request: Extract<FromCore, { type: 'rewrite' }>,
): string {
  try {
    const old = existsSync(file) ? fromBytes(readFileSync(file)) : ''
    const text = rewriteConfig(old, Settings.fromPlain(request.settings), {
      users: request.users,
      all: request.all,
    })
    return replaceText(fromUnicode(file), text)
  } catch (error) {
    return (error as Error).message
  }
}

/** As above. `path` and `text`: byte strings. */
export function replaceText(path: string, text: string): string {
  const file = toUnicode(path)
  try {
    const temporary = `${file}.${process.pid}.tmp`
    const mode = existsSync(file) ? statSync(file).mode & 0o777 : 0o644
    const handle = openSync(temporary, 'w', mode)
    writeSync(handle, toBytes(text))
    fsyncSync(handle)
    closeSync(handle)
    renameSync(temporary, file)
    syncDirectoryUnguarded(dirname(file))
    return ''
  } catch (error) {
    return (error as Error).message
  }
}
