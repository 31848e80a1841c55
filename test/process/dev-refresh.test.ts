import { once } from 'node:events'
import http from 'node:http'
import t from 'tap'
import { DevApp } from '../support/dev.js'
import { before, type Test } from '../support/fixture.js'

const PAGE = (text: string) => `import http from 'node:http'
http.createServer((req, res) => {
  res.setHeader('content-type', 'text/html').end('<!doctype html><p>${text}</p>')
}).listen(0, '127.0.0.1')`
const BROWSER = { headers: { accept: 'text/html,*/*;q=0.8', 'sec-fetch-dest': 'document' } }
const SCRIPT = /<script src="([^"]*refresh\.js)\?stamp=([\w-]+)" defer><\/script>/

t.test('--refresh: a page knows when other code serves, also an error and its mend', async (t) => {
  const app = new DevApp(t, { args: ['--refresh'], files: { 'server.mjs': PAGE('one') } })
  await app.started()
  const stamps = new Set<string>()
  for (const text of ['two', 'three']) {
    const { body } = await app.get('/', BROWSER)
    const [, script = '', stamp = ''] = SCRIPT.exec(body) ?? []
    t.match((await app.get(script)).headers['content-type'], /javascript/)
    const stream = await listen(t, await app.port(), script.replace(/\.js$/, ''))
    t.equal(stream.stamp, stamp, 'the stream is that of the process that the page came from')
    stamps.add(stamp)
    await app.change('server.mjs', PAGE(text))
    await stream.ended
    t.match((await app.get('/', BROWSER)).body, text)
  }
  const stream = await listen(t, await app.port(), '/.mapache/dev/refresh')
  app.edit('server.mjs', 'throw new Error(`broken`)')
  await stream.ended
  const broken = await listen(t, await app.port(), '/.mapache/dev/refresh')
  t.notOk(stamps.has(broken.stamp))
  await app.change('server.mjs', PAGE('mended'))
  await broken.ended
  t.not((await listen(t, await app.port(), '/.mapache/dev/refresh')).stamp, broken.stamp)
})

t.test('without --refresh pages are as the app made them', async (t) => {
  const app = new DevApp(t, { files: { 'server.mjs': PAGE('one') } })
  await app.started()
  t.equal((await app.get('/', BROWSER)).body, '<!doctype html><p>one</p>')
})

t.test('with --refresh what is no page is as the app made it', async (t) => {
  const app = new DevApp(t, { args: ['--refresh'] })
  await app.started()
  t.equal((await app.ask()).version, 1)
  t.notMatch((await app.get('/', BROWSER)).body, SCRIPT)
})

/** Listens as a page does. @returns the stamp that it is told first */
async function listen(t: Test, port: number, path: string): Promise<{ stamp: string; ended: Promise<unknown> }> {
  const request = http.get({ port, host: '127.0.0.1', path, agent: false })
  t.teardown(() => request.destroy())
  const [response] = (await before(once(request, 'response'), () => path)) as [http.IncomingMessage]
  const ended = before(once(response, 'end'), () => 'the end of the stream')
  // The test may end before it does.
  ended.catch(() => {})
  request.on('error', () => {})
  const [data] = await before(once(response.setEncoding('utf8'), 'data'), () => 'the stamp')
  return { stamp: /^data: (.+)$/m.exec(data)?.[1] ?? '', ended }
}
