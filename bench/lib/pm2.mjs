import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { freePort, markEnvironment } from './server.mjs'

const run = promisify(execFile)

/**
 * The same app under PM2's cluster mode with its wait_ready and a graceful close, driven like a Server. Its daemon lives in a
 * folder of its own, so that it meets no other PM2 of this machine.
 */
export async function pm2Server(task, { deadline }) {
  const port = await freePort()
  const home = mkdtempSync(join(tmpdir(), 'mapache-bench-pm2-'))
  const ecosystem = join(home, 'ecosystem.config.json')
  writeFileSync(
    ecosystem,
    JSON.stringify({
      apps: [
        {
          name: 'bench',
          script: fileURLToPath(new URL('../servers/pm2-worker.mjs', import.meta.url)),
          exec_mode: 'cluster',
          instances: task.workers,
          wait_ready: true,
          listen_timeout: 20_000,
          kill_timeout: 20_000,
          env: { BENCH_TASK: JSON.stringify({ ...task, port }) }
        }
      ]
    })
  )
  const pm2 = (...args) =>
    run('pm2', args, {
      env: { ...process.env, ...markEnvironment(), NODE_ENV: 'production', PM2_HOME: home },
      timeout: deadline,
      killSignal: 'SIGKILL'
    })
  const stop = async () => {
    await pm2('kill').catch(() => {})
    rmSync(home, { recursive: true, force: true })
  }
  try {
    await pm2('start', ecosystem)
  } catch (error) {
    await stop()
    throw error
  }
  return {
    port,
    stop,
    async reload() {
      const before = performance.now()
      await pm2('reload', 'bench')
      return performance.now() - before
    }
  }
}
