/**
 * Control messages: rare and free-form, in MessagePack.
 *
 * Thread: any.
 * Owns: their shapes.
 * Never: carries a key's data.
 */
import type { LogLevel } from '../config/log-levels.ts'
import type { ConfigPlace } from '../config/parse.ts'
import type { LookupItem } from '../lib/command-lookup.ts'

/** From the core; to the main thread unless it says io. */
export type FromCore =
  | { readonly type: 'log'; readonly level: LogLevel; readonly text: string }
  /** Which part this server plays in replication. */
  | { readonly type: 'role'; readonly isReplica: boolean }
  /** To every io thread: the commands that it may find in a request. */
  | { readonly type: 'commands'; readonly commands: readonly LookupItem[] }
  /** The server cannot start. */
  | {
      readonly type: 'fatal'
      readonly text: string
      /** The line of the configuration that is to blame. */
      readonly place?: ConfigPlace
      /** An RDB file that is to blame, and what of it: the log shall say all that can be said. */
      readonly file?: { readonly path: string; readonly problem: string }
    }
  /** The core takes requests from now on. */
  | { readonly type: 'ready' }
  | { readonly type: 'shutdown'; readonly status: number }
  /** As if the process had done what the system ends it for. */
  | { readonly type: 'crash'; readonly signal: 'SIGSEGV' }
  /** It could not end: it goes on. */
  | { readonly type: 'shutdown-failed' }
  /** The disk thread has something to do from now on. */
  | { readonly type: 'disk' }
  /** To every io thread: whether new connections have to authenticate. */
  | { readonly type: 'login'; readonly required: boolean }
  /** To every io thread and main: these directives have other values now. */
  | {
      readonly type: 'settings'
      readonly changed: readonly (readonly [string, string])[]
      /** The main thread says by 'answer' with this number whether it could do so; 0: it needs not. */
      readonly number: number
    }
  /** Answered by 'answer' with the same number. */
  | {
      readonly type: 'rewrite'
      readonly number: number
      readonly settings: unknown
      /** The `user` lines. */
      readonly users: readonly string[]
      /** Every setting, also those at their default. */
      readonly all: boolean
    }
  /** To main: what it has asked for by 'report'. */
  | {
      readonly type: 'report'
      readonly number: number
      /** INFO everything. */
      readonly info: string
      readonly slowLog: {
        readonly length: number
        /** None when nothing was slow. */
        readonly last: readonly { readonly id: number; readonly durationUs: number }[]
      }
    }
  /** Both answered as above; reading answers with the text, one character a byte. */
  | { readonly type: 'text-read'; readonly number: number; readonly path: string }
  | {
      readonly type: 'text-write'
      readonly number: number
      readonly path: string
      readonly text: string
    }

/** To the core. */
export type ToCore =
  /** `signal`: empty when it is none, and the end begins at once. */
  | { readonly type: 'shutdown'; readonly signal: string }
  | {
      readonly type: 'answer'
      readonly number: number
      /** Empty for success. */
      readonly error: string
      /** The directive that is to blame; empty when it is none. */
      readonly about: string
      /** What was asked for, if it was a text. */
      readonly text?: string
    }
  /** Answered by 'report' with the same number. */
  | { readonly type: 'report'; readonly number: number }
  /** What starting has left behind can be collected. */
  | { readonly type: 'started' }
  | { readonly type: 'process'; readonly values: Readonly<Record<string, number | string>> }
