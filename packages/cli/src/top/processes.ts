import type { ProcessInfo } from '@mapache/core'
import stringWidth from 'string-width'
import { formatBytes, formatCount, formatDuration, formatRate, formatShare } from '../format.js'
import { generationName, roleName, stateName } from '../identity.js'
import type { Look } from '../look.js'
import { paintState } from '../status-lines.js'
import { type Column, clip, pad, table } from '../text.js'
import { bar } from './bars.js'
import type { TopModel } from './model.js'

/**
 * The table of processes.
 * @param room how many lines it may take; of a longer list the part around the selected one is shown
 */
export function processLines(model: TopModel, columns: number, room: number, look: Look, now: number): string[] {
  const { processes, selected } = model
  const lines = widest(model, columns, look, now)
  const [titles = '', ...rows] = lines
  const at = Math.max(
    0,
    processes.findIndex(({ id }) => id === selected?.id)
  )
  const height = Math.max(1, room - 1)
  const from = Math.max(0, Math.min(at - Math.floor(height / 2), rows.length - height))
  const shown = rows.slice(from, from + height).map((row, index) => {
    const chosen = from + index === at && selected !== undefined
    return chosen ? `${look.cyan('▸')} ${look.bold(row)}` : `  ${row}`
  })
  return [`  ${look.dim(titles)}`, ...shown]
}

/** With as many columns and as long bars as there is room for. */
function widest(model: TopModel, columns: number, look: Look, now: number): string[] {
  let lines: string[] = []
  for (const { names, ...widths } of LAYOUTS) {
    const rows = model.processes.map((info) =>
      names.map((name) => CELLS[name].cell({ info, model, look, now, ...widths }))
    )
    lines = table(
      names.map((name) => CELLS[name].column),
      rows
    )
    if (Math.max(...lines.map((line) => stringWidth(line))) <= columns - MARK) return lines
  }
  return lines
}

interface Given {
  info: ProcessInfo
  model: TopModel
  look: Look
  now: number
  /** Columns of the loop's bar, and of the role at most. */
  bar: number
  role: number
}

const CELLS = {
  id: { column: right('ID'), cell: ({ info }: Given) => String(info.id) },
  role: { column: left('ROLE'), cell: ({ info, role }: Given) => clip(roleName(info), role) },
  state: { column: left('STATE'), cell: ({ info, look }: Given) => paintState(stateName(info), info.state, look) },
  generation: { column: right('GEN'), cell: ({ info }: Given) => generationOf(info) },
  age: {
    column: right('AGE'),
    // It goes on between two looks, and stands still when the supervisor has gone.
    cell: ({ info, model, now }: Given) => formatDuration(info.age + (model.lost ? 0 : now - model.takenAt))
  },
  rate: { column: right('REQ/S'), cell: ({ info, model }: Given) => formatRate(model.rates.of(info.id)) },
  inFlight: { column: right('FLIGHT'), cell: ({ info }: Given) => formatCount(info.vitals?.inFlight) },
  loop: { column: left('LOOP'), cell: loopOf },
  memory: { column: right('MEMORY'), cell: ({ info }: Given) => formatBytes(info.memory?.pss ?? info.vitals?.rss) },
  own: { column: right('OWN'), cell: ({ info }: Given) => formatBytes(info.memory?.own) },
  pid: { column: right('PID'), cell: ({ info }: Given) => String(info.pid ?? '') },
  failures: { column: right('FAILED'), cell: failuresOf }
} as const

type Name = keyof typeof CELLS
const NEEDED: readonly Name[] = ['id', 'role', 'state', 'generation', 'age', 'rate', 'inFlight', 'loop']
/** From the widest on; the last one is cut where the screen ends. */
const LAYOUTS: readonly { names: readonly Name[]; bar: number; role: number }[] = [
  { names: [...NEEDED, 'memory', 'own', 'pid', 'failures'], bar: 20, role: 24 },
  { names: [...NEEDED, 'memory', 'own', 'pid', 'failures'], bar: 10, role: 16 },
  { names: [...NEEDED, 'memory', 'own', 'failures'], bar: 10, role: 16 },
  { names: [...NEEDED, 'memory', 'own'], bar: 10, role: 10 },
  { names: [...NEEDED, 'memory', 'own'], bar: 4, role: 10 },
  { names: [...NEEDED, 'own'], bar: 4, role: 8 },
  { names: NEEDED, bar: 4, role: 8 },
  { names: ['id', 'role', 'state', 'generation', 'rate', 'inFlight'], bar: 0, role: 8 }
]

function loopOf({ info, look, bar: width }: Given): string {
  const share = info.vitals?.utilisation
  if (share === undefined) return formatShare(share)
  const paint = share > 0.8 ? look.red : share > 0.5 ? look.yellow : look.green
  return `${paint(bar(share, width))} ${pad(formatShare(share), 4, 'right')}`
}

function failuresOf({ info, look }: Given): string {
  return info.failures > 0 ? look.red(String(info.failures)) : '0'
}

function generationOf({ generation }: ProcessInfo): string {
  return generation < 0 ? generationName(generation) : String(generation)
}

function left(title: string): Column {
  return { title }
}

function right(title: string): Column {
  return { title, side: 'right' }
}

/** Columns of the mark of the selected one. */
const MARK = 2
