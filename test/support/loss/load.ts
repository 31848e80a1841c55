import { setMaxListeners } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client, type LoadContext } from './client.js'
import type { Target } from './connection.js'
import { HTTP1_RUNNERS } from './habits.js'
import { http2Streams } from './http2.js'
import { seededRandom } from './random.js'
import { Recorder } from './recorder.js'
import { formatReport, type HabitName, HTTP1_HABITS, type LossReport } from './report.js'

/** All times in ms. */
export interface LoadOptions extends Target {
  /** Which habits; all but `http2` when not given. */
  habits?: readonly HabitName[]
  /** Clients for each habit: one number, or one per habit. 4 when not given. */
  concurrency?: number | Partial<Record<HabitName, number>>
  /** Makes think times, pauses and bodies repeat. A new one each time when not given; the report tells it. */
  seed?: number
  /** An answer that is not whole by then is lost: 15 000 when not given. */
  deadline?: number
  /** Least and most time to think: 20 to 300 when not given. */
  think?: readonly [number, number]
  /** Pause of the two busy habits between requests. 1 when not given, which leaves the server some of a small machine. */
  pace?: number
  /** Counts into this recorder, to add several loads up. */
  into?: Recorder
}

export interface Load {
  /** Resolves when each habit has been answered at least once; rejects after `timeout` ms (10 000). */
  warm(timeout?: number): Promise<void>
  /** Requests that begin from now on are told apart under this name; at first it is `steady`. */
  mark(phase: string): void
  /** The server is about to close for good: a client that is refused from now on leaves, and that is no loss. */
  expectClose(): void
  /** What has been counted so far. */
  report(): LossReport
  /** Every client finishes the request in flight and leaves; then the final report. */
  stop(): Promise<LossReport>
}

/** Starts clients with all kinds of habits against one server and counts what they lose. */
export function startLoad(options: LoadOptions): Load {
  const { habits = HTTP1_HABITS, seed = Math.floor(Math.random() * 2 ** 32), into: recorder = new Recorder() } = options
  const stopping = new AbortController()
  setMaxListeners(0, stopping.signal)
  let expectsClose = false
  const context: LoadContext = {
    target: { host: options.host ?? '127.0.0.1', port: options.port, path: options.path, tls: options.tls },
    recorder,
    deadline: options.deadline ?? 15_000,
    think: options.think ?? [20, 300],
    pace: options.pace ?? 1,
    stopping: stopping.signal,
    expectsClose: () => expectsClose
  }
  const clients = habits.flatMap((habit, place) =>
    Array.from({ length: clientsOf(habit, options.concurrency) }, (_, index) => {
      // A client's numbers depend on its own place alone, not on the order in which clients happen to run.
      return new Client(context, habit, seededRandom(seed + place * 1009 + index))
    })
  )
  const running = Promise.all(clients.map(run))
  // A mistake in the client itself must not pass for a quiet end: stop() throws it.
  running.catch(() => {})
  const report = () => recorder.report(seed)
  // The recorder may have counted for an earlier load.
  const before = new Map(clients.map(({ habit }) => [habit, recorder.answeredBy(habit)]))
  return {
    report,
    mark: (phase) => recorder.mark(phase),
    expectClose: () => {
      expectsClose = true
    },
    async warm(timeout = 10_000) {
      const until = performance.now() + timeout
      while (![...before].every(([habit, answered]) => recorder.answeredBy(habit) > answered)) {
        if (performance.now() > until) throw new Error(`not every habit was answered\n${formatReport(report())}`)
        await sleep(10)
      }
    },
    async stop() {
      stopping.abort()
      await running
      return report()
    }
  }
}

async function run(client: Client): Promise<void> {
  // Not all in step.
  await client.sleep(client.random() * 50)
  await (client.habit === 'http2' ? http2Streams(client) : HTTP1_RUNNERS[client.habit](client))
}

function clientsOf(habit: HabitName, concurrency: LoadOptions['concurrency'] = 4): number {
  return typeof concurrency === 'number' ? concurrency : (concurrency[habit] ?? 4)
}
