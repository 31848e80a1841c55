import { once } from 'node:events'
import http from 'node:http'
import http2 from 'node:http2'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import zlib from 'node:zlib'
import express from 'express'
import Fastify from 'fastify'
import t from 'tap'
import { installRefresh } from '#dev/refresh.js'
import { type Answer, before, get, type Test } from '../support/fixture.js'

const BROWSER = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8', 'sec-fetch-dest': 'document' }
const TAG = /<script src="\/\.mapache\/dev\/refresh\.js\?stamp=(7-[0-9a-f]{8})" defer><\/script>\n$/
const PAGE = '<!doctype html><p>hé</p>'

const retiring = new AbortController()
t.teardown(installRefresh({ generation: 7, retiring: retiring.signal }))

/** Serves until the test's end. @returns the port */
async function serve(t: Test, listener: http.RequestListener): Promise<number> {
  const server = http.createServer(listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

const load = (port: number, path = '/', options: http.RequestOptions = {}): Promise<Answer> =>
  get({ host: '127.0.0.1', port, headers: BROWSER, ...options }, path)

/** How apps send a page. */
const pages: Record<string, (response: http.ServerResponse) => void> = {
  'end alone': (response) => {
    response.setHeader('content-type', 'text/html')
    response.end(PAGE)
  },
  'end with a callback': (response) => {
    response.setHeader('Content-Type', 'text/html; charset=utf-8')
    response.end(PAGE, 'utf8', () => {})
  },
  'a buffer with its length': (response) => {
    response.setHeader('content-type', 'TEXT/HTML')
    response.setHeader('content-length', Buffer.byteLength(PAGE))
    response.end(Buffer.from(PAGE))
  },
  'another encoding': (response) => {
    response.setHeader('content-type', 'text/html')
    response.end(Buffer.from(PAGE).toString('base64'), 'base64')
  },
  'writeHead with an object': (response) => {
    response.writeHead(200, { 'Content-Type': 'text/html', 'Content-Length': Buffer.byteLength(PAGE) }).end(PAGE)
  },
  'writeHead with a reason': (response) => {
    response.writeHead(200, 'Fine', { 'content-type': 'text/html', 'content-length': String(Buffer.byteLength(PAGE)) })
    response.write(PAGE)
    response.end()
  },
  'writeHead with a list': (response) => {
    const length = String(Buffer.byteLength(PAGE))
    response.writeHead(200, ['Content-Type', 'text/html', 'Content-Length', length, 'Set-Cookie', 'a=1'])
    response.end(PAGE)
  },
  'writeHead with a list, and headers before it': (response) => {
    response.setHeader('content-length', 3)
    response.writeHead(200, ['Content-Type', 'text/html', 'Content-Length', String(Buffer.byteLength(PAGE))])
    response.end(PAGE)
  },
  'writeHead with pairs': (response) => {
    const length = String(Buffer.byteLength(PAGE))
    response.writeHead(200, [
      ['Content-Type', 'text/html'],
      ['Content-Length', length]
    ] as never)
    response.end(PAGE)
  },
  'several writes': (response) => {
    response.setHeader('content-type', 'text/html')
    for (const character of PAGE) response.write(character)
    response.end()
  },
  'a stream': (response) => {
    response.setHeader('content-type', 'text/html')
    Readable.from([PAGE.slice(0, 5), PAGE.slice(5)]).pipe(response)
  },
  'a stream with its length': (response) => {
    response.writeHead(200, { 'content-type': 'text/html', 'content-length': Buffer.byteLength(PAGE) })
    Readable.from([PAGE]).pipe(response)
  },
  'flushed headers': (response) => {
    response.setHeader('content-type', 'text/html')
    response.flushHeaders()
    setImmediate(() => response.end(PAGE))
  },
  'a length that is checked': (response) => {
    response.strictContentLength = true
    response.setHeader('content-type', 'text/html')
    response.setHeader('content-length', Buffer.byteLength(PAGE))
    response.end(PAGE)
  },
  'an error page': (response) => {
    response.writeHead(404, { 'content-type': 'text/html' }).end(PAGE)
  },
  'an identity that is named': (response) => {
    response.writeHead(200, { 'content-type': 'text/html', 'content-encoding': 'identity' }).end(PAGE)
  }
}

t.test('a page gets the script at its end, however it is sent', async (t) => {
  for (const [name, answer] of Object.entries(pages)) {
    const port = await serve(t, (_request, response) => answer(response))
    const { body, headers } = await load(port)
    t.match(body, TAG, name)
    t.equal(body.replace(TAG, ''), PAGE, name)
    const { 'content-length': length } = headers
    if (length !== undefined) t.equal(Number(length), Buffer.byteLength(body), name)
    else t.equal(headers['transfer-encoding'], 'chunked', name)
    const head = await load(port, '/', { method: 'HEAD' })
    t.equal(head.body, '')
    // That of a body which Node itself counts is not told with a HEAD.
    if (head.headers['content-length']) t.equal(head.headers['content-length'], length, `${name}: HEAD`)
  }
  const port = await serve(t, (_request, response) => pages['end alone']?.(response))
  t.ok((await load(port)).headers['content-length'], 'a body in one piece has a length as ever')
})

t.test('connections are kept, and the answers on them stay apart', async (t) => {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  t.teardown(() => agent.destroy())
  for (const [name, answer] of Object.entries(pages)) {
    const port = await serve(t, (_request, response) => answer(response))
    for (let count = 0; count < 3; count += 1) t.match((await load(port, '/', { agent })).body, TAG, name)
  }
})

t.test('what is no whole page goes out as it is', async (t) => {
  const html = { 'content-type': 'text/html' }
  const zipped = zlib.gzipSync(PAGE)
  const others: Record<string, [(response: http.ServerResponse) => void, string]> = {
    json: [(response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{}'), '{}'],
    'without a type': [(response) => response.end('plain'), 'plain'],
    empty: [(response) => response.writeHead(204, html).end(), ''],
    unchanged: [(response) => response.writeHead(304, { ...html, 'content-length': 9 }).end(), ''],
    partial: [(response) => response.writeHead(206, { ...html, 'content-range': 'bytes 0-1/9' }).end('ab'), 'ab'],
    compressed: [
      (response) => response.writeHead(200, { ...html, 'content-encoding': 'gzip' }).end(zipped),
      zipped.toString()
    ],
    'two bytes a letter': [
      (response) => response.writeHead(200, { 'content-type': 'text/html; charset=utf-16le' }).end(PAGE, 'utf16le'),
      Buffer.from(PAGE, 'utf16le').toString()
    ]
  }
  for (const [name, [answer, expected]] of Object.entries(others)) {
    const port = await serve(t, (_request, response) => answer(response))
    const { body, headers } = await load(port)
    t.equal(body, expected, name)
    if (name === 'unchanged') t.equal(headers['content-length'], '9')
  }
})

t.test('only what a browser loads gets the script, and not what it would have to send again', async (t) => {
  const port = await serve(t, (_request, response) => pages['end alone']?.(response))
  for (const headers of [{}, { accept: '*/*' }, { ...BROWSER, 'sec-fetch-dest': 'empty' }]) {
    t.equal((await load(port, '/', { headers })).body, PAGE)
  }
  t.equal((await load(port, '/', { method: 'POST' })).body, PAGE)
  t.match((await load(port, '/', { headers: { accept: 'text/html' } })).body, TAG, 'an address that is not secure')
  t.match((await load(port, '/', { headers: { ...BROWSER, 'sec-fetch-dest': 'iframe' } })).body, TAG)
})

t.test('what an app does wrong fails as ever', async (t) => {
  const port = await serve(t, (_request, response) => {
    response.setHeader('content-type', 'text/html')
    try {
      response.end(7 as never)
    } catch (error) {
      response.end((error as { code: string }).code)
    }
    response.end()
  })
  t.equal((await load(port)).body.replace(TAG, ''), 'ERR_INVALID_ARG_TYPE')
})

t.test('what becomes a page only when its head is written, with the body at hand, stays as it is', async (t) => {
  const port = await serve(t, (_request, response) => {
    const { writeHead } = response
    // As middleware does that changes headers at the last moment.
    response.writeHead = function (this: http.ServerResponse, ...args: unknown[]) {
      this.setHeader('content-type', 'text/html')
      return (writeHead as (...args: unknown[]) => http.ServerResponse).apply(this, args)
    } as typeof writeHead
    response.setHeader('content-length', Buffer.byteLength(PAGE))
    response.end(PAGE)
  })
  const { body, headers } = await load(port)
  t.equal(body, PAGE)
  t.equal(Number(headers['content-length']), Buffer.byteLength(PAGE))
})

t.test('an old client gets no chunks', async (t) => {
  const port = await serve(t, (_request, response) => pages['several writes']?.(response))
  const { connect } = await import('node:net')
  const socket = connect(port, '127.0.0.1').setEncoding('utf8')
  socket.end('GET / HTTP/1.0\r\naccept: text/html\r\n\r\n')
  let text = ''
  for await (const chunk of socket) text += chunk
  t.notMatch(text, /transfer-encoding/i)
  t.match(text.split('\r\n\r\n')[1], new RegExp(`^${PAGE}<script `))
})

t.test('Express: sent, rendered from a file, revalidated', async (t) => {
  const dir = t.testdir({ 'index.html': PAGE })
  const app = express()
  app.get('/sent', (_request, response) => void response.send(PAGE))
  app.get('/json', (_request, response) => void response.json({ a: 1 }))
  app.use(express.static(dir))
  const port = await serve(t, app as http.RequestListener)
  for (const path of ['/sent', '/', '/none']) {
    const { body, headers } = await load(port, path)
    t.match(body, TAG, path)
    t.equal(Number(headers['content-length']), Buffer.byteLength(body), path)
    // Its own page of an error names the method.
    if (path === '/none') continue
    const head = await load(port, path, { method: 'HEAD' })
    t.equal(head.headers['content-length'], headers['content-length'], `${path}: HEAD`)
    const again = { ...BROWSER, 'if-none-match': headers.etag, 'if-modified-since': new Date().toUTCString() }
    t.equal((await load(port, path, { headers: again })).status, 200, 'the stamp in the cache is of another process')
  }
  t.equal((await load(port, '/json')).body, '{"a":1}')
})

t.test('Fastify: sent, streamed, raw, injected', async (t) => {
  const app = Fastify()
  app.get('/sent', (_request, reply) => reply.type('text/html').send(PAGE))
  app.get('/streamed', (_request, reply) => reply.type('text/html').send(Readable.from([PAGE])))
  app.get('/raw', (_request, reply) => {
    reply.hijack()
    pages['writeHead with a list']?.(reply.raw)
  })
  app.get('/json', async () => ({ a: 1 }))
  await app.listen({ port: 0, host: '127.0.0.1' })
  t.teardown(() => app.close())
  const { port } = app.server.address() as AddressInfo
  for (const path of ['/sent', '/streamed', '/raw']) {
    const { body, headers } = await load(port, path)
    t.match(body, TAG, path)
    t.equal(body.replace(TAG, ''), PAGE, path)
    if (headers['content-length']) t.equal(Number(headers['content-length']), Buffer.byteLength(body), path)
  }
  t.equal((await load(port, '/json')).body, '{"a":1}')
  t.equal((await app.inject({ url: '/sent', headers: BROWSER })).body, PAGE)
})

t.test('HTTP/2', async (t) => {
  const server = http2.createServer((request, response) => {
    if (request.url === '/end') {
      response.setHeader('content-type', 'text/html')
      response.setHeader('content-length', Buffer.byteLength(PAGE))
    } else {
      response.writeHead(200, { 'content-type': 'text/html' })
    }
    response.end(PAGE)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const session = http2.connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  t.teardown(() => {
    session.destroy()
    server.close()
  })
  const ask = async (path: string) => {
    let body = ''
    for await (const chunk of session.request({ ':path': path, ...BROWSER }).setEncoding('utf8')) body += chunk
    return body
  }
  for (const path of ['/end', '/head']) t.match(await before(ask(path), () => path), TAG, path)
  t.match(await before(ask('/.mapache/dev/refresh.js'), () => 'the script'), 'EventSource')
})

t.test('the script names the process that the page came from', async (t) => {
  const port = await serve(t, (_request, response) => response.end('the app'))
  const { headers, body } = await load(port, '/.mapache/dev/refresh.js?stamp=6-<%2Fscript>')
  t.match(headers, { 'content-type': /^text\/javascript/, 'cache-control': 'no-store' })
  t.ok(body.includes('const stamp = "6-\\u003c/script>"'))
  t.equal((await load(port, '/.mapache/dev/refresh', { method: 'POST' })).body, 'the app')
  t.equal((await load(port, '/.mapache/dev/other')).body, 'the app')
  t.equal((await load(port, '/.mapache/dev/refresh', { method: 'HEAD' })).body, '')
})

t.test('the stream says the stamp, and ends when the process leaves', async (t) => {
  const port = await serve(t, (_request, response) => pages['end alone']?.(response))
  const [, stamp] = TAG.exec((await load(port)).body) ?? []
  const request = http.get({ host: '127.0.0.1', port, path: '/.mapache/dev/refresh', agent: false })
  const [response] = (await before(once(request, 'response'), () => 'the stream')) as [http.IncomingMessage]
  t.match(response.headers, { 'content-type': 'text/event-stream', 'cache-control': /no-store/ })
  let text = ''
  response.setEncoding('utf8').on('data', (chunk) => {
    text += chunk
  })
  await before(once(response, 'data'), () => 'the stamp')
  t.equal(text, `event: stamp\ndata: ${stamp}\n\n`)
  await load(port)
  t.notOk(response.complete, 'open while others come and go')
  retiring.abort()
  await before(once(response, 'end'), () => 'the end of the stream')
  const late = await load(port, '/.mapache/dev/refresh')
  t.equal(late.body, `event: stamp\ndata: ${stamp}\n\n`, 'one that comes later ends at once')
})
