import { existsSync } from 'node:fs'
import http from 'node:http'
import path from 'node:path'
import { connect, findClusters } from '@mapache/core/operator'
import t from 'tap'
import { put, reload } from '../support/deploy.js'
import { before, type Fixture, get, start, type Test, until } from '../support/fixture.js'

/** A service that says when it begins and ends, and takes its time for the end. */
const SCHEDULER = `export default function run(service) {
  console.log('begins', service.name, service.generation, process.pid)
  service.onRetire(async () => {
    await new Promise((resolve) => setTimeout(resolve, 200))
    console.log('ends', service.name, service.generation, process.pid)
  })
  setInterval(() => {}, 1000)
}`

function app(t: Test & { testdir(): string }, options: string, files: Record<string, string> = {}): Fixture {
  const folder = t.testdir()
  for (const [name, text] of Object.entries(files)) put(path.join(folder, name), text)
  const entry = put(
    path.join(folder, 'app.mjs'),
    `import http from 'node:http'
    import { mapacheHttp } from '@mapache/core'
    await mapacheHttp(() => (req, res) => res.end('app'), {
      workers: 2, settle: 50, backoff: { min: 50, max: 500 }, ${options}
    }).listen(0, '127.0.0.1')
    console.log('after listen', process.pid)`
  )
  return start(t, entry, { cwd: folder })
}

/** What the services of a name did, in order: `begins 1`, `ends 1` ... */
function life(fixture: Fixture, name: string): string[] {
  return [...fixture.output.matchAll(/^(begins|ends) (\S+) (\d+) \d+$/gm)].flatMap(([, what, who, generation]) => {
    return who === name ? [`${what} ${generation}`] : []
  })
}

t.test('of a service never more run than it has instances, whatever happens to it', async (t) => {
  const fixture = app(t, "services: [{ name: 'jobs', entry: './jobs.mjs' }]", { 'jobs.mjs': SCHEDULER })
  await fixture.workersServing(2)
  await fixture.printed(/begins jobs 1/)
  t.equal(await reload(fixture), 'done')
  await fixture.printed(/begins jobs 2/)
  t.same(life(fixture, 'jobs'), ['begins 1', 'ends 1', 'begins 2'])

  const [, pid] = await fixture.printed(/begins jobs 2 (\d+)/)
  process.kill(Number(pid), 'SIGKILL')
  await until(() => life(fixture, 'jobs').length === 4, 'its successor')
  t.same(life(fixture, 'jobs').at(-1), 'begins 2')

  fixture.kill('SIGTERM')
  t.same(await fixture.exit(), { code: 0, signal: null })
  t.same(life(fixture, 'jobs').at(-1), 'ends 2')
  t.same(fixture.processes(), [])
})

t.test('with overlap its successor serves before it leaves', async (t) => {
  const fixture = app(t, "services: [{ name: 'jobs', entry: './jobs.mjs', overlap: true }]", { 'jobs.mjs': SCHEDULER })
  await fixture.printed(/begins jobs 1/)
  t.equal(await reload(fixture), 'done')
  await fixture.printed(/ends jobs 1/)
  t.same(life(fixture, 'jobs'), ['begins 1', 'begins 2', 'ends 1'])
})

t.test("new code whose service does not start leaves the old one running, and the app's roll is done", async (t) => {
  const fixture = app(t, "services: [{ name: 'jobs', entry: './jobs.mjs' }]", { 'jobs.mjs': SCHEDULER })
  await fixture.printed(/begins jobs 1/)
  put(path.join(t.testdirName, 'jobs.mjs'), 'throw new Error("no jobs")')
  t.equal(await reload(fixture), 'done')
  await fixture.printed(/service=jobs gen=2 .*no jobs/)
  t.same(life(fixture, 'jobs'), ['begins 1'])
  put(path.join(t.testdirName, 'jobs.mjs'), SCHEDULER)
  t.equal(await reload(fixture), 'done')
  await fixture.printed(/begins jobs 3/)
  // One of generation 2 may have come first: it is tried again, and by then its file is mended.
  const lived = life(fixture, 'jobs')
  t.same(lived.slice(0, 2), ['begins 1', 'ends 1'])
  t.ok(
    lived.every((text, index) => text.startsWith(index % 2 === 0 ? 'begins' : 'ends')),
    lived.join()
  )
})

