import type { AnswersData, CanaryFigures } from '../channel/canary.js'
import { addReport, type CanaryRule, emptyTally, judge, type Tally } from '../cluster/canary.js'
import type { Effect, PlanEvent } from '../cluster/plan.js'
import type { ReloadOptions } from '../cluster.js'
import { errorToData, MapacheError } from '../errors.js'
import { generationName, identity } from '../log.js'
import { normaliseOptions } from '../options.js'
import { announce } from './events.js'
import type { Peer } from './processes.js'
import type { Supervisor } from './supervisor.js'

/** Counts for the canary and for the old generation, as long as one soaks, and lets them be judged. */
export class Canary {
  readonly #supervisor: Supervisor
  #soak: Soak | undefined
  /** Of the last one that was good. */
  #passed: { generation: number; figures: CanaryFigures } | undefined

  constructor(supervisor: Supervisor) {
    this.#supervisor = supervisor
  }

  /** Both sides so far, while one soaks. */
  get figures(): CanaryFigures | undefined {
    return this.#soak && this.#judge(this.#soak, false).figures
  }

  /** How a generation that serves held out as a canary, if it was one. */
  passed(generation: number): CanaryFigures | undefined {
    return this.#passed?.generation === generation ? this.#passed.figures : undefined
  }

  /** From now on workers count what they answer. */
  begin({ generation, first, rule }: Extract<Effect, { do: 'soaking' }>): void {
    const { clock, processes, log, plan } = this.#supervisor
    const from = plan.roll?.from ?? plan.current
    this.#soak = { generation, from, first, rule, since: clock.now(), canary: emptyTally(), old: emptyTally() }
    for (const peer of processes.all) this.joined(peer)
    const canary = processes.get(first)
    const who = canary ? identity(canary.member) : generationName(generation)
    log.info(`${who} is the canary: it soaks for ${rule.soak} ms`)
    announce(this.#supervisor, 'reload:soaking', { generation, soak: rule.soak })
  }

  /** A worker that serves measures, too. */
  joined({ member, connection }: Peer): void {
    if (this.#soak && member.role === 'worker' && member.state === 'serving')
      connection?.send({ type: 'measure', on: true })
  }

  /** Nobody measures any more when the plan says that nothing soaks. */
  follow(): void {
    const { plan, processes } = this.#supervisor
    const { roll } = plan
    if (!this.#soak || (roll?.phase === 'soaking' && roll.first === this.#soak.first)) return
    this.#soak = undefined
    for (const { member, connection } of processes.all) {
      if (member.role === 'worker') connection?.send({ type: 'measure', on: false })
    }
  }

  /** Takes what a worker has answered in the last second. @param delay of its event loop, ms */
  report({ member }: Peer, answers: AnswersData, delay: number): void {
    const soak = this.#soak
    if (!soak || member.state !== 'serving') return
    if (member.id === soak.first) addReport(soak.canary, answers, delay)
    else if (member.generation === soak.from) addReport(soak.old, answers, delay)
    else return
    const { verdict, because } = this.#judge(soak, false)
    if (verdict === 'bad') this.#supervisor.apply(judged(soak, because))
  }

  crashed({ member }: Peer): void {
    if (member.id === this.#soak?.first) this.#soak.canary.crashes += 1
    else if (this.#soak && member.generation === this.#soak.from) this.#soak.old.crashes += 1
  }

  /** The soak is over. @returns the verdict, for the plan */
  judge(): PlanEvent | undefined {
    const soak = this.#soak
    if (!soak) return undefined
    const { verdict, because, figures } = this.#judge(soak, true)
    if (verdict === 'bad') return judged(soak, because)
    this.#passed = { generation: soak.generation, figures }
    if (because.length > 0) this.#supervisor.log.warn(`the canary of gen=${soak.generation}: ${because.join('; ')}`)
    return { type: 'judged', first: soak.first }
  }

  /** It held out. */
  soaked(generation: number): void {
    const figures = this.passed(generation)
    if (!figures) return
    this.#supervisor.log.info(`gen=${generation} soaked; ${inWords(figures)}`)
    announce(this.#supervisor, 'reload:soaked', { generation, canary: figures })
  }

  /** It was worse. */
  failed(error: MapacheError, generation: number, figures: CanaryFigures): void {
    const { generation: to, log } = this.#supervisor
    log.error(`the canary of gen=${generation} is retired; ${inWords(figures)}`)
    const { crashes } = figures.canary
    announce(this.#supervisor, 'reload:rolledback', { generation, to, crashes, canary: figures, error })
  }

  #judge({ canary, old, rule, since }: Soak, final: boolean) {
    return judge({ canary, old, rule, elapsed: this.#supervisor.clock.now() - since, final })
  }
}

interface Soak {
  generation: number
  /** The generation that it is compared with. */
  from: number
  /** The canary. */
  first: number
  rule: CanaryRule
  /** Monotonic ms. */
  since: number
  canary: Tally
  old: Tally
}

/**
 * The canary that a reload asks for itself: what it leaves out is as the option says.
 * @returns undefined when it asks for none of its own
 * @throws MAPACHE_OPTION_INVALID
 */
export function canaryOf(
  { canary, oldFirst }: ReloadOptions,
  option: CanaryRule | false
): CanaryRule | false | undefined {
  if (canary === undefined || canary === false) return canary
  if (oldFirst) {
    throw new MapacheError(
      'MAPACHE_OPTION_INVALID',
      'canary cannot go with oldFirst: there would be no old workers left to compare with'
    )
  }
  const { canary: own } = normaliseOptions({ canary })
  return own && normaliseOptions({ canary: { ...option, ...withoutUndefined(canary) } }).canary
}

function withoutUndefined(given: object): object {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
}

function judged({ first, generation, from }: Soak, because: readonly string[]): PlanEvent {
  const text = `generation ${generation} is worse than generation ${from}: ${because.join('; ')}`
  return { type: 'judged', first, bad: errorToData(new MapacheError('MAPACHE_CANARY_FAILED', text)) }
}

function inWords({ canary, old }: CanaryFigures): string {
  return `canary: ${sideInWords(canary)}; old workers: ${sideInWords(old)}`
}

function sideInWords({ requests, errors, p99, delay, crashes }: CanaryFigures['canary']): string {
  const said = [`${requests} answers`, `${errors} errors`]
  if (p99 !== undefined) said.push(`p99 ${p99} ms`)
  if (delay !== undefined) said.push(`loop delay ${delay} ms`)
  if (crashes > 0) said.push(`${crashes} crashes`)
  return said.join(', ')
}
