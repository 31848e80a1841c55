import t from 'tap'
import { ResponseReader, WireError, type WireResponse } from '../support/loss/wire.js'

const SIZED = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'
const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n\r\n'
const TRAILERS = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nDigest: b\r\n\r\n'
const NO_BODY = 'HTTP/1.1 204 No Content\r\n\r\n'
const EARLY_HINTS = 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'
const CLOSING = 'HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno'
const UNTIL_CLOSE = 'HTTP/1.1 200 OK\r\n\r\nall of it'

function readAll(reader: ResponseReader): WireResponse[] {
  const responses: WireResponse[] = []
  for (let response = reader.next(); response !== undefined; response = reader.next()) responses.push(response)
  return responses
}

function brief(responses: WireResponse[]) {
  return responses.map(({ status, body, close }) => [status, body.toString(), close])
}

t.test('responses in a row come out whole, wherever the stream is cut in pieces', async (t) => {
  const stream = Buffer.from(SIZED + CHUNKED + TRAILERS + NO_BODY + EARLY_HINTS + CLOSING)
  const expected = [
    [200, 'hello', false],
    [200, 'hello world', false],
    [200, 'a', false],
    [204, '', false],
    [503, 'no', true]
  ]
  for (let size = 1; size <= stream.length; size++) {
    const reader = new ResponseReader()
    const responses: WireResponse[] = []
    for (let at = 0; at < stream.length; at += size) {
      reader.push(stream.subarray(at, at + size))
      responses.push(...readAll(reader))
    }
    t.strictSame(brief(responses), expected, `in pieces of ${size}`)
    t.notOk(reader.started)
  }
})

t.test('no response comes out before its last byte', async (t) => {
  for (const text of [SIZED, CHUNKED, TRAILERS, CLOSING]) {
    const reader = new ResponseReader()
    reader.push(Buffer.from(text.slice(0, -1)))
    reader.end()
    t.strictSame(readAll(reader), [])
    t.ok(reader.started)
  }
})

t.test('a body without a length is whole when the connection ends, and says close', async (t) => {
  const reader = new ResponseReader()
  reader.push(Buffer.from(UNTIL_CLOSE))
  t.strictSame(readAll(reader), [])
  t.ok(reader.closing)
  reader.end()
  t.strictSame(brief(readAll(reader)), [[200, 'all of it', true]])
})

t.test('Connection: close is seen with the head, before the body is whole', async (t) => {
  const reader = new ResponseReader()
  reader.push(Buffer.from(CLOSING.slice(0, -1)))
  t.ok(reader.closing)
})

t.test('HTTP/1.0 closes unless it says otherwise', async (t) => {
  for (const [header, close] of [
    ['', true],
    ['Connection: keep-alive\r\n', false]
  ] as const) {
    const reader = new ResponseReader()
    reader.push(Buffer.from(`HTTP/1.0 200 OK\r\n${header}Content-Length: 0\r\n\r\n`))
    t.equal(reader.next()?.close, close)
  }
})

t.test('what is no HTTP is an error', async (t) => {
  const wrong = {
    'not a status line': 'SSH-2.0-OpenSSH\r\n\r\n',
    'not a header': 'HTTP/1.1 200 OK\r\nnonsense\r\n\r\n',
    'not a content-length': 'HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\n',
    'not a chunk size': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n',
    'a chunk is longer': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n'
  }
  for (const [message, text] of Object.entries(wrong)) {
    t.throws(
      () => {
        const reader = new ResponseReader()
        reader.push(Buffer.from(text))
        readAll(reader)
      },
      { name: 'WireError', message: new RegExp(`^${message}`) }
    )
  }
  t.equal(new WireError('x').name, 'WireError')
})
