import { addExactly, exactSum } from '../exact-sum.js'
import type { AppMetric, AppSample } from '../report.js'
import { bytesOf, type Item, type Journal, LARGEST_TEXT, type Told } from './journal.js'

/** The app's own counters, histograms and summaries of workers that have left, summed. */
export class Departed {
  readonly #journal: Journal
  readonly #metrics = new Map<string, Sums>()
  #sums = 0
  #letters = 0

  constructor(journal: Journal) {
    this.#journal = journal
  }

  add({ samples, ...metric }: AppMetric): void {
    if (metric.type === 'gauge') return
    const known = this.#known(metric)
    if (!known) return
    const touched = new Set<Part>()
    for (const [name, labels, value] of samples) {
      if (typeof value !== 'number' || !Number.isFinite(value)) continue
      const sum = known.byLabels.get(`${name}{${labels}`) ?? this.#begin(known, name, labels)
      if (!sum) continue
      addExactly(sum.numbers, value)
      touched.add(sum.part)
    }
    for (const part of touched) this.#journal.touch(part)
  }

  #known(metric: Described): Sums | undefined {
    const { name, type } = metric
    const help = metric.help.length > LONGEST_HELP ? name : metric.help
    const known = this.#metrics.get(name)
    if (!known) {
      if (name.length > LONGEST_NAME || this.#metrics.size >= MOST_METRICS) return
      if (!this.#take(name.length + help.length)) return
      const sums: Sums = { metric: { ...metric, help }, byLabels: new Map(), parts: [], open: 0 }
      this.#metrics.set(name, sums)
      return sums
    }
    if (known.metric.type === type) return known
    // New code may measure something else under the same name.
    for (const part of known.parts) {
      this.#letters -= part.letters
      part.sums = []
      part.letters = 0
      this.#journal.touch(part)
    }
    this.#sums -= known.byLabels.size
    known.byLabels.clear()
    known.open = 0
    known.metric = { ...metric, help: known.metric.help }
    if (this.#take(help.length - known.metric.help.length)) known.metric.help = help
    return known
  }

  #begin(known: Sums, name: string, labels: string): Sum | undefined {
    const letters = name.length + labels.length
    if (letters > PART_LETTERS || this.#sums >= MOST || !this.#take(letters)) return
    this.#sums += 1
    const open = known.parts[known.open]
    if (open && (open.sums.length >= PART || open.letters >= PART_LETTERS)) known.open += 1
    const part = known.parts[known.open] ?? new Part(known, known.open)
    known.parts[known.open] = part
    const sum = { name, labels, numbers: [], part }
    part.sums.push(sum)
    part.letters += letters
    known.byLabels.set(`${name}{${labels}`, sum)
    return sum
  }

  #take(letters: number): boolean {
    if (this.#letters + letters > MOST_LETTERS) return false
    this.#letters += letters
    return true
  }
}

/** Some sums of one metric, which are told together. */
class Part implements Item {
  at = 0
  readonly worker = 0
  sums: Sum[] = []
  letters = 0

  constructor(
    readonly of: Sums,
    readonly index: number
  ) {}

  tell(): Told {
    const exact = this.#tell((numbers) => numbers)
    // Numbers of very different sizes are many to an exact sum.
    return bytesOf(exact) <= LARGEST_TEXT ? exact : this.#tell((numbers) => [exactSum(numbers)])
  }

  #tell(numbersOf: (numbers: number[]) => number[]): Told {
    const { metric } = this.of
    const samples = this.sums.flatMap(({ name, labels, numbers }) => {
      return numbersOf(numbers).map((number): AppSample => [name, labels, number])
    })
    const key = `${metric.name}#${this.index}`
    return { key, text: samples.length > 0 ? JSON.stringify({ ...metric, samples }) : null }
  }
}

interface Sum {
  name: string
  labels: string
  /** Numbers whose sum is exact: see `addExactly`. */
  numbers: number[]
  part: Part
}

interface Sums {
  metric: Described
  byLabels: Map<string, Sum>
  parts: Part[]
  /** The part that has room. */
  open: number
}

type Described = Omit<AppMetric, 'samples'>

/** Labels that name each visitor, say, would fill the supervisor's memory in time. */
const MOST = 100_000
const MOST_METRICS = 10_000
/** Letters of all names, labels and helps. */
const MOST_LETTERS = 8_000_000
const LONGEST_NAME = 1_000
const LONGEST_HELP = 8_000
/** So many samples of one metric go in a text, or as many as have so many letters; the last may come on top. */
const PART = 200
const PART_LETTERS = 32_000
