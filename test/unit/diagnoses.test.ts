import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import t, { type Test } from 'tap'
import { Diagnoses } from '#core/supervisor/diagnoses.js'

const skip = process.platform === 'linux' ? false : 'reports are of what Linux tells'

/** A process that has ended, as if it hung, and how often it was killed. */
function staged(t: Test, stopping: 'no' | 'now') {
  const killed: string[] = []
  const said = new PassThrough()
  const note = (...args: unknown[]) => void said.write(String(args.at(-1)))
  const supervisor = {
    plan: { stopping },
    log: { warn: note, error: note },
    clock: { now: () => 1_000 },
    parts: { name: 'staged' },
    settings: { diagnostics: t.testdir() }
  }
  const { pid } = spawnSync(process.execPath, ['--version'])
  const member = { role: 'worker', name: '', id: 1, generation: 1, place: 1, pid, launchedAt: 0, seenAt: 0 }
  const peer = { member: { ...member, state: 'serving' }, launched: { kill: (signal: string) => killed.push(signal) } }
  return { supervisor: supervisor as never, peer, killed, said }
}

t.test('one that has ended by itself while it was looked at is not killed any more', { skip }, async (t) => {
  for (const state of ['serving', 'exited']) {
    const { supervisor, peer, killed, said } = staged(t, 'no')
    new Diagnoses().kill(supervisor, peer as never, 'hung')
    t.strictSame(killed, [], 'a report comes first')
    peer.member.state = state
    await once(said, 'data')
    await new Promise(setImmediate)
    t.strictSame(killed, state === 'exited' ? [] : ['SIGKILL'], state)
  }
})

t.test('in a stop that waits for nothing there is no report either', async (t) => {
  const { supervisor, peer, killed } = staged(t, 'now')
  new Diagnoses().kill(supervisor, peer as never, 'hung')
  t.strictSame(killed, ['SIGKILL'])
})
