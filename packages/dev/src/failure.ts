import type { Failure } from '@mapache/core'

/** What an app failed with, as the supervisor tells it. */
export type { Failure }

/** The error of a failure, as plain data: it came from another process. */
export type FailureError = Failure['error']

/**
 * Leaves out where an error comes from if its message says all: what of Mapache found that the entry is missing, or the
 * port in use, is of no interest to whoever develops an app.
 */
export function withoutInside(error: FailureError): FailureError {
  const { name, message, code } = error
  return code !== undefined && SAYS_ALL.test(code) ? { name, message, code, stack: '' } : error
}

const SAYS_ALL = /^MAPACHE_(ENTRY_MISSING|ENV_FILE|ADDRESS_\w+)$/
