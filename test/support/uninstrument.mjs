// Loaded into each test file's process ahead of it (.taprc), to undo what tap does to processes that a test starts.
//
// tap follows child processes to collect coverage: it wraps child_process and sends each child, and its children in
// turn, NODE_OPTIONS with a loader that adds a thread, signal handlers and work at exit. What we test are processes:
// their signals, their exits, their environment. They must be as they are outside of a test.

import { isMainThread } from 'node:worker_threads'

if (isMainThread && process.env.TAP === '1') {
  // The TypeScript plugin sets NODE_OPTIONS once, as late as when tap is imported. Let it do so before we clean up.
  const loader = process.execArgv.find((arg) => /^--import=.*@tapjs\/typescript\//.test(arg))
  if (loader) (await import(new URL('index.js', loader.slice('--import='.length)).href)).plugin()

  globalThis[Symbol.for('process-on-spawn@*:singletonId')]?.unwrap()
  process.execArgv.length = 0
  for (const name of Object.keys(process.env)) {
    if (/^(NODE_OPTIONS$|TS_NODE_|TAP_TYPE_STRIP_ONLY$|_TAPJS_)/.test(name)) delete process.env[name]
  }
}
