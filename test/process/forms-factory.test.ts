import path from 'node:path'
import { pathToFileURL } from 'node:url'
import t, { type Test } from 'tap'
import { FIXTURES, get } from '../support/fixture.js'
import { askAll, everyWorker, type Serve, serve } from '../support/serve.js'

for (const framework of ['express', 'fastify', 'http']) {
  for (const form of ['sync', 'async']) {
    t.test(`${framework}: of a ${form} factory's app each worker serves one, and the supervisor none`, async (t) => {
      const { fixture } = serve(t, 'forms.mjs', { args: [framework, form, `./apps/${framework}.mjs`] })
      const answers = await askAll(fixture, 2)
      t.strictSame(identities(answers), ['1/1', '2/1'], 'the app knows its id and generation')
      t.strictSame(pidsOf(fixture.output, 'built'), sorted(answers.keys()))
      await fixture.printed(new RegExp(`^called back ${fixture.pid} with null$`, 'm'))
      await checkListening(t, { fixture })
    })
  }
}

const modules = path.join(FIXTURES, 'serve/apps')
const specs = {
  'a relative path': ['module', './serve/apps/express.mjs'],
  'an absolute path': ['module', path.join(modules, 'express.mjs')],
  'the text of a file URL': ['module', pathToFileURL(path.join(modules, 'express.mjs')).href],
  'a URL': ['url', './apps/express.mjs']
}
for (const [what, args] of Object.entries(specs)) {
  t.test(`a factory named by ${what} is loaded by the workers alone`, async (t) => {
    const { fixture } = serve(t, 'forms.mjs', { args: ['express', ...args] })
    const answers = await askAll(fixture, 2)
    t.strictSame(identities(answers), ['1/1', '2/1'])
    t.strictSame(pidsOf(fixture.output, 'loaded'), sorted(answers.keys()))
    await fixture.printed(new RegExp(`^called back ${fixture.pid} with null$`, 'm'))
    await checkListening(t, { fixture })
  })
}

for (const framework of ['fastify', 'http']) {
  t.test(`${framework}: a factory's module is loaded by the workers alone`, async (t) => {
    const { fixture } = serve(t, 'forms.mjs', { args: [framework, 'module', `./serve/apps/${framework}.mjs`] })
    const answers = await askAll(fixture, 2)
    t.strictSame(identities(answers), ['1/1', '2/1'])
    t.strictSame(pidsOf(fixture.output, 'loaded'), sorted(answers.keys()))
  })
}

t.test('a CommonJS module that exports the factory is one', async (t) => {
  const { fixture } = serve(t, 'forms.mjs', { args: ['express', 'module', './serve/apps/express.cjs'] })
  const answers = await askAll(fixture, 2)
  t.strictSame(pidsOf(fixture.output, 'loaded'), sorted(answers.keys()))
})

t.test('a module that was compiled to CommonJS exports the factory as default, and its server', async (t) => {
  const { fixture } = serve(t, 'forms.mjs', { args: ['express', 'module', './serve/apps/compiled.cjs'] })
  const answers = await askAll(fixture, 2)
  t.strictSame(pidsOf(fixture.output, 'loaded'), sorted(answers.keys()))
  t.strictSame(pidsOf(fixture.output, 'server of the module'), sorted(answers.keys()))
})

t.test('the server that a module exports serves its app', async (t) => {
  const { fixture } = serve(t, 'forms.mjs', { args: ['express', 'module', './serve/apps/https.mjs'] })
  const port = await fixture.port()
  const ask = () => get({ host: '127.0.0.1', port, protocol: 'https:', rejectUnauthorized: false } as object)
  t.equal((await everyWorker(2, ask)).size, 2)
})

/** What `listen` resolved to, in the supervisor and in the workers of a function factory. */
async function checkListening(t: Test, { fixture }: Pick<Serve, 'fixture'>): Promise<void> {
  const port = await fixture.port()
  const addresses = [{ address: '127.0.0.1', family: 'IPv4', port }]
  const [, own = ''] = await fixture.printed(new RegExp(`^listening (.*"pid":${fixture.pid},.*)$`, 'm'))
  t.strictSame(JSON.parse(own), { pid: fixture.pid, role: 'supervisor', generation: 1, addresses })
  if (pidsOf(fixture.output, 'built').length === 0 || /module|url/.test(fixture.child.spawnargs.join(' '))) return
  const [pid] = await fixture.workersServing(2)
  const [, worker = ''] = await fixture.printed(new RegExp(`^listening (.*"pid":${pid},.*)$`, 'm'))
  t.strictSame(JSON.parse(worker), { pid, role: 'worker', generation: 1, addresses })
}

function identities(answers: ReadonlyMap<number, Record<string, unknown>>): string[] {
  return [...answers.values()].map(({ id, generation }) => `${id}/${generation}`).sort()
}

/** The processes that printed it, each once. */
function pidsOf(output: string, what: string): number[] {
  return sorted(new Set([...output.matchAll(new RegExp(`^${what} (\\d+)$`, 'gm'))].map(([, pid]) => Number(pid))))
}

function sorted(pids: Iterable<number>): number[] {
  return [...pids].sort((a, b) => a - b)
}
