import { readFileSync } from 'node:fs'
import type { MemoryData } from '../channel/messages.js'

/** Reads what this process takes of the memory; seldom, because the kernel walks all its pages for it. */
export class Memory {
  #readAt = Number.NEGATIVE_INFINITY
  #rss = 0
  #isThere = process.platform === 'linux'

  /**
   * @param now monotonic ms
   * @param rss bytes: one that has changed much makes the last answer old at once
   * @returns nothing while the last answer is recent, or where the system does not tell
   */
  read(now: number, rss: number): MemoryData | undefined {
    const changed = Math.abs(rss - this.#rss) > this.#rss * MUCH
    if (!this.#isThere || (now < this.#readAt + EVERY && !changed)) return undefined
    this.#readAt = now
    this.#rss = rss
    try {
      // In one go: a read that is under way must not be there when this process is forked.
      return parseRollup(readFileSync('/proc/self/smaps_rollup', 'utf8'))
    } catch {
      this.#isThere = false
      return undefined
    }
  }
}

/** The figures of `/proc/PID/smaps_rollup`, which counts in kB. */
export function parseRollup(text: string): MemoryData {
  const sum = { pss: 0, own: 0 }
  for (const [, name = '', kilobytes] of text.matchAll(/^(\w+): +(\d+) kB$/gm)) {
    const into = COUNTED[name]
    if (into) sum[into] += Number(kilobytes) * 1_024
  }
  return sum
}

const COUNTED: Readonly<Record<string, keyof MemoryData>> = { Pss: 'pss', Private_Clean: 'own', Private_Dirty: 'own' }
const MUCH = 0.1
/** Milliseconds. */
const EVERY = 10_000
