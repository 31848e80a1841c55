import http from 'node:http'
import path from 'node:path'
import t from 'tap'
import type { Failure, FailureError } from '#dev/failure.js'
import fallback from '#dev/fallback.js'
import { describe } from '#dev/page/describe.js'
import { contentSecurityPolicy, escapeHtml, failurePage } from '#dev/page/html.js'
import { failureJson } from '#dev/page/json.js'
import { before, get, type Test } from '../support/fixture.js'

const HOSTILE = `</title></script><script>alert(1)</script><img src=x onerror="alert('2')">\`&amp;`
const BROWSER = { accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' }

const failure = (error: Partial<FailureError>, rest: Partial<Failure> = {}): Failure => ({
  generation: 3,
  phase: 'boot',
  cwd: '/app',
  entry: 'server.js',
  error: { name: 'Error', message: 'no', stack: 'Error: no', ...error },
  ...rest
})

const page = (shown: Failure, once = false) =>
  failurePage({ failure: shown, description: describe(shown.error, shown.cwd), nonce: 'n0nce', script: 'run()', once })

async function serve(t: Test, shown: Failure): Promise<number> {
  const server = http.createServer(fallback(shown))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as { port: number }).port
}

t.test('every text of the page is escaped', async (t) => {
  const folder = '<b onclick=alert(3)>'
  const dir = t.testdir({ [folder]: { 'a.js': `one\n${HOSTILE}\nthree\n` } })
  const file = path.join(dir, folder, 'a.js')
  const error: FailureError = {
    name: HOSTILE,
    message: HOSTILE,
    code: HOSTILE,
    stack: `Error: no\n    at ${HOSTILE} (${file}:2:4)\n    at ${HOSTILE} (/x/node_modules/${HOSTILE}:1:1)`
  }
  const text = page(failure({ ...error, cause: error }, { entry: HOSTILE, cwd: dir }))
  t.equal(text.match(/<script/g)?.length, 1, 'our own')
  t.equal(text.match(/<\/script/g)?.length, 1)
  t.notMatch(text, /<img|<b onclick|&amp;/)
  t.match(text, 'a.js:2:4')
  t.ok(text.split(escapeHtml(HOSTILE)).length > 10, 'and all of them are there')
  t.equal(escapeHtml(`&<>"'\``), '&#38;&#60;&#62;&#34;&#39;&#96;')
})

t.test('the page shows message, code frame, stack and causes', async (t) => {
  const dir = t.testdir({ 'a.js': 'const a = 1\n\tthrow a\n', node_modules: { lib: { 'b.js': 'x' } } })
  const stack = `Error: no\n    at ${dir}/node_modules/lib/b.js:1:1\n    at ${dir}/a.js:2:2`
  const cause = { name: 'TypeError', message: 'the deeper', stack: 'TypeError: the deeper', code: 'E_DEEP' }
  const text = page(failure({ stack, message: 'first line\nsecond', cause }, { cwd: dir }))
  t.match(text, '<title>first line</title>')
  t.match(text, /<h1>first line\nsecond<\/h1>/)
  t.match(text, /<mark><i>2<\/i> \tthrow a\n {2}<b>\t\^<\/b><\/mark>/)
  t.match(text, /<span class="dim">at .*lib\/b\.js:1:1<\/span>\n<span>at .*a\.js:2:2<\/span>/)
  t.match(text, /caused by[\s\S]*TypeError <code>E_DEEP<\/code>[\s\S]*the deeper/)
  t.match(text, 'server.js does not start')
  t.match(page(failure({}, { phase: 'crash' })), 'server.js has crashed')
  t.notMatch(text.replaceAll(dir, ''), /https?:|src=|url\(/, 'nothing from elsewhere')
  t.match(page(failure({ message: '' })), '<title>Error</title>')
})

t.test('a page that was asked for with a form is not reloaded by itself', async (t) => {
  t.match(page(failure({}), true), 'id="mapache-changed" hidden')
  t.notMatch(page(failure({})), 'mapache-changed')
})

t.test('colours for the terminal are taken off', async (t) => {
  const { message, stack } = describe({ name: 'E', message: '\x1b[31mred\x1b[39m', stack: '\x1b[1mE: red' }, '/')
  t.equal(message, 'red')
  t.equal(stack[0]?.text, 'E: red')
})

t.test('JSON has the same', async (t) => {
  const dir = t.testdir({ 'a.js': 'throw 1\n' })
  const cause = { name: 'TypeError', message: 'the deeper', stack: 'TypeError: the deeper' }
  const error = { name: 'Error', message: 'no', code: 'E_NO', stack: `Error: no\n    at ${dir}/a.js:1:7`, cause }
  t.strictSame(JSON.parse(JSON.stringify(failureJson(describe(error, dir)))), {
    error: {
      name: 'Error',
      message: 'no',
      code: 'E_NO',
      stack: [`at ${dir}/a.js:1:7`],
      frame: {
        file: 'a.js',
        line: 1,
        column: 7,
        lines: [
          { number: 1, text: 'throw 1' },
          { number: 2, text: '' }
        ]
      },
      cause: { name: 'TypeError', message: 'the deeper', stack: ['TypeError: the deeper'] }
    }
  })
})

t.test('the accept header chooses', async (t) => {
  const port = await serve(t, failure({ message: HOSTILE }))
  for (const accept of [undefined, '*/*', 'application/json']) {
    const { status, headers, body } = await get({ host: '127.0.0.1', port, headers: accept ? { accept } : {} })
    t.match({ status, headers }, { status: 500, headers: { 'cache-control': 'no-store', vary: 'accept' } })
    t.match(headers['content-type'], 'application/json')
    t.equal(JSON.parse(body).error.message, HOSTILE)
  }
  const { status, headers, body } = await get({ host: '127.0.0.1', port, headers: BROWSER }, '/any/where')
  t.match({ status, headers }, { status: 500, headers: { 'cache-control': 'no-store', vary: 'accept' } })
  t.match(headers['content-type'], 'text/html; charset=utf-8')
  const [, nonce = ''] = /'nonce-([^']+)'/.exec(String(headers['content-security-policy'])) ?? []
  t.equal(headers['content-security-policy'], contentSecurityPolicy(nonce))
  t.ok(body.includes(`<script nonce="${escapeHtml(nonce)}">`))
  const again = await get({ host: '127.0.0.1', port, headers: BROWSER })
  t.not(again.headers['content-security-policy'], headers['content-security-policy'], 'a nonce of its own')
})

t.test('HEAD gets the head', async (t) => {
  const port = await serve(t, failure({}))
  for (const headers of [BROWSER, {}]) {
    const head = await get({ host: '127.0.0.1', port, method: 'HEAD', headers })
    t.equal(head.status, 500)
    t.equal(head.body, '')
    const whole = await get({ host: '127.0.0.1', port, headers })
    t.equal(head.headers['content-length'], whole.headers['content-length'])
  }
})

t.test('an upload is taken to its end, though the connection closes after it', async (t) => {
  const port = await serve(t, failure({}))
  const size = 8 * 1024 * 1024
  const answer = new Promise<number | undefined>((resolve, reject) => {
    const headers = { connection: 'close', 'content-length': size }
    const request = http.request({ host: '127.0.0.1', port, method: 'POST', agent: false, headers })
    request.on('error', reject).on('response', (response) => {
      response.resume().on('error', reject)
      response.on('end', () => resolve(response.statusCode))
    })
    request.end(Buffer.alloc(size))
  })
  t.equal(await before(answer, () => 'the answer to the upload'), 500)
})
