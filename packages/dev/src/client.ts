/** Where the stream is that tells a page which code runs. */
export const STREAM_PATH = '/.mapache/dev/refresh'
/** Where the script is that listens to it. */
export const SCRIPT_PATH = '/.mapache/dev/refresh.js'

/**
 * The script of a page that reloads itself when other code runs than the code that it came from. It holds a stream of
 * server-sent events; the old worker ends it when it leaves, and the next one, which takes the connection that follows,
 * says another stamp. A page is reloaded once for a stamp, so that one from a cache does not spin; after a stream that
 * ends early it waits, longer each time. A page that nobody looks at holds no stream: a browser has only six connections
 * for all its pages of an address.
 * @param stamp of the process that the page came from
 */
export function clientScript(stamp: string): string {
  return `(() => {
  if (window.mapacheRefresh) return
  window.mapacheRefresh = true
  const stamp = ${JSON.stringify(stamp).replaceAll('<', '\\u003c')}
  const FIRST = 50, LONGEST = 5000, UNKNOWN = 1000
  let wait = FIRST, opened = false, source, timer
  const memory = (value) => {
    try {
      const key = 'mapache ' + location.href
      if (value === undefined) return sessionStorage.getItem(key)
      sessionStorage.setItem(key, value)
    } catch {}
  }
  const reload = () => {
    const changed = document.getElementById('mapache-changed')
    if (changed) changed.hidden = false
    else location.reload()
  }
  const later = (run) => {
    clearTimeout(timer)
    timer = setTimeout(run, wait)
    wait = Math.min(wait * 2, LONGEST)
  }
  const connect = () => {
    clearTimeout(timer)
    if (document.hidden || (source && source.readyState !== 2)) return
    const since = Date.now()
    source = new EventSource('${STREAM_PATH}')
    source.onopen = () => { opened = true }
    source.addEventListener('stamp', ({ data }) => {
      if (data === stamp || memory() === data) return
      memory(data)
      reload()
    })
    source.onerror = () => {
      // Closed by the browser: there was an answer, and it is no stream. The app runs, without this script.
      const answered = source.readyState === 2
      source.close()
      if (Date.now() - since > LONGEST) wait = FIRST
      if (!answered) later(connect)
      else if (opened) reload()
      else timer = setTimeout(reload, UNKNOWN)
    }
  }
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) return connect()
    if (source) source.close()
    clearTimeout(timer)
  })
  connect()
})()
`
}
