import t from 'tap'
import { DevApp, tells } from '../support/dev.js'
import { DevScreen } from '../support/dev-screen.js'
import { noScreen } from '../support/screen.js'

const STRATEGIES = ['auto', 'standby', 'restart']

for (const signal of ['SIGTERM', 'SIGINT', 'SIGKILL'] as const) {
  for (const strategy of signal === 'SIGINT' ? ['auto'] : STRATEGIES) {
    t.test(`after ${signal} nothing is left, with ${strategy}`, async (t) => {
      const app = new DevApp(t, { args: ['--log-level', 'info', '--strategy', strategy] })
      await app.started()
      if (strategy !== 'restart') await app.ready()
      await app.change('server.mjs', tells(2))
      app.kill(signal)
      const { code } = await app.exit()
      if (signal !== 'SIGKILL') t.equal(code, 0)
      await app.gone()
      if (signal !== 'SIGKILL') return t.same(app.leftovers(), [])
      // Its folder is swept by whoever starts next.
      const next = new DevApp(t, { env: { XDG_RUNTIME_DIR: app.folder } })
      await next.started()
      next.kill('SIGTERM')
      await next.exit()
      t.same(app.leftovers(), [])
    })
  }
}

t.test('after SIGTERM nothing is left of an app that has failed', async (t) => {
  const app = new DevApp(t)
  await app.started()
  app.edit('server.mjs', 'throw new Error(`broken`)')
  await app.said(/^failed/m)
  t.equal((await app.get()).status, 500)
  app.kill('SIGTERM')
  t.same(await app.exit(), { code: 0, signal: null })
  await app.gone()
  t.same(app.leftovers(), [])
})

t.test('SIGTERM while the first boot loads', async (t) => {
  const app = new DevApp(t, {
    args: ['--log-level', 'info'],
    files: { 'server.mjs': `console.log('boots')\nawait new Promise(() => setInterval(() => {}, 1000))` }
  })
  await app.printed(/^boots$/m)
  app.kill('SIGTERM')
  await app.exit()
  await app.gone()
  t.same(app.leftovers(), [])
})

t.test('after q nothing is left', { skip: noScreen }, async (t) => {
  const screen = new DevScreen(t)
  await screen.shows(/q quit/)
  t.ok(screen.processes().length >= 2)
  screen.type('q')
  await screen.ended()
  t.same(screen.leftovers(), [])
})
