import type { MapacheModule } from '@mapache/core'
import { ThrottleState } from './credential.js'
import { MODULE } from './module-name.js'
import { normaliseOptions, type ShellOptions } from './options.js'

export type { ShellOptions } from './options.js'
export type { CustomCommand, Primary, Recv, Send } from './server/custom-types.js'
export type { Limits } from './server/limits.js'

/**
 * The admin shell: commands to the running cluster over TLS. `modules: [shell({ password })]`.
 * @throws MAPACHE_OPTION_INVALID; MAPACHE_CREDENTIAL_MISSING without password and ca, MAPACHE_CREDENTIAL_INVALID;
 *   MAPACHE_CERTIFICATE_INVALID when a file is not there; MAPACHE_ADDRESS_EXPOSED on an address that others may reach
 *   without expose: true
 */
export function shell(options: ShellOptions): MapacheModule {
  // Here, in the supervisor, so that a new process of the shell knows who was locked out by the one before.
  const state = new ThrottleState()
  return {
    name: MODULE,
    services: [
      {
        name: 'server',
        entry: new URL('./service.js', import.meta.url),
        options: normaliseOptions(options),
        control: true,
        // Else nobody would be told how a reload came out: the one who asked for it is served by the process that leaves.
        overlap: true
      }
    ],
    messages: state.messages
  }
}
