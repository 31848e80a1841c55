import { execFile } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { chokidarWatch, type FSWatcher } from '#dev/watch/folders.js'
import { type Change, Watcher, type WatchOptions } from '#dev/watch/watcher.js'
import { DEADLINE, until } from '../support/fixture.js'

type Files = Record<string, string>

/** An app's folder, and what a watcher of it told. */
class App {
  readonly top: string
  readonly root: string
  readonly changes: Change[] = []
  readonly notes: string[] = []
  readonly instances: FSWatcher[] = []
  watcher!: Watcher

  constructor(t: Test, files: Files, below = '') {
    this.top = realpathSync(mkdtempSync(path.join(tmpdir(), 'mw-')))
    this.root = path.join(this.top, below)
    mkdirSync(this.root, { recursive: true })
    for (const [name, text] of Object.entries(files)) this.write(name, text)
    t.teardown(async () => {
      await this.watcher?.close()
      rmSync(this.top, { recursive: true, force: true })
    })
  }

  async watch(loaded: string[], options: Partial<WatchOptions> = {}): Promise<void> {
    this.watcher = new Watcher(
      {
        root: this.root,
        entry: 'server.js',
        onChange: (change) => this.changes.push(change),
        onNote: (text) => this.notes.push(text),
        ...options
      },
      (paths, chokidarOptions) => {
        const instance = chokidarWatch(paths, chokidarOptions)
        this.instances.push(instance)
        return instance
      }
    )
    this.watcher.loaded(loaded.map((name) => this.path(name)))
    await this.watcher.ready
    await this.watcher.idle()
  }

  path(name: string): string {
    return path.resolve(this.root, name)
  }

  write(name: string, text: string): void {
    mkdirSync(path.dirname(this.path(name)), { recursive: true })
    writeFileSync(this.path(name), text)
  }

  /** Waits for a change that names the file. */
  async told(name: string, from = 0): Promise<void> {
    await until(
      () => this.changes.slice(from).some(({ files }) => files.includes(name)),
      `a change of ${name}`,
      () => JSON.stringify(this.changes)
    )
  }

  /** The changes so far and until a file that is changed now has been told of, without that one. */
  async rest(name = 'sentinel.js'): Promise<Change[]> {
    await this.watcher.idle()
    this.write(name, `${Math.random()}`)
    await this.told(name)
    await this.watcher.idle()
    return this.changes.splice(0).flatMap(({ kind, files }) => {
      const others = files.filter((file) => file !== name)
      return others.length > 0 ? [{ kind, files: others }] : []
    })
  }
}

const source: Files = { 'server.js': '1', 'routes/user.js': '1', 'sentinel.js': '0', 'other.js': '1' }
const loaded = ['server.js', 'routes/user.js', 'sentinel.js']
const reload = (...files: string[]) => [{ kind: 'reload', files }]

