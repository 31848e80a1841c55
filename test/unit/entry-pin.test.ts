import { mkdirSync, realpathSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import t, { type Test } from 'tap'
import { namedEntry, pinGeneration } from '#core/supervisor/entry.js'

/** A folder of releases with `current` pointing at the first, each with an app and its environment. */
function releases(t: Test): {
  folder: string
  source: Parameters<typeof pinGeneration>[1]
  release(n: number): string
} {
  const folder = realpathSync(t.testdir())
  const release = (n: number) => path.join(folder, 'releases', String(n))
  for (const n of [1, 2]) {
    mkdirSync(release(n), { recursive: true })
    writeFileSync(path.join(release(n), 'server.js'), `'release ${n}'`)
    writeFileSync(path.join(release(n), '.env'), `RELEASE=${n}\nPORT=1\n`)
  }
  switchTo(folder, 1)
  const current = path.join(folder, 'current')
  return { folder, release, source: { script: path.join(current, 'server.js'), args: [], execArgv: [], cwd: current } }
}

function switchTo(folder: string, n: number): void {
  try {
    unlinkSync(path.join(folder, 'current'))
  } catch {
    // The first time there is none.
  }
  symlinkSync(path.join('releases', String(n)), path.join(folder, 'current'))
}

t.test('a generation is pinned to the release that the symlink points at, and stays there', async (t) => {
  const { folder, source, release } = releases(t)
  const first = pinGeneration(1, source, '.env', {})
  switchTo(folder, 2)
  const second = pinGeneration(2, source, '.env', {})
  for (const [n, pinned] of [first, second].entries()) {
    t.strictSame(pinned, {
      generation: n + 1,
      script: path.join(release(n + 1), 'server.js'),
      cwd: release(n + 1),
      env: { RELEASE: String(n + 1), PORT: '1' },
      tasks: {}
    })
  }
})

t.test('what the environment has already wins over envFile', async (t) => {
  const { source } = releases(t)
  t.strictSame(pinGeneration(1, source, '.env', { PORT: '8080', A: 'b' }).env, { RELEASE: '1', PORT: '8080', A: 'b' })
  t.strictSame(pinGeneration(1, source, undefined, { A: 'b' }).env, { A: 'b' })
})

t.test('envFile may be an absolute path', async (t) => {
  const { source, release } = releases(t)
  t.strictSame(pinGeneration(1, source, path.join(release(2), '.env'), {}).env, { RELEASE: '2', PORT: '1' })
})

t.test('an envFile that cannot be read is refused by its path', async (t) => {
  const { source, folder } = releases(t)
  const missing = path.join(folder, 'current', '.env.production')
  t.throws(() => pinGeneration(1, source, '.env.production', {}), {
    code: 'MAPACHE_ENV_FILE',
    message: `MAPACHE_ENV_FILE: envFile ${missing} cannot be read: ENOENT: no such file or directory, open '${missing}'`,
    cause: { code: 'ENOENT' }
  })
  t.throws(() => pinGeneration(1, source, '..', {}), { code: 'MAPACHE_ENV_FILE', cause: { code: 'EISDIR' } })
})

t.test('an entry that is gone is refused by the path that it was named by', async (t) => {
  const { source, folder, release } = releases(t)
  unlinkSync(path.join(release(1), 'server.js'))
  t.throws(() => pinGeneration(2, source, undefined, {}), {
    code: 'MAPACHE_ENTRY_MISSING',
    message: `MAPACHE_ENTRY_MISSING: ${folder}/current/server.js does not exist or cannot be read`
  })
})

t.test('a symlink that points nowhere is an entry that is missing', async (t) => {
  const { source, folder } = releases(t)
  switchTo(folder, 3)
  t.throws(() => pinGeneration(2, source, undefined, {}), { code: 'MAPACHE_ENTRY_MISSING' })
})

t.test('a working directory that is gone is refused as well', async (t) => {
  const { source, folder, release } = releases(t)
  const moved = { ...source, script: path.join(release(1), 'server.js'), cwd: path.join(folder, 'gone') }
  t.throws(() => pinGeneration(2, moved, undefined, {}), {
    code: 'MAPACHE_ENTRY_MISSING',
    message: /gone does not exist/
  })
})

t.test('an entry may be named without its ending, as for node itself', async (t) => {
  const { source, release, folder } = releases(t)
  const script = path.join(folder, 'current', 'server')
  t.equal(pinGeneration(1, { ...source, script }, undefined, {}).script, path.join(release(1), 'server.js'))
})

t.test('a script that is a symlink itself is pinned to its file', async (t) => {
  const { source, release, folder } = releases(t)
  symlinkSync(path.join(release(2), 'server.js'), path.join(folder, 'app.js'))
  const pinned = pinGeneration(1, { ...source, script: path.join(folder, 'app.js') }, undefined, {})
  t.equal(pinned.script, path.join(release(2), 'server.js'))
})

t.test('in the module form it is the module that is pinned, and there is no script', async (t) => {
  const { source, folder, release } = releases(t)
  const file = path.join(folder, 'current', 'server.js')
  const module = {
    file,
    factory: 'file:///elsewhere.js',
    adapter: 'file:///adapter.js',
    listen: [],
    options: { workers: 2 }
  }
  const pinned = pinGeneration(1, { ...source, script: '', module }, undefined, {})
  t.equal(pinned.script, '')
  t.match(pinned.module, {
    factory: pathToFileURL(path.join(release(1), 'server.js')).href,
    adapter: 'file:///adapter.js',
    listen: [],
    options: { workers: 2 }
  })
})

t.test('a module that is gone is an entry that is missing', async (t) => {
  const { source, folder } = releases(t)
  const module = { file: path.join(folder, 'no.js'), factory: '', listen: [], options: {} }
  t.throws(() => pinGeneration(1, { ...source, script: '', module }, undefined, {}), { code: 'MAPACHE_ENTRY_MISSING' })
})

t.test('an entry that is named is found from the working directory and keeps its symlinks', async (t) => {
  const { folder } = releases(t)
  const named = namedEntry(path.join(folder, 'current', 'server.js'), ['--port', '80'])
  t.match(named, { script: path.join(folder, 'current', 'server.js'), args: ['--port', '80'] })
})

t.test('a folder, or nothing, is no entry', async (t) => {
  const { folder } = releases(t)
  t.throws(() => namedEntry(folder, []), {
    code: 'MAPACHE_ENTRY_MISSING',
    message: `MAPACHE_ENTRY_MISSING: ${folder} is a folder; name the script in it`
  })
  t.throws(() => namedEntry(path.join(folder, 'nothing.js'), []), { code: 'MAPACHE_ENTRY_MISSING' })
})

t.test('the modules of its setup and teardown are those of its release, too', async (t) => {
  const { folder, source, release } = releases(t)
  const tasks = { setup: './server.js', teardown: pathToFileURL(path.join(folder, 'current', 'server.js')) }
  const first = pinGeneration(1, { ...source, tasks }, undefined, {})
  switchTo(folder, 2)
  const url = (n: number) => pathToFileURL(path.join(release(n), 'server.js')).href
  t.strictSame(first.tasks, { setup: url(1), teardown: url(1) })
  t.strictSame(pinGeneration(2, { ...source, tasks }, undefined, {}).tasks, { setup: url(2), teardown: url(2) })
  const code = 'MAPACHE_ENTRY_MISSING'
  t.throws(() => pinGeneration(3, { ...source, tasks: { setup: './nope.js' } }, undefined, {}), { code })
})
