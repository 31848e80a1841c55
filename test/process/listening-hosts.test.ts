import { execFileSync } from 'node:child_process'
import { lookup } from 'node:dns/promises'
import net from 'node:net'
import { networkInterfaces } from 'node:os'
import t, { type Test } from 'tap'
import { type Fixture, get } from '../support/fixture.js'
import { everyWorker, serve } from '../support/serve.js'

/** Whether this machine has the loopback address of IPv6. */
const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'))
const withoutIpv6 = hasIpv6 ? false : 'this machine has no ::1'
/** Makes `localhost` a name of these addresses. */
const localhost = (addresses: string) => ({
  nodeArgs: ['--import', new URL('../../fixtures/serve/localhost.mjs', import.meta.url).href],
  env: { LOCALHOST: addresses }
})

/** All workers answer at each of the hosts, on the one port. */
async function servesAt(t: Test, fixture: Fixture, ...hosts: string[]): Promise<number> {
  const port = await fixture.port()
  const pids = await fixture.workersServing(2)
  for (const host of hosts) {
    const answers = await everyWorker(2, () => get({ host, port }))
    t.strictSame([...answers.keys()].sort(), pids.sort(), `both workers at ${host}`)
  }
  return port
}

/** What `listen` resolved to in the supervisor says. */
async function reported(fixture: Fixture): Promise<{ address: string; family: string; port: number }[]> {
  const [, json = ''] = await fixture.printed(new RegExp(`^listening (\\{"pid":${fixture.pid},.*)$`, 'm'))
  return JSON.parse(json).addresses
}

const HTTP = ['http', 'sync', './apps/http.mjs']
const FRAMEWORKS = ['express', 'fastify', 'http']

const forms: [what: string, listen: unknown[]][] = [
  ['port and host', [0, '127.0.0.1']],
  ['port as text, and host', ['0', '127.0.0.1']],
  ['port, host and backlog', [0, '127.0.0.1', 128]],
  ['an object', [{ port: 0, host: '127.0.0.1' }]],
  ['an array of one', [[{ port: 0, host: '127.0.0.1' }]]]
]
for (const [what, listen] of forms) {
  t.test(`listen takes ${what}; the port is one for all workers, and is reported`, async (t) => {
    const { fixture } = serve(t, 'forms.mjs', { args: HTTP, listen })
    const port = await servesAt(t, fixture, '127.0.0.1')
    t.strictSame(await reported(fixture), [{ address: '127.0.0.1', family: 'IPv4', port }])
    await t.rejects(get({ host: '127.0.0.2', port }), { code: 'ECONNREFUSED' }, 'and nowhere else')
  })
}

for (const framework of FRAMEWORKS) {
  t.test(`${framework}: localhost is all that the machine means by it`, async (t) => {
    const hosts = [...new Set((await lookup('localhost', { all: true })).map(({ address }) => address))]
    const args = [framework, 'sync', `./apps/${framework}.mjs`]
    const { fixture } = serve(t, 'forms.mjs', { args, listen: [0, 'localhost'] })
    await servesAt(t, fixture, ...hosts)
  })

  t.test(`${framework}: localhost of two families is one port of both`, { skip: withoutIpv6 }, async (t) => {
    const args = [framework, 'sync', `./apps/${framework}.mjs`]
    const { fixture } = serve(t, 'forms.mjs', { args, listen: [0, 'localhost'], ...localhost('127.0.0.1,::1') })
    const port = await servesAt(t, fixture, '127.0.0.1', '::1')
    t.strictSame(await reported(fixture), [
      { address: '127.0.0.1', family: 'IPv4', port },
      { address: '::1', family: 'IPv6', port }
    ])
  })

  t.test(`${framework}: of localhost a family that the machine does not have is left out`, async (t) => {
    const args = [framework, 'sync', `./apps/${framework}.mjs`]
    // An address for documentation, which no machine has: as ::1 where IPv6 is switched off.
    const { fixture } = serve(t, 'forms.mjs', { args, listen: [0, 'localhost'], ...localhost('127.0.0.1,2001:db8::1') })
    const port = await servesAt(t, fixture, '127.0.0.1')
    t.strictSame(await reported(fixture), [{ address: '127.0.0.1', family: 'IPv4', port }])
  })
}

