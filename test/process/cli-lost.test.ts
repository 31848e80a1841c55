import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import t from 'tap'
import { encode } from '#core/channel/frames.js'
import { Running, Shop, seeing } from '../support/cli.js'
import { versionApp } from '../support/deploy.js'
import { type Test, until } from '../support/fixture.js'

t.jobs = 3

function emptyFolder(t: Test): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'mp-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

t.test('where no cluster runs each command says so and ends with 3', async (t) => {
  const folder = emptyFolder(t)
  const commands = [
    ['status'],
    ['top'],
    ['log'],
    ['reload'],
    ['refork'],
    ['rollback'],
    ['scale', '2'],
    ['recycle', '1'],
    ['revive'],
    ['stop']
  ]
  const ended = await Promise.all(commands.map((args) => new Running(t, args, seeing(folder)).ended))
  for (const [index, { code, stdout, stderr }] of ended.entries()) {
    const args = commands[index] as string[]
    t.equal(code, 3, args.join(' '))
    t.match(stderr, /^mapache: MAPACHE_CLUSTER_NOT_FOUND: no cluster of this user runs\n/)
    t.equal(stdout, '')
  }
  const { code, stdout } = await new Running(t, ['reload', '--json'], seeing(folder)).ended
  t.equal(code, 3)
  t.match(JSON.parse(stdout), { error: { code: 'MAPACHE_CLUSTER_NOT_FOUND', clusters: [], fix: String } })
})

t.test('of two clusters the one that is named is meant, and else none', async (t) => {
  const one = new Shop(t, versionApp('1'), ['--name', 'books'])
  await one.fixture.workersServing(2)
  const { folder } = one.fixture
  const two = new Shop(t, versionApp('1'), ['--name', 'music'], { env: { XDG_RUNTIME_DIR: folder } })
  await two.fixture.workersServing(2)

  const unclear = await one.run('reload')
  t.match(unclear, {
    code: 2,
    stdout: '',
    stderr: /2 clusters run: choose one with --name NAME or --pid PID\n {2}NAME +PID\n/
  })
  for (const { fixture } of [one, two]) t.match(unclear.stderr, new RegExp(`^ {2}(books|music) +${fixture.pid}$`, 'm'))
  const json = JSON.parse((await one.run('status', '--json')).stdout)
  t.strictSame(
    new Set(json.error.clusters.map(({ pid }: { pid: number }) => pid)),
    new Set([one.fixture.pid, two.fixture.pid])
  )

  t.equal((await one.run('reload', '--name', 'music')).code, 0)
  await two.fixture.printed(/reloaded: gen=2 serves/)
  t.notMatch(one.fixture.output, /gen=2/)
  t.match(await one.run('status', '--pid', String(one.fixture.pid)), { code: 0, stdout: /^books / })
  t.match(await one.run('status', '--name', 'chess'), { code: 3, stderr: /no cluster with name chess runs; these do:/ })
  t.equal((await one.run('stop', '--name', 'books')).code, 0)
  t.match(await one.run('status'), { code: 0, stdout: /^music / }, 'the only one that is left needs no name')
})

t.test('a supervisor that does not answer is waited for for a while', async (t) => {
  const shop = new Shop(t, versionApp('1'))
  await shop.fixture.workersServing(2)
  shop.fixture.kill('SIGSTOP')
  const { code, stderr } = await shop.run('status')
  shop.fixture.kill('SIGCONT')
  t.equal(code, 4)
  t.match(stderr, /MAPACHE_CHANNEL_CLOSED: the supervisor has not answered for 5000 ms\n/)
})

t.test('the folder of a supervisor that has died is no cluster', async (t) => {
  const shop = new Shop(t, versionApp('1'))
  await shop.fixture.workersServing(2)
  const folder = emptyFolder(t)
  const dead = path.join(folder, 'mapache', '999999-abcdef')
  mkdirSync(dead, { recursive: true, mode: 0o700 })
  writeFileSync(path.join(dead, 'cluster.json'), JSON.stringify({ pid: 999_999, name: 'dead', sockets: [] }))
  writeFileSync(path.join(dead, 'channel.sock'), '')
  t.match(await new Running(t, ['status'], seeing(folder)).ended, { code: 3 })
  shop.fixture.kill('SIGKILL')
  await shop.fixture.exit()
  t.match(await shop.run('status'), { code: 3 })
})

t.test('a cluster of another protocol version is told as such, with 4', async (t) => {
  const folder = emptyFolder(t)
  const other = path.join(folder, 'mapache', `${process.pid}-abcdef`)
  mkdirSync(other, { recursive: true, mode: 0o700 })
  writeFileSync(path.join(other, 'cluster.json'), JSON.stringify({ pid: process.pid, name: 'newer', sockets: [] }))
  const server = net.createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', () => socket.end(encode({ type: 'refused', reason: 'protocol version 99 is spoken here' })))
  })
  await new Promise<void>((resolve) => server.listen(path.join(other, 'channel.sock'), resolve))
  t.teardown(() => server.close())
  const { code, stderr } = await new Running(t, ['status'], seeing(folder)).ended
  t.equal(code, 4)
  t.match(stderr, /^mapache: MAPACHE_CHANNEL_VERSION: protocol version 99 is spoken here\n/)
})

t.test('a supervisor that dies while it is waited for is an error', async (t) => {
  const shop = new Shop(t, versionApp('1'), ['--settle', '20000'])
  await shop.fixture.workersServing(2)
  const commands = [shop.begin('reload'), shop.begin('log', '-f'), shop.begin('top')]
  await commands[0]?.printed(/gen=2 pid=\d+ serving/)
  await commands[1]?.printed(/gen=2/)
  await commands[2]?.printed(/reload to gen 2/)
  shop.fixture.kill('SIGKILL')
  for (const command of commands) {
    const { code, stdout, stderr } = await command.ended
    t.equal(code, 4, stderr)
    t.match(stderr, /^mapache: MAPACHE_CHANNEL_CLOSED: /)
    t.notMatch(stdout, / done: /)
  }
})

t.test('a supervisor that is killed while it stops has not stopped', async (t) => {
  const hangs = `${versionApp('1')}\nimport { worker } from '@mapache/core/worker'\nworker.onRetire(() => new Promise(() => setInterval(() => {}, 1_000)))`
  const shop = new Shop(t, hangs, ['--drain-timeout', '2000'])
  shop.app.link('node_modules/@mapache/core', path.resolve(import.meta.dirname, '../../../packages/core'))
  await shop.fixture.workersServing(2)
  const stop = shop.begin('stop')
  await stop.printed(/retiring \(stop\)/)
  shop.fixture.kill('SIGKILL')
  const { code, stdout, stderr } = await stop.ended
  t.equal(code, 4)
  t.match(stderr, /has gone without having stopped|MAPACHE_CHANNEL_CLOSED/)
  t.notMatch(stdout, 'done')
})

t.test('Ctrl-C while it waits leaves what was begun going on', async (t) => {
  const shop = new Shop(t, versionApp('1'), ['--settle', '1000'])
  await shop.fixture.workersServing(2)
  const reload = shop.begin('reload')
  await reload.printed(/begins/)
  process.kill(reload.pid, 'SIGINT')
  const { code, stderr } = await reload.ended
  t.equal(code, 130)
  t.equal(stderr, 'mapache: the reload goes on without this command; see mapache status\n')
  await shop.fixture.printed(/reloaded: gen=2 serves/)
  await until(async () => /generation 2 {2}2\/2/.test((await shop.run('status')).stdout), 'the new generation')
})
