import { listenPlainly } from './listen.mjs'

const close = await listenPlainly(JSON.parse(process.env.BENCH_TASK))
process.once('SIGINT', async () => {
  await close()
  process.exit()
})
process.send?.('ready')
