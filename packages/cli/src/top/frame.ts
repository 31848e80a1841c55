import type { ClusterStatus, ProcessInfo } from '@mapache/core'
import { formatDuration, formatRate } from '../format.js'
import type { Look } from '../look.js'
import { plain } from '../plain.js'
import { headLines } from '../status-lines.js'
import { clip, pad } from '../text.js'
import { bar, sparkline } from './bars.js'
import { STRIP, type TopModel } from './model.js'
import { processLines } from './processes.js'

/** How large the screen is. */
export interface Size {
  columns: number
  rows: number
}

/**
 * Draws the model.
 * @param now monotonic, ms
 * @param wall ms since 1970
 * @returns at most `rows` lines of at most `columns`
 */
export function drawFrame(model: TopModel, { columns, rows }: Size, look: Look, now: number, wall: number): string[] {
  const foot = footLine(model, look)
  const body = model.help ? HELP : bodyLines(model, { columns, rows: rows - 1 }, look, now, wall)
  const lines = body.slice(0, Math.max(0, rows - 1))
  while (lines.length < rows - 1) lines.push('')
  return [...lines, foot].map((line) => clip(line, columns))
}

function bodyLines(model: TopModel, { columns, rows }: Size, look: Look, now: number, wall: number): string[] {
  const { status } = model
  if (!status) return [look.dim(model.lost ? 'The supervisor has gone.' : 'Waiting for the cluster …')]
  const head = headOf(model, status, columns, look, now, wall)
  const strip = stripLine(model, columns, look)
  // Each process has a line if that leaves room for three events; if not, the list is moved along with the selection.
  const fixed = head.length + SPACES + 1
  const room = Math.max(2, rows - fixed - Math.min(EVENTS_AT_LEAST, model.events.length))
  const table = processLines(model, columns, room, look, now)
  const left = Math.max(0, rows - fixed - table.length)
  return [...head, '', ...table, '', strip, ...eventLines(model, left, look)]
}

function headOf(
  model: TopModel,
  status: ClusterStatus,
  columns: number,
  look: Look,
  now: number,
  wall: number
): string[] {
  const [first = '', ...rest] = headLines(status, look, model.lost ? wall - (now - model.takenAt) : wall)
  const lines = [first, ...rest.filter((line) => !line.includes(` to generation ${status.roll?.generation}: `))]
  if (model.lost) {
    lines.push(look.red(`The supervisor (pid ${status.pid}) has gone; this is how it was. Waiting for another …`))
  } else if (now - model.takenAt > model.patience) {
    const since = formatDuration(now - model.takenAt)
    lines.push(look.yellow(`The supervisor (pid ${status.pid}) has not answered for ${since}; this is how it was.`))
  } else if (status.roll) lines.push(rollLine(status, status.roll, columns, look))
  return lines
}

/** Where a roll is: how many workers are new, and how many are old. */
function rollLine(
  status: ClusterStatus,
  roll: NonNullable<ClusterStatus['roll']>,
  columns: number,
  look: Look
): string {
  const workers = status.processes.filter(({ role, state }) => role === 'worker' && SERVES.includes(state))
  const fresh = workers.filter(({ generation, state }) => generation === roll.generation && state === 'serving').length
  const old = workers.filter(({ generation }) => generation !== roll.generation).length
  const text = `${roll.kind} to generation ${roll.generation}: ${roll.phase}`
  const drawn = bar(status.target === 0 ? 0 : fresh / status.target, columns < NARROW ? 10 : 20)
  return `${look.cyan(text)}  ${look.green(drawn)}  ${fresh} new, ${old} old`
}

function stripLine({ strip }: TopModel, columns: number, look: Look): string {
  const now = strip.at(-1) ?? 0
  const label = `requests/s ${pad(formatRate(now), 5, 'right')} `
  const most = ` most ${formatRate(Math.max(0, ...strip))}`
  const width = Math.max(0, Math.min(STRIP, columns - label.length - most.length))
  return `${label}${look.cyan(pad(sparkline(strip.slice(-width)), width, 'right'))}${look.dim(most)}`
}

function eventLines({ events }: TopModel, room: number, look: Look): string[] {
  if (room < 2 || events.length === 0) return []
  const last = events.slice(-(room - 1))
  return ['', ...last.map(({ at, text }) => `${look.dim(new Date(at).toTimeString().slice(0, 8))} ${plain(text)}`)]
}

function footLine({ question, notice, help }: TopModel, look: Look): string {
  if (question) return look.inverse(` ${plain(question.text)} y/n `)
  if (help) return look.dim('any key goes back   q quit')
  const keys = 'r reload  + - scale  c recycle  ↑↓ select  ? help  q quit'
  if (!notice) return look.dim(keys)
  // It may be the message of the app's own error.
  const text = plain(notice.text)
  return notice.bad ? look.red(text) : text
}

const SERVES: readonly ProcessInfo['state'][] = ['serving', 'retiring']
/** Empty lines between the parts. */
const SPACES = 2
const EVENTS_AT_LEAST = 4
const NARROW = 80
const HELP = [
  'Keys',
  '',
  '  r        reload: replace all workers with new ones from disk',
  '  +  -     one worker more, one fewer',
  '  c        recycle: replace the selected worker or service',
  '  ↑ ↓      select; j and k, too',
  '  ?        this',
  '  q        quit; Ctrl-C, too',
  '',
  'Columns',
  '',
  '  REQ/S    requests a second        FLIGHT  requests that are being answered',
  '  LOOP     how busy the event loop is: 100% cannot take more',
  '  MEMORY   proportional: what is shared counts in parts    OWN  shared with nobody'
]
