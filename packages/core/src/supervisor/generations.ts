import { type EntrySource, type PinnedGeneration, pinGeneration } from './entry.js'
import type { BaseForm } from './launch/launcher.js'

/** What each generation boots, read from disk once, when it begins. */
export class Generations {
  readonly #source: EntrySource
  readonly #env: NodeJS.ProcessEnv
  readonly #pinned = new Map<number, PinnedGeneration>()

  /** @param env what the environment of each is based on */
  constructor(source: EntrySource, env: NodeJS.ProcessEnv) {
    this.#source = source
    this.#env = env
  }

  /** @throws MAPACHE_ENTRY_MISSING, MAPACHE_ENV_FILE */
  pin(generation: number, envFile: string | undefined): void {
    this.#pinned.set(generation, pinGeneration(generation, this.#source, envFile, this.#env))
  }

  /** A generation that brings no code of its own: it has another's, whatever lies on disk by now. */
  repeat(generation: number, same: number): void {
    this.#pinned.set(generation, { ...this.get(same), generation })
  }

  /** A base, whose number is below 0: it has modules loaded, and no code of the app's. */
  base(generation: number, same: number, base: BaseForm): void {
    this.#pinned.set(generation, { ...this.get(same), generation, base })
  }

  get(generation: number): PinnedGeneration {
    return this.#pinned.get(generation) as PinnedGeneration
  }

  keep(generations: ReadonlySet<number>): void {
    for (const generation of this.#pinned.keys()) if (!generations.has(generation)) this.#pinned.delete(generation)
  }
}