const RUN = `services: [{ name: 'clock', options: { every: 5 }, run: (service) => {
  console.log('begins', service.name, service.generation, process.pid)
  console.log('every', service.options.every)
  service.cluster.status().then(({ target }) => console.log('target', target))
  service.cluster.on('worker:serving', ({ id }) => console.log('sees worker', id))
  service.log('warn', 'the clock ticks')
  service.cluster.scale(3).catch(({ code }) => console.log('scale', code))
  setInterval(() => {}, 1000)
} }]`

t.test('a service may be a function of the entry, and looks at the cluster', async (t) => {
  const fixture = app(t, RUN)
  await fixture.workersServing(2)
  const [, pid] = await fixture.printed(/begins clock 1 (\d+)/)
  await fixture.printed(/every 5\n/)
  await fixture.printed(/target 2\n/)
  await fixture.printed(/scale MAPACHE_CONTROL_DENIED/)
  t.match(
    fixture.log.find(({ msg }) => /the clock ticks/.test(msg)),
    { level: 40, msg: /^service=clock gen=1 pid=\d+: / }
  )
  t.equal(await reload(fixture), 'done')
  await fixture.printed(/sees worker \d/)
  await fixture.printed(/begins clock 2/)
  t.notMatch(fixture.output, new RegExp(`after listen ${pid}`), 'only the service runs in its process')
})

t.test('a service that may control the cluster does, and who asked is logged', async (t) => {
  const fixture = app(t, RUN.replace('options:', 'control: true, options:'))
  await fixture.printed(/service=clock gen=1 pid=\d+ asks for: scale 3/)
  await fixture.workersServing(3)
})

t.test('a function as a service, in every form', async (t) => {
  const folder = t.testdir()
  const services = `services: [{ name: 'clock', run: () => { console.log('begins clock', process.pid); setInterval(() => {}, 1000) } }]`
  const forms: Record<string, string> = {
    register: `import Fastify from 'fastify'
      import mapache from '@mapache/fastify'
      const app = Fastify()
      app.get('/', async () => 'ok')
      app.register(mapache, { workers: 1, ${services} })
      await app.listen({ port: 0 })`,
    'register within a plugin': `import Fastify from 'fastify'
      import mapache from '@mapache/fastify'
      const app = Fastify()
      app.register(async (inner) => { inner.register(mapache, { workers: 1, ${services} }) })
      app.get('/', async () => 'ok')
      await app.listen({ port: 0 })`,
    'the factory as a module': `import { mapacheHttp } from '@mapache/core'
      await mapacheHttp('./listener.mjs', { workers: 1, ${services} }).listen(0, '127.0.0.1')`
  }
  put(path.join(folder, 'listener.mjs'), `export default () => (req, res) => res.end('ok')`)
  for (const [form, text] of Object.entries(forms)) {
    const fixture = start(t, put(path.join(folder, `${form.replaceAll(' ', '-')}.mjs`), text), { cwd: folder })
    const [, pid] = await fixture.printed(/begins clock (\d+)/)
    await fixture.workersServing(1)
    t.notOk(fixture.workers.includes(Number(pid)), `${form}: in a process of its own`)
    t.equal((await get(await fixture.port())).body, 'ok', form)
    fixture.kill('SIGTERM')
    t.same(await fixture.exit(), { code: 0, signal: null }, form)
  }
})

const WEB = `import http from 'node:http'
export default async function run(service) {
  const server = http.createServer((req, res) => res.end('service ' + service.generation))
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  console.log('web on', server.address().port)
}`

