import { readFileSync, writeFileSync } from 'node:fs'

const FILE = '/proc/sys/kernel/sched_autogroup_enabled'

/**
 * Switches the kernel's autogroup off, where it is on and this user may. It gives each session an equal share of the CPUs:
 * Mapache's workers are sessions of their own, node:cluster's are not, so that it would weigh the load generator
 * differently against each.
 * @returns {{ note: string, restore: () => void }} what to say of it, and what undoes it
 */
export function switchOffAutogroup() {
  try {
    if (readFileSync(FILE, 'utf8').trim() !== '1') return { note: 'autogroup is off', restore() {} }
    writeFileSync(FILE, '0')
    return { note: 'autogroup is switched off meanwhile', restore: () => writeFileSync(FILE, '1') }
  } catch {
    return { note: 'autogroup cannot be switched off by this user: see bench/README.md', restore() {} }
  }
}
