import { plain } from '../plain.js'
import { buildProgram } from '../program.js'
import { SCRIPTS, type Shell } from './scripts.js'
import { type Running, type Suggestion, suggest } from './suggest.js'

/** `mapache completion SHELL`: prints what makes the shell complete the command. */
export async function completion([shell]: [Shell]): Promise<number> {
  process.stdout.write(SCRIPTS[shell])
  return 0
}

/**
 * `mapache complete -- WORDS`: what may stand in place of the last word, for the scripts. It never says what failed: that
 * would appear in the middle of the line that somebody writes.
 */
export async function complete(args: readonly string[]): Promise<number> {
  const words = args[0] === '--' ? args.slice(1) : args
  const program = buildProgram(async () => {})
  const { words: found, files } = await suggest(program, words, RUNNING)
  process.stdout.write([...completionLines(found), ...(files ? [':files'] : [])].map((line) => `${line}\n`).join(''))
  return 0
}

/** Suggestions as the scripts read them. A name that a terminal would obey, or that is no one line, is none. */
export function completionLines(found: readonly Suggestion[]): string[] {
  const fit = found.filter(({ value }) => plain(value) === value)
  return fit.map(({ value, about }) => `${value}\t${plain(about)}`)
}

const RUNNING: Running = {
  async clusters() {
    const { findClusters } = await import('@mapache/core/operator')
    return findClusters().catch(() => [])
  },
  async processes(wanted) {
    try {
      const [{ reach }, { roleName, stateName }] = await Promise.all([import('../find.js'), import('../identity.js')])
      const { cluster } = await reach(wanted)
      const { processes } = await cluster.status()
      cluster.close()
      const replaceable = processes.filter(
        ({ role, state }) => role !== 'mold' && role !== 'task' && state !== 'retiring'
      )
      return replaceable.map((info): Suggestion => {
        return { value: String(info.id), about: `${roleName(info)}, ${stateName(info)}` }
      })
    } catch {
      return []
    }
  }
}
