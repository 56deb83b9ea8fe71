/**
 * All targets of the fuzzer, those of most worth first. What is random commands beside real Redis is
 * not among them: it has a way of its own, and finds differences.
 *
 * Thread: any.
 * Owns: their order.
 * Never: starts one.
 */
import { scriptDebugger } from './debugger.ts'
import { dump } from './dump.ts'
import { aof, rdb } from './files.ts'
import { functions } from './functions.ts'
import { lua } from './lua.ts'
import { protocol } from './protocol.ts'
import { replication } from './replication.ts'
import { acl, config } from './settings.ts'
import type { Target } from './target.ts'

export const targets: readonly Target[] = [
  protocol,
  dump,
  lua,
  functions,
  scriptDebugger,
  rdb,
  aof,
  config,
  acl,
  replication,
]
