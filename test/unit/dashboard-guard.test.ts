import { hostname } from 'node:os'
import t from 'tap'
import { checkCaller, checkHost, checkReader, passwordOf } from '#metrics/page/guard.js'

t.test('only names that the service is known by', (t) => {
  const good = ['127.0.0.1:9464', 'localhost', 'LOCALHOST:1', 'a.localhost:80', '[::1]:9464', '10.1.2.3', hostname()]
  for (const host of [...good, 'ops.example.com', 'ops.example.com:443', 'other.example.com:8443']) {
    t.equal(checkHost({ host }, ['ops.example.com', 'other.example.com:8443']), undefined, host)
  }
  for (const host of [
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example:9464',
    'evil-localhost',
    '::1.a'
  ]) {
    t.match(checkHost({ host }, []), { status: /^(421|400)$/ }, host)
  }
  t.match(checkHost({ host: 'other.example.com' }, ['other.example.com:8443']), { status: 421 })
  for (const host of [undefined, '', 'a b', 'a/b', 'user@127.0.0.1', '127.0.0.1:port']) {
    t.match(checkHost({ host }, []), { status: 400 }, String(host))
  }
  t.end()
})

t.test('no page but this one reads the stream', (t) => {
  for (const site of [undefined, 'same-origin', 'none']) t.equal(checkReader({ 'sec-fetch-site': site }), undefined)
  for (const site of ['cross-site', 'same-site', '']) t.match(checkReader({ 'sec-fetch-site': site }), { status: 403 })
  t.end()
})

t.test('no page but this one acts', (t) => {
  const good = {
    host: '127.0.0.1:9464',
    origin: 'http://127.0.0.1:9464',
    'sec-fetch-site': 'same-origin',
    'content-type': 'application/json',
    'x-mapache': '1'
  }
  t.equal(checkCaller(good), undefined)
  t.equal(checkCaller({ ...good, 'content-type': 'application/json; charset=UTF-8' }), undefined)
  t.equal(checkCaller({ ...good, origin: undefined, 'sec-fetch-site': undefined }), undefined, 'a program')
  t.equal(checkCaller({ ...good, origin: 'https://127.0.0.1:9464' }), undefined, 'TLS ends before the service')
  const bad = [
    { origin: 'http://127.0.0.1:3000' },
    { origin: 'http://evil.example' },
    { origin: 'http://127.0.0.1:9464.evil.example' },
    { origin: 'http://evil.example/127.0.0.1:9464' },
    { origin: 'null' },
    { origin: '' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { 'sec-fetch-site': 'none' },
    { 'x-mapache': undefined },
    { 'x-mapache': '2' }
  ]
  for (const change of bad) t.match(checkCaller({ ...good, ...change }), { status: 403 }, JSON.stringify(change))
  for (const type of [undefined, 'text/plain', 'application/x-www-form-urlencoded', 'application/json, text/plain']) {
    t.match(checkCaller({ ...good, 'content-type': type }), { status: 415 }, String(type))
  }
  t.end()
})

t.test('the password is UTF-8 in base64', (t) => {
  const encoded = Buffer.from('a pässword').toString('base64')
  t.equal(passwordOf({ authorization: `Bearer ${encoded}` }), 'a pässword')
  for (const authorization of [
    undefined,
    '',
    'Bearer',
    `Basic ${encoded}`,
    'Bearer a b',
    `Bearer ${'a'.repeat(3_000)}`
  ]) {
    t.equal(passwordOf({ authorization }), undefined, String(authorization))
  }
  t.end()
})
