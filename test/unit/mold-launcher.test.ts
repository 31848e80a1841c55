import { spawnSync } from 'node:child_process'
import t from 'tap'
import { defer } from '#core/deferred.js'
import type { ExitStatus } from '#core/supervisor/launch/launcher.js'
import { MoldLauncher } from '#core/supervisor/launch/mold.js'

t.test('what is sent to a forked process that has been reaped reaches nobody, and throws nothing', async (t) => {
  const native = {
    becomeSubreaper() {},
    reap: () => ({ code: null, signal: 'SIGKILL' as const }),
    socketPair: () => [0, 0],
    sendDescriptors() {},
    closeDescriptor() {}
  }
  const molds = new MoldLauncher({ native: native as never, url: '' })
  t.teardown(() => molds.close())
  const launched = { pid: 1, descriptors: 0, kill() {}, sendListener: async () => {} }
  const { promise: ended, resolve: exited } = defer<ExitStatus>()
  const worker = molds.fork({ launched, send() {} }, { id: 7, listeners: [] } as never, { exited })
  t.ok(molds.forked(launched, 7, spawnSync(process.execPath, ['--version']).pid))
  t.strictSame(await ended, { code: null, signal: 'SIGKILL' })
  t.doesNotThrow(() => worker.kill('SIGKILL'))
})
