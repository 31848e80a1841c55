import type { ClusterEvents, ExitEvent, LogLine } from '@mapache/core'
import type { DashboardOptions, Overview } from '../overview.js'
import type { Entry, Frame, Gone, Outcome, Sample } from './client/wire.js'
import { frameOf, sampleOf } from './frame.js'
import { oneLine, plainText, stackOf } from './text.js'

/** What is passed on to the pages. */
export interface Sink {
  frame(frame: Frame): void
  entry(entry: Entry): void
  gone(gone: Gone): void
  outcome(outcome: Outcome): void
}

/** Follows the cluster for as long as somebody looks, and remembers the last minutes that it saw. */
export class Watch {
  readonly #stops: (() => void)[] = []
  #overview: Overview | undefined
  #history: Sample[] = []
  #asked: NodeJS.Timeout | undefined

  constructor(
    readonly source: Pick<DashboardOptions, 'overview' | 'onUpdate' | 'cluster'>,
    readonly sink: Sink
  ) {}

  get history(): Sample[] {
    return this.#history
  }

  /** The newest frame that there is. */
  get frame(): Frame | undefined {
    const overview = this.#overview ?? this.source.overview()
    return overview && frameOf(overview)
  }

  begin(): void {
    const { source, sink } = this
    this.#stops.push(source.onUpdate((overview) => this.#take(overview)))
    this.#on('log', (line) => sink.entry(entryOf(line)))
    for (const name of ROSTER_EVENTS) this.#on(name, () => this.#askSoon())
    for (const name of EXIT_EVENTS) {
      this.#on(name, (event) => {
        sink.gone(goneOf(event))
        this.#askSoon()
      })
    }
    this.#on('reload:done', ({ generation, duration }) => {
      const message = `Generation ${generation} serves, after ${(duration / 1_000).toFixed(1)} s`
      sink.outcome({ time: Date.now(), ok: true, message })
    })
    this.#on('reload:failed', ({ generation, phase, error }) => {
      const message = oneLine(`Generation ${generation} failed in ${phase}: ${error.message}`, 500)
      sink.outcome({ time: Date.now(), ok: false, message, error: stackOf(error.cause ?? error) })
    })
    this.#on('reload:rolledback', ({ generation, to, crashes, canary, error }) => {
      // That it failed was told with the reload.
      if (canary) return
      const message = `Generation ${generation} lost ${crashes} workers to crashes; back to generation ${to}`
      sink.outcome({ time: Date.now(), ok: false, message, error: stackOf(error) })
    })
    this.#on('app:failed', ({ generation, phase, error }) => {
      const message = `The app of generation ${generation} failed in ${phase}; a fallback answers in its place`
      sink.outcome({ time: Date.now(), ok: false, message, error: stackOf(error) })
    })
    // The newest overview is of when somebody looked last.
    this.#askSoon()
  }

  end(): void {
    for (const stop of this.#stops.splice(0)) stop()
    clearTimeout(this.#asked)
    this.#asked = undefined
    this.#overview = undefined
  }

  #take(overview: Overview): void {
    this.#overview = overview
    const frame = frameOf(overview)
    this.#history.push(sampleOf(frame))
    if (this.#history.length > REMEMBERED) this.#history.shift()
    this.sink.frame(frame)
  }

  /** Between two overviews: a worker that comes or goes is seen at once, with the rates as they were. */
  #askSoon(): void {
    this.#asked ??= setTimeout(async () => {
      try {
        const status = await this.source.cluster.status()
        const known = this.#overview ?? this.source.overview()
        if (this.#asked === undefined || known === undefined) return
        this.#overview = { ...known, status }
        this.sink.frame(frameOf(this.#overview))
      } catch {
        // The channel closes: this process ends next, or the next overview tells more.
      } finally {
        this.#asked = undefined
      }
    }, SOON)
  }

  #on<Name extends keyof ClusterEvents>(name: Name, fn: (event: ClusterEvents[Name][0]) => void): void {
    const { cluster } = this.source
    const listener = fn as (...args: ClusterEvents[Name]) => void
    const emitter = cluster as unknown as Listening
    emitter.on(name, listener)
    this.#stops.push(() => emitter.off(name, listener))
  }
}

/** A line of Mapache's log, fit to be shown. */
export function entryOf({ time, level, message, error }: LogLine): Entry {
  return { time, level, message: plainText(message), ...(error === undefined ? {} : { error: plainText(error) }) }
}

/** The newest of the entries, as far as they fit: a log of long stacks is too much for one page at once. */
export function newestOf(entries: readonly Entry[], most = MOST_LETTERS): Entry[] {
  let letters = 0
  const first = entries.findLastIndex(({ message, error = '' }) => {
    letters += message.length + error.length
    return letters > most
  })
  return entries.slice(first + 1)
}

function goneOf({ id, reason, failed, code, signal }: ExitEvent): Gone {
  return { id, reason, failed, how: signal ?? (code === 0 || code === null ? '' : `code ${code}`) }
}

/** The emitter's own types cannot be told of a name that is a parameter. */
interface Listening {
  on(name: string, listener: unknown): unknown
  off(name: string, listener: unknown): unknown
}

const ROSTER_EVENTS = [
  'worker:launch',
  'worker:ready',
  'worker:serving',
  'worker:retire',
  'mold:launch',
  'mold:ready',
  'mold:serving',
  'mold:retire',
  'service:launch',
  'service:serving',
  'service:retire',
  'reload:start',
  'reload:soaking',
  'reload:settled',
  'scale',
  'stop'
] as const satisfies (keyof ClusterEvents)[]
const EXIT_EVENTS = ['worker:exit', 'mold:exit', 'service:exit'] as const satisfies (keyof ClusterEvents)[]

const MOST_LETTERS = 300_000
/** How soon after a change the pages are told of it, ms: several changes at once make one frame. */
const SOON = 50
/** How many seconds are remembered for the charts. */
const REMEMBERED = 300
