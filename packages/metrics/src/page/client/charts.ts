import { byId, setAttribute, setText } from './dom.js'
import { bytes, count, milliseconds } from './format.js'
import { drawPath, mergeSamples, niceMax, runs } from './series.js'
import type { Frame, Sample } from './wire.js'

const WIDTH = 300
const HEIGHT = 56

/** The last minutes: requests/s, p99 and memory. */
export class Charts {
  #samples: Sample[] = []

  /** Takes what the service saw before this page was open, or while it was not connected. */
  remember(history: readonly Sample[]): void {
    this.#samples = mergeSamples(this.#samples, history)
  }

  show({ time, requests, p99, memory }: Frame): void {
    this.remember([[time, requests, p99, memory?.own ?? null, memory?.shared ?? null]])
    const ofRequests = (sample: Sample) => sample[1]
    const ofP99 = (sample: Sample) => sample[2]
    const ofOwn = (sample: Sample) => sample[3]
    const ofAll = ([, , , own, shared]: Sample) => (own === null || shared === null ? null : own + shared)

    const most = this.#peak(ofRequests)
    this.#draw('requests', niceMax(most), [ofRequests], count)
    setText(byId('requests-now'), count(requests))
    this.#describe('requests', `peak ${count(most)}/s`, `Requests per second: ${count(requests)} now`)

    const slowest = this.#peak(ofP99)
    this.#draw('p99', niceMax(slowest), [ofP99], milliseconds)
    setText(byId('p99-now'), p99 === null ? '–' : milliseconds(p99))
    const now = p99 === null ? 'no requests now' : `${milliseconds(p99)} now`
    this.#describe('p99', `peak ${milliseconds(slowest)}`, `99 of 100 requests are answered within: ${now}`)

    this.#draw('memory', niceMax(this.#peak(ofAll)), [ofOwn, ofAll], bytes)
    setText(byId('memory-now'), memory ? bytes(memory.own + memory.shared) : '–')
    const parts = memory ? `own ${bytes(memory.own)} · shared ${bytes(memory.shared)}` : 'not told on this system'
    this.#describe('memory', parts, `Memory of all processes: ${parts}`)
  }

  #peak(value: (sample: Sample) => number | null): number {
    return this.#samples.reduce((most, sample) => Math.max(most, value(sample) ?? 0), 0)
  }

  /** Draws the lines; below each the area, where the chart has one. */
  #draw(id: string, max: number, values: ((sample: Sample) => number | null)[], format: (value: number) => string) {
    const end = this.#samples.at(-1)?.[0] ?? 0
    const area = { end, max, width: WIDTH, height: HEIGHT }
    values.forEach((value, index) => {
      const pieces = runs(this.#samples, value)
      const fill = document.getElementById(`${id}-area-${index}`)
      if (fill) setAttribute(fill, 'd', drawPath(pieces, area, true))
      setAttribute(byId(`${id}-line-${index}`), 'd', drawPath(pieces, area))
    })
    setText(byId(`${id}-max`), format(max))
  }

  #describe(id: string, note: string, label: string): void {
    setText(byId(`${id}-note`), note)
    setAttribute(byId(`${id}-chart`), 'aria-label', `${label}; ${note} in the last 5 minutes`)
  }
}
