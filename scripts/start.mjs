// npm start: installs and builds what is missing, then runs the example in the foreground. PORT chooses the port.

import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { ensureBuilt, ensureInstalled, root, runScript } from './ensure.mjs'

const example = 'examples/hello-fastify/server.mjs'
const startedInTerminal = hasTerminal()

await runScript(() => {
  ensureInstalled()
  ensureBuilt()
  const child = spawn(process.execPath, [join(root, example), ...process.argv.slice(2)], { stdio: 'inherit' })

  // The child shares our process group: what the terminal sends, it got already, and a second SIGINT would mean "now".
  process.on('SIGINT', () => hasTerminal() || child.kill('SIGINT'))
  process.on('SIGHUP', () => hangsUp() || child.kill('SIGHUP'))
  process.on('SIGTERM', () => child.kill('SIGTERM'))

  child.on('error', (error) => {
    console.error(error.message)
    process.exitCode = 1
  })
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code)
    process.removeAllListeners(signal)
    process.kill(process.pid, signal)
  })
})

function hasTerminal() {
  try {
    closeSync(openSync('/dev/tty', 'r'))
    return true
  } catch {
    return false
  }
}

/** Whether SIGHUP is the end of the terminal we were started from, and not a wish to reload. */
function hangsUp() {
  return startedInTerminal && !hasTerminal()
}
