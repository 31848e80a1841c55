import type { AppReport, RequestReport } from '../report.js'

/** What the service gets: whose, and what of it has changed. Worker 0 is all those that have left. */
export interface Change {
  worker: number
  requests?: RequestReport
  metrics?: AppReport
}

/** Something that is told again whenever it has changed. */
export interface Item {
  /** The number of its last change. */
  at: number
  readonly worker: number
  tell(): Told
}

export type Told = { requests: RequestReport } | { key: string; text: string | null }

/**
 * Everything that can be told, in the order of its last change. So a batch may end anywhere: who has heard all up to a number
 * goes on from there, and what changes meanwhile comes after it, with its newest value.
 */
export class Journal {
  readonly #items = new Set<Item>()
  #sequence = 0

  touch(item: Item): void {
    this.#sequence += 1
    item.at = this.#sequence
    this.#items.delete(item)
    this.#items.add(item)
  }

  drop(item: Item): void {
    this.#items.delete(item)
  }

  /**
   * A batch of what has changed after `since`, in parts that fit into a message each.
   * @returns the number to go on from, and whether there is more now
   */
  batch(since: number): { changes: Change[]; sequence: number; more: boolean } {
    const changes: Change[] = []
    let sequence = since
    let total = 0
    let part: { worker: number; metrics: AppReport; bytes: number } | undefined
    for (const item of this.#items) {
      const { at, worker } = item
      if (at <= since) continue
      const told = item.tell()
      const bytes = bytesOf(told)
      if (total > 0 && total + bytes > BATCH) return { changes, sequence, more: true }
      total += bytes
      sequence = at
      if ('requests' in told) {
        changes.push({ worker, requests: told.requests })
        continue
      }
      if (part?.worker !== worker || part.bytes + bytes > PART) {
        part = { worker, metrics: {}, bytes: 0 }
        changes.push({ worker, metrics: part.metrics })
      }
      part.bytes += bytes
      part.metrics[told.key] = told.text
    }
    return { changes, sequence: this.#sequence, more: false }
  }
}

/** What it takes in a message. */
export function bytesOf(told: Told): number {
  if ('requests' in told) return Buffer.byteLength(JSON.stringify(told.requests))
  return Buffer.byteLength(JSON.stringify(told.key)) + Buffer.byteLength(JSON.stringify(told.text)) + 2
}

/**
 * Bytes in one batch: far less than what may wait unread in the service's channel, which is closed beyond it, and little
 * enough to be no pause for the supervisor.
 */
const BATCH = 512 * 1_024
/** Bytes in one message, where it has more than one metric. */
const PART = 200_000
/** Bytes of one metric's text, or of a part of one: a message must have room for it. */
export const LARGEST_TEXT = 640 * 1_024
