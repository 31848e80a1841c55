import t from 'tap'
import { Running, Shop } from '../support/cli.js'
import { versionApp, Watch } from '../support/deploy.js'
import { get, until } from '../support/fixture.js'

t.jobs = 3

t.test('status tells of the cluster and each of its processes', async (t) => {
  const shop = new Shop(t, versionApp('1'), ['--name', 'books'])
  const port = await shop.fixture.port()
  const pids = await shop.fixture.workersServing(2)
  const { code, stdout, stderr } = await shop.run('status')
  t.strictSame({ code, stderr }, { code: 0, stderr: '' })
  t.match(stdout, new RegExp(`^books {2}pid ${shop.fixture.pid} {2}generation 1 {2}2/2 workers serve {2}up `))
  t.match(stdout, new RegExp(`^listens on 127\\.0\\.0\\.1:${port}$`, 'm'))
  for (const pid of pids) t.match(stdout, new RegExp(`^ *\\d+ {2}worker {2}serving .* ${pid} +0$`, 'm'))
  t.notMatch(stdout, '\x1b')
  const json = await shop.run('status', '--json')
  t.match(JSON.parse(json.stdout), {
    name: 'books',
    pid: shop.fixture.pid,
    serving: 2,
    processes: [{ role: 'worker' }, {}]
  })
  t.equal(json.stdout.trimEnd().split('\n').length, 1)
})

t.test('colours where they are wanted, and nowhere else', async (t) => {
  const shop = new Shop(t, versionApp('1'))
  await shop.fixture.workersServing(2)
  const coloured = await new Running(t, ['status'], { ...shop.env, FORCE_COLOR: '1' }).ended
  t.match(coloured.stdout, '\x1b[32m2/2 workers serve\x1b[39m')
  const json = await new Running(t, ['status', '--json'], { ...shop.env, FORCE_COLOR: '1' }).ended
  t.notMatch(json.stdout, '\x1b')
})

t.test('reload ends when the new generation serves, and tells of each step', async (t) => {
  const shop = new Shop(t, versionApp('1'))
  const port = await shop.fixture.port()
  const old = await shop.fixture.workersServing(2)
  const watch = new Watch(t, port, '1', '2')
  shop.app.write('server.mjs', versionApp('2'))
  const { code, stdout, stderr } = await shop.run('reload')
  t.strictSame({ code, stderr }, { code: 0, stderr: '' })
  t.equal((await get(port)).body, '2')
  t.match(stdout, /^reload to generation 2 begins\n/)
  t.equal(stdout.match(/^worker=\d+ gen=2 pid=\d+ serving$/gm)?.length, 2)
  for (const pid of old) t.match(stdout, new RegExp(`^worker=\\d+ gen=1 pid=${pid} retiring \\(reload\\)$`, 'm'))
  t.match(stdout, /\nreload done: generation 2 serves after [\d.]+m?s\n$/)
  t.strictSame(await watch.stop(), [])
  const json = await shop.run('reload', '--json')
  t.match(JSON.parse(json.stdout), { generation: 3, duration: Number })
})

t.test('a reload that fails ends with 1 and the error of the app, whole', async (t) => {
  const shop = new Shop(t, versionApp('1'))
  const port = await shop.fixture.port()
  await shop.fixture.workersServing(2)
  shop.app.write('server.mjs', `function open() { throw new TypeError('no database') }\nopen()`)
  const { code, stdout, stderr } = await shop.run('reload')
  t.equal(code, 1)
  t.match(stderr, /^mapache: MAPACHE_BOOT_FAILED: .*\n {2}Read the app's own error/)
  t.match(stderr, /TypeError\]?: no database\n +at open \(file:.*\/server\.mjs:1:25\)\n +at file:.*server\.mjs:2:1$/m)
  t.match(stdout, /^worker=\d+ gen=2 pid=\d+ ended \(boot-failed, code 1\)$/m)
  t.notMatch(stdout, 'done')
  t.equal((await get(port)).body, '1')
  const json = await shop.run('reload', '--json')
  t.equal(json.code, 1)
  t.match(JSON.parse(json.stdout), {
    error: {
      code: 'MAPACHE_BOOT_FAILED',
      message: String,
      cause: { name: 'TypeError', message: 'no database', stack: /server\.mjs:1:25/ }
    }
  })
  shop.app.write('server.mjs', `throw new Error('\\x1b[2J\\x1b]0;mine\\x07no\\u009b31m base\\nsecond line')`)
  const evil = await shop.run('reload')
  t.match(evil.stderr, /no base\nsecond line\n +at file:.*server\.mjs:1:7/)
  t.notMatch(evil.stderr + evil.stdout, /(?![\n\t])\p{Cc}/u, 'the terminal obeys nothing of it')
  shop.app.write('server.mjs', versionApp('3'))
  t.equal((await shop.run('reload')).code, 0)
  t.equal((await get(port)).body, '3')
})

