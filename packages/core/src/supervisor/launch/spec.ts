import { pathToFileURL } from 'node:url'
import type { Member } from '../../cluster/roster.js'
import type { PinnedGeneration } from '../entry.js'
import { workerEnv } from '../entry.js'
import type { SupervisorParts } from '../supervisor.js'
import type { LaunchSpec } from './launcher.js'
import { MODULE_MAIN } from './spawn.js'

/** What to launch for a member of the roster: of the generation that is pinned, never of what lies on disk now. */
export function launchSpec(
  { source, folder, listeners, services, name }: SupervisorParts,
  pinned: PinnedGeneration,
  member: Member
): Omit<LaunchSpec, 'token' | 'id'> {
  const service = services.find((one) => one.name === member.name)
  const module = service
    ? { factory: pathToFileURL(service.file).href, listen: [], options: { options: service.options } }
    : pinned.module
  return {
    role: service ? 'service' : 'worker',
    name: member.name,
    generation: pinned.generation,
    main: module ? MODULE_MAIN : pinned.script,
    args: source.args,
    execArgv: source.execArgv,
    cwd: pinned.cwd,
    env: workerEnv(pinned.env),
    channel: folder.socket,
    folder: folder.path,
    cluster: name,
    listeners: service ? [] : listeners.all,
    ...(module ? { module } : {})
  }
}
