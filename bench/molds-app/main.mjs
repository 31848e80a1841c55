// Serves the app with what is in its arguments, and prints what becomes of its processes, a line of JSON each.
import { mapacheFastify } from '@mapache/fastify'

const { port, ...options } = JSON.parse(process.argv[2])
const say = (event) => (data) => process.stdout.write(`${JSON.stringify({ at: performance.now(), event, ...data })}\n`)
const events = [
  'worker:launch',
  'worker:ready',
  'worker:serving',
  'worker:exit',
  'mold:launch',
  'mold:ready',
  'reload:start',
  'reload:done',
  'reload:failed'
]
const on = Object.fromEntries(events.map((event) => [event, say(event)]))
await mapacheFastify('./app.mjs', { ...options, log: false, modules: [{ name: 'bench', on }] }).listen({
  port,
  host: '127.0.0.1'
})
