import type { Wire } from './wire.js'

export type Handlers = { [Name in keyof Wire]: (data: Wire[Name]) => void }

/** ms: the waits between tries, how long a stream may be silent, and how long a page that nobody sees keeps its. */
const FIRST = 200
const LONGEST = 5_000
const SILENT = 15_000
const HIDDEN = 30_000

/**
 * Holds the stream of events, and makes a new one whenever it ends: the service is replaced in each reload. A page that
 * nobody sees gives it up after a while.
 * @param tell is called with whether it is connected, at each change
 */
export function holdStream(handlers: Handlers, tell: (connected: boolean) => void): void {
  let source: EventSource | undefined
  let wait = FIRST
  let again: ReturnType<typeof setTimeout> | undefined
  let silence: ReturnType<typeof setTimeout> | undefined
  let hiding: ReturnType<typeof setTimeout> | undefined

  const close = () => {
    source?.close()
    source = undefined
    clearTimeout(again)
    clearTimeout(silence)
  }
  const rest = () => {
    close()
    tell(false)
  }
  const lost = () => {
    rest()
    again = setTimeout(open, wait)
    wait = Math.min(wait * 2, LONGEST)
  }
  const open = () => {
    close()
    const opened = new EventSource('events')
    source = opened
    const heard = () => {
      clearTimeout(silence)
      silence = setTimeout(lost, SILENT)
    }
    heard()
    for (const name of Object.keys(handlers) as (keyof Wire)[]) {
      opened.addEventListener(name, ({ data }: MessageEvent<string>) => {
        heard()
        if (name === 'hello') {
          wait = FIRST
          tell(true)
        }
        ;(handlers[name] as (data: unknown) => void)(JSON.parse(data))
      })
    }
    opened.onerror = lost
  }

  document.addEventListener('visibilitychange', () => {
    clearTimeout(hiding)
    if (document.hidden) hiding = setTimeout(rest, HIDDEN)
    else if (!source) open()
  })
  open()
}
