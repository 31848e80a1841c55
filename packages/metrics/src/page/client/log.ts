import { byId, el } from './dom.js'
import { clock } from './format.js'
import type { Entry } from './wire.js'

/** How many lines the page keeps. */
const MOST = 400
const LEVELS = ['info', 'warn', 'error', 'fatal']

/** The event log, newest first. */
export class LogView {
  readonly #list = byId('log')
  readonly #level = byId<HTMLSelectElement>('log-level')
  #entries: Entry[] = []

  constructor() {
    this.#level.addEventListener('change', () => this.replace(this.#entries))
  }

  /** Shows these in place of all. @param entries oldest first */
  replace(entries: readonly Entry[]): void {
    this.#entries = entries.slice(-MOST)
    this.#list.replaceChildren(
      ...this.#entries
        .filter((entry) => this.#shows(entry))
        .map(row)
        .reverse()
    )
    this.#tellEmpty()
  }

  add(entry: Entry): void {
    this.#entries.push(entry)
    if (this.#entries.length > MOST) this.#entries.shift()
    if (this.#shows(entry)) this.#list.prepend(row(entry))
    while (this.#list.childElementCount > MOST) this.#list.lastElementChild?.remove()
    this.#tellEmpty()
  }

  #shows({ level }: Entry): boolean {
    return LEVELS.indexOf(level) >= LEVELS.indexOf(this.#level.value)
  }

  #tellEmpty(): void {
    byId('log-empty').hidden = this.#list.childElementCount > 0
  }
}

function row({ time, level, message, error }: Entry): HTMLLIElement {
  const at = el('time', '', clock(time))
  at.dateTime = new Date(time).toISOString()
  const item = el('li', '', at, el('span', 'level', level), el('span', 'message', message))
  item.dataset.level = level
  if (error !== undefined) item.append(errorDetails(error))
  return item
}

/** An error's stack, folded. */
export function errorDetails(error: string, open = false): HTMLDetailsElement {
  const pre = el('pre', '', error)
  // What scrolls must be reachable by keyboard.
  pre.tabIndex = 0
  const details = el('details', '', el('summary', '', 'the error'), pre)
  details.open = open
  return details
}
