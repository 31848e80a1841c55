import type { Cluster } from '@mapache/core'

/** Shows a text to the user, in lines of its own. It waits when the user's side does not take more. */
export type Send = (text: string) => void

/** A line of the user, without its end. Rejects when there will be none. */
export type Recv = () => Promise<Buffer>

/** The cluster, as a command of the app sees it. `generation`, `workers` and `addresses` are as the command began. */
export interface Primary extends Cluster {
  /** `{ type: 'restart' }` is `reload()`. */
  send(message: { type: 'restart' }): Promise<void>
}

/**
 * A command of the app: `export default { name: async (argv, send, recv, primary) => ... }`.
 * @param argv the words that follow the name
 */
export type CustomCommand = (argv: string[], send: Send, recv: Recv, primary: Primary) => unknown
