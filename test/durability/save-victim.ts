/**
 * A process that saves twice and may be killed the second time: run by `rdb.test.ts`, which arms the
 * faults. One thread plays the core and the disk thread.
 *
 *     bun save-victim.ts DIRECTORY FAULTS
 *
 * Thread: any.
 * Owns: nothing but the directory.
 * Never: lives longer than a second.
 */
import { RdbStream } from '../../src/core/services/persistence/rdb-stream.ts'
import { armFaults } from '../../src/disk/faults.ts'
import { diskInThisThread, rdbOrder } from '../support/disk.ts'

/** Several buffers of the disk thread's. */
const SIZE = 700_000

const [directory, faults] = process.argv.slice(2)
const { disk } = diskInThisThread()

save('o')
armFaults(faults)
process.stdout.write(save('n'))

/** A file of nothing but this letter. Gives what was said about it. */
function save(letter: string): string {
  let said = ''
  const stream = new RdbStream(disk)
  const job = stream.begin(rdbOrder(directory, 'dump.rdb', 'temp-1.rdb'), false, {
    told(message) {
      said = message.type === 'failed' ? message.problem.code : message.type
    },
  })
  const bytes = Buffer.alloc(SIZE, letter)
  stream.writer.raw(bytes, 0, SIZE)
  stream.end(10)
  disk.waitFor(job)
  return said
}