for (const form of ['await', 'older']) {
  t.test(`fastify.register (${form}): without a host it is localhost`, { skip: withoutIpv6 }, async (t) => {
    const { fixture } = serve(t, 'register.mjs', { args: [form], listen: [{ port: 0 }], ...localhost('127.0.0.1,::1') })
    const port = await servesAt(t, fixture, '127.0.0.1', '::1')
    await fixture.printed(new RegExp(`^listening ${fixture.pid} null http://127.0.0.1:${port} `, 'm'))
  })
}

t.test('::1 is IPv6 alone', { skip: withoutIpv6 }, async (t) => {
  const { fixture } = serve(t, 'forms.mjs', { args: HTTP, listen: [0, '::1'] })
  const port = await servesAt(t, fixture, '::1')
  t.strictSame(await reported(fixture), [{ address: '::1', family: 'IPv6', port }])
  t.strictSame(await fixture.serving(), [`[::1]:${port}`])
  await t.rejects(get({ host: '127.0.0.1', port }), { code: 'ECONNREFUSED' })
  const fastify = serve(t, 'register.mjs', { listen: [{ port: 0, host: '::1' }] }).fixture
  const own = await servesAt(t, fastify, '::1')
  await fastify.printed(new RegExp(`^listening ${fastify.pid} null http://\\[::1\\]:${own} `, 'm'))
})

t.test('no host is IPv4 and IPv6, ipv6Only is IPv6', { skip: withoutIpv6 }, async (t) => {
  const both = serve(t, 'forms.mjs', { args: HTTP, listen: [0] }).fixture
  const port = await servesAt(t, both, '127.0.0.1', '::1')
  t.strictSame(await reported(both), [{ address: '::', family: 'IPv6', port }])
  const six = serve(t, 'forms.mjs', { args: HTTP, listen: [{ port: 0, ipv6Only: true }] }).fixture
  const other = await servesAt(t, six, '::1')
  await t.rejects(get({ host: '127.0.0.1', port: other }), { code: 'ECONNREFUSED' })
})

t.test('0.0.0.0 is IPv4 alone', async (t) => {
  const { fixture } = serve(t, 'forms.mjs', { args: HTTP, listen: [0, '0.0.0.0'] })
  const port = await servesAt(t, fixture, '127.0.0.1', '127.0.0.2')
  t.strictSame(await reported(fixture), [{ address: '0.0.0.0', family: 'IPv4', port }])
  if (hasIpv6) await t.rejects(get({ host: '::1', port }), { code: 'ECONNREFUSED' })
})

t.test('HTTPS by the server option, on several addresses', async (t) => {
  const args = ['express', 'module', './serve/apps/https.mjs']
  const listen = [
    [
      { port: 0, host: '127.0.0.1' },
      { port: 0, host: '127.0.0.2' }
    ]
  ]
  const { fixture } = serve(t, 'forms.mjs', { args, listen })
  for (const { address, port } of await reported(fixture)) {
    const ask = () => get({ host: address, port, protocol: 'https:' })
    t.equal((await everyWorker(2, ask)).size, 2, `both workers at ${address}`)
  }
})

t.test('the queue in the kernel is as long as backlog says, or as the address itself says', async (t) => {
  try {
    execFileSync('ss', ['-V'])
  } catch {
    t.comment('not looked at: ss is not here')
    return
  }
  const queue = async (settings: object, address: object) => {
    const { fixture } = serve(t, 'forms.mjs', { args: HTTP, settings, listen: [address] })
    const port = await fixture.port()
    await fixture.workersServing(2)
    const out = execFileSync('ss', ['-ltnH', `sport = :${port}`], { encoding: 'utf8', timeout: 10_000 })
    return Number(out.trim().split(/\s+/)[2])
  }
  t.equal(await queue({ workers: 2, settle: 50, backlog: 77 }, { port: 0, host: '127.0.0.1' }), 77)
  t.equal(await queue({ workers: 2, settle: 50, backlog: 77 }, { port: 0, host: '127.0.0.1', backlog: 55 }), 55)
})

t.test('a stranger cannot take an address that a cluster has', async (t) => {
  const { fixture } = serve(t, 'forms.mjs', { args: HTTP })
  const port = await fixture.port()
  const stranger = net.createServer().listen(port, '127.0.0.1')
  const error = await new Promise((resolve) => stranger.on('error', resolve).on('listening', () => resolve(undefined)))
  stranger.close()
  t.match(error, { code: 'EADDRINUSE' })
})
