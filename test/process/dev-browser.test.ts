import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import type { Browser, Page } from 'playwright-core'
import t from 'tap'
import type { Failure } from '#dev/failure.js'
import fallback from '#dev/fallback.js'
import { installRefresh } from '#dev/refresh.js'
import { launchBrowser, noBrowser } from '../support/browser.js'
import { DEADLINE, type Test, until } from '../support/fixture.js'

const HOSTILE = `</title></script><script>window.hacked = 1</script><img src=x onerror="window.hacked = 2">`

const failure = (message: string, generation = 1): Failure => ({
  generation,
  phase: 'boot',
  cwd: '/app',
  entry: 'server.js',
  error: { name: 'SyntaxError', message, stack: `SyntaxError: ${message}\n    at ${HOSTILE} (/app/gone.js:1:1)` }
})

/** One port, on which one process after the other serves. */
class Turns {
  port = 0
  #server: http.Server | undefined
  #leave = () => {}

  constructor(t: Test) {
    t.teardown(() => this.leave())
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/`
  }

  /** Takes the port over from what served before. */
  async serve(listener: http.RequestListener): Promise<void> {
    this.leave()
    const server = http.createServer(listener)
    server.listen(this.port, '127.0.0.1')
    await once(server, 'listening')
    this.port = (server.address() as AddressInfo).port
    this.#server = server
  }

  /** The same with an app whose pages refresh themselves. */
  async serveRefreshing(generation: number, listener: http.RequestListener): Promise<void> {
    await this.serve(listener)
    const retiring = new AbortController()
    const uninstall = installRefresh({ generation, retiring: retiring.signal })
    this.#leave = () => {
      retiring.abort()
      uninstall()
    }
  }

  leave(): void {
    this.#leave()
    this.#leave = () => {}
    this.#server?.close()
    this.#server?.closeAllConnections()
  }
}

const html =
  (text: string, headers: http.OutgoingHttpHeaders = {}): http.RequestListener =>
  (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', ...headers })
    response.end(`<!doctype html><title>app</title><h1>${text}</h1>`)
  }

const shows = (page: Page, text: string) => page.locator('h1', { hasText: text }).waitFor({ timeout: DEADLINE })

/** A window, and what it complains of on its console. */
async function open(browser: Browser): Promise<{ page: Page; complaints: string[] }> {
  const context = await browser.newContext()
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('console', (message) => {
    // That an answer had status 500, and that a stream ended, it says too.
    if (/Content.Security.Policy|Refused to|Uncaught/i.test(message.text())) complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('dialog', (dialog) => {
    complaints.push(dialog.message())
    void dialog.dismiss()
  })
  return { page, complaints }
}

t.test('the error page and the refresh of pages, in a browser', { skip: noBrowser }, async (t) => {
  const browser = await launchBrowser(t)

  await t.test('a hostile error is shown and does nothing; the mended app shows itself', async (t) => {
    const turns = new Turns(t)
    const { page, complaints } = await open(browser)
    const asked: string[] = []
    page.on('request', (request) => asked.push(request.url()))
    await turns.serve(fallback(failure(HOSTILE)))
    const response = await page.goto(turns.url)
    t.equal(response?.status(), 500)
    t.equal(await page.locator('h1').textContent(), HOSTILE)
    t.equal(await page.title(), HOSTILE)
    t.equal(await page.evaluate('window.hacked'), undefined)
    t.ok((await page.locator('.stack').textContent())?.includes(HOSTILE))
    t.ok(
      asked.every((url) => url.startsWith(turns.url) || url.startsWith('data:')),
      asked.join(' ')
    )
    await turns.serve(html('mended'))
    await shows(page, 'mended')
    t.strictSame(complaints, [])
  })

  await t.test('another error takes the place of the one before', async (t) => {
    const turns = new Turns(t)
    const { page } = await open(browser)
    await turns.serve(fallback(failure('first')))
    await page.goto(turns.url)
    for (const generation of [2, 3, 4]) {
      await turns.serve(fallback(failure(`error ${generation}`, generation)))
      await shows(page, `error ${generation}`)
    }
  })

  await t.test('the line of the code is marked, in light and in dark', async (t) => {
    const dir = t.testdir({ 'app.js': 'const a = 1\nconst b = <script>alert(1)</script>\n' })
    const turns = new Turns(t)
    const { page } = await open(browser)
    const shown = failure('Unexpected token')
    const stack = `${path.join(dir, 'app.js')}:2\nconst b = <\n          ^\n\nSyntaxError: Unexpected token`
    await turns.serve(fallback({ ...shown, cwd: dir, error: { ...shown.error, stack } }))
    await page.goto(turns.url)
    t.equal(await page.locator('figcaption').textContent(), 'app.js:2:11')
    t.match(await page.locator('mark').textContent(), '2 const b = <script>alert(1)</script>')
    const grounds = []
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme })
      grounds.push(await page.evaluate('getComputedStyle(document.body).backgroundColor'))
    }
    t.not(grounds[0], grounds[1])
  })

  await t.test('what a form was sent for is not sent again', async (t) => {
    const turns = new Turns(t)
    const { page } = await open(browser)
    await turns.serve(html('<form method="post"><button>send</button></form>'))
    await page.goto(turns.url)
    await turns.serve(fallback(failure('broken')))
    await page.click('button')
    await shows(page, 'broken')
    await turns.serve(html('mended'))
    await page.locator('#mapache-changed').waitFor({ state: 'visible', timeout: DEADLINE })
    await shows(page, 'broken')
  })

  await t.test('where no stream comes through, a page is reloaded seldom', async (t) => {
    const turns = new Turns(t)
    const { page } = await open(browser)
    const loads: number[] = []
    const broken = fallback(failure('broken'))
    await turns.serve((request, response) => {
      if (request.url === '/') loads.push(performance.now())
      if (request.url?.startsWith('/.mapache')) response.writeHead(404).end()
      else broken(request, response)
    })
    await page.goto(turns.url)
    await until(() => loads.length >= 3, 'the third load')
    t.ok((loads[2] as number) - (loads[0] as number) > 1_500, loads.join(' '))
    // Chromium does not come to close a window that goes on reloading.
    await turns.serve(html('mended'))
    await shows(page, 'mended')
  })

  await t.test('a page of the app is reloaded when other code serves', async (t) => {
    const turns = new Turns(t)
    const { page, complaints } = await open(browser)
    const policy = { 'content-security-policy': "default-src 'self'" }
    await turns.serveRefreshing(1, html('one', policy))
    await page.goto(turns.url)
    await shows(page, 'one')
    for (const [generation, text] of [
      [2, 'two'],
      [3, 'three']
    ] as const) {
      await turns.serveRefreshing(generation, html(text, policy))
      await shows(page, text)
    }
    // Of the same generation: what came after a crash.
    await turns.serve(fallback(failure('crashed', 3)))
    await shows(page, 'crashed')
    await turns.serveRefreshing(4, html('four', policy))
    await shows(page, 'four')
    t.strictSame(complaints, [])
  })

  await t.test('a page is not reloaded while the code is the same', async (t) => {
    const turns = new Turns(t)
    const { page } = await open(browser)
    let loads = 0
    const app = html('same')
    await turns.serveRefreshing(1, (request, response) => {
      if (request.url === '/') loads += 1
      app(request, response)
    })
    await page.goto(turns.url)
    await page.evaluate(`new Promise((resolve, reject) => {
      const source = new EventSource('/.mapache/dev/refresh')
      source.addEventListener('stamp', resolve)
      source.onerror = reject
    })`)
    t.equal(loads, 1)
  })
})
