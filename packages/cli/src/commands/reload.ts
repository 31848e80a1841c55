import { MapacheError, type ReloadOptions } from '@mapache/core'
import { canaryLines } from '../canary-lines.js'
import { formatDuration } from '../format.js'
import { type ClusterOptions, operate } from '../operate.js'
import type { Output } from '../output.js'

export interface ReloadFlags extends ClusterOptions {
  /** `--canary`: with how long it soaks, ms; `--no-canary`: false. */
  canary?: boolean | number
  maxErrorRate?: number
  maxLatencyRatio?: number
}

/** `mapache reload`: ends with 0 only when the new generation serves. */
export async function reload(_args: [], flags: ReloadFlags, output: Output): Promise<number> {
  const options = canaryOf(flags)
  return operate(
    flags,
    output,
    'reload',
    (cluster) => cluster.reload(options),
    (result) => {
      const { generation, duration, canary } = result
      const text = `reload done: generation ${generation} serves after ${formatDuration(duration)}`
      output.result(result, ...(canary ? canaryLines(canary) : []), output.look.green(text))
    }
  )
}

/** Who names a limit wants a canary. @throws MAPACHE_OPTION_INVALID for one that goes with --no-canary */
function canaryOf({ canary, maxErrorRate, maxLatencyRatio }: ReloadFlags): ReloadOptions {
  const limits = { maxErrorRate, maxLatencyRatio }
  const limited = Object.values(limits).some((limit) => limit !== undefined)
  if (canary === false && limited) {
    throw new MapacheError('MAPACHE_OPTION_INVALID', '--max-error-rate and --max-latency-ratio need a canary')
  }
  if (canary === false) return { canary }
  if (canary === undefined && !limited) return {}
  return { canary: { ...limits, soak: typeof canary === 'number' ? canary : undefined } }
}
