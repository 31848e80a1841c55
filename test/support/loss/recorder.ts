import { Histogram } from './histogram.js'
import { HABITS, type HabitName, type HabitReport, type Loss, type LossKind, type LossReport } from './report.js'

// A server that is down for good loses thousands a second: the count goes on, the details stop here.
const MAX_KEPT_LOSSES = 10_000

interface Tally {
  answered: number
  lost: number
  connections: number
  retried: number
  latency: Map<string, Histogram>
}

/** Counts what the clients of one or several loads meet. Give the same one to several loads to add them up. */
export class Recorder {
  readonly #start = performance.now()
  readonly #tallies = new Map<HabitName, Tally>()
  readonly #byKind: Partial<Record<LossKind, number>> = {}
  readonly #losses: Loss[] = []
  readonly #clientErrors: string[] = []
  readonly #pipelined = { sent: 0, answered: 0 }
  #lost = 0
  #turnedAway = 0
  #phase = 'steady'

  /** The phase that requests beginning now belong to. */
  get phase(): string {
    return this.#phase
  }

  /** Requests that begin from now on belong to this phase. */
  mark(phase: string): void {
    this.#phase = phase
  }

  answered(habit: HabitName, phase: string, ms: number): void {
    const tally = this.#tally(habit)
    tally.answered++
    histogramOf(tally.latency, phase).add(ms)
  }

  lost(habit: HabitName, phase: string, kind: LossKind, detail: string): void {
    this.#tally(habit).lost++
    this.#lost++
    this.#byKind[kind] = (this.#byKind[kind] ?? 0) + 1
    if (this.#losses.length >= MAX_KEPT_LOSSES) return
    this.#losses.push({ habit, kind, detail, phase, at: performance.now() - this.#start })
  }

  connected(habit: HabitName): void {
    this.#tally(habit).connections++
  }

  /** A request that the protocol told the client to send again: no loss. */
  retried(habit: HabitName): void {
    this.#tally(habit).retried++
  }

  /** A client that left because the server, which was expected to close, refused it. */
  turnedAway(): void {
    this.#turnedAway++
  }

  /** The client's own machine failed it (no port, no descriptor): no loss, but the run proves less than it seems to. */
  clientError(detail: string): void {
    if (this.#clientErrors.length < MAX_KEPT_LOSSES) this.#clientErrors.push(detail)
  }

  pipelined(sent: number, answered: number): void {
    this.#pipelined.sent += sent
    this.#pipelined.answered += answered
  }

  /** Requests of this habit that were answered so far. */
  answeredBy(habit: HabitName): number {
    return this.#tallies.get(habit)?.answered ?? 0
  }

  report(seed: number): LossReport {
    const habits: Partial<Record<HabitName, HabitReport>> = {}
    const prompt = new Map<string, Histogram>()
    let answered = 0
    for (const [habit, tally] of this.#tallies) {
      const { latency, ...counts } = tally
      answered += tally.answered
      habits[habit] = { ...counts, requests: tally.answered + tally.lost, latency: summaries(latency) }
      if (HABITS[habit].prompt) mergeInto(prompt, latency)
    }
    return {
      requests: answered + this.#lost,
      answered,
      lost: this.#lost,
      byKind: { ...this.#byKind },
      losses: [...this.#losses],
      habits,
      prompt: summaries(prompt),
      pipelined: { ...this.#pipelined },
      turnedAway: this.#turnedAway,
      clientErrors: [...this.#clientErrors],
      seed,
      duration: performance.now() - this.#start
    }
  }

  #tally(habit: HabitName): Tally {
    let tally = this.#tallies.get(habit)
    if (tally === undefined) {
      tally = { answered: 0, lost: 0, connections: 0, retried: 0, latency: new Map() }
      this.#tallies.set(habit, tally)
    }
    return tally
  }
}

function mergeInto(target: Map<string, Histogram>, source: Map<string, Histogram>): void {
  for (const [phase, histogram] of source) histogramOf(target, phase).merge(histogram)
}

function histogramOf(histograms: Map<string, Histogram>, phase: string): Histogram {
  let histogram = histograms.get(phase)
  if (histogram === undefined) {
    histogram = new Histogram()
    histograms.set(phase, histogram)
  }
  return histogram
}

function summaries(histograms: Map<string, Histogram>): HabitReport['latency'] {
  return Object.fromEntries([...histograms].map(([phase, histogram]) => [phase, histogram.summary()]))
}
