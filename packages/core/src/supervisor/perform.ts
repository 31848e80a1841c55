import type { Action } from '../cluster/reconcile.js'
import { chooseEnd } from '../cluster/roster.js'
import { identity } from '../log.js'
import { announce } from './events.js'
import { launchSpec } from './launch/spec.js'
import { eventName } from './processes.js'
import { isSetup } from './setup.js'
import type { Supervisor } from './supervisor.js'

/**
 * Carries out one action of `reconcile`. Each leaves its trace in the roster, so that it is not asked for again.
 * @param now monotonic ms
 */
export function perform(supervisor: Supervisor, action: Exclude<Action, { do: 'wait' }>, now: number): void {
  if (action.do === 'launch') return launch(supervisor, action, now)
  const { processes, roster, log, settings } = supervisor
  const peer = processes.get(action.id)
  if (!peer) return
  const { member } = peer
  switch (action.do) {
    case 'activate':
      member.activatedAt = now
      return processes.send(member.id, { type: 'activate' })
    case 'retire': {
      const { drainTimeout, stopIdleGrace } = settings
      const mode = supervisor.stopping ? 'stop' : action.forward ? 'forward' : 'retire'
      if (mode === 'forward') member.forwardSince = now
      if (member.state === 'retiring') {
        processes.send(member.id, { type: 'retire', mode, drainTimeout, stopIdleGrace })
        return
      }
      roster.retire(member, action.reason, now)
      const { promotion: generation } = member
      const promoted = mode === 'retire' && action.reason === 'refork' && generation !== undefined
      if (promoted) processes.send(member.id, { type: 'promote', generation, drainTimeout })
      else processes.send(member.id, { type: 'retire', mode, drainTimeout, stopIdleGrace })
      log.info(`${identity(member)} retiring (${action.reason})`)
      supervisor.recycles.left(member.id)
      const info = processes.info(peer, now)
      return announce(supervisor, eventName(member, 'retire'), { ...info, reason: action.reason })
    }
    case 'hurry':
      member.hurried = true
      return processes.send(member.id, { type: 'hurry' })
    case 'kill': {
      chooseEnd(member, action.reason)
      member.killed = true
      const why = FAULTS[action.reason]
      if (why) log.error(`${identity(member)} ${why}; killed`)
      return supervisor.diagnoses.kill(supervisor, peer, action.reason)
    }
    default:
      action satisfies never
  }
}

function launch(supervisor: Supervisor, { spec }: Extract<Action, { do: 'launch' }>, now: number): void {
  const { processes, roster } = supervisor
  // Ahead of the roster: what cannot be launched is not to be there for ever.
  const what = launchSpec(supervisor, supervisor.generations.get(spec.generation), spec, supervisor.plan.failure)
  const member = roster.launch(spec, now)
  const peer = processes.launch(member, what, (ended, status) => supervisor.exited(ended, status))
  supervisor.log.debug(`${identity(member)} launched`)
  announce(supervisor, eventName(member, 'launch'), processes.info(peer, now))
  if (isSetup(member)) announce(supervisor, 'setup:start', { generation: member.generation })
}

const FAULTS: Readonly<Record<string, string>> = {
  hung: 'does not answer any more: its event loop is blocked',
  'boot-timeout': 'was not ready within bootTimeout',
  'drain-timeout': 'did not leave after drainTimeout',
  'setup-timeout': 'was not done within setupTimeout'
}
