import type { Effect, PlanEvent, Refusal } from '../cluster/plan.js'
import { errorFromData, errorToData, MapacheError, type MapacheErrorCode } from '../errors.js'
import { generationName } from '../log.js'
import { announce } from './events.js'
import { failureOf, giveUp } from './requests.js'
import type { Supervisor } from './supervisor.js'

/**
 * Carries out what the plan asks for beside processes.
 * @param now monotonic ms
 * @returns the event that it leads to at once, if any
 */
export function carryOut(
  supervisor: Supervisor,
  effect: Exclude<Effect, { do: 'look-again' }>,
  now: number
): PlanEvent | undefined {
  const { log, requests, generation } = supervisor
  switch (effect.do) {
    case 'prepare':
      return prepare(supervisor, effect)
    case 'promote':
      return promote(supervisor, effect)
    case 'warm-up':
      log.info(
        `no worker could become the mold of gen=${effect.generation}; a fork of the mold is warmed up in its place`
      )
      return
    case 'soaking':
      supervisor.canary.begin(effect)
      return
    case 'judge':
      return supervisor.canary.judge()
    case 'soaked':
      supervisor.canary.soaked(effect.generation)
      return
    case 'settled':
      log.info(`gen=${effect.generation} settled; rolling`)
      announce(supervisor, 'reload:settled', { generation: effect.generation })
      return effect.first === undefined ? undefined : supervisor.adopt(effect.first)
    case 'done': {
      const result = requests.done(effect.request, effect.generation, now, supervisor.canary.passed(effect.generation))
      log.info(`${DONE[effect.kind]}: gen=${effect.generation} serves, after ${result.duration} ms`)
      if (effect.kind !== 'refork') supervisor.reforks = 0
      supervisor.releaseUnused()
      announce(supervisor, 'reload:done', result)
      return
    }
    case 'failed': {
      const error = failureOf(effect)
      const rest = effect.generation === generation ? 'nothing serves for it' : `gen=${generation} serves on`
      log.error({ err: error }, `reload failed (${effect.phase}); ${rest}: ${error.message}`)
      // Ahead of those who wait for it: the error gets its figures.
      const figures = effect.phase === 'canary' ? supervisor.canary.figures : undefined
      if (figures) error.figures = figures
      requests.fail(effect.request, error)
      announce(supervisor, 'reload:failed', { generation: effect.generation, phase: effect.phase, error })
      if (figures) supervisor.canary.failed(error, effect.generation, figures)
      return
    }
    case 'superseded':
      log.info('a reload is superseded by a newer one')
      requests.fail(effect.request, new MapacheError('MAPACHE_RELOAD_SUPERSEDED', 'a newer reload took its place'))
      return
    case 'refused':
      requests.fail(effect.request, refusal(effect.why))
      return
    case 'roll-back':
      return rollBack(supervisor, effect)
    case 'mold-lost': {
      const { message } = effect.error
      log.error(
        `the mold of ${generationName(effect.generation)} cannot be kept alive (${message}); ` +
          'its workers are spawned from now on'
      )
      return
    }
    case 'app-failed': {
      const { generation, phase } = effect
      announce(supervisor, 'app:failed', { generation, phase, error: errorFromData(effect.error) })
      return
    }
    case 'primed':
      supervisor.primes.primed(effect.generation)
      return
    case 'prime-failed':
      supervisor.primes.failed(effect.generation, effect.error)
      return
    case 'give-up':
      supervisor.abandon(giveUp(effect, supervisor.settings.bootAttempts))
      return
    default:
      effect satisfies never
  }
}

function prepare(supervisor: Supervisor, effect: Extract<Effect, { do: 'prepare' }>): PlanEvent | undefined {
  const { generation, kind, from } = effect
  supervisor.log.info(`${kind === 'refork' ? 'reforking' : 'reloading'}: gen=${generation}`)
  announce(supervisor, 'reload:start', { generation, kind })
  try {
    if (kind === 'refork') supervisor.generations.repeat(generation, from)
    else supervisor.generations.pin(generation, supervisor.settings.envFile)
    return
  } catch (error) {
    // What serves in place of it is launched in the same folder and environment.
    if (effect.oldFirst) supervisor.generations.repeat(generation, from)
    return { type: 'generation-failed', generation, error: errorToData(error) }
  }
}

/** Marks the worker that is to become a mold: like any other that is to go it is replaced before it drains. */
function promote(supervisor: Supervisor, { id, generation }: Extract<Effect, { do: 'promote' }>): undefined {
  const member = supervisor.roster.get(id)
  if (!member) return
  member.stale = { reason: 'refork', urgent: false }
  member.promotion = generation
}

function rollBack(supervisor: Supervisor, effect: Extract<Effect, { do: 'roll-back' }>): undefined {
  const { from, to, because } = effect
  const { log } = supervisor
  announce(supervisor, 'reload:start', { generation: to, kind: 'rollback' })
  if (!because) {
    log.info(`rolling back: gen=${to}`)
    return
  }
  const { crashes } = because
  const error = errorFromData(because.error)
  log.error({ err: error }, `gen=${from} lost ${crashes} workers to crashes; rolling back to gen=${to}`)
  announce(supervisor, 'reload:rolledback', { generation: from, to, crashes, error })
}

const DONE = { reload: 'reloaded', refork: 'reforked', rollback: 'rolled back' } as const

function refusal(why: Refusal): MapacheError {
  const [code, text] = REFUSALS[why]
  return new MapacheError(code, text)
}

const REFUSALS: Readonly<Record<Refusal, readonly [MapacheErrorCode, string]>> = {
  stopping: ['MAPACHE_STOPPING', 'the cluster is stopping'],
  'not-molded': ['MAPACHE_REFORK_UNSUPPORTED', 'the workers were spawned, not forked from a mold'],
  'nothing-before': ['MAPACHE_ROLLBACK_UNAVAILABLE', 'no generation is kept that could be rolled back to']
}
