import { Actions } from './actions.js'
import { Charts } from './charts.js'
import { byId, el, setAttribute, setText } from './dom.js'
import { age, clock, count, plural } from './format.js'
import { Ghosts } from './ghosts.js'
import { errorDetails, LogView } from './log.js'
import { headline, nameOfRoll, replaced, steps } from './model.js'
import { holdStream } from './stream.js'
import { Tiles } from './tiles.js'
import type { Frame, Outcome } from './wire.js'

/** What the page shows is old from so long after the stream was lost, ms: a reload's gap is shorter. */
const STALE = 1_500

let last: Frame | undefined
/** Runs, or has run out, while there is no stream. */
let lost: ReturnType<typeof setTimeout> | undefined

const own = document.documentElement.dataset.page
const acts = document.getElementById('ask') !== null
const charts = new Charts()
const tiles = new Tiles(byId('generations'), acts)
const ghosts = new Ghosts()
const log = new LogView()
const actions = acts ? new Actions(say) : undefined

holdStream(
  {
    hello({ page, history }) {
      charts.remember(history)
      byId('upgraded').hidden = page === own
    },
    frame: show,
    log: (entries) => log.replace(entries),
    entry: (entry) => log.add(entry),
    gone: (gone) => {
      ghosts.note(gone, last, performance.now())
      if (gone.failed) say(`A process crashed: ${gone.reason}`)
    },
    outcome
  },
  tellConnected
)
byId('outcome-close').addEventListener('click', () => {
  byId('outcome').hidden = true
})
byId('upgraded-reload').addEventListener('click', () => location.reload())

function show(frame: Frame): void {
  last = frame
  showHead(frame)
  showRoll(frame)
  showTotals(frame)
  charts.show(frame)
  tiles.show(ghosts.among(frame, performance.now()))
  actions?.show(frame)
  byId('waiting').hidden = true
}

function showHead(frame: Frame): void {
  const { tone, text } = headline(frame)
  const state = byId('state')
  if (state.textContent !== text) say(text)
  setText(state, text)
  setAttribute(state, 'data-tone', tone)
  setText(byId('name'), frame.name)
  const parts = [`generation ${frame.generation}`, `up ${age(frame.time - frame.startedAt)}`, `pid ${frame.pid}`]
  setText(byId('about'), [...parts, `Mapache ${frame.version}`, ...frame.addresses].join(' · '))
  tellTitle()
}

function showRoll(frame: Frame): void {
  const { roll, target } = frame
  byId('roll').hidden = roll === null
  if (!roll) return
  setText(byId('roll-title'), `${nameOfRoll(roll.kind)} to generation ${roll.generation}`)
  const done = Math.min(replaced(frame), target)
  setText(byId('roll-count'), `${done} of ${plural(target, 'worker')} replaced`)
  byId('roll-done').style.width = `${target > 0 ? (done / target) * 100 : 0}%`
  const list = byId('roll-steps')
  const shown = steps(frame)
  const key = shown.map(({ name, at }) => name + at).join()
  if (list.dataset.key === key) return
  list.dataset.key = key
  list.replaceChildren(
    ...shown.map(({ name, text, at }) => {
      const item = el('li', '', el('strong', '', name), el('span', '', text))
      item.dataset.at = at
      if (at === 'now') item.setAttribute('aria-current', 'step')
      if (at === 'done') item.append(el('span', 'unseen', ' (done)'))
      return item
    })
  )
}

function showTotals({ inFlight, connections, totals }: Frame): void {
  const { reloads } = totals
  const bad = [
    reloads.failed > 0 ? `${reloads.failed} failed` : '',
    reloads.rolledback > 0 ? `${reloads.rolledback} rolled back` : ''
  ].filter(Boolean)
  const texts: Record<string, string> = {
    'in-flight': count(inFlight),
    connections: count(connections),
    'total-requests': count(totals.requests),
    'server-errors': count(totals.serverErrors),
    aborted: count(totals.aborted),
    crashes: count(totals.crashes),
    restarts: count(totals.restarts),
    reloads: bad.length > 0 ? `${reloads.done} (${bad.join(', ')})` : count(reloads.done)
  }
  for (const [id, text] of Object.entries(texts)) setText(byId(id), text)
}

function outcome({ time, ok, message, error }: Outcome): void {
  const box = byId('outcome')
  box.hidden = false
  setAttribute(box, 'data-ok', String(ok))
  setText(byId('outcome-text'), `${clock(time)} ${message}`)
  byId('outcome-error').replaceChildren(...(error === undefined ? [] : [errorDetails(error, true)]))
  say(message)
}

function tellConnected(connected: boolean): void {
  const state = byId('connection')
  setAttribute(state, 'data-connected', String(connected))
  if (connected) {
    clearTimeout(lost)
    lost = undefined
    setText(state, 'live')
    if (document.body.classList.contains('stale')) say('Connected again')
    document.body.classList.remove('stale')
  } else if (lost === undefined) {
    setText(state, 'reconnecting')
    lost = setTimeout(() => {
      document.body.classList.add('stale')
      setText(state, last ? `disconnected; shown as of ${clock(last.time)}` : 'disconnected')
      say('Disconnected; trying again')
      tellTitle()
    }, STALE)
  }
  tellTitle()
}

function tellTitle(): void {
  const stale = document.body.classList.contains('stale')
  const name = last?.name ?? 'Mapache'
  document.title = stale || !last ? `disconnected · ${name}` : `${last.serving}/${last.target} ${name} · Mapache`
}

/** Tells those who listen instead of look. */
function say(text: string): void {
  setText(byId('say'), text)
}
