import type { ClusterEvents } from '../cluster.js'
import type { Supervisor } from './supervisor.js'

/** Emits an event to the user's listeners and the modules'. What a listener throws is logged: it harms nobody else. */
export function announce<Event extends keyof ClusterEvents>(
  supervisor: Supervisor,
  event: Event,
  ...args: ClusterEvents[Event]
): void {
  supervisor.followers.tell(event, args[0])
  const listeners = supervisor.listeners(event) as ((...args: unknown[]) => unknown)[]
  for (const listener of listeners) guard(supervisor, event, event, () => listener.apply(supervisor, args))
  for (const { on, name } of supervisor.settings.modules) {
    const listener = on?.[event] as ((...args: unknown[]) => unknown) | undefined
    if (listener) guard(supervisor, event, `${event} of module ${name}`, () => listener(args[0], supervisor))
  }
}

function guard(supervisor: Supervisor, event: keyof ClusterEvents, what: string, run: () => unknown): void {
  // A listener of the log that fails at each line must not make a line each time that it hears of.
  const log = event === 'log' ? supervisor.parts.log : supervisor.log
  const failed = (err: unknown) => log.error({ err }, `a listener for ${what} failed`)
  try {
    const result = run()
    if (result instanceof Promise) result.catch(failed)
  } catch (error) {
    failed(error)
  }
}
