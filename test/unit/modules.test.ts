import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { findModuleFile } from '#core/module-file.js'
import { type MapacheModule, resolveModules } from '#core/modules.js'
import type { ServiceOption } from '#core/services.js'

const base = t.testdir({
  'jobs.js': '',
  'other.mjs': '',
  lib: { 'deep.js': '' },
  node_modules: {
    packaged: { 'package.json': JSON.stringify({ name: 'packaged', exports: { '.': './main.js' } }), 'main.js': '' }
  }
})

const url = (name: string) => pathToFileURL(path.join(base, name)).href
const resolve = (...modules: unknown[]) => resolveModules(modules as MapacheModule[], base).services
const service = (rest: object) => ({ name: 'jobs', services: [{ name: 'queue', entry: './jobs.js', ...rest }] })

t.test('a module without services brings none', async (t) => {
  t.strictSame(resolve(), [])
  t.strictSame(resolve({ name: 'quiet' }, { name: 'empty', services: [], messages: {}, on: {} }), [])
})

t.test('a service has its file, its count and a name that is unique in the cluster', async (t) => {
  const options = { every: 5 }
  const two = [
    { name: 'queue', entry: './jobs.js', instances: 2, options },
    { name: 'clock', entry: './other.mjs' }
  ]
  const file = path.join(base, 'other.mjs')
  const usual = { control: false, overlap: false }
  t.strictSame(resolve({ name: 'jobs', services: two }, { name: 'more', services: [two[1]] }), [
    { name: 'jobs/queue', file: path.join(base, 'jobs.js'), count: 2, options, ...usual },
    { name: 'jobs/clock', file, count: 1, options: undefined, ...usual },
    { name: 'more/clock', file, count: 1, options: undefined, ...usual }
  ])
  const trusted = { ...two[1], control: true, overlap: true }
  t.match(resolve({ name: 'jobs', services: [trusted] }), [{ name: 'jobs/clock', control: true, overlap: true }])
})

t.test("the app's own services come first, under their own names, with an entry or a function", async (t) => {
  const own = (services: unknown) => resolveModules([service({})], base, services as ServiceOption[]).services
  const run = () => {}
  t.match(
    own([
      { name: 'mail', run },
      { name: 'clock', entry: './other.mjs', instances: 3 }
    ]),
    [
      { name: 'mail', file: undefined, count: 1 },
      { name: 'clock', file: path.join(base, 'other.mjs'), count: 3 },
      { name: 'jobs/queue', count: 1 }
    ]
  )
  const wrong: [unknown, string][] = [
    [{ name: 'a' }, 'services[0].entry must be the path or URL of a file that exists, got undefined'],
    [{ name: 'a', run: 1 }, 'services[0].run must be a function, and is there in place of an entry, got 1'],
    [{ name: 'a', run, entry: './jobs.js' }, 'services[0].run must be a function, and is there in place of an entry'],
    [{ name: 'a', run, overlap: 1 }, 'services[0].overlap must be true or false, got 1'],
    [{ run }, 'services[0].name must be a text, got undefined'],
    [null, 'services[0].name must be a text, got undefined']
  ]
  for (const [given, message] of wrong) {
    t.throws(() => own([given]), { code: 'MAPACHE_OPTION_INVALID', message: new RegExp(quoted(message)) })
  }
  t.throws(
    () =>
      own([
        { name: 'a', run },
        { name: 'a', run }
      ]),
    /services\[1\].name is the name of another service already/
  )
  t.throws(() => resolve(service({ run })), { code: 'MAPACHE_MODULE_INVALID', message: /run is not for modules/ })
})

function quoted(text: string): string {
  return text.replace(/[[\]().]/g, '\\$&')
}

t.test('an entry may be a path, a URL, or the name of a package', async (t) => {
  const entries: [unknown, string][] = [
    ['./jobs.js', 'jobs.js'],
    ['jobs.js', 'jobs.js'],
    ['lib/deep.js', 'lib/deep.js'],
    [path.join(base, 'lib', 'deep.js'), 'lib/deep.js'],
    [pathToFileURL(path.join(base, 'jobs.js')), 'jobs.js'],
    [pathToFileURL(path.join(base, 'jobs.js')).href, 'jobs.js'],
    ['packaged', 'node_modules/packaged/main.js']
  ]
  for (const [entry, file] of entries) t.equal(findModuleFile(entry, base), path.join(base, file), String(entry))
})

t.test('a path keeps its symlinks, for they may point elsewhere at the next reload', async (t) => {
  mkdirSync(path.join(base, 'release-1'))
  writeFileSync(path.join(base, 'release-1', 'jobs.js'), '')
  symlinkSync('release-1', path.join(base, 'current'))
  t.equal(findModuleFile('./current/jobs.js', base), path.join(base, 'current/jobs.js'))
})

t.test('what is no file is not found', async (t) => {
  const nothing = [
    './no.js',
    'no-such-package',
    '',
    undefined,
    null,
    7,
    {},
    new URL('https://example.org/jobs.js'),
    'https://example.org/jobs.js',
    'file:///no/such/file.js',
    'file://host/jobs.js',
    'file:///a%2Fb.js',
    path.join(base, 'no.js')
  ]
  for (const entry of nothing) t.equal(findModuleFile(entry, base), undefined, String(entry))
})

