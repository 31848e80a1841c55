import { once } from 'node:events'
import http from 'node:http'
import net from 'node:net'
import t from 'tap'
import { before, get, until } from '../support/fixture.js'
import { PASSWORD, Scene, statusOf, worker } from './dashboard-kit.js'

const bearer = (password: string) => `Bearer ${Buffer.from(password).toString('base64')}`

interface Sent {
  status: number
  body: { ok?: boolean; error?: string }
  headers: http.IncomingHttpHeaders
}

/** Sends what the page's script sends, with changes. */
function send(scene: Scene, action: string, body: unknown = {}, change: Record<string, string | undefined> = {}) {
  const headers: Record<string, string | undefined> = {
    'content-type': 'application/json',
    'x-mapache': '1',
    authorization: bearer(PASSWORD),
    ...change
  }
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const answer = new Promise<Sent>((resolve, reject) => {
    const given = Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined))
    const options = { method: 'POST', agent: false, headers: given as Record<string, string> }
    const request = http.request(`${scene.url}actions/${action}`, options, async (response) => {
      const whole = (await response.setEncoding('utf8').toArray()).join('')
      resolve({ status: response.statusCode ?? 0, body: JSON.parse(whole), headers: response.headers })
    })
    request.on('error', reject)
    request.end(text)
  })
  return before(answer, () => `the answer to ${action}`)
}

/** Reads the stream as a program does. */
async function listen(scene: Scene, headers: Record<string, string> = {}) {
  const stream = { status: 0, text: '', ended: false, close: () => {} }
  const response = await before(
    new Promise<http.IncomingMessage>((resolve, reject) => {
      http.get(`${scene.url}events`, { agent: false, headers }, resolve).on('error', reject)
    }),
    () => 'the stream'
  )
  stream.status = response.statusCode ?? 0
  response.setEncoding('utf8').on('data', (text: string) => {
    stream.text += text
  })
  response.on('close', () => {
    stream.ended = true
  })
  response.on('error', () => {})
  stream.close = () => response.destroy()
  return stream
}

t.test('what it takes, and what it leaves to others', async (t) => {
  const scene = new Scene(t)
  await scene.serve()
  const page = await get(scene.port)
  t.equal(page.status, 200)
  t.match(page.headers, { 'content-type': 'text/html; charset=utf-8', 'x-frame-options': 'DENY' })
  t.equal((await get({ port: scene.port, method: 'HEAD' }, '/?a')).body, '')
  for (const path of ['/metrics', '/event', '/events/', '/actions', '//', '/index.html']) {
    t.equal((await get(scene.port, path)).body, 'of another', path)
  }
  const posted = await get({ port: scene.port, method: 'POST' }, '/')
  t.match(posted, { status: 405, headers: { allow: 'GET, HEAD' } })
  t.match(await get({ port: scene.port, host: '127.0.0.1', headers: { host: 'evil.example' } }, '/'), { status: 421 })
  t.match(await get({ port: scene.port, headers: { host: 'evil.example' } }, '/events'), { status: 421 })
  t.match(await get({ port: scene.port, headers: { 'sec-fetch-site': 'cross-site' } }, '/events'), { status: 403 })
})

t.test('an action is done for who has the password, and told', async (t) => {
  const scene = new Scene(t)
  await scene.serve()
  const stream = await listen(scene)
  t.match(await send(scene, 'reload'), { status: 202, body: { ok: true } })
  t.match(await send(scene, 'scale', { workers: 5 }, { 'x-forwarded-for': '10.9.9.9\u00e9 x' }), { status: 202 })
  t.match(await send(scene, 'recycle', { id: 2 }), { status: 202 })
  t.match(await send(scene, 'refork'), { status: 202 })
  scene.failure = new Error('no earlier generation')
  t.match(await send(scene, 'rollback'), { status: 202 })
  t.strictSame(scene.calls, ['reload', 'scale 5', 'recycle 2', 'refork', 'rollback'])
  t.match(scene.audits[0], /^reload asked for from the dashboard by (::ffff:)?127\.0\.0\.1$/)
  t.match(scene.audits[1], /^scale to 5 .*says it forwards for 10\.9\.9\.9/)
  await until(() => stream.text.includes('no earlier generation'), 'the outcome')
  t.match(scene.audits[5], 'Failed: rollback: no earlier generation')
  t.match(stream.text, /event: outcome\ndata: .*Done: scale to 5/)
  t.match(stream.text, /event: outcome\ndata: .*Failed: rollback: no earlier generation/)
  t.match(stream.text, /event: entry\ndata: .*reload asked for/)
  // A page that is opened later hears of it too.
  const later = await listen(scene)
  await until(() => later.text.includes('event: log'), 'the log')
  t.match(later.text, 'recycle of process 2 asked for')
  for (const { close } of [stream, later]) close()
})

