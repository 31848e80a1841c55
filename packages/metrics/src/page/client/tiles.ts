import { arrange, el, setAttribute, setText } from './dom.js'
import { age, bytes, count, milliseconds, percent } from './format.js'
import { groups, nameOf, stateOf } from './model.js'
import type { Frame, Process } from './wire.js'

/** The workers, molds and services, by generation. Each has one tile as long as it lives. */
export class Tiles {
  readonly #groups = new Map<string, GroupView>()

  constructor(
    readonly root: HTMLElement,
    /** Whether there are buttons. */
    readonly acts: boolean
  ) {}

  show(frame: Frame): void {
    const shown = groups(frame)
    const largest = Math.max(1, ...frame.processes.map(({ memory }) => (memory ? memory.own + memory.shared : 0)))
    const keys = new Set(shown.map(({ key }) => key))
    for (const key of this.#groups.keys()) if (!keys.has(key)) this.#groups.delete(key)
    const elements = shown.map(({ key, title, note, processes }) => {
      const view = this.#groups.get(key) ?? new GroupView(key, title, this.acts)
      this.#groups.set(key, view)
      view.show(note, processes, largest)
      return view.element
    })
    arrange(this.root, elements)
  }
}

class GroupView {
  readonly element: HTMLElement
  readonly #note = el('span', 'note')
  readonly #list = el('ul', 'tiles')
  readonly #tiles = new Map<number, Tile>()

  constructor(
    key: string,
    title: string,
    readonly acts: boolean
  ) {
    const heading = el('h3', '', title)
    heading.id = `group-${key}`
    this.element = el('section', 'group', el('div', 'group-head', heading, this.#note), this.#list)
    this.element.setAttribute('aria-labelledby', heading.id)
    // Without it Safari does not tell of a list that has no bullets.
    this.#list.setAttribute('role', 'list')
  }

  show(note: string, processes: readonly Process[], largest: number): void {
    setText(this.#note, note)
    const ids = new Set(processes.map(({ id }) => id))
    for (const id of this.#tiles.keys()) if (!ids.has(id)) this.#tiles.delete(id)
    const elements = processes.map((process) => {
      const tile = this.#tiles.get(process.id) ?? new Tile(process, this.acts)
      this.#tiles.set(process.id, tile)
      tile.show(process, largest)
      return tile.element
    })
    arrange(this.#list, elements)
  }
}

class Tile {
  readonly element = el('li', 'tile')
  readonly #name = el('strong')
  readonly #state = el('span', 'state')
  readonly #reason = el('p', 'reason')
  readonly #requests = new Fact('req/s')
  readonly #inFlight = new Fact('in flight')
  readonly #p99 = new Fact('p99')
  readonly #loop = new Bar('Event loop', 1)
  readonly #memory = new Bar('Memory', 2)
  readonly #own = el('span', 'own')
  readonly #shared = el('span', 'shared')
  readonly #foot = el('span', 'foot-text')
  readonly #button: HTMLButtonElement | undefined

  constructor({ id, role }: Process, acts: boolean) {
    const head = el('div', 'tile-head', el('span', 'dot'), this.#name, this.#state)
    const facts = el('dl', 'facts', this.#requests.element, this.#inFlight.element, this.#p99.element)
    const memory = el('div', 'row legend', this.#own, this.#shared)
    const foot = el('div', 'tile-foot', this.#foot)
    if (acts && role !== 'mold' && role !== 'task') {
      this.#button = el('button', 'small', 'Recycle')
      this.#button.type = 'button'
      this.#button.dataset.action = 'recycle'
      this.#button.dataset.id = String(id)
      foot.append(this.#button)
    }
    if (role === 'worker') this.element.append(head, this.#reason, facts, this.#loop.element)
    else this.element.append(head, this.#reason)
    this.element.append(this.#memory.element, memory, foot)
  }

  show(process: Process, largest: number): void {
    const state = stateOf(process)
    const name = nameOf(process)
    setAttribute(this.element, 'data-id', String(process.id))
    setAttribute(this.element, 'data-state', state)
    setAttribute(this.element, 'data-role', process.role)
    setText(this.#name, name)
    const reason = reasonOf(process)
    const aside = reason !== '' && !ENDED.has(state)
    setText(this.#state, aside ? `${state} · ${reason}` : state)
    setText(this.#reason, aside ? '' : reason)
    this.#reason.hidden = this.#reason.textContent === ''
    this.#requests.show(process.requests === null ? '–' : count(process.requests))
    this.#inFlight.show(process.inFlight === null ? '–' : count(process.inFlight))
    this.#p99.show(process.p99 === null ? '–' : milliseconds(process.p99))
    const { utilisation, memory } = process
    this.#loop.show(utilisation === null ? 'unknown' : percent(utilisation), [utilisation ?? 0])
    setAttribute(this.#loop.element, 'data-high', String((utilisation ?? 0) >= 0.85))
    const total = memory ? bytes(memory.own + memory.shared) : 'unknown'
    this.#memory.show(total, memory ? [memory.own / largest, memory.shared / largest] : [])
    setText(this.#own, memory ? `own ${bytes(memory.own)}` : '')
    setText(this.#shared, memory ? `shared ${bytes(memory.shared)}` : '')
    setText(this.#foot, `${process.pid === null ? 'no pid yet' : `pid ${process.pid}`} · ${age(process.age)}`)
    if (!this.#button) return
    setAttribute(this.#button, 'aria-label', `Recycle ${name}`)
    this.#button.hidden = !RECYCLABLE.has(state)
  }
}

/** A number with its name. */
class Fact {
  readonly element: HTMLElement
  readonly #value = el('dd')

  constructor(name: string) {
    this.element = el('div', '', el('dt', '', name), this.#value)
  }

  show(text: string): void {
    setText(this.#value, text)
  }
}

/** A bar of one or more parts, with its name and its value in words. */
class Bar {
  readonly element: HTMLElement
  readonly #parts: HTMLElement[]
  readonly #value = el('span', 'value')
  readonly #track = el('div', 'track')

  constructor(name: string, parts: number) {
    this.#parts = Array.from({ length: parts }, (_, index) => el('div', `part part-${index}`))
    this.#track.append(...this.#parts)
    this.#track.setAttribute('role', 'meter')
    this.#track.setAttribute('aria-label', name)
    this.#track.setAttribute('aria-valuemin', '0')
    this.#track.setAttribute('aria-valuemax', '100')
    this.element = el(
      'div',
      'row',
      el('span', 'name', name === 'Event loop' ? 'loop' : 'memory'),
      this.#track,
      this.#value
    )
  }

  show(text: string, shares: readonly number[]): void {
    setText(this.#value, text === 'unknown' ? '–' : text)
    this.#parts.forEach((part, index) => {
      part.style.width = `${Math.round(Math.min(1, shares[index] ?? 0) * 1_000) / 10}%`
    })
    const whole = shares.reduce((sum, share) => sum + share, 0)
    setAttribute(this.#track, 'aria-valuenow', String(Math.round(Math.min(1, whole) * 100)))
    setAttribute(this.#track, 'aria-valuetext', text)
  }
}

function reasonOf({ reason, failures, state }: Process): string {
  if (reason !== null) return reason
  return failures > 0 && state === 'launching' ? `after ${failures} failures` : ''
}

const ENDED = new Set(['crashed', 'gone'])
const RECYCLABLE = new Set(['serving', 'spare'])
