// The service: runs in a process of its own, and returns when it is at work.
export default function report(service) {
  service.onMessage('request-counter', 'totals', ({ requests, failures }) => {
    const counts = Object.entries(requests).map(([generation, count]) => `generation ${generation}: ${count}`)
    console.log(`request-counter: ${counts.join(', ') || 'no requests'}; ${failures} workers failed`)
  })
  const timer = setInterval(() => service.send('request-counter', 'report', null), service.options.every)
  service.onRetire(() => clearInterval(timer))
}
