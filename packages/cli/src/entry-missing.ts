import { statSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Terminal } from '@mapache/dev'

/** Waits for an entry that is not there, and says so: it is about to be written, or on another branch. */
export async function entryIsThere(entry: string, terminal: Terminal): Promise<void> {
  let said: string | undefined
  const quit = () => {
    terminal.close()
    process.exit(0)
  }
  for (let problem = problemOf(entry); problem !== undefined; problem = problemOf(entry)) {
    if (said === undefined) terminal.on('quit', quit)
    if (said !== problem) terminal.warn(`${entry} ${problem}`)
    said = problem
    await sleep(INTERVAL)
  }
  terminal.off('quit', quit)
}

function problemOf(entry: string): string | undefined {
  const file = path.resolve(entry)
  try {
    return statSync(file).isDirectory() ? 'is a folder: name the script in it' : undefined
  } catch {
    return isFound(file) ? undefined : 'does not exist: it is waited for'
  }
}

/** Node.js finds server.js for `node server`, too. */
function isFound(file: string): boolean {
  try {
    createRequire(file).resolve(file)
    return true
  } catch {
    return false
  }
}

/** Milliseconds between two looks. */
const INTERVAL = 100
