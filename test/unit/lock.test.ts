import t from 'tap'
import { isDead, type LockFiles, type Machine, MachineLock, type Owner } from '#core/supervisor/lock.js'
import { seededRandom } from '../support/loss/random.js'

/** Files that many share, in memory; each operation is one step, ahead of which `step` is called. */
function sharedFiles(files: Map<string, string>, step: () => void): LockFiles {
  const doing = <Args extends unknown[], Value>(work: (...args: Args) => Value) => {
    return (...args: Args) => {
      step()
      return work(...args)
    }
  }
  return {
    open: doing(() => {}),
    write: doing((name: string, text: string) => void files.set(name, text)),
    link: doing((from: string, to: string) => {
      const text = files.get(from)
      if (text === undefined) return 'missing'
      if (files.has(to)) return 'exists'
      files.set(to, text)
      return 'linked'
    }),
    read: doing((name: string) => files.get(name)),
    remove: doing((name: string) => void files.delete(name)),
    list: doing(() => [...files.keys()]),
    close: doing(() => {})
  }
}

function owner(token: string, rest: Partial<Owner> = {}): Owner {
  return { token, pid: 1, host: 'here', since: 0, what: 'a test', ...rest }
}

t.test('one at a time has it', async (t) => {
  const files = new Map<string, string>()
  const lock = (token: string) =>
    new MachineLock(
      sharedFiles(files, () => {}),
      owner(token),
      () => false
    )
  const [a, b] = [lock('a'), lock('b')]
  t.equal(a.take(), undefined)
  t.equal(b.take()?.token, 'a', 'and the other is told who')
  a.release()
  t.equal(b.take(), undefined)
  b.release()
  t.strictSame([...files.keys()], [], 'nothing is left behind')
})

t.test('it is taken over from the dead, also from one that took it over', async (t) => {
  const files = new Map<string, string>()
  const dead = new Set<string>()
  const lock = (token: string) =>
    new MachineLock(
      sharedFiles(files, () => {}),
      owner(token),
      (one) => dead.has(one.token)
    )
  t.equal(lock('a').take(), undefined)
  t.equal(lock('b').take()?.token, 'a')
  dead.add('a')
  t.equal(lock('b').take(), undefined)
  dead.add('b')
  const c = lock('c')
  t.equal(c.take(), undefined)
  t.equal(lock('d').take()?.token, 'c')
  dead.add('d')
  c.release()
  t.strictSame([...files.keys()], ['new-d'], 'but for what the dead have prepared')
  const e = lock('e')
  t.equal(e.take(), undefined)
  t.strictSame([...files.keys()], ['head'], 'which the next one clears away')
})

t.test('a file that was cut off by a power failure counts as of a dead one', async (t) => {
  const files = new Map([
    ['head', ''],
    ['after-unreadable-head', '']
  ])
  const lock = new MachineLock(
    sharedFiles(files, () => {}),
    owner('a'),
    () => false
  )
  t.equal(lock.take(), undefined)
  lock.release()
  t.strictSame([...files.keys()], [])
})

t.test('whatever the others do between two steps, and wherever they die, never two have it', async (t) => {
  let takings = 0
  let deaths = 0
  const wrong: string[] = []
  for (let seed = 1; seed <= 400; seed += 1) {
    const random = seededRandom(seed)
    const files = new Map<string, string>()
    const dead = new Set<string>()
    const holders = new Set<string>()
    let depth = 0
    let tokens = 0
    // One taking: while it is under way others begin theirs, end them, or die, at any of its steps.
    const contend = (): void => {
      tokens += 1
      const token = String(tokens)
      let mortal = true
      const step = () => {
        if (depth < 4 && tokens < 60 && random() < 0.3) {
          depth += 1
          contend()
          depth -= 1
        }
        if (mortal && random() < 0.03) throw DEATH
      }
      const lock = new MachineLock(sharedFiles(files, step), owner(token), (one) => dead.has(one.token))
      try {
        if (lock.take() === undefined) {
          takings += 1
          holders.add(token)
          if (holders.size > 1) wrong.push(`seed ${seed}: ${[...holders].join(' and ')} have it`)
          step()
          holders.delete(token)
        }
        lock.release()
      } catch (error) {
        if (error !== DEATH) throw error
        deaths += 1
        holders.delete(token)
        dead.add(token)
      }
      mortal = false
    }
    while (tokens < 40) contend()
    // Whatever was left behind, it can be had again.
    const last = new MachineLock(
      sharedFiles(files, () => {}),
      owner('last'),
      (one) => dead.has(one.token)
    )
    if (last.take() !== undefined) wrong.push(`seed ${seed}: held by nobody who lives`)
  }
  t.strictSame(wrong, [])
  t.ok(takings > 1_000 && deaths > 1_000, `${takings} takings, ${deaths} deaths`)
})

const DEATH = new Error('dies here')

t.test('who is dead', async (t) => {
  const machine: Machine = { host: 'here', boot: 'b1', startOf: (pid) => (pid === 1 ? '700' : undefined) }
  const rows: [string, Partial<Owner>, Partial<Machine>, boolean][] = [
    ['runs', { boot: 'b1', started: '700' }, {}, false],
    ['no such process', { boot: 'b1', pid: 2, started: '700' }, {}, true],
    ['its pid is that of another by now', { boot: 'b1', started: '699' }, {}, true],
    ['the machine was started since', { boot: 'b0', started: '700' }, {}, true],
    ['another machine, whose pids are not known here', { boot: 'b0', host: 'there', pid: 2 }, {}, false],
    ['another container of this machine', { boot: 'b1', host: 'there', pid: 2 }, {}, false],
    ['the system tells no times', { pid: 1 }, { startOf: (pid) => (pid === 1 ? '' : undefined) }, false],
    ['nor a boot, and the name of the machine has changed', { host: 'there', pid: 2 }, {}, true]
  ]
  for (const [name, rest, changed, expected] of rows) {
    t.equal(isDead(owner('a', rest), { ...machine, ...changed }), expected, name)
  }
})
