/**
 * What the application's thread and the Worker that holds a server say to each other.
 *
 * Thread: any.
 * Owns: their shapes.
 * Never: carries a function or anything else that cannot cross.
 */

/** To the Worker. */
export type ToEmbedded =
  | {
      readonly type: 'start'
      /** Each a name and its words, ordinary text. */
      readonly directives: readonly (readonly [name: string, words: readonly string[]])[]
      /** 0: any that is free; undefined: none. */
      readonly port: number | undefined
      /** Files that lie around are data of this server. */
      readonly ownsDirectory: boolean
    }
  | { readonly type: 'close' }

/** From the Worker. */
export type FromEmbedded =
  | { readonly type: 'ready'; readonly port: number; readonly unixsocket: string }
  /** The server never began; the Worker is as good as new. */
  | { readonly type: 'refused'; readonly message: string }
  /** The server has ended well; so is the Worker. */
  | { readonly type: 'ended' }
  /** The server goes on: what it should have saved could not be saved. */
  | { readonly type: 'close-failed'; readonly message: string }
  /** The server is lost, and the Worker with it. */
  | { readonly type: 'failed'; readonly message: string }
