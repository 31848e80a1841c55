import { pathToFileURL } from 'node:url'
import type { Member } from '../../cluster/roster.js'
import type { PinnedGeneration } from '../entry.js'
import { workerEnv } from '../entry.js'
import type { Supervisor } from '../supervisor.js'
import type { LaunchSpec } from './launcher.js'
import { MODULE_MAIN } from './spawn.js'

/** What to launch for a member of the roster: of the generation that is pinned, never of what lies on disk now. */
export function launchSpec(
  { parts: { source, folder, listeners, services, name, molds }, settings }: Supervisor,
  pinned: PinnedGeneration,
  member: Member
): Omit<LaunchSpec, 'token' | 'id'> {
  const service = services.find((one) => one.name === member.name)
  const module = service
    ? { factory: pathToFileURL(service.file).href, listen: [], options: { options: service.options } }
    : pinned.module
  const isMold = member.role === 'mold'
  return {
    role: member.role,
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
    listeners: member.role === 'worker' ? listeners.all : [],
    ...(module ? { module } : {}),
    ...(molds && !service ? { native: molds.url } : {}),
    ...(isMold && member.from === 'mold' ? { warm: true } : {}),
    ...(isMold ? { preload: settings.preload, strict: settings.strict } : {})
  }
}
