import { createPolicy, type Policy, type PolicyVitals } from '../cluster/autoscale.js'
import { show } from '../show.js'

/** Calls the policy, the user's or Mapache's own, so that nothing that it does harms the supervisor. */
export class PolicyRunner {
  readonly #policy: Policy
  readonly #failed: (text: string, thrown?: unknown) => void
  readonly #told = new Set<string>()

  /** @param failed logs what is wrong with it; called once for each kind of fault */
  constructor(policy: Policy | undefined, failed: (text: string, thrown?: unknown) => void) {
    this.#policy = policy ?? createPolicy()
    this.#failed = failed
  }

  /**
   * @param desired how many workers should serve so far
   * @returns how many should from now on; as before, if the policy fails
   */
  run(vitals: PolicyVitals, desired: number): number {
    let wanted: unknown
    try {
      wanted = this.#policy(vitals, desired)
    } catch (thrown) {
      const { name = 'value' } = Object(thrown) as { name?: unknown }
      this.#tell(
        `threw ${String(name)}`,
        `the policy threw: ${thrown instanceof Error ? thrown.message : show(thrown)}`,
        thrown
      )
      return desired
    }
    if (Number.isSafeInteger(wanted) && (wanted as number) >= 0) return wanted as number
    // An async function may reject, too, which would end the supervisor.
    if (wanted instanceof Promise) wanted.catch(() => {})
    this.#tell(typeof wanted, `the policy must return a whole number of workers, got ${show(wanted)}`)
    return desired
  }

  #tell(kind: string, text: string, thrown?: unknown): void {
    if (this.#told.has(kind)) return
    this.#told.add(kind)
    this.#failed(text, thrown)
  }
}
