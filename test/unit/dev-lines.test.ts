import t from 'tap'
import { hasColors, palette, plain } from '#dev/terminal/colors.js'
import { failedLines } from '#dev/terminal/failed.js'
import { memoryLines, noteLine, progressLine, reloadedLine, startedLines, warnLine } from '#dev/terminal/lines.js'

t.test('a reload is one line', async (t) => {
  const line = (files: string[], duration = 84.4) => reloadedLine({ duration, files, generation: 12 })
  t.equal(line(['routes/user.ts']), 'reloaded in 84 ms · routes/user.ts · gen 12')
  t.equal(line(['routes/user.ts', 'a.ts', 'b.ts', 'c.ts']), 'reloaded in 84 ms · routes/user.ts and 3 more · gen 12')
  t.equal(line([]), 'reloaded in 84 ms · r · gen 12', 'by key')
  t.equal(line([], 999.6), 'reloaded in 1.0 s · r · gen 12')
  t.equal(line(['a\x1b[31m\nb.ts\x07']), 'reloaded in 84 ms · a b.ts · gen 12', 'a strange name')
})

t.test('the start names address, strategy, entry and generation, and the keys if there are any', async (t) => {
  const started = {
    urls: ['http://localhost:3000', 'http://192.168.1.2:3000'],
    strategy: 'fork',
    entry: 'server.ts',
    generation: 1,
    duration: 620
  }
  const first = 'http://localhost:3000 · fork · server.ts · gen 1 in 620 ms'
  t.same(startedLines(started), [first, 'http://192.168.1.2:3000'])
  t.same(startedLines(started, { keys: true }).at(-1), 'r reload · m memory · o open · q quit')
})

t.test('an error shows the app, and counts the frames that are not its own', async (t) => {
  const stack = `TypeError: x is not a function
    at handler (/app/routes/user.ts:4:9)
    at Layer.handle (/app/node_modules/express/lib/layer.js:95:5)
    at next (/app/node_modules/express/lib/route.js:149:13)
    at file:///app/server.ts:10:1
    at async node:internal/main:12:3
    at process.processTicksAndRejections (node:internal/process/task_queues:105:5)`
  const cause = {
    name: 'Error',
    message: 'no base',
    stack: 'Error: no base\n    at open (/app/db.ts:2:1)',
    code: 'E_BASE'
  }
  const error = { name: 'TypeError', message: 'x is not a function', stack, cause }
  t.same(failedLines({ error, frame: '> 4 | x()\n    | ^', files: ['routes/user.ts'] }, '/app'), [
    'failed · routes/user.ts',
    'TypeError: x is not a function',
    '',
    '  > 4 | x()',
    '      | ^',
    '',
    '  at handler (routes/user.ts:4:9)',
    '  … 2 frames in node_modules',
    '  at server.ts:10:1',
    '  … 2 frames in Node.js',
    'caused by Error [E_BASE]: no base',
    '  at open (db.ts:2:1)'
  ])
})

t.test('a syntax error shows the source that V8 put ahead of it', async (t) => {
  const stack =
    "/app/a.ts:3\nconst = 3\n      ^\n\nSyntaxError: Unexpected token '='\n    at compile (node:internal/vm:1:1)"
  t.same(failedLines({ error: { name: 'SyntaxError', message: "Unexpected token '='", stack } }, '/app'), [
    'failed',
    "SyntaxError: Unexpected token '='",
    '',
    '  /app/a.ts:3',
    '  const = 3',
    '        ^',
    '',
    '  … 1 frame in Node.js'
  ])
})

t.test('what was thrown may be anything', async (t) => {
  const error = { name: 'Error', message: 'one\ntwo\x1b[2J', cause: 'a text' }
  t.same(failedLines({ error }, '/app'), ['failed', 'Error: one', '  two', 'caused by Thrown: a text'])
  const loop: { name: string; message: string; cause?: unknown } = { name: 'Error', message: 'loop' }
  loop.cause = loop
  t.equal(failedLines({ error: loop }, '/app').length, 6, 'a circle of causes ends')
})

t.test('memory is a table in MB', async (t) => {
  const mb = 1024 * 1024
  const rows = [
    { role: 'supervisor', pid: 7, pss: 50 * mb, own: 40 * mb, rss: 81.25 * mb },
    { role: 'worker', pid: 4711, generation: 12, rss: mb }
  ]
  t.same(memoryLines(rows), [
    'role         pid  gen   PSS   own  RSS MB',
    'supervisor     7    –  50.0  40.0    81.3',
    'worker      4711   12     –     –     1.0'
  ])
})

t.test('notes, warnings and progress', async (t) => {
  t.equal(noteLine('watching 12 files'), 'watching 12 files')
  t.equal(warnLine('polling'), 'warning polling')
  t.equal(progressLine(312, 412), 'loading … 312 modules, 0.4 s')
  t.equal(progressLine(1, 0), 'loading … 1 module, 0.0 s')
})

t.test('colours are for terminals, unless the environment says otherwise', async (t) => {
  t.equal(hasColors(true, {}), true)
  t.equal(hasColors(undefined, {}), false)
  t.equal(hasColors(true, { NO_COLOR: '1' }), false)
  t.equal(hasColors(true, { TERM: 'dumb' }), false)
  t.equal(hasColors(false, { FORCE_COLOR: '1', NO_COLOR: '1' }), true)
  t.equal(hasColors(true, { FORCE_COLOR: '0' }), false)
  const line = reloadedLine({ duration: 84, files: ['a.ts'], generation: 2 }, palette(true))
  t.match(line, '\x1b[32mreloaded in 84 ms\x1b[39m')
  t.equal(plain(line), 'reloaded in 84 ms · a.ts · gen 2')
})
