import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { type LimitsReader, readLimits } from '#core/supervisor/limits.js'
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

const group = makeGroup(`mapache-test-${process.pid}`)
const groupless = typeof group === 'string' ? { skip: group } : {}

t.test('a real group of the kernel, where one may be made', groupless, async (t) => {
  const { folder } = group as { folder: string }
  t.teardown(() => rmdirSync(folder))
  const limits = new URL('../../../packages/core/dist/supervisor/limits.js', import.meta.url).href
  const file = put(
    path.join(t.testdir(), 'limits.mjs'),
    `import { writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { readLimits } from ${JSON.stringify(limits)}
writeFileSync(${JSON.stringify(path.join(folder, 'cgroup.procs'))}, String(process.pid))
console.log(JSON.stringify({ cpu: readLimits().cpu, of: availableParallelism() }))`
  )
  const child = start(t, file)
  const [line] = await child.printed(/\{.*\}/)
  t.equal(JSON.parse(line).cpu, 1)
  await child.exit()
})

/** A group with one CPU's quota, or why there is none. */
function makeGroup(name: string): { folder: string } | string {
  const mounts = process.platform === 'linux' ? readFileSync('/proc/self/mountinfo', 'utf8').split('\n') : []
  const mount = mounts.find((line) => / - cgroup2 | - cgroup .*\bcpu\b/.test(line))?.split(' ')[4]
  if (mount === undefined) return 'there are no groups here'
  const folder = path.join(mount, name)
  try {
    mkdirSync(folder)
  } catch (error) {
    return (error as Error).message
  }
  for (const [file, text] of [
    ['cpu.cfs_quota_us', '100000'],
    ['cpu.max', '100000 100000']
  ] as const) {
    try {
      writeFileSync(path.join(folder, file), text)
      return { folder }
    } catch {
      // The other version's, or a controller that is not given to this group.
    }
  }
  rmdirSync(folder)
  return 'the group has no CPU controller'
}
