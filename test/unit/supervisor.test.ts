import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { Staged } from './supervisor-kit.js'

t.test('a reload is done when the last old worker retires, however long that one drains', async (t) => {
  const staged = new Staged(t, { workers: 2 })
  await staged.start()
  const reload = staged.supervisor.reload()
  staged.settle()
  t.match(await Promise.race([reload, sleep(1_000, 'late', { ref: false })]), { generation: 2 })
  t.strictSame(staged.shown, ['1 g1 retiring', '2 g1 retiring', '3 g2 serving', '4 g2 serving'])
})

t.test('a reload that waits begins when the running one is done, and is done in its turn', async (t) => {
  const staged = new Staged(t, { workers: 1 })
  await staged.start()
  const reloads = [1, 2, 3].map(() => staged.supervisor.reload())
  const outcomes = Promise.allSettled(reloads)
  staged.settle()
  await sleep(20)
  staged.settle()
  t.match(await Promise.race([outcomes, sleep(1_000, 'late', { ref: false })]), [
    { value: { generation: 2 } },
    { reason: { code: 'MAPACHE_RELOAD_SUPERSEDED' } },
    { value: { generation: 3 } }
  ])
})

t.test('a stop while a reload runs refuses it and leaves nothing', async (t) => {
  const staged = new Staged(t, { workers: 2 })
  await staged.start()
  const refused = t.rejects(staged.supervisor.reload(), { code: 'MAPACHE_STOPPING' })
  await staged.supervisor.stop('now')
  await refused
  t.strictSame(staged.shown, [])
  await t.rejects(staged.supervisor.reload(), { code: 'MAPACHE_STOPPING' })
  await t.rejects(staged.supervisor.scale(2), { code: 'MAPACHE_STOPPING' })
})

t.test('a listener of the begin of a reload may scale the cluster', async (t) => {
  const staged = new Staged(t, { workers: 1 })
  await staged.start()
  staged.supervisor.once('reload:start', () => void staged.supervisor.scale(2).catch(() => {}))
  const reload = staged.supervisor.reload()
  reload.catch(() => {})
  staged.settle()
  t.match(await Promise.race([reload, sleep(200, 'late', { ref: false })]), { generation: 2 })
  t.match(staged.log.join('\n'), /reloading/)
  t.notMatch(staged.log.join('\n'), /a listener for reload:start failed/)
})

t.test('a listener of the end of a reload may scale the cluster while another reload waits', async (t) => {
  const staged = new Staged(t, { workers: 1 })
  await staged.start()
  staged.supervisor.once('reload:done', () => void staged.supervisor.scale(2).catch(() => {}))
  const outcomes = Promise.allSettled([staged.supervisor.reload(), staged.supervisor.reload()])
  staged.settle()
  await sleep(20)
  staged.settle()
  t.match(await Promise.race([outcomes, sleep(200, 'late', { ref: false })]), [
    { value: { generation: 2 } },
    { value: { generation: 3 } }
  ])
})

t.test('a listener that throws harms nothing', async (t) => {
  const staged = new Staged(t, { workers: 1 })
  for (const event of ['worker:launch', 'worker:ready', 'worker:serving', 'worker:retire', 'reload:start'] as const) {
    staged.supervisor.on(event, () => {
      throw new Error('from a listener')
    })
  }
  await staged.start()
  const reload = staged.supervisor.reload()
  staged.settle()
  t.match(await Promise.race([reload, sleep(1_000, 'late', { ref: false })]), { generation: 2 })
})

t.test('to scale to nothing at all, as by a misspelt name, is refused', async (t) => {
  const staged = new Staged(t, { workers: 2 })
  await staged.start()
  await t.rejects(staged.supervisor.scale(undefined as unknown as number), { code: 'MAPACHE_OPTION_INVALID' })
  t.equal(staged.supervisor.settings.workers, 2)
})

t.test('the longest drainTimeout does not overflow a timer', async (t) => {
  const staged = new Staged(t, { workers: 1, drainTimeout: 2 ** 31 - 1, hangTimeout: 0 })
  const warnings: string[] = []
  const take = ({ name }: Error) => void warnings.push(name)
  process.on('warning', take)
  t.teardown(() => process.off('warning', take))
  await staged.start()
  const reload = staged.supervisor.reload()
  staged.settle()
  await reload
  await sleep(20)
  t.strictSame(warnings, [])
})

t.test('a process that is killed and not gone yet does not become anything more', async (t) => {
  const staged = new Staged(t, { workers: 1 })
  await staged.start()
  const [peer] = staged.supervisor.processes.all
  const { member } = peer as NonNullable<typeof peer>
  member.unproved = true
  member.killed = true
  staged.say(member.id, { type: 'health', healthy: true })
  t.equal(member.unproved, true)
  staged.say(member.id, { type: 'leave' })
  t.equal(member.stale, undefined)
  staged.exit(member.id)
})

t.test('an unhealthy worker is replaced, and stays if it is well again before that', async (t) => {
  const staged = new Staged(t, { workers: 1 })
  await staged.start()
  staged.say(1, { type: 'health', healthy: true })
  staged.say(1, { type: 'health', healthy: false })
  t.strictSame(staged.shown, ['1 g1 serving', '2 g1 launching'])
  staged.say(1, { type: 'health', healthy: true })
  t.match(staged.supervisor.processes.get(2)?.member, { killed: true, reason: 'unwanted' })
  staged.say(1, { type: 'health', healthy: false })
  t.equal(staged.supervisor.roster.get(1)?.stale, undefined, 'not while another is about to go')
})