t.test('what workers load ahead of the app, and what serves in its place, are URLs of files', async (t) => {
  const all = (...modules: unknown[]) => {
    const { services: _, ...rest } = resolveModules(modules as MapacheModule[], base)
    return rest
  }
  t.strictSame(all({ name: 'quiet' }), { workers: [], fallback: undefined, primes: undefined })
  t.strictSame(
    all(
      { name: 'a', worker: './jobs.js', primes: 'standby' },
      { name: 'b', worker: pathToFileURL(path.join(base, 'other.mjs')), fallback: './lib/deep.js' },
      { name: 'c', worker: 'packaged' }
    ),
    {
      workers: [url('jobs.js'), url('other.mjs'), url('node_modules/packaged/main.js')],
      fallback: url('lib/deep.js'),
      primes: 'standby'
    },
    'in the order of the modules'
  )
})

t.test('what a URL says beside where the file is, is kept', async (t) => {
  const fallback = new URL('?editor=code&port=1', pathToFileURL(path.join(base, 'jobs.js')))
  t.strictSame(resolveModules([{ name: 'a', fallback, worker: fallback.href }], base), {
    services: [],
    workers: [fallback.href],
    fallback: fallback.href,
    primes: undefined
  })
})

const INVALID: [modules: unknown[], message: string][] = [
  [[null], 'modules[0] must be an object, got null'],
  [['shell'], "modules[0] must be an object, got 'shell'"],
  [[{ name: 'a' }, undefined], 'modules[1] must be an object, got undefined'],
  [[{}], 'modules[0].name must be a text, got undefined'],
  [[{ name: '' }], "modules[0].name must be a text, got ''"],
  [[{ name: 7 }], 'modules[0].name must be a text, got 7'],
  [[{ name: 'a' }, { name: 'b' }, { name: 'a' }], "modules[2].name is the name of another module already, got 'a'"],
  [[{ name: 'a', on: { stopped: true } }], "modules[0].on['stopped'] must be a function, got true"],
  [
    [{ name: 'a', messages: { run: { check() {} } } }],
    "modules[0].messages['run'] must have the functions check and receive, got { check: [Function: check] }"
  ],
  [
    [{ name: 'a', messages: { run: null } }],
    "modules[0].messages['run'] must have the functions check and receive, got null"
  ],
  [[{ name: 'a', services: {} }], 'modules[0].services must be an array, got {}'],
  [[{ name: 'a', services: 'queue' }], "modules[0].services must be an array, got 'queue'"],
  [[{ name: 'a', services: [null] }], 'modules[0].services[0].name must be a text, got undefined'],
  [[service({ name: '' })], "modules[0].services[0].name must be a text, got ''"],
  [[service({ instances: 0 })], 'modules[0].services[0].instances must be a positive integer, got 0'],
  [[service({ instances: 1.5 })], 'modules[0].services[0].instances must be a positive integer, got 1.5'],
  [[service({ instances: '2' })], "modules[0].services[0].instances must be a positive integer, got '2'"],
  [
    [service({ entry: undefined })],
    'modules[0].services[0].entry must be the path or URL of a file that exists, got undefined'
  ],
  [
    [{ name: 'ok' }, service({ entry: './no.js' })],
    "modules[1].services[0].entry must be the path or URL of a file that exists, got './no.js'"
  ],
  [
    [
      {
        name: 'a',
        services: [
          { name: 'q', entry: './jobs.js' },
          { name: 'q', entry: './other.mjs' }
        ]
      }
    ],
    "modules[0].services[1].name is the name of another service already, got 'q'"
  ],
  [
    [{ name: 'a', worker: './no.js' }],
    "modules[0].worker must be the path or URL of a file that exists, got './no.js'"
  ],
  [
    [{ name: 'a' }, { name: 'b', fallback: 7 }],
    'modules[1].fallback must be the path or URL of a file that exists, got 7'
  ],
  [
    [
      { name: 'a', fallback: './jobs.js' },
      { name: 'b', fallback: './other.mjs' }
    ],
    "modules[1].fallback is of module a already, got './other.mjs'"
  ],
  [
    [
      { name: 'a', primes: 'auto' },
      { name: 'b', primes: 'standby' }
    ],
    "modules[1].primes is of module a already, got 'standby'"
  ],
  [[{ name: 'a', primes: 'always' }], "modules[0].primes must be 'auto', 'fork' or 'standby', got 'always'"]
]

for (const [modules, text] of INVALID) {
  t.test(`refused: ${text}`, async (t) => {
    t.throws(() => resolve(...modules), { code: 'MAPACHE_MODULE_INVALID', message: `MAPACHE_MODULE_INVALID: ${text}` })
  })
}

t.test('services of two modules whose names join to one are refused', async (t) => {
  const first = { name: 'a/b', services: [{ name: 'c', entry: './jobs.js' }] }
  const second = { name: 'a', services: [{ name: 'b/c', entry: './jobs.js' }] }
  t.throws(() => resolve(first, second), { code: 'MAPACHE_MODULE_INVALID' })
})
