import { stripVTControlCharacters } from 'node:util'
import type { FailureError } from '../failure.js'
import { type CodeFrame, codeFrame } from './frame.js'
import { framePlace, isOwn } from './places.js'

/** What is shown of an error, in HTML and in JSON. */
export interface Description {
  name: string
  message: string
  code?: string | undefined
  stack: StackLine[]
  frame?: CodeFrame | undefined
  cause?: Description | undefined
}

export interface StackLine {
  text: string
  /** In the app's own code, and not in a dependency or in Node. */
  own: boolean
}

/**
 * Gathers what there is to show of an error and its causes. Reads the source files that it names.
 * @param cwd the folder that files are named relative to
 */
export function describe(error: FailureError, cwd: string): Description {
  const { name, code, cause } = error
  // Compilers colour their messages for a terminal.
  const plain = {
    ...error,
    message: stripVTControlCharacters(error.message),
    stack: stripVTControlCharacters(error.stack)
  }
  const frame = codeFrame(plain, cwd)
  return {
    name,
    message: plain.message,
    ...(code === undefined ? {} : { code }),
    stack: stackLines(plain.stack),
    ...(frame === undefined ? {} : { frame }),
    ...(cause === undefined ? {} : { cause: describe(cause, cwd) })
  }
}

/** The frames alone: what stands ahead of them is the message, and the code frame. Without a frame, all of it. */
function stackLines(stack: string): StackLine[] {
  const lines = stack.split('\n').filter((line) => line.trim() !== '')
  const frames = lines.filter((line) => /^\s*at /.test(line))
  return (frames.length > 0 ? frames : lines).map((line) => {
    const place = framePlace(line)
    return { text: line.trim(), own: place !== undefined && isOwn(place.file) }
  })
}
