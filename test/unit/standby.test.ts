import t from 'tap'
import type { Downward } from '#core/channel/messages.js'
import type { ExitStatus, Launched, LaunchSpec } from '#core/supervisor/launch/launcher.js'
import { PendingForks } from '#core/supervisor/launch/pending.js'
import { StandbyLauncher } from '#core/supervisor/launch/standby.js'
import { loadBase } from '#core/worker/standby.js'

/** A process that runs, and has nothing to do with ours: it waits until it is killed. */
const IDLE = 'setInterval(() => {}, 1e6)'
const SPEC = {
  role: 'mold',
  id: 1,
  name: '',
  generation: -1,
  main: '-e',
  args: [],
  execArgv: [],
  cwd: process.cwd(),
  env: {},
  listeners: [],
  token: '',
  channel: '',
  folder: ''
} as unknown as LaunchSpec
const worker = (id: number): LaunchSpec => ({
  ...SPEC,
  role: 'worker',
  id,
  generation: 2,
  env: { NAME: `w${id}` },
  fresh: true
})

/** Notes what becomes of processes, in its order. */
class Notes {
  readonly lines: string[] = []
  events(name: string) {
    return {
      started: (pid: number) => void this.lines.push(`${name} started ${pid}`),
      exited: ({ code, signal, released, error }: ExitStatus) => {
        const how = released ? 'released' : (error?.message ?? signal ?? code)
        this.lines.push(`${name} exited ${how}`)
        this.#ended()
      }
    }
  }
  #ended = () => {}
  end(count: number): Promise<void> {
    return new Promise((resolve) => {
      this.#ended = () => {
        if (this.lines.filter((line) => line.includes('exited')).length >= count) resolve()
      }
      this.#ended()
    })
  }
}

/** A source of which it is known what it was sent. */
function sourceOf(launched: Launched) {
  const sent: Downward[] = []
  return { sent, source: { launched, send: (message: Downward) => void sent.push(message) } }
}

/** A process that only its test ends. */
class Fake implements Launched {
  pid = 4711
  killed: string[] = []
  handed = 0
  kill(signal: NodeJS.Signals) {
    this.killed.push(signal)
  }
  async sendListener() {
    this.handed += 1
  }
}

t.test('a standby is asked to become a worker, with all that it needs to be one', async (t) => {
  const standbys = new StandbyLauncher()
  const { sent, source } = sourceOf(new Fake())
  const launched = standbys.fork(source, worker(7), new Notes().events('worker'))
  t.equal(launched.pid, undefined)
  t.match(sent, [{ type: 'fork', request: 7, launch: { id: 7, role: 'worker', generation: 2, env: { NAME: 'w7' } } }])
  t.match((sent[0] as { launch: unknown }).launch, { listeners: [] }, 'but the sockets, which follow')
  t.ok(standbys.pending.awaits(source.launched))
})

t.test('one that has become it is no standby any more, and its end is the worker’s', async (t) => {
  const standbys = new StandbyLauncher()
  const notes = new Notes()
  const standby = standbys.launch({ ...SPEC, execArgv: ['-e', IDLE], main: '-' }, notes.events('standby'))
  const { source } = sourceOf(standby)
  const launched = standbys.fork(source, worker(7), notes.events('worker'))
  t.ok(standbys.forked(standby, 7, standby.pid as number))
  t.strictSame(notes.lines, ['standby exited released', `worker started ${standby.pid}`], 'in this order')
  t.equal(launched.pid, standby.pid)
  t.notOk(standbys.pending.awaits(standby))
  launched.kill('SIGKILL')
  await notes.end(2)
  t.equal(notes.lines.at(-1), 'worker exited SIGKILL')
})

