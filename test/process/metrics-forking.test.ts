import { mkdirSync, symlinkSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { supported } from '#native'
import { get, ROOT } from '../support/fixture.js'
import { install } from '../support/forking.js'
import { MetricsApp, NeverFalls } from '../support/metrics-app.js'

const { ok } = supported()

t.test(
  'forked workers count from zero, and a worker that becomes a mold loses nothing',
  { skip: !ok && 'no forking here' },
  async (t) => {
    const prepare = (folder: string) => {
      install(folder)
      const modules = path.join(folder, 'node_modules')
      mkdirSync(modules, { recursive: true })
      symlinkSync(path.join(ROOT, 'packages/metrics'), path.join(modules, '@mapache/metrics'))
      symlinkSync(path.join(ROOT, 'node_modules/prom-client'), path.join(modules, 'prom-client'))
    }
    // Among them is the CPU time of the process, which begins again at zero in a fork.
    const more = "import { collectDefaultMetrics } from 'prom-client'\ncollectDefaultMetrics()\n"
    const app = new MetricsApp(t, `boot: 'fork', strict: true`, prepare, more)
    const { fixture } = app
    await fixture.printed(/mold=\d+ gen=1 pid=\d+ ready; workers are forked from it/)
    await app.serving(2)
    const never = new NeverFalls(t, app)
    let asked = 0
    const ask = async (times: number) => {
      for (let left = times; left > 0; left -= 1) {
        await get(app.port, '/')
        asked += 1
      }
    }
    await ask(20)
    await app.reaches('app_hits_total', asked)
    for (const generation of [2, 3]) {
      const asking = ask(10)
      fixture.kill('SIGURG')
      await asking
      // Just before one of them is drained, so that its last report is one of the drain.
      await ask(3)
      await fixture.printed(new RegExp(`reforked: gen=${generation} serves`))
      await ask(10)
      await app.reaches('mapache_http_requests_total', asked)
      await app.reaches('app_hits_total', asked)
      await app.reaches('app_workers', 2)
    }
    t.strictSame(await never.end(), [])
    const { samples } = await app.scrape()
    t.equal(samples.get('mapache_reloads_total{kind="refork",result="done"}'), 2)
    t.notMatch(fixture.output, /CHANNEL_REFUSED|refused a message|could not be read/)
    t.ok((samples.get('process_cpu_seconds_total') ?? 0) > 0, 'what prom-client measures by itself is there')
    await app.stop()
  }
)