for (const poll of [false, true]) {
  t.test(`saves as editors do them${poll ? ', polled' : ''}`, async (t) => {
    const app = new App(t, source)
    await app.watch(loaded, { poll })
    const user = app.path('routes/user.js')
    let text = 1
    const styles: Record<string, () => unknown> = {
      'write in place': () => writeFileSync(user, `a${++text}`),
      'write and rename': () => {
        writeFileSync(`${user}.tmp.1`, `a${++text}`)
        renameSync(`${user}.tmp.1`, user)
      },
      'move away and write': () => {
        renameSync(user, `${user}~`)
        writeFileSync(user, `a${++text}`)
      },
      'truncate, later write': async () => {
        writeFileSync(user, '')
        await sleep(30)
        writeFileSync(user, `a${++text}`)
      },
      'delete, later write': async () => {
        unlinkSync(user)
        await sleep(30)
        writeFileSync(user, `a${++text}`)
      },
      'write and format': () => {
        writeFileSync(user, `a${++text}`)
        writeFileSync(user, `b${text}`)
      }
    }
    for (const [name, save] of Object.entries(styles)) {
      await save()
      await app.told('routes/user.js')
      t.same(await app.rest(), reload('routes/user.js'), name)
    }
  })

  t.test(`what is no change of the code${poll ? ', polled' : ''}`, async (t) => {
    const app = new App(t, source)
    await app.watch(loaded, { poll })
    const server = app.path('server.js')
    const text = readFileSync(server)
    const later = new Date(Date.now() + 5_000)
    const events: Record<string, () => unknown> = {
      touch: () => utimesSync(server, later, later),
      'the same bytes': () => writeFileSync(server, text),
      'the same bytes by rename': () => {
        writeFileSync(`${server}.new`, text)
        renameSync(`${server}.new`, server)
      },
      'mode bits': () => chmodSync(server, 0o600),
      'a file that is not loaded': () => app.write('other.js', '2'),
      'a new file': () => app.write('routes/new.js', '2'),
      'a note of an editor': () => app.write('server.js~', '2')
    }
    for (const [name, event] of Object.entries(events)) {
      event()
      t.same(await app.rest(), [], name)
    }
  })

  t.test(`a loaded file that stays away is a change, and so is its return${poll ? ', polled' : ''}`, async (t) => {
    const app = new App(t, source)
    await app.watch(loaded, { poll })
    unlinkSync(app.path('server.js'))
    await app.told('server.js')
    app.watcher.reset()
    app.watcher.broken = true
    app.watcher.loaded([app.path('sentinel.js')])
    t.same(await app.rest(), reload('server.js'))
    app.write('server.js', '1')
    await app.told('server.js')
    t.same(await app.rest(), reload('server.js'), 'even the same bytes')
  })

  t.test(`folders that go and come back${poll ? ', polled' : ''}`, async (t) => {
    const app = new App(t, source)
    await app.watch(loaded, { poll })
    rmSync(app.path('routes'), { recursive: true })
    app.write('routes/user.js', '2')
    await app.told('routes/user.js')
    t.same(await app.rest(), reload('routes/user.js'), 'replaced')
    // Only the new folder's own watch tells of this.
    await app.watcher.idle()
    await until(async () => {
      app.write('routes/user.js', `${Math.random()}`)
      await sleep(50)
      return app.changes.length > 0
    }, 'a change in the folder that was replaced')
    await app.rest()

    renameSync(app.path('routes'), app.path('gone'))
    await app.told('routes/user.js')
    renameSync(app.path('gone'), app.path('routes'))
    await app.told('routes/user.js', 1)
    t.same(await app.rest(), [...reload('routes/user.js'), ...reload('routes/user.js')], 'moved away and back')
  })

  t.test(`the root vanishes and comes back${poll ? ', polled' : ''}`, async (t) => {
    const app = new App(t, source, 'app')
    await app.watch(loaded, { poll })
    rmSync(app.root, { recursive: true })
    await app.told('server.js')
    app.changes.length = 0
    for (const [name, text] of Object.entries(source)) app.write(name, text)
    await app.told('server.js')
    await app.told('routes/user.js')
    await until(() => app.instances.length > 1, 'watching anew')
    await app.watcher.idle()
    app.changes.length = 0
    app.write('routes/user.js', 'after')
    await app.told('routes/user.js')
  })

  t.test(`patterns${poll ? ', polled' : ''}`, async (t) => {
    const app = new App(t, { ...source, 'views/index.html': '1', '.env': 'A=1' })
    await app.watch(loaded, { poll, watch: ['views/**', '!views/cache/**', '.env', '.config/*.ini'] })
    for (const name of ['views/index.html', '.env', 'views/new.html', 'views/deep/new.html', '.config/a.ini']) {
      app.write(name, '2')
      await app.told(name)
      t.same(await app.rest(), reload(name), name)
    }
    app.write('views/cache/a.html', '2')
    t.same(await app.rest(), [], 'taken out again')
    unlinkSync(app.path('views/index.html'))
    await app.told('views/index.html')
    t.same(await app.rest(), reload('views/index.html'), 'deleted')
  })
}

t.test('a save at the very start, in the tick of the clock in which the file was made, polled', async (t) => {
  // Files get the time of the system's last tick, which may be some milliseconds ago: here it is some more.
  const now = Date.now
  t.teardown(() => Object.assign(Date, { now }))
  Date.now = () => now() + 5
  for (let round = 1; round <= 8; round += 1) {
    const app = new App(t, { 'server.js': '1', 'sentinel.js': '0', 'views/index.html': '1' })
    // Made in that tick, or a while before.
    if (round % 2 === 0) await sleep(20)
    await app.watch(['sentinel.js'], { poll: true, watch: ['views/**'] })
    app.write('views/index.html', '2')
    await app.told('views/index.html')
    t.same(await app.rest(), reload('views/index.html'))
    await app.watcher.close()
  }
})

