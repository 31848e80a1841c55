import { plural } from './format.js'
import type { Frame, Process } from './wire.js'

export type Tone = 'good' | 'busy' | 'bad'

/** The workers and molds of one generation, as one part of the page. */
export interface Group {
  key: string
  title: string
  note: string
  processes: Process[]
}

/** One phase of a roll. */
export interface Step {
  name: string
  text: string
  at: 'done' | 'now' | 'next'
}

/** How the cluster is, in one line. */
export function headline(frame: Frame): { tone: Tone; text: string } {
  const { roll, serving, target, waiting } = frame
  const workers = `${serving} of ${plural(target, 'worker')} ${target === 1 ? 'serves' : 'serve'}`
  if (frame.stopping) return { tone: 'busy', text: 'Stopping' }
  if (serving === 0) return { tone: 'bad', text: 'No worker serves' }
  if (waiting > 0) return { tone: 'bad', text: `${workers}; ${waiting} waiting after failures` }
  if (roll) return { tone: 'busy', text: `${nameOfRoll(roll.kind)} to generation ${roll.generation}: ${roll.phase}` }
  if (serving < target) return { tone: 'busy', text: workers }
  if (!frame.ready.ok) return { tone: 'bad', text: frame.ready.reason }
  return { tone: 'good', text: target === 1 ? 'The worker serves' : `All ${target} workers serve` }
}

/** The generations, newest first, then the services. */
export function groups(frame: Frame): Group[] {
  const own = frame.processes.filter(({ role }) => role !== 'service')
  const generations = [...new Set(own.map(({ generation }) => generation))].sort((a, b) => b - a)
  const found = generations.map((generation): Group => {
    const processes = own.filter((process) => process.generation === generation).sort(byRole)
    const note = `${noteOf(frame, generation)} · ${statesOf(processes)}`
    return { key: `g${generation}`, title: `Generation ${generation}`, note, processes }
  })
  const services = frame.processes.filter(({ role }) => role === 'service')
  if (services.length === 0) return found
  return [...found, { key: 'services', title: 'Services', note: 'beside the workers', processes: services }]
}

/** The phases of the running roll, with where it stands. */
export function steps({ roll }: Frame): Step[] {
  if (!roll) return []
  const known = roll.phase === 'soaking' ? WITH_CANARY : PHASES
  const isRefork = roll.kind === 'refork' || roll.phase === 'promoting'
  const before = isRefork ? ['promoting'] : roll.phase === 'setting-up' ? ['setting-up'] : []
  const phases = [...before, ...known]
  // A phase that this page does not know is still told.
  const names = phases.includes(roll.phase) ? phases : [...phases, roll.phase]
  const now = names.indexOf(roll.phase)
  return names.map((name, index) => ({
    name,
    text: TEXTS[name] ?? '',
    at: index < now ? 'done' : index === now ? 'now' : 'next'
  }))
}

/** How many workers of the roll's generation serve already. */
export function replaced({ roll, processes }: Frame): number {
  return processes.filter(
    ({ role, state, generation }) => role === 'worker' && state === 'serving' && generation === roll?.generation
  ).length
}

export function nameOfRoll(kind: string): string {
  return kind.charAt(0).toUpperCase() + kind.slice(1)
}

/** What the tile of a process is called. */
export function nameOf({ role, id, name }: Process): string {
  return role === 'service' || role === 'task' ? name || `${role} ${id}` : `${role} ${id}`
}

/** A state as the tile tells it: a worker that is ready and does not serve is a spare. */
export function stateOf({ role, state }: Process): string {
  if (role === 'worker' && state === 'ready') return 'spare'
  return role === 'mold' && (state === 'ready' || state === 'promoted') ? 'ready' : state
}

function noteOf({ roll, generation: serving, forked, stopping }: Frame, generation: number): string {
  if (stopping) return 'leaving'
  if (generation === roll?.generation) return 'coming'
  if (generation !== serving) return 'leaving'
  if (roll) return 'being replaced'
  return forked ? 'in service, forked' : 'in service'
}

/** `3 serving, 1 retiring`: of the workers. */
function statesOf(processes: readonly Process[]): string {
  const counts = new Map<string, number>()
  for (const process of processes) {
    const state = process.role === 'mold' ? 'mold' : stateOf(process)
    counts.set(state, (counts.get(state) ?? 0) + 1)
  }
  return [...counts].map(([state, number]) => `${number} ${state}`).join(', ')
}

/** Workers in the order of their launch, molds last. */
function byRole(a: Process, b: Process): number {
  return Number(a.role === 'mold') - Number(b.role === 'mold') || a.id - b.id
}

const PHASES = ['booting', 'settling', 'rolling']
const WITH_CANARY = ['booting', 'settling', 'soaking', 'rolling']
const TEXTS: Record<string, string> = {
  promoting: 'a worker becomes the mold',
  'setting-up': 'the setup of the new code runs',
  booting: 'the first new worker starts',
  settling: 'it proves itself',
  soaking: 'it is compared with the old workers',
  rolling: 'the others follow, old ones retire'
}
