import type { CanaryFigures } from '../channel/canary.js'
import type { Effect } from '../cluster/plan.js'
import type { ReloadResult } from '../cluster.js'
import { type Deferred, defer } from '../deferred.js'
import { errorFromData, MapacheError } from '../errors.js'

/** The reloads that somebody waits for. */
export class Requests {
  readonly #waiting = new Map<number, { since: number; result: Deferred<ReloadResult> }>()
  #last = 0

  /** @param now monotonic ms */
  open(now: number): { request: number; result: Promise<ReloadResult> } {
    this.#last += 1
    const result = defer<ReloadResult>()
    this.#waiting.set(this.#last, { since: now, result })
    return { request: this.#last, result: result.promise }
  }

  /** @param canary how the generation held out as a canary, if it was one */
  done(request: number, generation: number, now: number, canary?: CanaryFigures): ReloadResult {
    const waiting = this.#take(request)
    const duration = Math.round(now - (waiting?.since ?? now))
    const result = { generation, duration, ...(canary ? { canary } : {}) }
    waiting?.result.resolve(result)
    return result
  }

  fail(request: number, error: MapacheError): void {
    this.#take(request)?.result.reject(error)
  }

  #take(request: number) {
    const waiting = this.#waiting.get(request)
    this.#waiting.delete(request)
    return waiting
  }
}

/** The error of a reload that failed: code, phase, and the app's own error as its cause. */
export function failureOf(effect: Extract<Effect, { do: 'failed' }>): MapacheError {
  const cause = errorFromData(effect.error)
  const { phase, generation } = effect
  if (cause instanceof MapacheError && phase === 'prepare') {
    cause.phase = phase
    return cause
  }
  const said = firstLine(cause)
  if (cause instanceof MapacheError && cause.code === 'MAPACHE_MOLD_UNCLEAN' && phase === 'boot') {
    cause.phase = phase
    return withoutFrames(cause)
  }
  if (phase === 'promote') {
    const text = `no worker could become the mold of generation ${generation}: ${said}`
    return withoutFrames(new MapacheError('MAPACHE_REFORK_FAILED', text, { cause, phase }))
  }
  if (phase === 'canary') {
    const judged = cause instanceof MapacheError && cause.code === 'MAPACHE_CANARY_FAILED'
    const text = `the canary of generation ${generation} failed: ${said}`
    const error = judged ? cause : new MapacheError('MAPACHE_CANARY_FAILED', text, { cause })
    error.phase = phase
    return withoutFrames(error)
  }
  if (phase === 'setup') return setupFailure(generation, cause)
  if (phase === 'rollback') {
    return withoutFrames(new MapacheError('MAPACHE_ROLLED_BACK', `generation ${generation} was called back`, { phase }))
  }
  if (effect.timedOut) {
    const text = `generation ${generation}: ${said}`
    return withoutFrames(new MapacheError('MAPACHE_BOOT_TIMEOUT', text, { cause, phase }))
  }
  if (phase === 'settle') {
    const text = `generation ${generation} ended within settle: ${said}`
    return withoutFrames(new MapacheError('MAPACHE_SETTLE_FAILED', text, { cause, phase }))
  }
  const text = `generation ${generation} did not boot: ${said}`
  return withoutFrames(new MapacheError('MAPACHE_BOOT_FAILED', text, { cause, phase }))
}

/** The error of a start that failed. */
export function giveUp(effect: Extract<Effect, { do: 'give-up' }>, attempts: number): MapacheError {
  const cause = errorFromData(effect.error)
  // The start has one generation, the first.
  if (effect.setup) return setupFailure(1, cause)
  // Another attempt would not change it.
  if (cause instanceof MapacheError && cause.code === 'MAPACHE_MOLD_UNCLEAN') return withoutFrames(cause)
  const code = effect.timedOut ? 'MAPACHE_BOOT_TIMEOUT' : 'MAPACHE_BOOT_FAILED'
  const text = `no worker became ready in ${attempts} attempts: ${firstLine(cause)}`
  return withoutFrames(new MapacheError(code, text, { cause, phase: 'boot' }))
}

/** The error of a set-up that failed. */
export function setupFailure(generation: number, cause: Error): MapacheError {
  const text = `the setup of generation ${generation} failed: ${firstLine(cause)}`
  return withoutFrames(new MapacheError('MAPACHE_SETUP_FAILED', text, { cause, phase: 'setup' }))
}

/** The error of a teardown that failed. */
export function teardownFailure(cause: Error): MapacheError {
  return withoutFrames(
    new MapacheError('MAPACHE_TEARDOWN_FAILED', `the teardown failed: ${firstLine(cause)}`, { cause })
  )
}

/** The stack of these would show Mapache's own frames; the app's, which matter, are in the cause. */
function withoutFrames(error: MapacheError): MapacheError {
  error.stack = `${error.name}: ${error.message}`
  return error
}

function firstLine({ name, message }: Error): string {
  const text = message.split('\n', 1)[0] as string
  return name === 'Error' ? text : `${name}: ${text}`
}
