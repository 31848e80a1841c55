import { readdirSync, readFileSync, statSync } from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import t from 'tap'
import { OPERATOR_VERSION, PROTOCOL_VERSION } from '#core/channel/messages.js'
import { put, reload, Watch } from '../support/deploy.js'
import { before, type Fixture, get, start, until } from '../support/fixture.js'
import { seededRandom } from '../support/loss/random.js'

function channelOf(fixture: Fixture): string {
  const root = path.join(fixture.folder, 'mapache')
  return path.join(root, readdirSync(root)[0] as string)
}

/** Says something to a channel's socket. @returns what it answered until it closed */
async function say(socketPath: string, ...parts: (string | Buffer)[]): Promise<string> {
  const socket = net.connect(socketPath)
  let heard = ''
  socket.setEncoding('utf8').on('data', (text: string) => {
    heard += text
  })
  socket.on('error', () => {})
  const closed = new Promise((resolve) => socket.on('close', resolve))
  for (const part of parts) socket.write(part)
  await before(closed, () => 'the channel to close')
  return heard
}

t.test('the channel is private: folder 0700, socket 0600', async (t) => {
  const fixture = start(t, 'life.mjs')
  await fixture.serving()
  const folder = channelOf(fixture)
  t.equal(statSync(folder).mode & 0o777, 0o700)
  t.equal(statSync(path.dirname(folder)).mode & 0o777, 0o700)
  t.equal(statSync(path.join(folder, 'channel.sock')).mode & 0o777, 0o600)
})

t.test('a stranger is refused, whatever it says, and disturbs nobody', async (t) => {
  const fixture = start(t, 'life.mjs')
  const port = await fixture.port()
  const pids = await fixture.workersServing(2)
  const socket = path.join(channelOf(fixture), 'channel.sock')
  const watch = new Watch(t, port)
  watch.allowed = { includes: () => true } as never
  const hello = (token: string, version = PROTOCOL_VERSION) => `${JSON.stringify({ type: 'hello', version, token })}\n`
  t.match(await say(socket, hello('wrong')), /unknown token/)
  t.match(await say(socket, hello('x'.repeat(64))), /unknown token/)
  t.match(await say(socket, hello('x', 99)), /protocol version 99/)
  t.match(await say(socket, '{"type":"call","request":1,"method":"stop"}\n'), /call out of turn/)
  t.match(await say(socket, '{"type":"__proto__"}\n'), /unknown message type/)
  t.match(await say(socket, 'GET / HTTP/1.1\r\n\r\n'), /refused/)
  t.match(await say(socket, 'null\n'), /unknown message type/)
  t.match(await say(socket, Buffer.alloc(3_000_000, 'x')), /longer than|^$/)
  // Half a message, and nothing: until the hello's deadline.
  await Promise.all([say(socket, '{"type":"hel'), say(socket)])
  await Promise.all(Array.from({ length: 300 }, () => say(socket, hello('wrong'))))
  t.strictSame(await watch.stop(), [])
  t.strictSame(fixture.workers, pids)
  t.equal(await reload(fixture), 'done')
})

// A worker that talks on its own connection, which it finds by watching net.connect ahead of the runtime.
const TAP = `import net from 'node:net'
const connect = net.connect
net.connect = (...args) => { const socket = connect(...args); globalThis.channel ??= socket; return socket }`
const ENTRY = `import http from 'node:http'
http.createServer((req, res) => {
  const { channel } = globalThis
  const url = new URL(req.url, 'http://x')
  if (url.pathname === '/raw') channel.write(url.searchParams.get('text') + '\\n')
  if (url.pathname === '/flood') for (let i = 0; i < 100000; i++) channel.write('{"type":"leave"}\\n'.replace('leave', 'vitals'))
  if (url.pathname === '/valid') for (let i = 0; i < 50000; i++) channel.write(JSON.stringify({ type: 'module', module: 'm', message: 'n', data: i }) + '\\n')
  if (url.pathname === '/huge') channel.write('x'.repeat(5000000))
  if (url.pathname === '/half') channel.write('{"type":"vit')
  res.end(String(process.pid))
}).listen(0, '127.0.0.1')`

