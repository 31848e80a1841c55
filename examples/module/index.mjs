/** Counts the requests of all workers, across reloads: `modules: [requestCounter()]`. */
export function requestCounter({ every = 10_000 } = {}) {
  const requests = {}
  let failures = 0

  return {
    name: 'request-counter',
    // A process of its own, supervised: it asks for the totals and prints them.
    services: [{ name: 'reporter', entry: new URL('./reporter.mjs', import.meta.url), options: { every } }],
    // What workers and services may say to the supervisor. This code runs in the supervisor: it keeps it short.
    messages: {
      counted: {
        from: ['worker'],
        check: checkCount,
        receive(count, { generation }) {
          requests[generation] = (requests[generation] ?? 0) + count
        }
      },
      report: {
        from: ['service'],
        check: () => undefined,
        receive: (_data, sender) => sender.send('totals', { requests, failures })
      }
    },
    // What it wants to hear of the cluster.
    on: {
      'worker:exit': ({ failed }) => {
        if (failed) failures += 1
      }
    }
  }
}

// The sender may be any code in a worker: what does not fit is refused here, and logged.
function checkCount(count) {
  if (!Number.isSafeInteger(count) || count < 1) {
    throw new TypeError(`the count must be a positive integer, got ${count}`)
  }
  return count
}
