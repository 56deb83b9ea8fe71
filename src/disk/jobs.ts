/**
 * Which jobs there are.
 *
 * Thread: disk.
 * Owns: the list.
 * Never: does one.
 */
import type { ToDisk } from '../bridge/disk-control.ts'
import { AofJob } from './aof-job.ts'
import type { Job, ToCore } from './job.ts'
import { PlainSaveJob } from './plain-save.ts'
import { RdbSaveJob } from './rdb-save.ts'
import { ReadJob } from './read.ts'
import { remove } from './remove.ts'
import { SendJob } from './send.ts'

/**
 * Begins what the core asks for; undefined when the message is about a job that has failed, of which
 * the core has not heard yet. Throws: DiskError.
 */
export function startJob(message: ToDisk, core: ToCore): Job | undefined {
  switch (message.type) {
    case 'rdb-save':
      return new RdbSaveJob(message, core)
    case 'read':
      return new ReadJob(message.path, core)
    case 'send':
      return new SendJob(message.path, core)
    case 'remove':
      remove(message.path, core)
      return undefined
    case 'plain-save':
      return new PlainSaveJob(message, core)
    case 'aof-begin':
      return new AofJob(message, core)
    default:
      return undefined
  }
}
