import vm from 'node:vm'

/**
 * Puts the place of a syntax error ahead of its stack, as Node does for CommonJS. That of an ES module Node keeps beside
 * the error, out of sight, until it prints the error at the end of the process; an error that leaves a script run by
 * `node:vm` gets it attached (`displayErrors`), which is the one way to see it.
 */
export function attachPlace(error: SyntaxError): void {
  try {
    const { stack } = error
    throwFromScript(error)
    // One that has no place, as of JSON.parse, got ours.
    if (error.stack?.startsWith(THROWER)) error.stack = stack
  } catch {
    // Somebody froze it, or its stack cannot be read.
  }
}

function throwFromScript(error: SyntaxError): void {
  try {
    vm.runInNewContext('throw error', { error }, { filename: THROWER })
  } catch {
    // Thrown to be caught.
  }
}

const THROWER = 'mapache-syntax-place'
