/**
 * On which processors the threads run where there is none to spare. Left alone, the system moves them
 * about with the clients, and everybody often waits for the processor of somebody else. Besides that there
 * are two ways:
 *
 * - Alone: one client asks after each answer and the core looks for its requests. It has a processor for
 *   itself, and io and the client take turns on the others.
 * - Gathered: the core sleeps after every few requests, since many ask one thing each. Waking a thread on
 *   another processor then costs more than working beside it gains: io joins the core on its processor, and
 *   so does the disk thread while it only appends; the clients have the others.
 *
 * Thread: core. Hot path.
 * Owns: on which processors this thread may run, and the word that tells the others.
 * Never: does anything where there is a processor to spare, or no call to ask the system for it.
 */
import { affinity } from '../bridge/affinity.ts'
import { publishNoPlace, publishPlace } from '../bridge/core-follower.ts'
import {
  GATHER_DOUBTS_MAX,
  GATHER_JUDGEMENTS,
  GATHER_REQUESTS_MAX,
  GATHER_SLEEPS,
  GATHER_WITHIN_MS,
} from '../config/limits.ts'

const ANYWHERE = 0
const ALONE = 1
const GATHERED = 2

export class Placement {
  readonly #process: Int32Array
  readonly #mayGather: boolean
  #way = ANYWHERE
  #requests = 0
  #sleeps = 0
  #sinceMs = 0
  #judgements = 0
  #doubts = 0

  /** `mayGather`: io is one thread, and there is a processor for the clients beside the one for both. */
  constructor(process: Int32Array, mayGather: boolean) {
    this.#process = process
    this.#mayGather = mayGather
  }

  get isAlone(): boolean {
    return this.#way === ALONE
  }

  /** This thread stays where it is, and io goes elsewhere. */
  alone(): void {
    this.#stay(ALONE)
  }

  /** No single client asks after each answer any more. */
  endAlone(): void {
    if (this.#way === ALONE) this.anywhere()
  }

  /** The system may move all again. */
  anywhere(): void {
    if (this.#way === ANYWHERE) return
    affinity?.anywhere()
    publishNoPlace(this.#process)
    this.#way = ANYWHERE
  }

  worked(requests: number): void {
    this.#requests += requests
  }

  /** The core goes to sleep at `nowMs`. `mayGather`: more than one asks. */
  sleeps(mayGather: boolean, nowMs: number): void {
    this.#sleeps++
    const isOften = nowMs - this.#sinceMs < GATHER_WITHIN_MS
    if (isOften && this.#sleeps < GATHER_SLEEPS) return
    const isBrief = this.#requests < this.#sleeps * GATHER_REQUESTS_MAX
    this.#requests = 0
    this.#sleeps = 0
    this.#sinceMs = nowMs
    if (!this.#mayGather || this.#way === ALONE) return
    const isDue = ++this.#judgements % GATHER_JUDGEMENTS === 0
    this.#doubts = mayGather && isOften && isBrief ? 0 : this.#doubts + 1
    if (isDue || this.#doubts >= GATHER_DOUBTS_MAX) this.anywhere()
    else if (this.#way === ANYWHERE && this.#doubts === 0) this.#stay(GATHERED)
  }

  #stay(way: typeof ALONE | typeof GATHERED): void {
    if (affinity === undefined) return
    const processor = affinity.current()
    affinity.only(processor)
    publishPlace(this.#process, processor, way === GATHERED)
    this.#way = way
  }
}
