import t from 'tap'
import { type Fixture, get, start } from '../support/fixture.js'
import { askAll, everyWorker, serve } from '../support/serve.js'

const forms: [script: string, form: string, what: string][] = [
  ['register.mjs', 'await', 'ESM, awaited'],
  ['register.mjs', 'callback', 'ESM, with a callback'],
  ['register.cjs', 'then', 'CommonJS, with then'],
  ['register.cjs', 'callback', 'CommonJS, with a callback']
]
for (const [script, form, what] of forms) {
  t.test(`a registered app is built by the workers, listen answers as Fastify's does: ${what}`, async (t) => {
    const { fixture } = serve(t, script, { args: [form] })
    const port = await fixture.port()
    t.strictSame(identities(await askAll(fixture, 2)), ['1/1', '2/1'])
    for (const pid of [fixture.pid, ...(await fixture.workersServing(2))]) {
      await fixture.printed(new RegExp(`^listening ${pid} null http://127.0.0.1:${port}( |$)`, 'm'))
    }
    await stopAndSeeClosed(fixture)
  })
}

for (const script of ['register.mjs', 'register.cjs']) {
  t.test(`${script}: a listen that nobody awaits starts the cluster as well`, async (t) => {
    const { fixture } = serve(t, script, { args: ['unawaited'] })
    t.strictSame(identities(await askAll(fixture, 2)), ['1/1', '2/1'])
  })
}

t.test('the options that the plugin is registered with are the cluster’s', async (t) => {
  const { fixture } = serve(t, 'register.mjs', { settings: { workers: 3, name: 'my-shop' } })
  await fixture.workersServing(3)
  await fixture.printed(/mapache supervisor pid=\d+ name=my-shop workers=3/)
})

t.test('a listen that fails without anybody awaiting it says why in one line and exits with 1', async (t) => {
  const { fixture } = serve(t, 'register.mjs', { args: ['unawaited'], listen: [{ port: 0, host: '203.0.113.7' }] })
  t.strictSame(await fixture.exit(), { code: 1, signal: null })
  t.match(fixture.output, /^MAPACHE_ADDRESS_UNAVAILABLE: cannot listen on 203\.0\.113\.7:0/m)
  t.strictSame(fixture.processes(), [])
})

const late: [script: string, form: string, what: string][] = [
  ['register.mjs', 'scope', 'registers it within another plugin'],
  ['register.mjs', 'older', 'was made before @mapache/fastify was imported'],
  ['register.cjs', 'older', 'was made before @mapache/fastify was required']
]
for (const [script, form, what] of late) {
  for (const host of ['127.0.0.1', 'localhost', undefined]) {
    t.test(`an instance that ${what} is taken over when its server listens, on ${host}`, async (t) => {
      const settings = { workers: 2, settle: 50, name: 'late' }
      const { fixture } = serve(t, script, { args: [form], settings, listen: [{ port: 0, host }] })
      const port = await fixture.port()
      const answers = await askAll(fixture, 2)
      const pids = await fixture.workersServing(2)
      t.strictSame([...answers.keys()].sort(), pids.sort())
      if (form === 'older') t.strictSame(identities(answers), ['1/1', '2/1'])
      else t.match((await get(port, '/scope')).body, /^\{"id":[12]\}$/)
      for (const pid of [fixture.pid, ...pids]) {
        await fixture.printed(new RegExp(`^listening ${pid} null http://127.0.0.1:${port}( |$)`, 'm'))
      }
      await fixture.printed(/mapache supervisor pid=\d+ name=late workers=2/)
      await stopAndSeeClosed(fixture)
    })
  }
}

for (const form of ['https', 'http2']) {
  t.test(`an instance with Fastify's own ${form} options is served with them`, async (t) => {
    const { fixture } = serve(t, 'register.mjs', { args: [form] })
    const port = await fixture.port()
    const ask = () => get({ host: '127.0.0.1', port, protocol: 'https:' })
    t.equal((await everyWorker(2, ask)).size, 2)
    const addresses = JSON.stringify([{ address: '127.0.0.1', family: 'IPv4', port }])
    await fixture.printed(new RegExp(`^listening ${fixture.pid} null https://127.0.0.1:${port} (.*)$`, 'm'))
    t.match(fixture.output, `listening ${fixture.pid} null https://127.0.0.1:${port} ${addresses}`)
  })
}

t.test('an app that does not listen is ordinary: no supervisor, and a worker of id 0', async (t) => {
  const fixture = start(t, 'serve/alone.mjs')
  t.strictSame(await fixture.exit(), { code: 0, signal: null })
  t.equal(fixture.output, 'injected {"id":0,"generation":0,"retiring":false}\n')
  t.strictSame(fixture.leftovers(), [])
})

function identities(answers: ReadonlyMap<number, Record<string, unknown>>): string[] {
  return [...answers.values()].map(({ id, generation }) => `${id}/${generation}`).sort()
}

/** Stops the cluster: each worker must have run its own onClose hooks. */
async function stopAndSeeClosed(fixture: Fixture): Promise<void> {
  const pids = await fixture.workersServing(2)
  fixture.kill('SIGTERM')
  await fixture.exit()
  for (const pid of pids) await fixture.printed(new RegExp(`^closed ${pid}$`, 'm'))
}
