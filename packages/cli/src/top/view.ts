import { connect, findClusters } from '@mapache/core/operator'
import type { RemoteCluster } from '../find.js'
import { formatDuration, plural } from '../format.js'
import type { Look } from '../look.js'
import { onEvents } from '../progress/events.js'
import { drawFrame } from './frame.js'
import { type Action, TopModel } from './model.js'
import { Screen } from './screen.js'

/** The live view: the model, the screen that shows it, and the cluster that it is about. */
export class TopView {
  readonly #model = new TopModel()
  readonly #name: string
  readonly #interval: number
  readonly #look: Look
  #cluster: RemoteCluster
  #screen: Screen | undefined
  #asking = false
  #drawTimer: NodeJS.Timeout | undefined
  #quit = () => {}

  /** @param name of the cluster: when its supervisor goes, another one of that name is waited for @param interval ms */
  constructor(name: string, cluster: RemoteCluster, interval: number, look: Look) {
    this.#name = name
    this.#cluster = cluster
    this.#interval = interval
    this.#model.patience = Math.max(this.#model.patience, 3 * interval)
    this.#look = look
  }

  /** Shows it until the user quits. @returns the exit code */
  async run(): Promise<number> {
    const quit = new Promise<void>((resolve) => {
      this.#quit = resolve
    })
    this.#screen = new Screen(
      (key) => this.#pressed(key),
      () => this.#draw()
    )
    this.#attach(this.#cluster)
    const timer = setInterval(() => this.#refresh(), this.#interval)
    this.#refresh()
    try {
      await quit
    } finally {
      clearInterval(timer)
      clearTimeout(this.#drawTimer)
      this.#screen.close()
      this.#cluster.close()
    }
    return 0
  }

  #attach(cluster: RemoteCluster): void {
    this.#cluster = cluster
    onEvents(cluster, (event) => {
      this.#model.event(event, performance.now(), Date.now())
      this.#drawSoon()
    })
    void cluster.closed.then(() => {
      this.#model.lost = true
      this.#model.say('the supervisor has gone', Date.now())
      this.#drawSoon()
    })
  }

  /** Asks how it is, or for another cluster when this one is gone; then draws. */
  async #refresh(): Promise<void> {
    this.#model.sample(performance.now())
    this.#draw()
    // A supervisor that answers late is not asked again meanwhile.
    if (this.#asking) return
    this.#asking = true
    try {
      if (this.#model.lost) await this.#findAgain()
      else this.#model.take(await this.#cluster.status(), performance.now())
    } catch {
      // It went just then, which `closed` tells, or another one is not there yet.
    } finally {
      this.#asking = false
    }
    this.#draw()
  }

  async #findAgain(): Promise<void> {
    const found = (await findClusters()).find(({ name }) => name === this.#name)
    if (!found) return
    const cluster = await connect(found)
    this.#model.take(await cluster.status(), performance.now())
    this.#model.say(`the supervisor with pid ${found.pid} is here`, Date.now())
    this.#attach(cluster)
  }

  #pressed(key: string): void {
    const action = this.#model.press(key)
    if (action?.do === 'quit') return this.#quit()
    if (action) void this.#perform(action)
    this.#draw()
  }

  async #perform(action: Action): Promise<void> {
    const what = NAMES[action.do]
    this.#model.notice = { text: `${what} …`, bad: false }
    try {
      this.#model.notice = { text: await this.#done(action), bad: false }
    } catch (error) {
      const { message, cause } = error as Error
      const why = cause instanceof Error ? `${message}: ${cause.message}` : message
      this.#model.notice = { text: `${what} failed: ${why}`, bad: true }
    }
    this.#draw()
  }

  async #done(action: Action): Promise<string> {
    if (action.do === 'reload') {
      const { generation, duration } = await this.#cluster.reload()
      return `generation ${generation} serves after ${formatDuration(duration)}`
    }
    if (action.do === 'recycle') {
      await this.#cluster.recycle(action.id)
      return `${action.id} is replaced`
    }
    if (action.do === 'scale') {
      await this.#cluster.scale(action.workers)
      return `${plural(action.workers, 'worker')} should serve`
    }
    return ''
  }

  /** Of events that come together, one picture is drawn. */
  #drawSoon(): void {
    this.#drawTimer ??= setTimeout(() => this.#draw(), PAUSE)
  }

  #draw(): void {
    clearTimeout(this.#drawTimer)
    this.#drawTimer = undefined
    const screen = this.#screen
    if (screen) screen.draw(drawFrame(this.#model, screen.size, this.#look, performance.now(), Date.now()))
  }
}

const NAMES: Readonly<Record<Action['do'], string>> = { reload: 'reload', scale: 'scale', recycle: 'recycle', quit: '' }
/** Milliseconds between events and the picture of them. */
const PAUSE = 50