t.test('a workspace package, linked into node_modules', async (t) => {
  const app = new App(t, source, 'apps/shop')
  app.write('../../package.json', '{"workspaces":["apps/*","libs/*"]}')
  app.write('../../libs/a/dist/index.js', '1')
  mkdirSync(app.path('node_modules'))
  symlinkSync(app.path('../../libs/a'), app.path('node_modules/a'))
  const file = '../../libs/a/dist/index.js'
  await app.watch([...loaded, realpathSync(app.path('node_modules/a/dist/index.js'))])
  app.write(file, '2')
  await app.told(file)
  t.same(await app.rest(), reload(file))

  rmSync(app.path('../../libs/a/dist'), { recursive: true })
  await app.told(file)
  app.watcher.reset()
  app.watcher.broken = true
  app.watcher.loaded([app.path('sentinel.js')])
  await app.rest()
  app.write(file, '3')
  await app.told(file)
  await until(() => app.instances.length > 1, 'watching the new folder')
  await app.rest()
  app.write(file, '4')
  await app.told(file)
  t.same(await app.rest(), reload(file), 'its output was built anew')

  app.write('../../package.json', '{"workspaces":["apps/*","libs/*"],"private":true}')
  await app.told('../../package.json')
  t.same(await app.rest(), [{ kind: 'dependencies', files: ['../../package.json'] }])
})

t.test('a checkout of many files', async (t) => {
  const names = Array.from({ length: 200 }, (_, count) => `src/${count % 10}/${count}.js`)
  const app = new App(t, { ...source, ...Object.fromEntries(names.map((name) => [name, '1'])) })
  await app.watch([...loaded, ...names])
  for (const name of names) {
    unlinkSync(app.path(name))
    writeFileSync(app.path(name), '2')
  }
  await until(() => new Set(app.changes.flatMap(({ files }) => files)).size === 200, 'all files')
  t.comment(`${app.changes.length} changes`)
  t.ok(app.changes.length <= 10, `${app.changes.length} changes`)
  t.same(app.changes.flatMap(({ files }) => files).sort(), [...names].sort(), 'none twice')
  app.changes.length = 0
  t.same(await app.rest(), [])
})

t.test('dependencies', async (t) => {
  const app = new App(t, { ...source, 'package.json': '{}', 'package-lock.json': '1' })
  app.write('node_modules/fastify/index.js', '1')
  await app.watch([...loaded, 'node_modules/fastify/index.js'])
  const dependencies = (...files: string[]) => [{ kind: 'dependencies', files }]
  for (const name of [
    'package.json',
    'package-lock.json',
    'node_modules/.package-lock.json',
    'node_modules/fastify/index.js'
  ]) {
    app.write(name, '{"a":1}')
    await app.told(name)
    t.same(await app.rest(), dependencies(name), name)
  }
  app.write('node_modules/fastify/README.md', '2')
  app.write('node_modules/new/index.js', '2')
  t.same(await app.rest(), [])
  rmSync(app.path('node_modules'), { recursive: true })
  await app.told('node_modules/.package-lock.json')
  app.changes.length = 0
  app.write('node_modules/.package-lock.json', '{"a":2}')
  await app.told('node_modules/.package-lock.json')
})

t.test('dependencies that are loaded later', async (t) => {
  const app = new App(t, { ...source, 'node_modules/a/index.js': '1' })
  await app.watch(loaded)
  app.watcher.loaded([app.path('node_modules/a/index.js')])
  t.same(await app.rest(), [])
  await until(async () => {
    app.write('node_modules/a/index.js', `${Math.random()}`)
    await sleep(50)
    return app.changes.length > 0
  }, 'a change of a dependency')
  t.match(app.changes, [{ kind: 'dependencies', files: ['node_modules/a/index.js'] }])
})

t.test('while the app is broken any source file counts', async (t) => {
  const app = new App(t, source)
  await app.watch(loaded)
  app.watcher.broken = true
  app.write('other.js', '2')
  await app.told('other.js')
  t.same(await app.rest(), reload('other.js'))
  app.write('new/deep/file.ts', '1')
  await app.told('new/deep/file.ts')
  t.same(await app.rest(), reload('new/deep/file.ts'), 'in a new folder')
  app.write('README.md', '1')
  app.watcher.broken = false
  app.write('another.js', '3')
  t.same(await app.rest(), [])
})