t.test('nothing is done for others', async (t) => {
  const scene = new Scene(t)
  await scene.serve()
  const own = scene.url.slice(0, -1)
  const cases: [string, Awaited<ReturnType<typeof send>>, number][] = [
    ['another origin', await send(scene, 'reload', {}, { origin: 'http://evil.example' }), 403],
    ['another site', await send(scene, 'reload', {}, { origin: own, 'sec-fetch-site': 'cross-site' }), 403],
    ['a sandboxed page', await send(scene, 'reload', {}, { origin: 'null' }), 403],
    ['another name', await send(scene, 'reload', {}, { host: 'evil.example', origin: 'http://evil.example' }), 421],
    ['no header', await send(scene, 'reload', {}, { 'x-mapache': undefined }), 403],
    ['a form', await send(scene, 'reload', 'a=b', { 'content-type': 'application/x-www-form-urlencoded' }), 415],
    ['a large body', await send(scene, 'reload', { x: 'x'.repeat(2_000) }), 413],
    ['no JSON', await send(scene, 'reload', '{'), 400],
    ['no object', await send(scene, 'reload', '[]'), 400],
    ['no action', await send(scene, 'constructor'), 404],
    ['no number', await send(scene, 'scale', { workers: '5' }), 400],
    ['no worker', await send(scene, 'scale', { workers: 0 }), 400],
    ['no process', await send(scene, 'recycle', {}), 400],
    ['no password', await send(scene, 'reload', {}, { authorization: undefined }), 401],
    ['a wrong one', await send(scene, 'reload', {}, { authorization: bearer('wrong') }), 401]
  ]
  for (const [what, { status, body }, wanted] of cases) {
    t.equal(status, wanted, what)
    t.type(body.error, 'string')
  }
  t.strictSame(scene.calls, [])
  t.equal(scene.tried.filter(({ password }) => password !== PASSWORD).length, 1, 'asked of the credential once')
  t.match(scene.audits, [/^wrong password on the dashboard by .*127\.0\.0\.1$/])
  scene.retryAfter = 2_500
  const slowed = await send(scene, 'reload', {}, { authorization: bearer('wrong') })
  t.match(slowed, { status: 429, headers: { 'retry-after': '3' }, body: { error: /in 3 s/ } })
  t.match(await get({ port: scene.port }, '/actions/reload'), { status: 405 })
})

t.test('without a password nothing can be done, and it says why', async (t) => {
  const scene = new Scene(t)
  await scene.serve({ credential: undefined })
  const { status, body } = await send(scene, 'reload')
  t.equal(status, 403)
  t.match(body.error, /option password/)
  t.notMatch((await get(scene.port)).body, /<button[^>]*data-action/)
  t.strictSame(scene.calls, [])
})

t.test('the tries of one address do not add up', async (t) => {
  const scene = new Scene(t)
  let answer = () => {}
  const asked = new Promise<void>((resolve) => {
    answer = resolve
  })
  await scene.serve({ credential: { verify: () => asked.then(() => ({ ok: true as const })) } })
  let answered = 0
  const tries = Array.from({ length: 6 }, async () => {
    const { status } = await send(scene, 'reload')
    answered += 1
    return status
  })
  await until(() => answered === 3, 'the refusals')
  answer()
  t.strictSame((await Promise.all(tries)).sort(), [202, 202, 202, 429, 429, 429])
})

t.test('nothing is followed while nobody looks; streams are bounded', async (t) => {
  const scene = new Scene(t)
  await scene.serve({ streams: 2 })
  const listeners = () => scene.cluster.eventNames().length
  t.equal(scene.watching + listeners(), 0)
  const [one, two] = [await listen(scene), await listen(scene)]
  t.equal(scene.watching, 1)
  t.ok(listeners() > 0)
  t.match(await get(scene.port, '/events'), { status: 503, headers: { 'retry-after': '5' } })
  scene.requests = 70
  scene.tick()
  await until(() => two.text.includes('"requests":70'), 'the frame')
  one.close()
  two.close()
  await until(() => scene.watching === 0, 'the end of following')
  t.equal(listeners(), 0)
  const three = await listen(scene)
  await until(() => three.text.includes('event: log'), 'the stream')
  t.match(three.text, /event: hello\ndata: .*"history":\[\[\d+,70,25,/, 'what was seen before')
  three.close()
})

t.test('a change is told at once, with the rates as they were', async (t) => {
  const scene = new Scene(t)
  await scene.serve()
  const stream = await listen(scene)
  const frames = () => stream.text.match(/event: frame/g)?.length ?? 0
  await until(() => frames() === 2, 'the newest overview, and the status after it')
  scene.requests = 30
  scene.tick()
  scene.status = statusOf([worker(1), worker(2), worker(3, { state: 'launching' })])
  for (const id of [1, 2, 3]) scene.cluster.emit('worker:launch', worker(id))
  await until(() => stream.text.includes('"state":"launching"'), 'the frame')
  t.equal(frames(), 4, 'three events made one frame')
  t.match(stream.text.split('event: frame').at(-1), /"requests":30,/)
  stream.close()
})

t.test('a page that does not read is dropped; the others hear on', async (t) => {
  const scene = new Scene(t)
  await scene.serve()
  const stream = await listen(scene)
  const slow = net.connect(scene.port, '127.0.0.1')
  slow.on('error', () => {})
  slow.write(`GET /events HTTP/1.1\r\nHost: 127.0.0.1:${scene.port}\r\n\r\n`)
  let dropped = false
  slow.on('close', () => {
    dropped = true
  })
  await before(once(slow, 'data'), () => 'the stream')
  slow.pause()
  const error = 'x'.repeat(15_000)
  let lines = 0
  await until(() => {
    for (const end = lines + 25; lines < end && lines < 1_500; lines += 1) scene.say('error', `line ${lines}`, error)
    // What the kernel holds is read only now: that it was cut off is seen at its end.
    if (lines === 1_500) slow.resume()
    return dropped
  }, 'the slow one to be dropped')
  scene.say('info', 'the last line')
  // The log of many long lines is no burst that would drop a page at its beginning.
  const late = await listen(scene)
  await until(() => late.text.includes('the last line'), 'the log')
  t.ok(late.text.length < 500_000, `${late.text.length} letters`)
  late.close()
  await until(() => stream.text.includes('the last line'), 'the others')
  stream.close()
})

t.test('streams end when the process leaves, and the next one has them', async (t) => {
  const scene = new Scene(t)
  await scene.serve()
  const stream = await listen(scene)
  await scene.serve()
  await until(() => stream.ended, 'the end')
  const next = await listen(scene)
  t.equal(next.status, 200)
  next.close()
})
