// What docs/deploying.md gives to systemd, Docker and Kubernetes fits together and fits the command.

import { execFileSync, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { normaliseOptions } from '@mapache/core/adapter'
import t from 'tap'
import { parse } from 'yaml'
import { CLI } from '../support/fixture.js'
import { blocksOf, read } from './markdown.js'

const blocks = blocksOf('docs/deploying.md')
const { drainTimeout } = normaliseOptions(undefined)
const killGrace = Number(
  /KILL_GRACE = ([\d_]+)/.exec(read('packages/core/src/cluster/reconcile.ts'))?.[1]?.replace('_', '')
)

t.test('a worker has 5 s after drainTimeout until it is killed, as the page says', async (t) => {
  t.equal(killGrace, 5_000)
})

t.test('systemd', async (t) => {
  const unit = textOf('ini')
  const value = (name: string) => new RegExp(`^${name}=(.*)$`, 'm').exec(unit)?.[1] ?? ''
  t.ok(Number(value('TimeoutStopSec')) * 1_000 > drainOf(value('ExecStart').split(' ')) + killGrace, 'TimeoutStopSec')
  t.equal(value('KillMode'), 'mixed')
  t.match(value('ExecReload'), '-HUP $MAINPID')
  t.ok(checkCommand(t, value('ExecStart').split(' ')))

  if (spawnSync('systemd-analyze', ['--version']).error) return t.comment('systemd-analyze is not here')
  const file = path.join(t.testdir(), 'shop.service')
  // Only the program has to exist for the check.
  writeFileSync(file, unit.replace(/^ExecStart=\S+/m, `ExecStart=${process.execPath}`))
  const { status, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', file], {
    encoding: 'utf8',
    timeout: 30_000
  })
  if (/Failed to (initialize manager|connect)/.test(stderr))
    return t.comment(`systemd-analyze cannot work here: ${stderr}`)
  t.equal(status, 0, stderr)
  t.notMatch(stderr, 'shop.service', 'no complaint')
})

t.test('Docker', async (t) => {
  const dockerfile = textOf('dockerfile')
  const command = JSON.parse(/^CMD (.*)$/m.exec(dockerfile)?.[1] ?? 'null') as string[]
  t.ok(checkCommand(t, command))
  const known = ['FROM', 'ENV', 'WORKDIR', 'COPY', 'RUN', 'USER', 'EXPOSE', 'CMD']
  t.ok(
    dockerfile
      .trim()
      .split('\n')
      .every((line) => known.includes(line.split(' ', 1)[0] ?? ''))
  )
  const run = blocks.find(({ text }) => text.startsWith('docker run'))?.text ?? ''
  t.match(run, ' --init ')
  const stopTimeout = Number(/--stop-timeout (\d+)/.exec(run)?.[1])
  t.ok(stopTimeout * 1_000 > drainOf(command) + killGrace, '--stop-timeout')
})

t.test('Kubernetes', async (t) => {
  const manifest = parse(textOf('yaml'))
  const { spec } = manifest.spec.template
  const [container] = spec.containers
  t.strictSame(manifest.spec.selector.matchLabels, manifest.spec.template.metadata.labels)
  t.ok(checkCommand(t, container.args))
  const ports = container.ports.map(({ name }: { name: string }) => name)
  for (const probe of ['startupProbe', 'readinessProbe', 'livenessProbe']) {
    t.ok(ports.includes(container[probe].httpGet.port), probe)
  }
  const [sleep, seconds] = container.lifecycle.preStop.exec.command
  t.equal(sleep, 'sleep')
  const needed = Number(seconds) * 1_000 + drainOf(container.args) + killGrace
  t.ok(spec.terminationGracePeriodSeconds * 1_000 > needed, 'terminationGracePeriodSeconds')
})

function textOf(language: string): string {
  const found = blocks.filter((block) => block.language === language)
  if (found.length !== 1) throw new Error(`docs/deploying.md has ${found.length} blocks of ${language}`)
  return found[0]?.text ?? ''
}

function drainOf(command: string[]): number {
  const text = command.join(' ')
  return Number(/--drain-timeout[= ](\d+)/.exec(text)?.[1] ?? drainTimeout)
}

/** Whether it is `…/mapache start …` with flags that exist. */
function checkCommand(t: { match: typeof import('tap').match }, command: string[]): boolean {
  const help = execFileSync(process.execPath, [CLI, 'start', '--help'], { encoding: 'utf8', timeout: 30_000 })
  const at = command.findIndex((word) => word.endsWith('node_modules/.bin/mapache'))
  const flags = command.flatMap((word) => /^--[a-z-]+/.exec(word)?.[0] ?? [])
  for (const flag of flags) t.match(help, ` ${flag} `)
  return at !== -1 && command[at + 1] === 'start'
}
