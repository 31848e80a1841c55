import { task } from './control.mjs'
import { listenPlainly } from './listen.mjs'

const close = await listenPlainly(task())
process.once('SIGTERM', async () => {
  await close()
  process.exit()
})
