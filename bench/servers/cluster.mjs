// node:cluster by a careful hand: start the new worker, wait until it listens, SIGTERM the old one, wait until it has left.

import cluster from 'node:cluster'
import { once } from 'node:events'
import { control, task } from './control.mjs'

const { workers: count, policy = 'rr' } = task()
cluster.schedulingPolicy = policy === 'rr' ? cluster.SCHED_RR : cluster.SCHED_NONE
cluster.setupPrimary({ exec: new URL('./cluster-worker.mjs', import.meta.url).pathname, args: [process.argv[2]] })

let workers = await Promise.all(Array.from({ length: count }, launch))
control({ reload, stop, workers: () => workers.map((worker) => ({ pid: worker.process.pid })) })

async function launch() {
  const worker = cluster.fork()
  await Promise.race([
    once(worker, 'listening'),
    once(worker, 'exit').then(([code]) =>
      Promise.reject(new Error(`the worker exited with ${code} before it listened`))
    )
  ])
  return worker
}

async function reload() {
  for (const old of workers) {
    const replacement = await launch()
    workers = workers.map((worker) => (worker === old ? replacement : worker))
    await retire(old)
  }
}

async function stop() {
  await Promise.all(workers.map(retire))
}

async function retire(worker) {
  if (worker.isDead()) return
  const left = once(worker, 'exit')
  worker.process.kill('SIGTERM')
  await left
}
