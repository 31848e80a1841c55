import type { ClusterStatus, ProcessInfo } from '@mapache/core'
import { plural } from '../format.js'
import { roleName } from '../identity.js'
import { plainData } from '../plain.js'
import { type ClusterEvent, Progress } from '../progress/progress.js'
import { inOrder } from '../status-lines.js'
import { Rates } from './rates.js'

/** What a key asks of the cluster. */
export type Action =
  | { do: 'reload' }
  | { do: 'scale'; workers: number }
  | { do: 'recycle'; id: number }
  | { do: 'quit' }

export interface Question {
  text: string
  action: Action
}

/** What `top` knows and shows, apart from drawing and from the cluster itself. Times are monotonic, ms. */
export class TopModel {
  status: ClusterStatus | undefined
  /** When the status was taken. */
  takenAt = 0
  readonly rates = new Rates()
  /** Requests a second, one number a second, the newest last. */
  readonly strip: number[] = []
  /** What happened, the newest last. `at` is ms since 1970. */
  readonly events: { at: number; text: string }[] = []
  question: Question | undefined
  help = false
  /** What came of the last key. */
  notice: { text: string; bad: boolean } | undefined
  /** The supervisor is gone, or does not answer. */
  lost = false
  /** Milliseconds after which a status is old: the supervisor does not answer. */
  patience = 5_000
  #selected: number | undefined
  #sampledAt = Number.NEGATIVE_INFINITY
  readonly #progress = new Progress('', 0)

  /** The processes in the order in which they are shown. */
  get processes(): ProcessInfo[] {
    return inOrder(this.status?.processes ?? [])
  }

  /** The process that is selected. */
  get selected(): ProcessInfo | undefined {
    return this.processes.find(({ id }) => id === this.#selected)
  }

  take(given: ClusterStatus, now: number): void {
    // Whatever is shown of it, the terminal obeys none of it.
    const status = plainData(given)
    this.status = status
    this.takenAt = now
    this.lost = false
    for (const info of status.processes) this.rates.take(info, now)
    // The one that was selected may have left: its place in the list is not another's.
    if (!this.selected) this.#selected = this.processes[0]?.id
  }

  /** Adds a second to the strip, if one has passed. */
  sample(now: number): void {
    if (now - this.#sampledAt < SECOND - TOLERANCE) return
    this.#sampledAt = now
    this.strip.push(this.rates.total(now))
    if (this.strip.length > STRIP) this.strip.shift()
  }

  /** @param wall ms since 1970 */
  event(event: ClusterEvent, now: number, wall: number): void {
    if (event.name === 'worker:vitals') return this.rates.take(event.data, now)
    const text = this.#progress.take(event)
    if (text !== undefined) this.say(text, wall)
  }

  say(text: string, wall: number): void {
    this.events.push({ at: wall, text })
    if (this.events.length > EVENTS) this.events.shift()
  }

  /** Takes a key by its name. @returns what is to be done now */
  press(key: string): Action | undefined {
    if (key === 'ctrl-c') return { do: 'quit' }
    if (this.question) return this.#answer(this.question, key)
    if (this.help && key !== 'q') {
      this.help = false
      return undefined
    }
    this.notice = undefined
    return this.#command(key)
  }

  #answer(question: Question, key: string): Action | undefined {
    this.question = undefined
    if (key === 'y' || key === 'return') return question.action
    this.notice = { text: 'not done', bad: false }
    return undefined
  }

  #command(key: string): Action | undefined {
    const { status } = this
    if (key === 'q' || key === 'escape') return { do: 'quit' }
    if (key === '?' || key === 'h') this.help = true
    else if (key === 'up' || key === 'k') this.#move(-1)
    else if (key === 'down' || key === 'j') this.#move(1)
    else if (status && STEERING.includes(key)) return this.#steer(key, status)
    return undefined
  }

  /** What changes the cluster. More workers harm nobody; for the rest it asks. */
  #steer(key: string, { target }: ClusterStatus): Action | undefined {
    if (this.lost) this.notice = { text: 'the supervisor has gone', bad: true }
    else if (key === '+') return { do: 'scale', workers: target + 1 }
    else if (key === 'r')
      this.#ask(`Replace all ${plural(target, 'worker')} with new ones from disk?`, { do: 'reload' })
    else if (key === '-' && target > 1) {
      const workers = target - 1
      this.#ask(`Serve with ${plural(workers, 'worker')} instead of ${target}?`, { do: 'scale', workers })
    } else if (key === '-') this.notice = { text: 'one worker must serve', bad: true }
    else this.#askToRecycle()
    return undefined
  }

  #askToRecycle(): void {
    const info = this.selected
    if (!info || info.role === 'mold' || info.role === 'task')
      this.notice = { text: 'select a worker or a service first', bad: true }
    else this.#ask(`Replace ${roleName(info)} ${info.id}?`, { do: 'recycle', id: info.id })
  }

  #ask(text: string, action: Action): void {
    this.question = { text, action }
  }

  #move(by: number): void {
    const { processes } = this
    const at = processes.findIndex(({ id }) => id === this.#selected)
    this.#selected = processes[Math.min(processes.length - 1, Math.max(0, at + by))]?.id
  }
}

const STEERING: readonly string[] = ['r', '+', '-', 'c']
/** How many seconds the strip shows. */
export const STRIP = 60
const SECOND = 1_000
/** Timers come late, never early; a strip that skipped every second look would say little. */
const TOLERANCE = 100
const EVENTS = 200
