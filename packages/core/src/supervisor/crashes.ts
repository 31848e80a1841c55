import { type Crash, inOneLine } from '../cluster/crashes.js'
import { STORM_WINDOW } from '../cluster/storm.js'
import type { ErrorData } from '../errors.js'
import { generationName } from '../log.js'
import { announce } from './events.js'
import type { ExitStatus } from './launch/launcher.js'
import type { Peer } from './processes.js'
import type { Supervisor } from './supervisor.js'

/** Keeps what ended a process badly, for the status. */
export function noteBadEnd(
  supervisor: Supervisor,
  { member, diagnostic }: Peer,
  reason: Crash['reason'],
  { code, signal }: ExitStatus,
  error: ErrorData
): void {
  const { id, role, name, generation, place } = member
  const file = diagnostic === undefined ? {} : { diagnostic }
  const at = Date.now()
  supervisor.crashes.note({ at, id, role, name, generation, place, reason, code, signal, ...inOneLine(error), ...file })
}

/** Says once that workers end badly one after the other. */
export function tellOfStorm(supervisor: Supervisor, generation: number, crashes: number): void {
  const { log } = supervisor
  log.error(
    `crash storm: ${crashes} workers of ${generationName(generation)} ended badly within ${STORM_WINDOW} ms; ` +
      'they are launched one at a time until it is calm; `mapache revive` ends that'
  )
  announce(supervisor, 'crash:storm', { generation, crashes, within: STORM_WINDOW })
}
