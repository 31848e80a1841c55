/** What is known of the memory, in bytes. */
export interface MemoryUse {
  /** What the machine or the container has. */
  readonly limit: number
  /** What the cluster takes beside its workers: supervisor, molds, services. */
  readonly others: number
  /** Of each worker that serves. */
  readonly workers: readonly number[]
}

/**
 * How many workers fit into the memory at the mean size of those that serve, once a margin is taken off: a tenth, at
 * least 64 MB.
 * @returns undefined while no worker's size is known
 */
export function workersThatFit({ limit, others, workers }: MemoryUse): number | undefined {
  const known = workers.filter((bytes) => bytes > 0)
  if (known.length === 0) return undefined
  const mean = known.reduce((sum, bytes) => sum + bytes, 0) / known.length
  const margin = Math.max(limit * MARGIN, LEAST_MARGIN)
  return Math.max(0, Math.floor((limit - margin - others) / mean))
}

const MARGIN = 0.1
const LEAST_MARGIN = 64 * 1_024 * 1_024
