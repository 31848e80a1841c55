import t from 'tap'
import { workerEnv, workerExecArgv } from '#core/supervisor/entry.js'

/** Arguments that stay with the supervisor, with their values. */
const DROPPED: string[][] = [
  ['--inspect'],
  ['--inspect=9230'],
  ['--inspect=0.0.0.0:9230'],
  ['--inspect-brk'],
  ['--inspect-brk=0'],
  ['--inspect_brk'],
  ['--inspect_brk=9230'],
  ['--inspect-wait'],
  ['--inspect-wait=9230'],
  ['--inspect-port', '9230'],
  ['--inspect-port=9230'],
  ['--inspect_port', '9230'],
  ['--inspect_port=9230'],
  ['--debug-port', '9230'],
  ['--debug-port=9230'],
  ['--debug_port', '9230'],
  ['--debug_port=9230'],
  ['--inspect-publish-uid', 'http'],
  ['--inspect-publish-uid=stderr,http'],
  ['--watch'],
  ['--watch-path', './src'],
  ['--watch-path=./src'],
  ['--watch-preserve-output'],
  ['--watch-kill-signal', 'SIGINT'],
  ['--watch-kill-signal=SIGINT'],
  ['--env-file', '.env'],
  ['--env-file=.env'],
  ['--env-file-if-exists', '.env'],
  ['--env-file-if-exists=.env'],
  ['--env_file', '.env'],
  ['--test']
]

/** Arguments that the workers get too. */
const KEPT: string[][] = [
  ['--import', './telemetry.mjs'],
  ['--import=./telemetry.mjs'],
  ['--require', './inspect.cjs'],
  ['-r', './watch.cjs'],
  ['--max-old-space-size=512'],
  ['--max_old_space_size=512'],
  ['--enable-source-maps'],
  ['--experimental-strip-types'],
  ['--conditions', 'development'],
  ['-C', 'inspect'],
  ['--no-warnings'],
  ['--title=inspect'],
  ['--experimental-network-inspection'],
  ['--stack-trace-limit=50'],
  ['--test-only']
]

for (const flags of DROPPED) {
  t.test(`workers do not get ${flags.join(' ')}`, async (t) => {
    t.strictSame(workerExecArgv(flags), [])
    t.strictSame(workerExecArgv(['--no-warnings', ...flags, '--import', './x.mjs']), [
      '--no-warnings',
      '--import',
      './x.mjs'
    ])
  })
}

t.test('workers get every other argument, with its value, in its order', async (t) => {
  for (const flags of KEPT) t.strictSame(workerExecArgv(flags), flags)
  t.strictSame(workerExecArgv(KEPT.flat()), KEPT.flat())
  t.strictSame(workerExecArgv([]), [])
})

t.test('the environment loses the inspector of NODE_OPTIONS and keeps the rest', async (t) => {
  const env = { PATH: '/bin', NODE_OPTIONS: '--max-old-space-size=512 --inspect=9230  --import ./x.mjs --inspect-brk' }
  t.strictSame(workerEnv(env), { PATH: '/bin', NODE_OPTIONS: '--max-old-space-size=512 --import ./x.mjs' })
  t.match(env, { NODE_OPTIONS: /--inspect=9230/ }, 'the one given is not changed')
})

t.test('NODE_OPTIONS of which nothing is left are no variable any more', async (t) => {
  for (const options of ['--inspect', '--inspect-port 9230 --inspect', '', '  ']) {
    t.strictSame(workerEnv({ NODE_OPTIONS: options, A: '1' }), { A: '1' }, JSON.stringify(options))
  }
  t.strictSame(workerEnv({ A: '1' }), { A: '1' })
})

t.test('a quoted path with spaces in NODE_OPTIONS stays as it is', async (t) => {
  const options = '--require "./my file.cjs" --no-warnings'
  t.strictSame(workerEnv({ NODE_OPTIONS: `${options} --inspect` }), { NODE_OPTIONS: options })
})
