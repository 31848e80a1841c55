import type { Description } from './describe.js'
import type { CodeFrame } from './frame.js'

/** What an API client gets. */
export interface FailureJson {
  error: ErrorJson
}

export interface ErrorJson {
  name: string
  message: string
  code?: string | undefined
  stack: string[]
  frame?: CodeFrame | undefined
  cause?: ErrorJson | undefined
}

/** The error for a client that is no browser. */
export function failureJson(description: Description): FailureJson {
  return { error: errorJson(description) }
}

function errorJson({ stack, cause, ...rest }: Description): ErrorJson {
  return {
    ...rest,
    stack: stack.map(({ text }) => text),
    ...(cause === undefined ? {} : { cause: errorJson(cause) })
  }
}
