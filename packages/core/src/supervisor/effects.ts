import type { Effect, PlanEvent } from '../cluster/plan.js'
import { errorToData, MapacheError } from '../errors.js'
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
      return prepare(supervisor, effect.generation)
    case 'settled':
      log.info(`gen=${effect.generation} settled; rolling`)
      announce(supervisor, 'reload:settled', { generation: effect.generation })
      return effect.first === undefined ? undefined : supervisor.adopt(effect.first)
    case 'done': {
      const result = requests.done(effect.request, effect.generation, now)
      log.info(`reloaded: gen=${effect.generation} serves, after ${result.duration} ms`)
      supervisor.releaseUnused()
      announce(supervisor, 'reload:done', result)
      return
    }
    case 'failed': {
      const error = failureOf(effect)
      log.error({ err: error }, `reload failed (${effect.phase}); gen=${generation} serves on: ${error.message}`)
      requests.fail(effect.request, error)
      announce(supervisor, 'reload:failed', { generation: effect.generation, phase: effect.phase, error })
      return
    }
    case 'superseded':
      log.info('a waiting reload is superseded by a newer one')
      requests.fail(effect.request, new MapacheError('MAPACHE_RELOAD_SUPERSEDED', 'a newer reload took its place'))
      return
    case 'refused':
      requests.fail(effect.request, new MapacheError('MAPACHE_STOPPING', 'the cluster is stopping'))
      return
    case 'give-up':
      supervisor.abandon(giveUp(effect, supervisor.settings.bootAttempts))
      return
    default:
      effect satisfies never
  }
}

function prepare(supervisor: Supervisor, generation: number): PlanEvent | undefined {
  supervisor.log.info(`reloading: gen=${generation}`)
  announce(supervisor, 'reload:start', { generation })
  try {
    supervisor.pin(generation)
    return
  } catch (error) {
    return { type: 'generation-failed', generation, error: errorToData(error) }
  }
}
