import { spawn } from 'node:child_process'

export interface OpenOptions {
  env?: NodeJS.ProcessEnv
  platform?: NodeJS.Platform
}

/**
 * Opens a page in the user's browser: the one that BROWSER names, else the system's.
 * @param url an http or https URL
 * @returns when the browser took it, or has run for a second without an error
 * @throws (rejects) if the URL is none, no browser could be started, or it ended with an error
 */
export async function openInBrowser(url: string, options: OpenOptions = {}): Promise<void> {
  const env = options.env ?? process.env
  const { href, protocol } = new URL(url)
  if (protocol !== 'http:' && protocol !== 'https:') throw new Error(`only a web page can be opened, got ${url}`)
  const [command, ...args] = browserCommand(href, env, options.platform ?? process.platform)
  if (command === undefined) return
  await new Promise<void>((resolve, reject) => {
    const child = spawn(command, args, { env, stdio: 'ignore', detached: true, windowsVerbatimArguments: true })
    const patience = setTimeout(resolve, PATIENCE)
    child.once('error', (error) => {
      clearTimeout(patience)
      reject(new Error(`no browser could be started: ${error.message}; open ${href} yourself`, { cause: error }))
    })
    child.once('exit', (code, signal) => {
      clearTimeout(patience)
      if (code === 0) resolve()
      else reject(new Error(`${command} ended with ${signal ?? `code ${code}`}; open ${href} yourself`))
    })
    child.unref()
  })
}

/** The command that opens the page; empty, if the user wants none (BROWSER=none, a custom of other dev servers). */
export function browserCommand(href: string, env: NodeJS.ProcessEnv, platform: NodeJS.Platform): string[] {
  if (env.BROWSER === 'none' || env.BROWSER === 'false') return []
  if (env.BROWSER) return named(env.BROWSER, href, platform)
  if (platform === 'darwin') return ['open', href]
  // The browser of a person who works in WSL is that of Windows.
  if (platform === 'win32' || env.WSL_DISTRO_NAME)
    return ['cmd.exe', '/c', 'start', '""', href.replace(/[&^|]/g, '^$&')]
  return ['xdg-open', href]
}

/** BROWSER is a command with arguments, where %s stands for the URL; on Unix it may be a list, of which we take the first. */
function named(browser: string, href: string, platform: NodeJS.Platform): string[] {
  const first = platform === 'win32' ? browser : (browser.split(':')[0] ?? browser)
  const words = first.split(/\s+/).filter((word) => word !== '')
  return words.includes('%s') ? words.map((word) => (word === '%s' ? href : word)) : [...words, href]
}

/** Milliseconds. */
const PATIENCE = 1_000
