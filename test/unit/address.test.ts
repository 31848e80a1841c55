import t from 'tap'
import { addressKey, formatAddress, parseAddress, parseListen, resolveAddress } from '#core/address.js'

const callback = () => {}

/** The forms of server.listen, less the callback. */
const VALID: [args: unknown[], address: object][] = [
  [[], { port: 0 }],
  [[undefined], { port: 0 }],
  [[null], { port: 0 }],
  [[undefined, undefined, 511], { port: 0 }],
  [[0], { port: 0 }],
  [[3000], { port: 3000 }],
  [[65_535], { port: 65_535 }],
  [['3000'], { port: 3000 }],
  [['0'], { port: 0 }],
  [['0x10'], { port: 16 }],
  [[3000, '127.0.0.1'], { port: 3000, host: '127.0.0.1' }],
  [['3000', '::'], { port: 3000, host: '::' }],
  [[3000, 'localhost', 511], { port: 3000, host: 'localhost', backlog: 511 }],
  [[3000, undefined, 511], { port: 3000, backlog: 511 }],
  [[3000, null, 511], { port: 3000, backlog: 511 }],
  [[3000, 511], { port: 3000, backlog: 511 }],
  [[3000, ''], { port: 3000 }],
  [[3000, '', 511], { port: 3000, backlog: 511 }],
  [[3000, 0], { port: 3000 }],
  [['/run/app.sock'], { path: '/run/app.sock' }],
  [['app.sock'], { path: 'app.sock' }],
  [['./3000'], { path: './3000' }],
  [['/run/app.sock', 511], { path: '/run/app.sock', backlog: 511 }],
  [[{ port: 3000 }], { port: 3000 }],
  [[{ port: '3000' }], { port: 3000 }],
  [[{ port: 0 }], { port: 0 }],
  [[{ port: undefined }], { port: 0 }],
  [[{ port: null }], { port: 0 }],
  [[{ port: 3000, host: '0.0.0.0' }], { port: 3000, host: '0.0.0.0' }],
  [[{ port: 3000, host: '' }], { port: 3000 }],
  [[{ port: 3000, host: undefined }], { port: 3000 }],
  [[{ port: 3000, host: '::', ipv6Only: true }], { port: 3000, host: '::', ipv6Only: true }],
  [[{ port: 3000, ipv6Only: false }], { port: 3000 }],
  [[{ port: 3000, backlog: 128 }], { port: 3000, backlog: 128 }],
  [[{ port: 3000, exclusive: true, signal: undefined }], { port: 3000 }],
  [[{ port: 3000, path: undefined }], { port: 3000 }],
  [[{ port: 3000, path: '/x.sock' }], { port: 3000 }],
  [[{ path: '/x.sock' }], { path: '/x.sock' }],
  [[{ path: '/x.sock', port: undefined }], { path: '/x.sock' }],
  [[{ path: '/x.sock', backlog: 5 }], { path: '/x.sock', backlog: 5 }],
  [
    [{ path: '/x.sock', readableAll: true, writableAll: true }],
    { path: '/x.sock', readableAll: true, writableAll: true }
  ],
  [[{ path: '/x.sock', readableAll: false }], { path: '/x.sock' }]
]

t.test('every form of server.listen names its address', async (t) => {
  for (const [args, address] of VALID) {
    const name = JSON.stringify(args)
    t.strictSame(parseAddress(args), address, name)
    t.strictSame(parseListen(args), { addresses: [address] }, `${name} by itself`)
    t.strictSame(parseListen([...args, callback]), { addresses: [address], callback }, `${name} and a callback`)
  }
})

t.test('an object without port and path means any free port, as it does for Fastify', async (t) => {
  t.strictSame(parseAddress([{}]), { port: 0 })
  t.strictSame(parseAddress([{ host: '::1' }]), { port: 0, host: '::1' })
})

t.test('what trails as undefined, before or after the callback, is left out', async (t) => {
  t.strictSame(parseListen([3000, undefined, callback]), { addresses: [{ port: 3000 }], callback })
  t.strictSame(parseListen([3000, undefined, undefined]), { addresses: [{ port: 3000 }] })
})

t.test('an array names several addresses', async (t) => {
  const { addresses } = parseListen([[3000, '4000', '/x.sock', { port: 0, host: '::1' }]])
  t.strictSame(addresses, [{ port: 3000 }, { port: 4000 }, { path: '/x.sock' }, { port: 0, host: '::1' }])
  t.strictSame(parseListen([[3000], callback]), { addresses: [{ port: 3000 }], callback })
})

