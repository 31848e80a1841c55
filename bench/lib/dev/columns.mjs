import { copyApp } from './app.mjs'
import { quiet } from './quiet.mjs'
import { DevServer } from './server.mjs'
import { mapacheMissing, tools } from './tools.mjs'

/**
 * Starts the app under each tool, a copy for each, and leaves out what does not start, with the reason.
 * @param {{ language: 'js' | 'ts', node: string, without: Set<string>, only?: (tool: object) => boolean,
 *   print: (text: string) => void }} what
 * @returns {Promise<DevServer[]>} all of them run; those that are not measured are idle
 */
export async function startColumns({ language, node, without, only = () => true, print }) {
  const missing = mapacheMissing(node)
  if (missing !== undefined) print(`  mapache dev is left out: ${missing}`)
  const servers = []
  const entry = language === 'ts' ? 'server.ts' : 'server.mjs'
  for (const tool of tools(language, entry, node)) {
    const left = without.has(tool.name) || (tool.strategy !== undefined && missing !== undefined)
    if (left || !only(tool)) continue
    try {
      const server = await DevServer.start(tool, copyApp(tool.name, language), { node })
      servers.push(server)
      if (tool.strategy !== undefined) said(server, print)
    } catch (error) {
      print(`  ${tool.name} is left out: ${error.message}`)
    }
  }
  await quiet({ most: 20_000 })
  return servers
}

export async function stopAll(servers) {
  for (const server of servers) await server.stop()
}

/** What it says of its strategy: it may have chosen another one than it was asked for. */
function said({ tool, log }, print) {
  const line = log.split('\n').find((text) => /strategy|standby|fork/i.test(text))
  if (line !== undefined) print(`  ${tool.name} says: ${line.trim()}`)
}
