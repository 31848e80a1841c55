import { readFileSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { put, reload } from '../support/deploy.js'
import { get, start, until } from '../support/fixture.js'

const ENTRY = `import { mapacheHttp } from '@mapache/core'
import { worker } from '@mapache/core/worker'
worker.onMessage('count', 'total', (total) => console.log('worker', worker.id, 'hears', total))
const count = {
  name: 'count',
  services: [{ name: 'helper', entry: './service.mjs', options: { greeting: 'hi' } }, { name: 'broken', entry: new URL('./broken.mjs', import.meta.url) }],
  messages: {
    hit: {
      from: ['worker'],
      check(data) { if (data !== 'hit') throw new TypeError('must be hit'); return data },
      receive(data, sender) { console.log('supervisor hears', data, 'of', sender.role, sender.id); sender.send('total', 1) }
    },
    report: { from: ['service'], check: (data) => data, receive(data, sender) { console.log('supervisor hears', data, 'of', sender.name) } }
  },
  on: {
    'worker:serving': ({ id }) => { console.log('module sees worker', id); throw new Error('a clumsy listener') },
    'reload:done': async ({ generation }) => { throw new Error('a clumsy promise ' + generation) }
  }
}
await mapacheHttp(() => (req, res) => {
  worker.send('count', ...({ '/hit': ['hit', 'hit'], '/bad': ['hit', { not: 'it' }], '/none': ['none', 1], '/report': ['report', 1] })[req.url] ?? ['hit', 'hit'])
  res.end('ok')
}, { workers: 2, settle: 50, modules: [count], backoff: { min: 50, max: 500 } }).listen(0, '127.0.0.1')`
const SERVICE = `export default function run(service) {
  console.log('service', service.name, service.options.greeting, service.id, service.generation, process.pid)
  service.send('count', 'report', 'all well')
  service.onRetire(() => console.log('service retires'))
  setInterval(() => {}, 1000)
}`

t.test('a module brings a service, messages and listeners, and what is wrong with them harms nobody', async (t) => {
  const folder = t.testdir()
  put(path.join(folder, 'service.mjs'), SERVICE)
  put(path.join(folder, 'broken.mjs'), 'export default 42')
  const fixture = start(t, put(path.join(folder, 'app.mjs'), ENTRY), { cwd: folder })
  const port = await fixture.port()
  await fixture.workersServing(2)
  const [, pid] = await fixture.printed(/service count\/helper hi \d+ 1 (\d+)/)
  t.match(readFileSync(`/proc/${pid}/cmdline`, 'latin1'), /mapache service=count\/helper gen=1/)
  await fixture.printed(/supervisor hears all well of count\/helper/)
  await fixture.printed(/MAPACHE_SERVICE_INVALID: .*broken\.mjs must export the function/)
  await fixture.printed(/a listener for worker:serving of module count failed/)

  await get(port, '/hit')
  const [, id] = await fixture.printed(/supervisor hears hit of worker (\d)/)
  await fixture.printed(new RegExp(`worker ${id} hears 1`))
  for (const [at, why] of [
    ['/bad', 'count:hit: must be hit'],
    ['/none', 'no module takes count:none'],
    ['/report', 'a worker may not send count:report']
  ] as const) {
    await get(port, at)
    await fixture.printed(new RegExp(`MAPACHE_CHANNEL_REFUSED: a message of worker=\\d gen=1 pid=\\d+: ${why}`))
    await fixture.printed(new RegExp(`the supervisor refused a message: ${why}`))
  }

  const workers = fixture.workers
  process.kill(Number(pid), 'SIGKILL')
  await fixture.printed(/service=count\/helper gen=1 pid=\d+ ended \(crash, SIGKILL\)/)
  await until(() => fixture.output.match(/service count\/helper hi \d+ 1/g)?.length === 2, 'a new service')
  t.strictSame(fixture.workers, workers)

  t.equal(await reload(fixture), 'done')
  await fixture.printed(/a listener for reload:done of module count failed/)
  await fixture.printed(/service count\/helper hi \d+ 2/)
  await fixture.printed(/service retires/)
  const from = fixture.output.length
  fixture.kill('SIGTERM')
  t.strictSame(await fixture.exit(), { code: 0, signal: null })
  const end = fixture.output.slice(from)
  t.ok(
    end.lastIndexOf('worker=') < end.search(/service=count\/helper gen=2 pid=\d+ retiring/),
    'services stop after the workers'
  )
  t.strictSame(fixture.processes(), [])
})

t.test('services leave when the supervisor is killed', async (t) => {
  const folder = t.testdir()
  put(path.join(folder, 'service.mjs'), SERVICE)
  put(path.join(folder, 'broken.mjs'), 'export default 42')
  const fixture = start(t, put(path.join(folder, 'app.mjs'), ENTRY), { cwd: folder })
  await fixture.printed(/service count\/helper/)
  await fixture.workersServing(2)
  fixture.kill('SIGKILL')
  await fixture.gone()
  t.strictSame(fixture.leftovers(), [])
})
