#!/usr/bin/env bun
/**
 * The server's entry from its sources, and that of the executable: `bun src/main.ts [redis.conf]
 * [--directive value ...]`. What `bun run server` starts is `compiled.ts`.
 *
 * Thread: main.
 * Owns: where the threads' files lie.
 * Never: reads an argument.
 */
import { launch, THREAD_FILES } from './process/launch.ts'

await launch({
  command: () => import('./process/command.ts'),
  // From the entry's own address: in an executable nothing else knows where it lies.
  thread: (kind) => new URL(`./${THREAD_FILES[kind]}.ts`, import.meta.url).href,
  note: '',
  ready() {},
})
