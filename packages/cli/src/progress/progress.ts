import type { ClusterEvents, ProcessInfo } from '@mapache/core'
import { formatDuration, plural } from '../format.js'
import { identity, roleName } from '../identity.js'
import type { Look } from '../look.js'
import { plain, plainData } from '../plain.js'
import { paintState } from '../status-lines.js'
import { table } from '../text.js'

/** One event of the cluster, with its name. */
export type ClusterEvent = {
  [Name in keyof ClusterEvents]: { name: Name; data: ClusterEvents[Name][0] }
}[keyof ClusterEvents]

/** What is under way in a cluster, as its events tell it. No I/O and no clock. */
export class Progress {
  /** Processes that something has happened to, by id, as they were last. */
  readonly #processes = new Map<number, ProcessInfo>()
  readonly #what: string
  readonly #begun: number
  #phase = ''

  /** @param what is waited for, such as "reload" @param now monotonic, ms */
  constructor(what: string, now: number) {
    this.#what = what
    this.#begun = now
  }

  /** Takes an event in. @returns the line that tells of it; undefined for one that says nothing of what is under way */
  take(given: ClusterEvent): string | undefined {
    const event = plainData(given)
    const [kind, step] = event.name.split(':')
    if (kind === 'worker' || kind === 'service' || kind === 'mold' || kind === 'task') {
      const info = event.data as ProcessInfo
      const text = STEPS[step ?? '']
      if (text === undefined) return undefined
      if (step === 'exit') this.#processes.delete(info.id)
      else this.#processes.set(info.id, info)
      return `${identity(info)} ${text(event.data as never)}`
    }
    // What is waited for tells itself that it is done.
    if (event.name === 'reload:done' && ROLLS.includes(this.#what)) return undefined
    const tell = TELLS[event.name] as ((data: unknown) => string) | undefined
    const line = tell?.(event.data)
    if (line !== undefined) this.#phase = line
    return line
  }

  /**
   * How it stands, for a block that is drawn over.
   * @param now monotonic, ms
   * @param spinner the picture of now
   * @param rows how many lines it may have
   */
  block(now: number, spinner: string, look: Look, rows: number): string[] {
    const title = [look.cyan(spinner), look.bold(this.#what), this.#phase, look.dim(formatDuration(now - this.#begun))]
    const processes = [...this.#processes.values()].sort((a, b) => a.id - b.id)
    const [, ...all] = table(
      COLUMNS,
      processes.map((info) => cellsOf(info, look))
    )
    // The last ones are the newest.
    const room = Math.max(1, rows - 2)
    const lines = all.length > room ? [look.dim(`… and ${all.length - room} more`), ...all.slice(-room)] : all
    return [title.filter((part) => part !== '').join('  '), ...lines.map((line) => `  ${line}`)]
  }
}

function cellsOf(info: ProcessInfo, look: Look): string[] {
  const inFlight = info.state === 'retiring' && info.vitals ? plural(info.vitals.inFlight, 'request') : ''
  const pid = info.pid === undefined ? '' : look.dim(`pid ${info.pid}`)
  return [
    roleName(info),
    String(info.id),
    `gen ${info.generation}`,
    paintState(info.state, info.state, look),
    pid,
    inFlight
  ]
}

/** What is told of the steps in a process's life; the words are those of Mapache's log. */
const STEPS: Readonly<Record<string, (data: never) => string>> = {
  launch: () => 'launched',
  ready: ({ age }: ProcessInfo) => `ready after ${formatDuration(age)}`,
  serving: () => 'serving',
  retire: ({ reason }: { reason: string }) => `retiring (${reason})`,
  exit: ({ reason, failed, code, signal }: ClusterEvents['worker:exit'][0]) => {
    const how = signal ?? (code === null ? 'not started' : `code ${code}`)
    return failed ? `ended (${reason}, ${how})` : `exited (${reason}${code === 0 ? '' : `, ${how}`})`
  }
}

const TELLS: { readonly [Name in keyof ClusterEvents]?: (data: ClusterEvents[Name][0]) => string } = {
  'reload:start': ({ generation, kind }) => `${kind} to generation ${generation} begins`,
  'setup:start': ({ generation }) => `the setup of generation ${generation} runs`,
  'setup:done': ({ generation, duration }) =>
    `the setup of generation ${generation} is done after ${formatDuration(duration)}`,
  'setup:failed': ({ generation }) => `the setup of generation ${generation} failed`,
  'reload:soaking': ({ generation, soak }) => {
    return `generation ${generation} has a canary, which is compared for ${formatDuration(soak)}`
  },
  'reload:soaked': ({ canary }) => {
    const { requests, errors } = canary.canary
    const figures = `${plural(requests, 'answer')}, ${plural(errors, 'error')}`
    return canary.enough ? `the canary is good: ${figures}` : `too little traffic to judge the canary by: ${figures}`
  },
  'reload:settled': ({ generation }) => `generation ${generation} has settled; the other workers follow`,
  'reload:done': ({ generation, duration }) => `generation ${generation} serves after ${formatDuration(duration)}`,
  'reload:failed': ({ generation, phase }) => `generation ${generation} failed: ${phase}`,
  'reload:rolledback': ({ generation, to, canary }) => {
    if (canary) return `the canary of generation ${generation} was worse: ${to} serves on`
    return `generation ${generation} loses its workers: going back to ${to}`
  },
  'app:failed': ({ phase, error }) => `the app failed (${phase}): ${plain(error.message)}`,
  'crash:storm': ({ generation, crashes }) =>
    `${plural(crashes, 'worker')} of generation ${generation} ended badly: launching one at a time`,
  scale: ({ workers, reason }) =>
    `${plural(workers, 'worker')} should serve${reason === 'load' ? ', by the load' : ''}`,
  stop: ({ mode }) => (mode === 'now' ? 'stopping now' : 'stopping'),
  stopped: () => 'stopped'
}

const COLUMNS = [
  { title: '' },
  { title: '', side: 'right' },
  { title: '' },
  { title: '' },
  { title: '' },
  { title: '' }
] as const
const ROLLS: readonly string[] = ['reload', 'refork', 'rollback']
