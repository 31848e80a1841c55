import type { Cluster } from '@mapache/core'
import type { Credential, Throttle } from '../credential.js'
import type { Command } from './command.js'
import type { Limits } from './limits.js'
import type { Ending } from './output.js'
import { Told } from './text.js'

/** What all sessions share. */
export interface Shared {
  readonly cluster: Cluster
  readonly credential: Credential | undefined
  /** Whether client certificates are asked for. */
  readonly certified: boolean
  readonly throttle: Throttle
  readonly commands: readonly Command[]
  /** What is wrong with the commands of the app, if anything is. */
  readonly notice: string | undefined
  readonly limits: Limits
  /** Aborted when this shell is replaced or stopped. */
  readonly retiring: AbortSignal
  log(level: 'info' | 'warn', text: string): void
}

/** A session's end, with the last word to the user. */
export class Left extends Told {
  readonly reason: Ending

  constructor(reason: Ending, text: string) {
    super(text)
    this.reason = reason
  }
}

/** The user got out of a command. */
export class Aborted extends Told {
  constructor() {
    super('Aborted.')
  }
}
