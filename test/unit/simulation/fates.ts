/** What is wrong with the code of a generation, if anything. */
export type Kind =
  | 'good'
  | 'unprepared'
  | 'no-boot'
  | 'never-ready'
  | 'never-serves'
  | 'dies-in-settle'
  | 'flaky'
  /** It runs, and is worse than what was there: a canary tells. */
  | 'worse'
  /** Where workers have a health check. */
  | 'never-healthy'
  /** Of a base. */
  | 'unclean'

/** What may be wrong with a base; what dies in settle dies soon after it is ready. */
export const BAD_BASE: readonly Kind[] = ['no-boot', 'never-ready', 'dies-in-settle', 'flaky', 'unclean']

export const BAD: readonly Kind[] = [
  'unprepared',
  'no-boot',
  'never-ready',
  'never-serves',
  'dies-in-settle',
  'flaky',
  'worse',
  'never-healthy'
]

/** What will become of one process, decided when it is launched. Times in ms, from the step before. */
export interface Fate {
  /** Until it is ready, or until its boot fails. */
  boot: number
  bootEnd: 'ready' | 'exit' | 'never'
  /** From activation to listening. */
  listen: number
  listens: boolean
  /** From listening until it crashes. */
  crash: number
  /** From listening until its event loop is blocked for good. */
  hang: number
  /** How long its drain takes; Infinity ends only by a kill. */
  drain: number
  /** From hearing that it is to hand on what it gets until it does and says so; Infinity is never. */
  forward: number
  /** From listening until the first result of its health check, until that fails, and from then until it passes again. */
  check: number
  sick: number
  well: number
  /** As a mold, it holds what must not be shared; as a forked worker, its fork fails. */
  unclean: boolean
  unforked: boolean
  /** As a worker or a mold, its code brings a set-up that has not run: it says so and leaves. */
  wantsSetup: boolean
  /** As a task, how long it takes, what comes of it, and whether it ends when it is told to. */
  work: number
  workEnd: 'done' | 'none' | 'failed' | 'never'
  obeys: boolean
}

/** What the code brings as a set-up, if anything. */
export type SetupKind = 'good' | 'fails' | 'hangs'

/** What will become of a task. @param limited whether there is a time by which it has to end */
export function drawTask(random: () => number, kind: SetupKind | undefined, faults: boolean, limited: boolean): Fate {
  const fate = drawFate(random, 'good', faults, { settle: 0, drainTimeout: 0 })
  if (fate.bootEnd === 'never' && !limited) fate.bootEnd = 'ready'
  const hangs = faults && kind === 'hangs' && limited
  const workEnd = kind === undefined ? 'none' : hangs ? 'never' : faults && kind === 'fails' ? 'failed' : 'done'
  const never = Number.POSITIVE_INFINITY
  return { ...fate, listens: true, unforked: false, crash: never, hang: never, workEnd }
}

export interface Timing {
  settle: number
  drainTimeout: number
}

export function drawFate(random: () => number, kind: Kind, faults: boolean, { settle, drainTimeout }: Timing): Fate {
  const chance = (share: number) => faults && random() < share
  const fate: Fate = {
    boot: 20 + random() * 1_500,
    bootEnd: chance(0.05) ? 'exit' : chance(0.03) ? 'never' : 'ready',
    listen: random() * 100,
    listens: !chance(0.02),
    crash: chance(0.15) ? random() * 8_000 : Number.POSITIVE_INFINITY,
    hang: chance(0.04) ? random() * 8_000 : Number.POSITIVE_INFINITY,
    drain: chance(0.1) ? Number.POSITIVE_INFINITY : random() * random() * drainTimeout,
    forward: chance(0.05) ? Number.POSITIVE_INFINITY : chance(0.1) ? random() * 1_500 : random() * 20,
    check: random() * 100,
    sick: chance(0.15) ? random() * 5_000 : Number.POSITIVE_INFINITY,
    well: random() < 0.5 ? random() * 5_000 : Number.POSITIVE_INFINITY,
    unclean: kind === 'unclean' ? faults : chance(0.1),
    unforked: chance(0.03),
    wantsSetup: false,
    work: random() * 1_500,
    workEnd: 'done',
    obeys: !chance(0.3)
  }
  if (!faults) return fate
  if (kind === 'no-boot' || (kind === 'flaky' && random() < 0.4)) fate.bootEnd = 'exit'
  if (kind === 'never-ready') fate.bootEnd = 'never'
  if (kind === 'never-healthy') Object.assign(fate, { sick: 0, well: Number.POSITIVE_INFINITY })
  if (kind === 'never-serves') fate.listens = false
  if (kind === 'dies-in-settle') return { ...fate, crash: random() * settle * 0.9, hang: Number.POSITIVE_INFINITY }
  return fate
}
