import { worker } from '@mapache/core/worker'

let counted = 0

/** Counts one request. Call it in the app. */
export function countRequest() {
  counted += 1
  // While it retires there may be no next second.
  if (worker.retiring.aborted) tell()
}

function tell() {
  if (counted > 0) worker.send('request-counter', 'counted', counted)
  counted = 0
}

// One message a second, not one a request.
setInterval(tell, 1_000).unref()
