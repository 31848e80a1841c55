import http from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import t from 'tap'
import { launchBrowser, noBrowser } from '../support/browser.js'
import { before, DEADLINE, type Test, until } from '../support/fixture.js'
import { PASSWORD, Scene, statusOf, worker } from './dashboard-kit.js'

const HOSTILE = `</script><script>window.hacked=1</script><img src=x onerror="window.hacked=2">\u202e`
const HOSTILE_SHOWN = HOSTILE.replace('\u202e', '\\u{202e}')

/** A window with the dashboard in it, and what it complains of on its console. */
async function open(t: Test, browser: Browser, scene: Scene, options: BrowserContextOptions = {}) {
  const context = await browser.newContext({ viewport: { width: 1_200, height: 900 }, ...options })
  t.teardown(() => before(context.close(), () => 'the window to close'))
  context.setDefaultTimeout(DEADLINE)
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('console', (message) => {
    if (/Content.Security.Policy|Refused to|Uncaught|TrustedHTML/i.test(message.text())) complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(String(error)))
  await page.goto(scene.url)
  await page.locator('.tile').first().waitFor()
  return { page, complaints }
}

const texts = (page: Page, selector: string) => page.locator(selector).allTextContents()
const shows = (page: Page, selector: string, text: string | RegExp) =>
  page.locator(selector, { hasText: text }).first().waitFor()
const tile = (id: number) => `.tile[data-id="${id}"]`
const states = (page: Page) =>
  page.locator('.tile').evaluateAll((tiles) => tiles.map(({ dataset: { id, state } }) => `${id} ${state}`))

t.test('the dashboard in a browser', { skip: noBrowser }, async (t) => {
  const browser = await launchBrowser(t)

  await t.test('the roll as it moves, and a crash', async (t) => {
    const scene = new Scene(t)
    await scene.serve()
    const { page, complaints } = await open(t, browser, scene)
    const asked: string[] = []
    page.on('request', (request) => asked.push(request.url()))
    t.strictSame(await texts(page, '#state'), ['All 2 workers serve'])
    t.equal(await page.title(), '2/2 shop · Mapache')
    t.match(
      await page.locator(tile(1)).textContent(),
      /^worker 1serving.*loop40 %memory48 MBown 31 MBshared 17 MBpid 4701/
    )
    t.equal(await page.locator('#roll').isVisible(), false)

    const coming = { generation: 2, pid: 5_000 }
    const roll = (phase: string) => ({ generation: 2, kind: 'reload' as const, phase })
    const change = (processes: ReturnType<typeof worker>[], phase: string) => {
      scene.status = statusOf(processes, { roll: roll(phase) })
      scene.cluster.emit('worker:launch', worker(1))
    }
    change([worker(1), worker(2), worker(3, { ...coming, state: 'launching' })], 'booting')
    await shows(page, '#roll [aria-current]', 'booting')
    t.strictSame(await texts(page, '.group h3'), ['Generation 2', 'Generation 1'])
    t.strictSame(await states(page), ['3 launching', '1 serving', '2 serving'])
    change([worker(1, { state: 'retiring', reason: 'reload' }), worker(2), worker(3, coming)], 'rolling')
    await shows(page, '#roll [aria-current]', 'rolling')
    t.equal((await texts(page, '#roll-count'))[0], '1 of 2 workers replaced')
    t.equal((await texts(page, `${tile(1)} .state`))[0], 'retiring · reload')
    t.strictSame(await states(page), ['3 serving', '1 retiring', '2 serving'])

    scene.cluster.emit('worker:exit', { ...worker(2), reason: 'crash', failed: true, code: null, signal: 'SIGSEGV' })
    scene.status = statusOf([worker(3, coming)], { generation: 2, serving: 1, waiting: 1 })
    await shows(page, '#state', '1 of 2 workers serve; 1 waiting after failures')
    await shows(page, `${tile(2)}[data-state=crashed]`, 'crash, SIGSEGV')
    t.equal(await page.locator('#roll').isVisible(), false)
    t.equal(
      (await texts(page, '#say'))[0],
      '1 of 2 workers serve; 1 waiting after failures',
      'told, and not only shown'
    )
    scene.cluster.emit('reload:failed', {
      generation: 2,
      phase: 'boot',
      error: new Error('x', { cause: new Error('own') })
    })
    await shows(page, '#outcome[data-ok=false]', /Generation 2 failed in boot/)
    t.match((await texts(page, '#outcome pre'))[0], /^Error: own/)
    scene.requests = 1_234
    scene.tick()
    await shows(page, '#requests-now', '1.2k')
    t.match(await page.getAttribute('#requests-line-0', 'd'), /^M\S+ \S+/)
    t.match(await page.getAttribute('#requests-chart', 'aria-label'), /1\.2k now; peak 1\.2k\/s/)
    t.strictSame(
      asked.filter((url) => !url.startsWith(scene.url) && !url.startsWith('data:')),
      []
    )
    t.strictSame(complaints, [])
  })

  await t.test('it finds the next service, and says that it has none', async (t) => {
    const scene = new Scene(t)
    await scene.serve()
    const { page, complaints } = await open(t, browser, scene)
    await scene.serve()
    await shows(page, '#connection[data-connected=true]', 'live')
    t.equal(await page.locator('body.stale').count(), 0)
    await scene.leave()
    await shows(page, 'body.stale #connection', /^disconnected; shown as of \d\d:/)
    t.match(await page.title(), 'disconnected')
    scene.status.name = 'shop again'
    await scene.serve({ credential: undefined })
    await shows(page, '#name', 'shop again')
    t.equal(await page.locator('body.stale').count(), 0)
    await page.locator('#upgraded').waitFor({ state: 'visible' })
    await page.click('#upgraded-reload')
    await page.locator('[data-action=reload]').waitFor({ state: 'detached' })
    await shows(page, '.tile', 'worker 1')
    t.equal(await page.locator('button[data-action], dialog').count(), 0, 'without a password there are no buttons')
    t.strictSame(complaints, [])
  })

  await t.test('from the keyboard alone: a button, a wrong password, the right one', async (t) => {
    const scene = new Scene(t)
    await scene.serve()
    const { page, complaints } = await open(t, browser, scene)
    const focused = () => page.evaluate('document.activeElement.dataset.action ?? document.activeElement.id')
    const order: unknown[] = []
    for (let press = 0; press < 6; press += 1) {
      await page.keyboard.press('Tab')
      order.push(await focused())
    }
    // Refork and Roll back cannot be used now.
    t.strictSame(order, ['', 'reload', 'scale', 'recycle', 'recycle', 'log-level'])
    t.match(await page.evaluate("getComputedStyle(document.querySelector(':focus-visible')).outlineStyle"), 'solid')
    for (const _ of [1, 2, 3]) await page.keyboard.press('Shift+Tab')
    await page.keyboard.press('Enter')
    t.equal(await focused(), 'workers')
    await page.keyboard.type('5')
    await page.keyboard.press('Tab')
    await page.keyboard.type('wrong')
    await page.keyboard.press('Enter')
    await shows(page, '#ask-error', 'The password is wrong.')
    await until(async () => (await focused()) === 'password', 'the focus in the password')
    scene.retryAfter = 4_000
    await page.keyboard.type('wrong again')
    await page.keyboard.press('Enter')
    await shows(page, '#ask-error', 'Try again in 4 s')
    t.strictSame(scene.calls, [])
    await until(async () => (await focused()) === 'password', 'the focus in the password')
    await page.keyboard.type(PASSWORD)
    await page.keyboard.press('Enter')
    await shows(page, '#outcome[data-ok=true]', 'Done: scale to 5')
    t.strictSame(scene.calls, ['scale 5'])
    t.equal(await focused(), 'scale', 'the focus is back where it was')
    await shows(page, '#log', 'scale to 5 asked for from the dashboard by 127.0.0.1')

    // It is not asked for again, until the page is locked.
    await page.focus(`${tile(2)} button`)
    await page.keyboard.press('Enter')
    t.equal((await texts(page, '#ask-title'))[0], 'Recycle worker 2')
    t.equal(await focused(), 'ask-do')
    await page.keyboard.press('Escape')
    t.equal(await page.locator('#ask').isVisible(), false)
    await page.keyboard.press('Enter')
    await page.keyboard.press('Enter')
    await shows(page, '#outcome-text', 'Done: recycle of process 2')
    await page.focus('#lock')
    await page.keyboard.press('Enter')
    t.equal(await focused(), 'reload')
    await page.click('[data-action=reload]')
    t.equal(await focused(), 'password')
    t.equal(await page.inputValue('#password'), '')
    t.equal(await page.evaluate('document.cookie + localStorage.length + sessionStorage.length'), '00')
    t.strictSame(complaints, [])
  })

  await t.test('hostile texts are shown and do nothing', async (t) => {
    const scene = new Scene(t)
    const evil = { role: 'service', name: HOSTILE } as const
    scene.status = statusOf([worker(1), worker(2, evil)], { name: HOSTILE, addresses: [{ path: HOSTILE }] })
    scene.say('warn', `early ${HOSTILE}`, HOSTILE)
    await scene.serve()
    const { page, complaints } = await open(t, browser, scene)
    scene.say('error', HOSTILE, `Error: ${HOSTILE}\n    at ${HOSTILE}`)
    const cause = Object.assign(new Error(), { stack: HOSTILE })
    scene.cluster.emit('reload:failed', { generation: 2, phase: 'boot', error: new Error(HOSTILE, { cause }) })
    await shows(page, '#outcome pre', HOSTILE_SHOWN)
    for (const selector of ['#name', `${tile(2)} strong`, '#log .message', '#outcome pre']) {
      t.ok((await texts(page, selector))[0]?.includes(HOSTILE_SHOWN), selector)
    }
    t.match((await texts(page, '#log pre')).join(), `at ${HOSTILE_SHOWN}`)
    await page.click(`${tile(2)} button`)
    t.equal((await texts(page, '#ask-title'))[0], `Recycle ${HOSTILE_SHOWN}`)
    t.equal(await page.evaluate('window.hacked'), undefined)
    t.equal(await page.locator('img, script:not(body > script)').count(), 0)
    t.strictSame(complaints, [])
  })

  await t.test(
    'on a phone nothing is cut off, in light and in dark, and nothing moves for who wants that',
    async (t) => {
      const scene = new Scene(t)
      const long = 'a'.repeat(300)
      const roll = { generation: 2, kind: 'refork' as const, phase: 'promoting' }
      const processes = [worker(1, { state: 'launching' }), worker(2, { role: 'service', name: long })]
      scene.status = statusOf(processes, { name: long, roll })
      scene.say('error', long, long)
      await scene.serve()
      const { page } = await open(t, browser, scene, { viewport: { width: 360, height: 700 }, colorScheme: 'light' })
      scene.cluster.emit('reload:failed', { generation: 2, phase: 'boot', error: new Error(long) })
      await shows(page, '#outcome', 'failed')
      await page.click('#log summary')
      t.equal(await page.evaluate('document.documentElement.scrollWidth'), 360)
      const outside = await page.locator('main *, header *').evaluateAll((all) =>
        all
          .filter((element) => !element.closest('pre, svg, .unseen'))
          .filter((element) => element.getBoundingClientRect().right > 360.5)
          .map(({ id, className }) => `${id} ${className}`)
      )
      t.strictSame(outside, [])
      const styleOf = (selector: string, name: string) =>
        page.evaluate(`getComputedStyle(document.querySelector('${selector}')).${name}`)
      const light = await styleOf('body', 'backgroundColor')
      await page.emulateMedia({ colorScheme: 'dark' })
      t.not(await styleOf('body', 'backgroundColor'), light)
      t.equal(await styleOf('.tile .dot', 'animationName'), 'turn')
      await page.emulateMedia({ reducedMotion: 'reduce' })
      t.equal(await styleOf('.tile .dot', 'animationName'), 'none')
      await page.click('[data-action=scale]')
      const box = await page.locator('#ask').boundingBox()
      t.ok(box && box.x >= 0 && box.x + box.width <= 360)
    }
  )

  await t.test('a page of another origin can press nothing', async (t) => {
    const scene = new Scene(t)
    await scene.serve()
    const other = http.createServer((_request, response) =>
      response.writeHead(200, { 'content-type': 'text/html' }).end()
    )
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    t.teardown(() => {
      other.close()
      other.closeAllConnections()
    })
    const context = await browser.newContext()
    t.teardown(() => before(context.close(), () => 'the window to close'))
    const page = await context.newPage()
    const token = Buffer.from(PASSWORD).toString('base64')
    // Another port is another origin of the same site; another name for the machine is another site.
    for (const host of ['127.0.0.1', 'localhost']) {
      await page.goto(`http://${host}:${(other.address() as AddressInfo).port}/`)
      const tried = await page.evaluate(
        async ([url, token]) => {
          const post = (headers: Record<string, string>, mode: RequestInit['mode']) =>
            fetch(`${url}actions/reload`, { method: 'POST', headers, body: '{}', mode, credentials: 'include' }).then(
              ({ status, type }) => `${type} ${status}`,
              () => 'refused'
            )
          const full = { 'content-type': 'application/json', 'x-mapache': '1', authorization: `Bearer ${token}` }
          const read = new Promise<string>((resolve) => {
            const source = new EventSource(`${url}events`)
            source.onmessage = () => resolve('read')
            source.onopen = () => resolve('open')
            source.onerror = () => resolve('refused')
          })
          return [await post(full, 'cors'), await post({ 'content-type': 'text/plain' }, 'no-cors'), await read]
        },
        [scene.url, token]
      )
      t.strictSame(tried, ['refused', 'refused', 'refused'], host)
      await page.setContent(
        `<form method="post" enctype="text/plain" action="${scene.url}actions/reload"><input name='{"a":"' value='"}'><button>go</button></form>`
      )
      const [response] = await Promise.all([page.waitForResponse(/actions/), page.click('button')])
      t.equal(response.status(), 403, host)
      await page.goto(`http://${host}:${(other.address() as AddressInfo).port}/`)
      await page.setContent(`<iframe src="${scene.url}"></iframe>`)
      await until(
        () => page.frames().some((frame) => frame.url().startsWith('chrome-error:')),
        'the frame to be refused'
      )
    }
    t.strictSame(scene.calls, [])
    t.strictSame(scene.tried, [], 'not even the password was looked at')
    t.equal(scene.watching, 0, 'no stream was begun')
  })
})
