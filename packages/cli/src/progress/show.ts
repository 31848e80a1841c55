import type { RemoteCluster } from '../find.js'
import type { Output } from '../output.js'
import { onEvents } from './events.js'
import { Progress } from './progress.js'

/**
 * Shows what is under way in the cluster until `work` ends: a line for each event, or on a terminal a block that is drawn over.
 * @param what is waited for, such as "reload"
 * @returns what `work` resolves to, or Interrupted when Ctrl-C came first
 * @throws what `work` rejects with
 */
export async function showProgress<Value>(
  cluster: RemoteCluster,
  what: string,
  output: Output,
  work: () => Promise<Value>
): Promise<Value | typeof INTERRUPTED> {
  const progress = new Progress(what, performance.now())
  const block = output.live ? await openBlock(progress, output) : undefined
  const stopEvents = onEvents(cluster, (event) => {
    const line = progress.take(event)
    if (line !== undefined && !block) output.line(line)
  })
  const interrupt = onInterrupt()
  try {
    return await Promise.race([work(), interrupt.came])
  } finally {
    interrupt.end()
    stopEvents()
    block?.close()
  }
}

/** Ctrl-C came while something was waited for. */
export const INTERRUPTED = Symbol('interrupted')

/** Draws the block, and draws it over. */
async function openBlock(progress: Progress, output: Output): Promise<{ close(): void }> {
  const { createLogUpdate } = await import('log-update')
  const draw = createLogUpdate(process.stdout)
  let frame = 0
  const redraw = () => {
    const spinner = FRAMES[frame % FRAMES.length] as string
    frame += 1
    const rows = (process.stdout.rows || 24) - 1
    draw(progress.block(performance.now(), spinner, output.look, rows).join('\n'))
  }
  redraw()
  const timer = setInterval(redraw, INTERVAL)
  return {
    close() {
      clearInterval(timer)
      draw.clear()
      draw.done()
    }
  }
}

function onInterrupt(): { came: Promise<typeof INTERRUPTED>; end(): void } {
  let listener = () => {}
  const came = new Promise<typeof INTERRUPTED>((resolve) => {
    listener = () => resolve(INTERRUPTED)
    process.once('SIGINT', listener)
  })
  return { came, end: () => process.off('SIGINT', listener) }
}

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'] as const
/** Milliseconds between two pictures. */
const INTERVAL = 80
