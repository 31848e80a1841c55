/** What is to happen at which virtual time. Of two things at one time the one noted first comes first. */
export class Agenda {
  now = 0
  #entries: { at: number; order: number; run: () => void }[] = []
  #order = 0

  /**
   * @param at rounded to whole milliseconds
   * @returns what takes it off the agenda again
   */
  add(at: number, run: () => void): () => void {
    const entry = { at: Math.max(Math.round(at), this.now), order: ++this.#order, run }
    this.#entries.push(entry)
    return () => {
      this.#entries = this.#entries.filter((other) => other !== entry)
    }
  }

  /** Lets time pass to `until` at most, up to the next thing, and does that. @returns whether there was one */
  step(until: number): boolean {
    let first = this.#entries[0]
    for (const entry of this.#entries) {
      if (first && (entry.at < first.at || (entry.at === first.at && entry.order < first.order))) first = entry
    }
    if (!first || first.at > until) {
      this.now = Math.max(this.now, Math.floor(until))
      return false
    }
    this.#entries.splice(this.#entries.indexOf(first), 1)
    this.now = first.at
    first.run()
    return true
  }
}
