import type { ErrorData } from '../errors.js'
import type { Effect, PlanState } from './plan.js'
import { fail } from './roll.js'
import type { Member } from './roster.js'

/** When a worker is replaced though it does its work. 0 is never. */
export interface Limits {
  /** Requests that it has answered. */
  readonly maxRequests: number
  /** Since its launch, ms. */
  readonly maxAge: number
  /** Memory that no other process has, in bytes. */
  readonly maxMemory: number
}

/** A worker, and what is known of it. */
export interface Watched {
  member: Member
  /** 0 to below 1, drawn once for each worker: its own limits lie that far below those of the options. */
  draw: number
  requests: number
  /** Bytes of its own. */
  memory: number
}

/** What is to be recycled, and why: `figure` is past `limit`, which is the worker's own. */
export interface Due {
  id: number
  because: 'unhealthy' | keyof Limits
  figure: number
  limit: number
}

/**
 * Chooses the worker that is to be replaced next for its health, its age, its memory or its requests: one that is unhealthy
 * first, then the one that was launched first, so that the newest stay. Never one while another is being replaced or
 * fewer serve than should, or while as many still finish what they hold: then all wait for a better time.
 * @param watched the workers
 * @param target how many should serve
 * @param now monotonic ms
 */
export function due(watched: readonly Watched[], limits: Limits, target: number, now: number): Due | undefined {
  const members = watched.map(({ member }) => member)
  if (members.some(isOnTheMove) || members.filter(isProven).length < target) return undefined
  // With long connections those that leave would pile up.
  if (members.filter(({ state }) => state === 'retiring').length >= target) return undefined
  const [sick] = members
    .filter(({ state, unhealthySince }) => state === 'serving' && unhealthySince !== undefined)
    .sort((a, b) => (a.unhealthySince as number) - (b.unhealthySince as number))
  if (sick) return { id: sick.id, because: 'unhealthy', figure: now - (sick.unhealthySince as number), limit: 0 }
  const overdue = [...watched]
    .sort((a, b) => a.member.launchedAt - b.member.launchedAt || a.member.id - b.member.id)
    .flatMap((one) => pastLimit(one, limits, now) ?? [])
  return overdue[0]
}

function pastLimit({ member, draw, requests, memory }: Watched, limits: Limits, now: number): Due | undefined {
  const { id, state, launchedAt } = member
  if (state !== 'serving' && state !== 'ready') return undefined
  // A spare has answered nothing and holds no more than it did at its boot: only time makes it stale.
  const figures: [keyof Limits, number][] = [['maxAge', now - launchedAt]]
  if (state === 'serving') figures.push(['maxMemory', memory], ['maxRequests', requests])
  for (const [because, figure] of figures) {
    const limit = limits[because] * (1 - JITTER * draw)
    if (limit > 0 && figure >= limit) return { id, because, figure, limit: Math.round(limit) }
  }
  return undefined
}

/** It is being replaced, or is a replacement that does not serve yet. */
function isOnTheMove({ state, activatedAt, stale, killed }: Member): boolean {
  if (state === 'retiring' || state === 'exited') return false
  return killed || stale !== undefined || state === 'launching' || (state === 'ready' && activatedAt !== undefined)
}

function isProven({ state, unproved }: Member): boolean {
  return state === 'serving' && !unproved
}

/** The first worker of new code is unhealthy: that is no better than one that crashes while it settles or soaks. */
export function takeUnhealthy(state: PlanState, event: { id: number; error: ErrorData }, effects: Effect[]): void {
  const { roll } = state
  if (roll?.first !== event.id) return
  if (roll.phase === 'settling') fail(state, 'settle', event.error, false, effects)
  if (roll.phase === 'soaking') fail(state, 'canary', event.error, false, effects)
}

/** Up to this share is taken off a limit, so that workers that were launched together do not reach it together. */
const JITTER = 0.2