t.test('a new generation reports its own files', async (t) => {
  const app = new App(t, source)
  await app.watch(loaded)
  app.write('server.js', '2')
  await app.told('server.js')
  app.watcher.reset()
  app.watcher.loaded([app.path('server.js'), app.path('sentinel.js')])
  app.write('routes/user.js', '2')
  t.same(await app.rest(), reload('server.js'), 'one that is no longer loaded does not count')
  app.watcher.reset()
  app.write('routes/user.js', '3')
  app.write('new.js', '1')
  app.watcher.loaded(['server.js', 'sentinel.js', 'routes/user.js', 'new.js'].map((name) => app.path(name)))
  await app.told('routes/user.js')
  await app.told('new.js')
  app.changes.length = 0
  t.same(await app.rest(), [], 'what changed while the app booted is told of, once')
})

for (const code of ['ENOSPC', 'EMFILE']) {
  t.test(`the system's limit is reached: ${code}`, async (t) => {
    const app = new App(t, source)
    await app.watch(loaded, { watch: ['*.txt'] })
    for (let times = 0; times < 3; times += 1) app.instances[0]?.emit('error', Object.assign(new Error(code), { code }))
    // In the switch: the old watcher is closed by now, the new one not begun.
    app.write('routes/user.js', '2')
    app.write('a.txt', '2')
    await app.told('routes/user.js')
    await app.told('a.txt')
    await app.watcher.idle()
    t.equal(app.instances.length, 2)
    t.equal(app.instances[1]?.options.usePolling, true)
    t.equal(app.notes.length, 1)
    t.match(app.notes[0], process.platform === 'linux' ? /sysctl fs\.inotify\.max_user_/ : /ulimit/)
    app.changes.length = 0
    app.write('server.js', '2')
    await app.told('server.js')
    t.same(await app.rest(), reload('server.js'))
    await app.watcher.close()
    t.equal(app.instances[1]?.closed, true)
  })
}

t.test('another error is told of, once', async (t) => {
  const app = new App(t, source)
  await app.watch(loaded)
  for (let times = 0; times < 3; times += 1) app.instances[0]?.emit('error', new Error('strange'))
  t.same(app.notes, ['a folder cannot be watched: strange'])
  app.write('server.js', '2')
  await app.told('server.js')
})

t.test('a root that is not there, and an entry that comes later', async (t) => {
  const app = new App(t, {}, 'app')
  rmSync(app.root, { recursive: true })
  await app.watch([])
  t.same(app.changes, [])
  app.write('server.js', '1')
  await app.told('server.js')
  await until(() => app.instances.length > 0 && app.changes.length > 0, 'watching')
  await app.watcher.idle()
  app.changes.length = 0
  appendFileSync(app.path('server.js'), '2')
  await app.told('server.js')
})

t.test('it leaves nothing behind, whenever it is closed', async (t) => {
  const app = new App(t, source)
  for (const code of [
    'await watcher.close()',
    'await watcher.ready; await watcher.close(); await watcher.close()',
    'await watcher.ready; fs.writeFileSync(server, `2`); await watcher.close()',
    'await watcher.ready; fs.rmSync(server); await changed; await watcher.close()',
    'const closed = watcher.close(); watcher.loaded([server + 2]); watcher.reset(); await closed; await watcher.ready'
  ]) {
    for (const poll of [false, true]) {
      app.write('server.js', '1')
      const script = `
        import fs from 'node:fs'
        import { Watcher } from ${JSON.stringify(import.meta.resolve('#dev/watch/watcher.js'))}
        const root = ${JSON.stringify(app.root)}
        const server = root + '/server.js'
        let onChange
        const changed = new Promise((resolve) => { onChange = resolve })
        const watcher = new Watcher({ root, entry: 'server.js', poll: ${poll}, onChange, onNote() {} })
        ${code}
        process.on('exit', () => console.log('done'))`
      const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], {
        timeout: DEADLINE
      })
      t.equal(stdout, 'done\n', code)
    }
  }
})
