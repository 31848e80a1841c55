import type { EventEmitter } from 'node:events'
import type { Cluster, ClusterEvents, ReloadOptions, ReloadResult } from '@mapache/core'
import { type Command, type Run, UsageError } from './command.js'

export const reload = roll('reload', 'replace all workers with new ones from disk, new before old', 'Reloaded')
export const refork = roll('refork', 'replace all workers with forks of a warm one', 'Reforked')
export const rollback = roll('rollback', 'go back to the generation before', 'Rolled back')

/** A command that replaces all workers, and tells how far it is. */
function roll(name: 'reload' | 'refork' | 'rollback', summary: string, done: string): Command {
  return {
    name,
    usage: name === 'reload' ? '[canary [MS]]' : '',
    summary,
    async run(run, args) {
      const begin = name === 'reload' ? beginReload(run.cluster, args) : beginOther(run.cluster, name, args)
      const unfollow = follow(run)
      try {
        const { generation, duration } = await begin()
        await run.send(`${done}: generation ${generation} serves after ${Math.round(duration)} ms.`)
      } finally {
        unfollow()
      }
    }
  }
}

function beginOther(cluster: Cluster, name: 'refork' | 'rollback', args: readonly string[]): Begin {
  if (args.length > 0) throw new UsageError(`it takes nothing, got ${args.join(' ')}`)
  return () => cluster[name]()
}

/** With a canary, which soaks for so many milliseconds. */
function beginReload(cluster: Cluster, [word, soak, ...rest]: readonly string[]): Begin {
  if (word === undefined) return () => cluster.reload()
  const known = word === 'canary' && (soak === undefined || /^\d+$/.test(soak)) && rest.length === 0
  if (!known)
    throw new UsageError(`it takes canary and for how many milliseconds, got ${[word, soak, ...rest].join(' ')}`)
  const options: ReloadOptions = { canary: soak === undefined ? {} : { soak: Number(soak) } }
  return () => cluster.reload(options)
}

type Begin = () => Promise<ReloadResult>

/** Tells the user what happens to the workers meanwhile. @returns what ends it */
function follow({ cluster, send, signal }: Run): () => void {
  const say = (text: string) => void send(text)
  const unfollow = [
    listen(cluster, 'reload:start', ({ generation }) => say(`Generation ${generation} begins.`)),
    listen(cluster, 'worker:launch', ({ id }) => say(`Worker ${id} is launched.`)),
    listen(cluster, 'worker:serving', ({ id }) => say(`Worker ${id} serves.`)),
    listen(cluster, 'worker:retire', ({ id }) => say(`Worker ${id} retires.`)),
    listen(cluster, 'worker:exit', ({ id, failed, code, signal: by }) => {
      if (failed) say(`Worker ${id} failed (${by ?? `code ${code}`}).`)
    }),
    listen(cluster, 'reload:soaking', ({ soak }) => say(`It is a canary, and compared for ${soak} ms.`)),
    listen(cluster, 'reload:settled', () => say('The first new worker has proved itself; the others follow.'))
  ]
  const end = () => {
    for (const one of unfollow) one()
  }
  signal.addEventListener('abort', end, { once: true })
  return end
}

function listen<Event extends keyof ClusterEvents>(
  cluster: Cluster,
  event: Event,
  listener: (...args: ClusterEvents[Event]) => void
): () => void {
  const emitter: EventEmitter = cluster
  emitter.on(event, listener as (...args: unknown[]) => void)
  return () => emitter.off(event, listener as (...args: unknown[]) => void)
}