t.test('what a service listens on stays open while it is replaced, and the app has no part in it', async (t) => {
  const fixture = app(t, "services: [{ name: 'web', entry: './web.mjs', overlap: true }]", { 'web.mjs': WEB })
  const [, text] = await fixture.printed(/web on (\d+)/)
  const port = Number(text)
  await fixture.workersServing(2)
  const answers = new Set<string>()
  let stopped = false
  const lost: string[] = []
  const load = (async () => {
    while (!stopped) {
      const { body } = await get({ port, host: '127.0.0.1' }).catch((error) => ({ body: `lost: ${error.message}` }))
      if (body.startsWith('lost')) lost.push(body)
      answers.add(body)
    }
  })()
  t.equal(await reload(fixture), 'done')
  await until(() => answers.has('service 2'), 'the new service to answer')
  const pid = Number(/service=web gen=2 pid=(\d+) serving/.exec(fixture.output)?.[1])
  process.kill(pid, 'SIGSTOP')
  // Nobody accepts: who comes now waits in the queue of a socket that the supervisor keeps.
  const waiting = get({ port, host: '127.0.0.1' }).catch((error) => ({ body: String(error) }))
  process.kill(pid, 'SIGKILL')
  t.match(await before(waiting, () => 'an answer of the next one'), { body: 'service 2' })
  stopped = true
  await load
  t.same([...answers].filter((body) => body.startsWith('service')).sort(), ['service 1', 'service 2'])
  // A connection that the killed process had accepted is its to lose.
  t.ok(lost.length <= 1, lost.join())
  t.notMatch(fixture.output, /serving on [^"]*,/, 'no address of the app')
  t.equal((await get(await fixture.port())).body, 'app')
})

t.test('an address that a service does not listen on any more is closed', async (t) => {
  const file = (port: string) => WEB.replace('server.listen(0,', `server.listen(${port},`)
  const fixture = app(t, "services: [{ name: 'web', entry: './web.mjs', overlap: true }]", { 'web.mjs': file('0') })
  const [, first] = await fixture.printed(/web on (\d+)/)
  t.equal(await reload(fixture), 'done')
  await fixture.printed(/service=web gen=1 .* exited/)
  t.equal((await get(Number(first))).body, 'service 2', 'one that it goes on with stays')
  put(path.join(t.testdirName, 'web.mjs'), file('undefined'))
  const from = fixture.output.length
  t.equal(await reload(fixture), 'done')
  const [, second] = await fixture.printed(/web on (\d+)/, from)
  await fixture.printed(/service=web gen=2 .* exited/)
  t.not(second, first)
  await until(
    () =>
      get(Number(first)).then(
        () => false,
        (error) => error.code === 'ECONNREFUSED'
      ),
    'the old one closed'
  )
  t.equal((await get(Number(second))).body, 'service 3')
})

t.test('a service with a Unix socket leaves no file', async (t) => {
  const fixture = app(t, "services: [{ name: 'web', entry: './web.mjs' }]", {
    'web.mjs': WEB.replace("0, '127.0.0.1'", "process.env.XDG_RUNTIME_DIR + '/web.sock'").replace('.port)', ')')
  })
  await fixture.printed(/web on .*web\.sock/)
  const socketPath = path.join(fixture.folder, 'web.sock')
  const answer = await new Promise<number | undefined>((resolve, reject) => {
    http.get({ socketPath }, (response) => resolve(response.resume().statusCode)).on('error', reject)
  })
  t.equal(answer, 200)
  fixture.kill('SIGTERM')
  t.same(await fixture.exit(), { code: 0, signal: null })
  t.notOk(existsSync(socketPath))
})

t.test('a service that fails is seen in the status', async (t) => {
  const throws = 'export default function run() { throw new Error("no jobs") }'
  const fixture = app(t, "services: [{ name: 'jobs', entry: './jobs.mjs' }], bootAttempts: 1", { 'jobs.mjs': throws })
  await fixture.workersServing(2)
  await fixture.printed(/service=jobs gen=1 .*no jobs/)
  const [found] = (await findClusters({ XDG_RUNTIME_DIR: fixture.folder })).filter(({ pid }) => pid === fixture.pid)
  const cluster = await connect(found as NonNullable<typeof found>)
  t.teardown(() => cluster.close())
  const of = async () => (await cluster.status()).services
  await until(
    async () => (await of())[0]?.waiting === 1,
    'a service that waits',
    () => fixture.output
  )
  t.match(await of(), [{ name: 'jobs', target: 1, serving: 0 }])
  put(path.join(t.testdirName, 'jobs.mjs'), SCHEDULER)
  await until(
    async () => (await of())[0]?.serving === 1,
    'the service at work',
    () => fixture.output
  )
})
