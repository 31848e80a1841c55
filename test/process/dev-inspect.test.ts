import { once } from 'node:events'
import net from 'node:net'
import t from 'tap'
import WebSocket from 'ws'
import { DevApp, tells } from '../support/dev.js'
import { before, get, until } from '../support/fixture.js'

for (const strategy of ['fork', 'standby', 'restart']) {
  t.test(
    `--inspect with ${strategy}: the inspector is that of the worker, on the same port after a reload`,
    async (t) => {
      const port = await freePort()
      const app = new DevApp(t, { args: [`--inspect=${port}`, '--strategy', strategy, '--log-level', 'info'] })
      await app.started()
      const ids = new Set<string>()
      for (const version of [1, 2, 3]) {
        if (version > 1) {
          if (strategy !== 'restart') await app.ready(strategy === 'fork' ? 0 : app.from)
          await app.change('server.mjs', tells(version))
        }
        const told = await app.ask()
        t.equal(told.version, version)
        const { id, pid } = await inspected(port)
        t.equal(pid, told.pid)
        ids.add(id)
      }
      t.equal(ids.size, 3)
      t.notMatch(app.output, /address already in use/)
    }
  )
}

t.test('--inspect: the app crashes, and its successor is inspected', async (t) => {
  const port = await freePort()
  const crashes = (version: number) =>
    tells(version).replace('res.end(', `if (req.url === '/crash') process.exit(1)\n  res.end(`)
  const app = new DevApp(t, { args: [`--inspect=127.0.0.1:${port}`], files: { 'server.mjs': crashes(1) } })
  await app.started()
  await app.get('/crash').catch(() => {})
  await app.printed(/^failed/m)
  t.equal((await app.get()).status, 500)
  await app.change('server.mjs', crashes(2))
  t.equal((await inspected(port)).pid, (await app.ask()).pid)
})

t.test('a wrong address of the inspector is told', async (t) => {
  const app = new DevApp(t, { args: ['--inspect=here'] })
  t.same(await app.exit(), { code: 2, signal: null })
  t.match(app.output, '--inspect must be [host:]port, got here')
})

/** Attaches as a debugger does. @returns whose inspector it is */
async function inspected(port: number): Promise<{ id: string; pid: number }> {
  let target: { id: string; webSocketDebuggerUrl: string } | undefined
  await until(async () => {
    const { body } = await get(port, '/json').catch(() => ({ body: '[]' }))
    target = JSON.parse(body)[0]
    return target !== undefined
  }, 'the inspector')
  const { id, webSocketDebuggerUrl } = target as NonNullable<typeof target>
  const socket = new WebSocket(webSocketDebuggerUrl)
  try {
    await before(once(socket, 'open'), () => 'the debugger')
    socket.send(JSON.stringify({ id: 1, method: 'Runtime.evaluate', params: { expression: 'process.pid' } }))
    const [data] = await before(once(socket, 'message'), () => 'its answer')
    return { id, pid: JSON.parse(String(data)).result.result.value }
  } finally {
    socket.terminate()
  }
}

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as net.AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
