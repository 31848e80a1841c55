// @fastify/restartable puts a new Fastify in the place of the old one. It watches nothing and loads nothing anew: both is added
// here.

import { watch } from 'node:fs'
import { createRequire, register } from 'node:module'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

register('./generation.mjs', import.meta.url)
const folder = process.cwd()
const { restartable } = createRequire(path.join(folder, 'package.json'))('@fastify/restartable')
let generation = 0

const app = await restartable(async (create, options) => {
  generation += 1
  const { createApp } = await import(`${pathToFileURL(path.join(folder, 'app.mjs'))}?v=${generation}`)
  return createApp(create, options)
})
await app.listen({ port: Number(process.env.PORT), host: '127.0.0.1' })

let wanted = false
let restarting = false
watch(folder, { recursive: true }, () => {
  wanted = true
  if (!restarting) restart()
})

async function restart() {
  restarting = true
  while (wanted) {
    wanted = false
    await app.restart().catch((error) => console.error(error))
  }
  restarting = false
}