t.test('what a worker sends wrongly is refused and costs only itself', async (t) => {
  const folder = t.testdir()
  const tap = put(path.join(folder, 'tap.mjs'), TAP)
  const entry = put(path.join(folder, 'app.mjs'), ENTRY)
  const fixture = start(t, path.join(process.cwd(), 'packages/cli/dist/main.js'), {
    args: ['start', '-w', '3', '--settle', '50', entry],
    env: { NODE_OPTIONS: `--import=${new URL(`file://${tap}`).href}` }
  })
  const port = await fixture.port()
  await fixture.workersServing(3)
  const raw = (text: string) => get(port, `/raw?text=${encodeURIComponent(text)}`)
  for (const [text, why] of [
    ['{"type":"vitals","vitals":{}}', /vitals: vitals\./],
    ['{"type":"alive"}', /a worker may not send alive/],
    ['{"type":"ready"}', /ready while serving/],
    ['{"type":"hello","version":1,"token":"x"}', /hello out of turn/],
    ['{"type":"constructor"}', /unknown message type constructor/],
    ['{"type":"call","request":1,"method":"stop"}', /./]
  ] as const) {
    const from = fixture.output.length
    await raw(text)
    if (text.includes('stop')) continue
    await fixture.printed(new RegExp(`MAPACHE_CHANNEL_REFUSED: .*${why.source}`), from)
  }
  t.equal(fixture.workers.length, 3, 'and nobody is ended for one mistake')
  for (const at of ['/raw?text=nonsense', '/huge', '/flood', '/half', '/valid']) {
    const from = fixture.output.length
    const { body } = await get(port, at)
    if (at === '/half' || at === '/valid') continue
    await fixture.printed(new RegExp(`pid=${body} (exited|ended)`), from)
    await until(
      () => fixture.workers.length === 3,
      'a replacement',
      () => fixture.output.slice(-3_000)
    )
  }
  t.equal(await reload(fixture), 'done')
  t.equal((await get(port)).status, 200)
  const rss = Number(
    /VmRSS:\s+(\d+)/.exec((await import('node:fs')).readFileSync(`/proc/${fixture.pid}/status`, 'utf8'))?.[1]
  )
  t.ok(rss < 250_000, `the supervisor's memory stays bounded: ${rss} kB`)
})

t.test('10,000 malformed messages of operators cost nobody but their senders anything', async (t) => {
  const fixture = start(t, 'life.mjs')
  const port = await fixture.port()
  const pids = await fixture.workersServing(2)
  const socket = path.join(channelOf(fixture), 'channel.sock')
  const hello = `{"type":"hello","version":${OPERATOR_VERSION},"token":"operator"}\n`
  const watch = new Watch(t, port)
  watch.allowed = { includes: () => true } as never
  const random = seededRandom(11)
  const pick = <Item>(items: readonly Item[]) => items[Math.floor(random() * items.length)] as Item
  const values = [-1, 0.5, '', 'x', 'x'.repeat(500), null, [], {}, { __proto__: 1 }, true]
  const malformed = () => {
    const kinds = [
      () => JSON.stringify({ type: 'call', request: pick(values), method: pick(['status', 'scale', pick(values)]) }),
      () => JSON.stringify({ type: 'call', request: 1, method: 'scale', workers: pick(values.slice(0, 5)), more: 1 }),
      () =>
        JSON.stringify({ type: pick(['vitals', 'ready', 'module', 'listen', 'welcome', '__proto__', pick(values)]) }),
      () => JSON.stringify(pick(values))
    ]
    return `${pick(kinds)()}\n`
  }
  const memory = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${fixture.pid}/status`, 'utf8'))?.[1])
  const volley = async (connections: number) => {
    for (let sent = 0; sent < connections; sent += 25) {
      // After 20 that do not fit a connection is closed.
      const one = () => say(socket, hello + Array.from({ length: 20 }, malformed).join(''))
      await Promise.all(Array.from({ length: 25 }, one))
    }
  }
  await volley(250)
  const before = memory()
  await volley(250)
  t.ok(memory() < before + 15_000, `${memory()} kB after ${before}`)
  t.strictSame(await watch.stop(), [])
  t.strictSame(fixture.workers, pids)
  t.match(await say(socket, `${hello}${'x'.repeat(2_000_000)}`), /longer than|^$/)
  t.equal(await reload(fixture), 'done')
})
