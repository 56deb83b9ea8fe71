/**
 * Code that is loaded when the first script or library comes: a server without them starts without
 * reading it. `require` gives a module at once, where `import()` would make everybody wait.
 *
 * Thread: core.
 * Owns: nothing.
 * Never: loads anything before it is asked to.
 */
import type * as debugSessionModule from './debugger/debug-session.ts'
import type * as libraryLoaderModule from './library-loader.ts'
import type * as scriptEngineModule from './script-engine.ts'

export function scriptEngines(): typeof scriptEngineModule {
  return require('./script-engine.ts')
}

export function libraryLoaders(): typeof libraryLoaderModule {
  return require('./library-loader.ts')
}

export function debugSessions(): typeof debugSessionModule {
  return require('./debugger/debug-session.ts')
}
