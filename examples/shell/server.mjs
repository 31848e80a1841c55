import { mapacheHttp } from '@mapache/core'
import { worker } from '@mapache/core/worker'
import { shell } from '@mapache/shell'

// The hash of "mapache-example". Make your own with `npx mapache shell passwd`, and keep it out of the repository.
const example = 'scrypt:32768:8:3:NEcTUX1F154Vh5be1MPhMw:0m09uyhiiYPo2wn2QIaA4pHUC4CxOy6oCVLonIEvSI4'

function createListener() {
  return (_req, res) => res.end(`hello from worker ${worker.id}, generation ${worker.generation}\n`)
}

const admin = shell({
  port: Number(process.env.SHELL_PORT ?? 7777),
  password: process.env.SHELL_PASSWORD_HASH ?? example,
  commands: new URL('./commands.mjs', import.meta.url)
})

await mapacheHttp(createListener, { workers: 2, modules: [admin] }).listen(
  Number(process.env.PORT ?? 3000),
  '127.0.0.1'
)
