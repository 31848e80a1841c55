import type { Connection } from '../channel/server.js'
import type { ClusterEvents } from '../cluster.js'
import { errorToData } from '../errors.js'
import type { Peer } from './processes.js'

/** Those on the channel who want to hear of the cluster's events. */
export class Followers {
  readonly #connections = new Set<Connection<Peer>>()

  add(connection: Connection<Peer>): void {
    this.#connections.add(connection)
  }

  remove(connection: Connection<Peer>): void {
    this.#connections.delete(connection)
  }

  tell<Event extends keyof ClusterEvents>(event: Event, data: ClusterEvents[Event][0]): void {
    if (this.#connections.size === 0) return
    const message = { type: 'event', event, ...(data === undefined ? {} : { data: withErrorData(data) }) } as const
    for (const connection of this.#connections) connection.send(message)
  }
}

/** An Error would arrive as an empty object. */
function withErrorData(data: object): object {
  const { error } = data as { error?: unknown }
  return error instanceof Error ? { ...data, error: errorToData(error) } : data
}
