import { inspect } from 'node:util'
import type { MapacheError } from '@mapache/core'
import { exitCodeOf } from './exit-codes.js'
import type { Output } from './output.js'
import { plainLines } from './plain.js'

/** Tells of what was thrown, for people or as JSON. @returns the exit code */
export async function tellFailure(error: unknown, output: Output): Promise<number> {
  const exitCode = exitCodeOf(error)
  if (output.json) {
    output.document({ error: toPlain(error) })
    return exitCode
  }
  // Only now: what only prints help needs nothing of the core.
  const { describeFailure } = await import('@mapache/core/adapter')
  // Most of it may be the app's own error, as it came.
  output.aside(plainLines(`mapache: ${isUsage(error) ? describeUsage(error) : describeFailure(error)}`))
  const { figures } = Object(error) as Partial<MapacheError>
  if (figures) output.aside(...(await import('./canary-lines.js')).canaryLines(figures))
  return exitCode
}

function isUsage(error: unknown): error is Error {
  return error instanceof Error && (error as { code?: unknown }).code === 'MAPACHE_OPTION_INVALID'
}

function describeUsage({ message, cause }: Error): string {
  return `${message}${cause === undefined ? '' : `\n${inspect(cause)}`}\nSee mapache help.`
}

/** An error as plain data, with what it says beside its message. */
function toPlain(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { message: String(error) }
  const { message, stack, cause } = error
  // Enumerable is what whoever threw it wanted to be known: `code`, `fix`, `phase`, the clusters to choose from.
  const own = Object.fromEntries(Object.entries(error).filter(([name]) => name !== 'name'))
  const foreign = (own.code as string | undefined)?.startsWith('MAPACHE_') !== true
  return {
    ...own,
    message,
    ...(foreign ? { name: error.name, stack } : {}),
    ...(cause === undefined ? {} : { cause: toPlain(cause) })
  }
}
