import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type Browser, chromium } from 'playwright-core'
import { DEADLINE, type Test } from './fixture.js'

/** A real browser: Debian's, or the one that CHROMIUM names. None is fetched. */
const PATH = process.env.CHROMIUM ?? '/usr/bin/chromium'

/** Why tests that need a browser cannot run here; false when they can. */
export const noBrowser: string | false = missing()

/**
 * Starts the browser without a window. At the test's end it is killed, and all its pages with it: asked to close, it waits
 * for pages that are about to reload, and may do so for ever.
 */
export async function launchBrowser(t: Pick<Test, 'teardown'>): Promise<Browser> {
  // What it makes in the temp folder it leaves there when it is killed.
  const folder = mkdtempSync(path.join(tmpdir(), 'mp-browser-'))
  const env = { ...process.env, TMPDIR: folder }
  const server = await chromium.launchServer({ executablePath: PATH, args: ARGS, timeout: DEADLINE, env })
  t.teardown(async () => {
    await server.kill()
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  })
  return chromium.connect(server.wsEndpoint(), { timeout: DEADLINE })
}

function missing(): string | false {
  try {
    accessSync(PATH, constants.X_OK)
    return false
  } catch {
    return `there is no browser at ${PATH}: install Debian's chromium, or set CHROMIUM`
  }
}

const ARGS = [
  '--headless',
  // Its sandbox does not start in containers, nor as root; only our own pages are opened.
  '--no-sandbox',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync'
]
