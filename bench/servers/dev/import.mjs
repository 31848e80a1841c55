// Reloading in the process, as Rack::Reloader does: each request looks at the app's own files, and if one has changed, the app
// is imported anew under another name. Careful as far as it can be: the app before is closed, and see generation.mjs.

import http from 'node:http'
import { register } from 'node:module'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { ownFiles, youngest } from './own-files.mjs'

register('./generation.mjs', import.meta.url)
const folder = process.cwd()
const files = ownFiles(folder)
let changed = 0
let generation = 0
let current

current = reload()
await current
http
  .createServer(async (request, response) => {
    if (youngest(files) > changed) current = reload()
    const app = await current
    app.routing(request, response)
  })
  .listen(Number(process.env.PORT), '127.0.0.1')

async function reload() {
  changed = youngest(files)
  generation += 1
  const before = await current
  const { createApp } = await import(`${pathToFileURL(path.join(folder, 'app.mjs'))}?v=${generation}`)
  const app = await createApp()
  await app.ready()
  before?.close()
  return app
}
