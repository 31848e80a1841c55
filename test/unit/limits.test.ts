import path from 'node:path'
import t from 'tap'
import { type LimitsReader, readLimits } from '#core/supervisor/limits.js'
import { type Group, makeGroup } from '../support/cgroup.js'
import { put } from '../support/deploy.js'
import { start } from '../support/fixture.js'

const GB = 1_024 ** 3
const V2 = '29 25 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate'
const V1 = [
  '30 29 0:27 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct',
  '31 29 0:28 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory'
].join('\n')

/** A machine of 8 CPUs and 16 GB. */
function machine(files: Record<string, string>): LimitsReader {
  return { read: (file) => files[file], parallelism: () => 8, memory: () => 16 * GB }
}

function two(group: string, files: Record<string, string>, mount = V2): LimitsReader {
  return machine({ '/proc/self/mountinfo': mount, '/proc/self/cgroup': `0::${group}\n`, ...files })
}

t.test('without cgroups the machine is the limit', async (t) => {
  t.strictSame(readLimits(machine({})), { cpu: 8, memory: 16 * GB })
})

t.test('version 2: each group on the way up counts, and the least wins', async (t) => {
  const files = {
    '/sys/fs/cgroup/a/b/cpu.max': '600000 100000\n',
    '/sys/fs/cgroup/a/cpu.max': '350000 100000\n',
    '/sys/fs/cgroup/a/b/memory.max': 'max\n',
    '/sys/fs/cgroup/a/memory.max': `${2 * GB}\n`,
    '/sys/fs/cgroup/other/cpu.max': '100000 100000\n'
  }
  t.strictSame(readLimits(two('/a/b', files)), { cpu: 3, memory: 2 * GB })
})

t.test('version 2 in a container: of its own namespace, or with the mount below', async (t) => {
  const files = { '/sys/fs/cgroup/cpu.max': '200000 100000\n', '/sys/fs/cgroup/memory.max': `${GB}\n` }
  t.strictSame(readLimits(two('/', files)), { cpu: 2, memory: GB })
  const below = '29 25 0:26 /docker/4f /sys/fs/cgroup ro - cgroup2 cgroup rw'
  t.strictSame(readLimits(two('/docker/4f', files, below)), { cpu: 2, memory: GB })
  t.strictSame(readLimits(two('/../../else', files)), { cpu: 2, memory: GB })
})

t.test('version 1: quota and memory have groups of their own', async (t) => {
  const reader = machine({
    '/proc/self/mountinfo': V1,
    '/proc/self/cgroup': '4:memory:/m\n3:cpu,cpuacct:/c\n0::/\n',
    '/sys/fs/cgroup/cpu,cpuacct/c/cpu.cfs_quota_us': '450000\n',
    '/sys/fs/cgroup/cpu,cpuacct/c/cpu.cfs_period_us': '100000\n',
    '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us': '-1\n',
    '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us': '100000\n',
    '/sys/fs/cgroup/memory/m/memory.limit_in_bytes': `${3 * GB}\n`,
    '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n'
  })
  t.strictSame(readLimits(reader), { cpu: 4, memory: 3 * GB })
})

t.test('less than one CPU is one, and nonsense is no limit', async (t) => {
  t.equal(readLimits(two('/', { '/sys/fs/cgroup/cpu.max': '20000 100000\n' })).cpu, 1)
  for (const text of ['', 'max 100000', '0 0', 'x y', '-1', '100000']) {
    t.equal(readLimits(two('/', { '/sys/fs/cgroup/cpu.max': text, '/sys/fs/cgroup/memory.max': text })).cpu, 8, text)
  }
})

t.test('a mount with a space in its name', async (t) => {
  const mount = '29 25 0:26 / /mnt/my\\040groups rw - cgroup2 cgroup2 rw'
  t.equal(readLimits(two('/a', { '/mnt/my groups/a/cpu.max': '100000 100000' }, mount)).cpu, 1)
})

const group = makeGroup('cpu', 1)
const groupless = typeof group === 'string' ? { skip: group } : {}

t.test('a real group of the kernel, where one may be made', groupless, async (t) => {
  const { enter, remove } = group as Group
  t.teardown(remove)
  const limits = new URL('../../../packages/core/dist/supervisor/limits.js', import.meta.url).href
  const text = `import { readLimits } from ${JSON.stringify(limits)}\nconsole.log('cpu', readLimits().cpu)`
  const child = start(t, put(path.join(t.testdir(), 'limits.mjs'), text), { nodeArgs: [enter] })
  await child.printed(/^cpu 1$/m)
  await child.exit()
})
