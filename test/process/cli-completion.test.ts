import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import t from 'tap'
import { Shop, seeing } from '../support/cli.js'
import { versionApp } from '../support/deploy.js'
import { CLI, type Test } from '../support/fixture.js'
import { noBash, Screen } from '../support/screen.js'

/** A folder with the command in it, as it is called once installed. */
function installed(t: Test): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'mp-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(path.join(folder, 'mapache'), `#!/bin/sh\nexec '${process.execPath}' '${CLI}' "$@"\n`, { mode: 0o755 })
  return folder
}

function withCommand(folder: string, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { ...env, PATH: `${folder}:${path.dirname(process.execPath)}:${process.env.PATH}` }
}

t.test('a bash completes commands, options, names of clusters and ids of workers', { skip: noBash }, async (t) => {
  const folder = installed(t)
  const shop = new Shop(t, versionApp('1'), ['--name', 'bookshop'])
  await shop.fixture.workersServing(2)
  writeFileSync(path.join(folder, 'rc'), `PS1='$ '\nbind 'set bell-style none'\neval "$(mapache completion bash)"\n`)
  const rc = path.join(folder, 'rc')
  const screen = new Screen(t, `bash --noprofile --rcfile ${rc} -i`, withCommand(folder, shop.env), folder)
  await screen.shows(/\$ $/)

  const completes = async (typed: string, pattern: RegExp) => {
    const from = screen.output.length
    screen.type(`${typed}\t`)
    await screen.shows(pattern, from)
    screen.type('\x15')
  }
  await completes('mapache relo', /mapache reload $/)
  await completes('mapache reload --js', /--json $/)
  await completes('mapache reload --name ', /--name bookshop $/)
  await completes('mapache reload --name=book', /--name=bookshop $/)
  await completes('mapache start --boot f', /--boot fork $/)
  await completes('mapache start r', /mapache start rc $/)
  await completes('mapache recycle \t', /\b1 +2\b/)
})

t.test('completion prints a script that its shell takes', async (t) => {
  const folder = installed(t)
  for (const shell of ['bash', 'zsh', 'fish']) {
    const script = execFileSync(process.execPath, [CLI, 'completion', shell], { encoding: 'utf8', timeout: 30_000 })
    t.match(script, /^# Completes mapache in /m)
    if (spawnSync(shell, ['-c', 'true'], { timeout: 10_000 }).status !== 0) {
      t.comment(`no ${shell} here`)
      continue
    }
    const file = path.join(folder, shell)
    writeFileSync(file, script)
    const { status, stderr } = spawnSync(shell, ['-n', file], { encoding: 'utf8', timeout: 10_000 })
    t.strictSame({ status, stderr }, { status: 0, stderr: '' }, shell)
  }
})

t.test('where no cluster answers, completion says nothing and prints nothing of it', async (t) => {
  const folder = installed(t)
  for (const words of [['recycle', ''], ['reload', '--name', ''], ['bogus', ''], []]) {
    const given = [CLI, 'complete', '--', ...words]
    const { status, stderr } = spawnSync(process.execPath, given, {
      env: seeing(folder),
      encoding: 'utf8',
      timeout: 30_000
    })
    t.strictSame({ status, stderr }, { status: 0, stderr: '' })
  }
})
