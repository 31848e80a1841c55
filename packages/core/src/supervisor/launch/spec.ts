import { pathToFileURL } from 'node:url'
import type { AppFailure } from '../../cluster/old-first.js'
import type { MemberSpec } from '../../cluster/roster.js'
import { setUpOf } from '../../cluster/setup.js'
import type { TaskName } from '../../setup.js'
import type { PinnedGeneration } from '../entry.js'
import { workerEnv } from '../entry.js'
import { lockFolder } from '../lock.js'
import type { Supervisor } from '../supervisor.js'
import type { LaunchSpec } from './launcher.js'
import { MODULE_MAIN } from './spawn.js'

/**
 * What to launch for a place in the roster: of the generation that is pinned, never of what lies on disk now.
 * @param failure why the fallback is launched in place of the app
 */
export function launchSpec(
  { parts: { source, folder, listeners, modules, name, molds, output }, settings, serviceListeners, plan }: Supervisor,
  pinned: PinnedGeneration,
  member: MemberSpec,
  failure: AppFailure | undefined
): Omit<LaunchSpec, 'token' | 'id'> {
  const isTask = member.role === 'task'
  const service = isTask ? undefined : modules.services.find((one) => one.name === member.name)
  const task = isTask ? pinned.tasks[member.name as TaskName] : undefined
  const module = task
    ? { factory: task, listen: [], options: {} }
    : service
      ? service.file === undefined
        ? undefined
        : { factory: pathToFileURL(service.file).href, listen: [], options: { options: service.options } }
      : pinned.module
  const isMold = member.role === 'mold'
  const setUp = setUpOf(plan, pinned.generation)
  const fallback = member.fallback && failure && modules.fallback
  return {
    role: member.role,
    name: member.name,
    generation: pinned.generation,
    main: module ? MODULE_MAIN : pinned.script,
    args: source.args,
    execArgv: fallback ? [] : source.execArgv,
    cwd: pinned.cwd,
    // What the user has loaded ahead of the app may be what failed.
    env: fallback ? withoutOptions(workerEnv(pinned.env)) : workerEnv(pinned.env),
    channel: folder.socket,
    folder: folder.path,
    cluster: name,
    listeners: isTask ? [] : member.role === 'worker' ? listeners.all : serviceListeners.of(member.name).all,
    ...(output ? { output } : {}),
    ...(module ? { module } : {}),
    // The watchdog that comes with it would kill a migration that blocks the loop.
    ...(molds && !service && !isTask && pinned.base?.how !== 'standby' ? { native: molds.url } : {}),
    ...(isMold && member.from === 'mold' && !pinned.base ? { warm: true } : {}),
    ...(isMold ? { preload: settings.preload, strict: settings.strict } : {}),
    ...(pinned.base ? { base: pinned.base } : {}),
    ...(member.parent !== undefined && member.parent < 0 ? { fresh: true } : {}),
    ...(service || fallback || isTask ? {} : { imports: modules.workers }),
    ...(setUp ? { setUp } : {}),
    ...(isTask ? { lock: lockFolder(name) } : {}),
    ...(modules.fallback ? { quiet: true } : {}),
    ...(fallback
      ? { fallback: { module: fallback, failure: { ...failure, cwd: pinned.cwd, entry: entryOf(pinned) } } }
      : {})
  }
}

function withoutOptions({ NODE_OPTIONS: _, ...rest }: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return rest
}

function entryOf({ script, module }: PinnedGeneration): string {
  return module ? module.factory : script
}
