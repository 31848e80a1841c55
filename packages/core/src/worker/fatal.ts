/**
 * Ends the process by an error that Node itself prints: it alone knows the place of a syntax error in an ES module, which
 * is not in the stack. What the app would do with an error that nobody caught does not count here.
 * @returns a promise that is never settled: the app's code must not go on meanwhile
 */
export function endByNode(error: unknown): Promise<never> {
  process.removeAllListeners('uncaughtException')
  process.setUncaughtExceptionCaptureCallback(null)
  process.nextTick(() => {
    throw error
  })
  return new Promise(() => {})
}