t.test('scale waits until so many serve; recycle replaces one; log tells of it', async (t) => {
  const shop = new Shop(t, versionApp('1'))
  const [first] = await shop.fixture.workersServing(2)
  const up = await shop.run('scale', '3')
  t.match(up, { code: 0, stdout: /\nscale done: 3 workers serve\n$/ })
  t.equal(JSON.parse((await shop.run('status', '--json')).stdout).serving, 3)
  t.match(JSON.parse((await shop.run('scale', '2', '--json')).stdout), { target: 2, serving: 2 })
  t.match(await shop.run('scale', '2', '--no-wait'), { code: 0, stdout: /2 workers should serve\n$/ })

  const { processes } = JSON.parse((await shop.run('status', '--json')).stdout) as {
    processes: { id: number; pid: number }[]
  }
  const victim = processes.find(({ pid }) => pid === first) ?? processes[0]
  const recycled = await shop.run('recycle', String(victim?.id))
  t.match(recycled, { code: 0, stdout: new RegExp(`\nrecycle done: ${victim?.id} is replaced\n$`) })
  t.match(recycled.stdout, new RegExp(`^worker=${victim?.id} gen=1 pid=${victim?.pid} retiring \\(recycle\\)$`, 'm'))
  t.match(await shop.run('recycle', '4711'), { code: 1, stderr: /^mapache: MAPACHE_PROCESS_UNKNOWN: / })

  const log = await shop.run('log', '-n', '500')
  t.match(
    log.stdout,
    new RegExp(`^\\d\\d:\\d\\d:\\d\\d info {2}worker=${victim?.id} gen=1 pid=${victim?.pid} serving`, 'm')
  )
  t.equal((await shop.run('log', '-n', '3')).stdout.trimEnd().split('\n').length, 3)
  const lines = JSON.parse((await shop.run('log', '--json', '-n', '2')).stdout)
  t.match(lines, [{ level: String, message: String, time: Number }, {}])
  t.match(await shop.run('revive'), { code: 0, stdout: 'nothing waits to be launched\n' })
})

t.test('scale ends with 1 and the error of the app when what is missing keeps failing', async (t) => {
  const shop = new Shop(t, versionApp('1'))
  await shop.fixture.workersServing(2)
  shop.app.write('server.mjs', `throw new Error('no third one')`)
  const { code, stderr } = await shop.run('scale', '3')
  t.equal(code, 1)
  t.match(stderr, /MAPACHE_BOOT_FAILED: 2 of 3 workers serve; .*Error: no third one\n +at file:.*server\.mjs:1:7/s)
  shop.app.write('server.mjs', versionApp('1'))
  t.match(await shop.run('revive'), { code: 0 })
  t.match(await shop.run('scale', '3'), { code: 0 })
})

t.test('rollback and refork of workers that were spawned are refused with 1', async (t) => {
  const shop = new Shop(t, versionApp('1'), ['--boot', 'spawn'])
  await shop.fixture.workersServing(2)
  t.match(await shop.run('rollback'), { code: 1, stderr: /^mapache: MAPACHE_ROLLBACK_UNAVAILABLE: / })
  const refork = await shop.run('refork', '--json')
  t.equal(refork.code, 1)
  t.match(JSON.parse(refork.stdout), { error: { code: 'MAPACHE_REFORK_UNSUPPORTED', fix: String } })
})

t.test('stop ends when nothing is left', async (t) => {
  const stops = async (...args: string[]) => {
    const shop = new Shop(t, versionApp('1'))
    await shop.fixture.workersServing(2)
    const { code, stdout } = await shop.run(...args)
    t.equal(code, 0)
    t.match(stdout, args[1] === '--json' ? '{"stopped":true}\n' : /\nstop done: nothing of it runs any more\n$/)
    t.strictSame(await shop.fixture.exit(), { code: 0, signal: null })
    t.match(await shop.run('status'), { code: 3 })
  }
  await Promise.all([stops('stop'), stops('stop', '--now'), stops('stop', '--json')])
})

t.test('log -f follows until the cluster stops', async (t) => {
  const shop = new Shop(t, versionApp('1'))
  await shop.fixture.workersServing(2)
  const follower = shop.begin('log', '-f', '-n', '0', '--json')
  await until(async () => {
    await shop.run('scale', '2', '--no-wait')
    return follower.stdout !== ''
  }, 'a line')
  t.equal((await shop.run('stop')).code, 0)
  const { code, stdout } = await follower.ended
  t.equal(code, 0)
  for (const line of stdout.trimEnd().split('\n')) t.match(JSON.parse(line), { level: String, message: String })
})

t.test('top without a terminal prints a line for each look', async (t) => {
  const shop = new Shop(t, versionApp('1'))
  await shop.fixture.workersServing(2)
  const lines = shop.begin('top', '--interval', '100')
  await lines.printed(/^(\d\d:\d\d:\d\d {2}2\/2 serve {2}gen 1 {2}\d.* req\/s .*\n){3}/)
  process.kill(lines.pid, 'SIGINT')
  t.match(await lines.ended, { code: 0, stderr: '' })
  const json = shop.begin('top', '--interval', '100', '--json')
  await json.printed(/\n.*\n/)
  t.match(JSON.parse(json.stdout.split('\n')[0] as string), { serving: 2, requestsPerSecond: Number })
  shop.fixture.kill('SIGTERM')
  t.match(await json.ended, { code: 0 })
})
