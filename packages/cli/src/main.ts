#!/usr/bin/env node
import { run } from './run.js'

// A reader that has had enough (`mapache log | head`) closes the pipe: that is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
})
const code = await run(process.argv.slice(2))
// Not exit(): what was printed to a pipe may still be on its way.
if (code !== undefined) {
  process.exitCode = code
  // Nothing that is still open is waited for, such as a connection to a supervisor that does not answer.
  setTimeout(() => process.exit(), 500).unref()
}