t.test('one that ends before it is asked was a standby', async (t) => {
  const standbys = new StandbyLauncher()
  const notes = new Notes()
  standbys.launch({ ...SPEC, execArgv: ['-e', IDLE], main: '-' }, notes.events('standby')).kill('SIGKILL')
  await notes.end(1)
  t.strictSame(notes.lines, ['standby exited SIGKILL'])
})

t.test('one that ends before it has become the worker: there will be none', async (t) => {
  const standbys = new StandbyLauncher()
  const notes = new Notes()
  const fake = new Fake()
  const { source } = sourceOf(fake)
  standbys.fork(source, worker(7), notes.events('worker'))
  standbys.pending.ended(fake)
  t.match(notes.lines, [/^worker exited MAPACHE_FORK_FAILED: its mold ended/])
  t.notOk(standbys.forked(fake, 7, 4711), 'and whatever it says then is not taken')
  t.equal(notes.lines.length, 1)
})

t.test('a failure that it tells is that of the worker', async (t) => {
  const standbys = new StandbyLauncher()
  const notes = new Notes()
  const fake = new Fake()
  standbys.fork(sourceOf(fake).source, worker(7), notes.events('worker'))
  t.ok(standbys.pending.failed(fake, 7, { name: 'Error', message: 'no memory', stack: '' }))
  t.match(notes.lines, [/^worker exited MAPACHE_FORK_FAILED: no memory/])
})

t.test('nobody speaks for another', async (t) => {
  const standbys = new StandbyLauncher()
  const notes = new Notes()
  const [one, other] = [new Fake(), new Fake()]
  standbys.fork(sourceOf(one).source, worker(7), notes.events('worker'))
  t.notOk(standbys.forked(other, 7, 4711))
  t.notOk(standbys.forked(one, 8, 4711))
  t.notOk(standbys.forked(undefined, 7, 4711))
  t.notOk(standbys.pending.failed(other, 7, { name: 'Error', message: 'no', stack: '' }))
  t.notOk(standbys.pending.awaits(other))
  t.strictSame(notes.lines, [])
})

t.test('what is done to the worker is done to the process that it was', async (t) => {
  const standbys = new StandbyLauncher()
  const fake = new Fake()
  const launched = standbys.fork(sourceOf(fake).source, worker(7), new Notes().events('worker'))
  launched.kill('SIGTERM')
  await launched.sendListener(...([{}, {}] as unknown as Parameters<Launched['sendListener']>))
  t.strictSame([fake.killed, fake.handed], [['SIGTERM'], 1])
})

t.test('of several that are asked, each has its own', async (t) => {
  const pending = new PendingForks<Fake>()
  const notes = new Notes()
  const [one, other] = [new Fake(), new Fake()]
  for (const [id, source] of [
    [1, one],
    [2, other],
    [3, other]
  ] as const) {
    pending.add(id, { source: sourceOf(source).source, launched: source, events: notes.events(`w${id}`) })
  }
  pending.ended(other)
  t.match(notes.lines, [/^w2 exited/, /^w3 exited/])
  t.equal(pending.take(one, 1)?.launched, one)
  t.equal(pending.take(one, 1), undefined)
})

t.test('a base requires paths, imports URLs, and tells which of those fail', async (t) => {
  const folder = t.testdir({
    'one.cjs': 'globalThis.loadedBy = ["one"]',
    'two.mjs': 'globalThis.loadedBy.push("two")',
    'bad.cjs': 'throw new Error("no database")',
    'worse.mjs': 'throw null'
  })
  const url = (name: string) => new URL(`file://${folder}/${name}`).href
  const failed = await loadBase([
    `${folder}/one.cjs`,
    url('two.mjs'),
    `${folder}/bad.cjs`,
    url('worse.mjs'),
    `${folder}/no.cjs`
  ])
  t.strictSame((globalThis as { loadedBy?: string[] }).loadedBy, ['one', 'two'])
  // What was required may be required again, and fails again or not.
  t.strictSame(failed, [{ what: 'a module that fails: null', by: url('worse.mjs') }])
})