const INVALID: [args: unknown[], got: string][] = [
  [[-1], '-1'],
  [[65_536], '65536'],
  [[1.5], '1.5'],
  [[Number.NaN], 'NaN'],
  [[Number.POSITIVE_INFINITY], 'Infinity'],
  [[true], 'true'],
  [[3000n], '3000n'],
  [['65536'], "'65536'"],
  [['-1'], "'-1'"],
  [['1.5'], "'1.5'"],
  [[''], "''"],
  [['  '], "'  '"],
  [[{ port: '' }], "port: ''"],
  [[{ port: 'http' }], "port: 'http'"],
  [[{ port: -1 }], 'port: -1'],
  [[{ port: 65_536 }], 'port: 65536'],
  [[{ port: true }], 'port: true'],
  [[{ port: 3000, host: 7 }], 'host: 7'],
  [[{ port: 3000, host: true }], 'host: true'],
  [[{ port: 3000, backlog: -1 }], 'backlog: -1'],
  [[{ port: 3000, backlog: '5' }], "backlog: '5'"],
  [[{ port: 3000, backlog: 1.5 }], 'backlog: 1.5'],
  [[3000, 'localhost', -1], 'backlog: -1'],
  [[3000, {}], 'backlog: {}'],
  [[{ path: '' }], "path: '' (1 to 103 bytes)"],
  [[{ path: 7 }], 'path: 7'],
  [[{ path: {} }], 'path: {}'],
  [[{ path: `/${'x'.repeat(103)}` }], `path: '/${'x'.repeat(103)}' (1 to 103 bytes)`],
  [[`/${'é'.repeat(52)}`], `path: '/${'é'.repeat(52)}' (1 to 103 bytes)`],
  [[[]], 'an empty array'],
  [[[3000, -1]], '-1'],
  [[[[3000]]], '[ 3000 ]'],
  [[{ fd: 3 }], '{ fd: 3 }'],
  [[{ port: 3000, fd: 0 }], '{ port: 3000, fd: 0 }'],
  [[{ _handle: null }], '{ _handle: null }']
]

for (const [args, got] of INVALID) {
  t.test(`listen(${got}) is refused`, async (t) => {
    const forms = 'a port from 0 to 65535, { port, host }, { path }, a path, or an array of these'
    const message = `MAPACHE_LISTEN_INVALID: listen() takes ${forms}, got ${got}`
    t.throws(() => parseListen(args), { code: 'MAPACHE_LISTEN_INVALID', message })
  })
}

t.test('a path may have 103 bytes', async (t) => {
  const longest = `/${'x'.repeat(102)}`
  t.strictSame(parseAddress([longest]), { path: longest })
  const letters = `/${'é'.repeat(51)}`
  t.strictSame(parseAddress([{ path: letters }]), { path: letters })
})

t.test('one address has one key', async (t) => {
  const keys: [Parameters<typeof addressKey>[0], string][] = [
    [{ port: 3000 }, 'tcp:*:3000'],
    [{ port: 3000, host: '127.0.0.1' }, 'tcp:127.0.0.1:3000'],
    [{ port: 3000, host: '::1' }, 'tcp:::1:3000'],
    [{ port: 3000, host: '::', ipv6Only: true }, 'tcp::::3000:only6'],
    [{ port: 3000, host: '::', ipv6Only: false }, 'tcp::::3000'],
    [{ port: 3000, ordinal: 2 }, 'tcp:*:3000'],
    [{ port: 0 }, 'tcp:*:0#0'],
    [{ port: 0, ordinal: 0 }, 'tcp:*:0#0'],
    [{ port: 0, ordinal: 1 }, 'tcp:*:0#1'],
    [{ path: '/x.sock' }, 'unix:/x.sock'],
    [{ path: '/x.sock', readableAll: true }, 'unix:/x.sock']
  ]
  for (const [address, key] of keys) t.equal(addressKey(address), key, JSON.stringify(address))
})

t.test('an address is written as people write it', async (t) => {
  const texts: [Parameters<typeof formatAddress>[0], string][] = [
    [{ port: 3000 }, '*:3000'],
    [{ port: 3000, host: '127.0.0.1' }, '127.0.0.1:3000'],
    [{ port: 3000, host: '::1' }, '[::1]:3000'],
    [{ address: '::', family: 'IPv6', port: 3000 }, '[::]:3000'],
    [{ address: '0.0.0.0', family: 'IPv4', port: 80 }, '0.0.0.0:80'],
    [{ path: '/x.sock' }, '/x.sock']
  ]
  for (const [address, text] of texts) t.equal(formatAddress(address), text)
})

t.test('supervisor and workers compare addresses without names and relative paths', async (t) => {
  t.strictSame(await resolveAddress({ port: 3000, backlog: 5 }), { port: 3000 })
  t.strictSame(await resolveAddress({ port: 3000, host: '127.0.0.1' }), { port: 3000, host: '127.0.0.1' })
  t.strictSame(await resolveAddress({ port: 1, host: '::', ipv6Only: true }), { port: 1, host: '::', ipv6Only: true })
  t.strictSame(await resolveAddress({ path: 'x.sock', backlog: 5, readableAll: true }), {
    path: `${process.cwd()}/x.sock`,
    readableAll: true
  })
})
