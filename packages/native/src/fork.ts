import { isMainThread } from 'node:worker_threads'
import { binding } from './binding.js'
import { becomeChild } from './child.js'
import { failure } from './failure.js'
import { replaceRandom } from './random.js'

let prepared = false

/**
 * Makes this process one that can `fork`. To be called before the app's code is loaded: V8's background threads are
 * replaced by ones that can step aside, and `Math.random` by one that a forked process can start anew, of which the app
 * may keep a reference. Doing it again does nothing.
 *
 * @throws an error with the code ENOTSUP where this package does not work, EINVAL outside of the main thread, ETIMEDOUT
 *   if V8's threads did not come to an end of what they did
 */
export function prepare(): void {
  const native = binding()
  if (!isMainThread) throw failure('EINVAL', 'only the main thread can fork')
  if (prepared) return
  native.prepare()
  waitFor((milliseconds) => native.settle(milliseconds))
  replaceRandom()
  prepared = true
}

/**
 * Makes a copy of this process that goes on in the same place. It belongs to the nearest subreaper above this process,
 * and leads a session of its own. Its pid, `process.uptime`, `Math.random`, and the caches of `crypto.randomUUID` and
 * `crypto.randomInt` are its own; sockets, timers and files are those of this process, for the caller to part.
 *
 * To be called from a setImmediate callback on the main thread, so that no other callback of the event loop is under
 * way. Takes as long as what V8's threads do at the moment. Work in libuv's threads (files, DNS, zlib, crypto) is waited
 * for up to 250 ms, and its results come in both processes; what takes longer comes in this one only.
 *
 * @returns the pid of the new process; in the new process 0
 * @throws an error, and nothing has changed. EAGAIN, ENOMEM and the like: the system has no room for another process.
 *   EINVAL: not prepared. EBUSY: a watchdog runs. ETIMEDOUT: V8's threads did not come to an end
 */
export function fork(): number {
  const native = binding()
  if (!prepared || !isMainThread) throw failure('EINVAL', 'prepare() was not called in this thread')
  if (native.watchdogRuns()) throw failure('EBUSY', 'the watchdog has to be stopped before a fork')
  stopThreads()
  const pid = native.fork()
  if (pid === 0) becomeChild()
  return pid
}

function stopThreads(): void {
  const native = binding()
  native.stopPool()
  try {
    waitFor((milliseconds) => native.joinPool(milliseconds))
  } catch (error) {
    native.startPool()
    throw error
  }
}

/**
 * Waits for V8's threads. In JavaScript, so that V8 can interrupt the wait: a thread that finds the heap full asks the
 * main thread to collect garbage and waits for it, and we would wait for that thread for ever.
 */
function waitFor(done: (milliseconds: number) => boolean): void {
  const deadline = performance.now() + THREADS_LIMIT
  while (!done(1)) {
    if (performance.now() > deadline) {
      throw failure('ETIMEDOUT', `V8's threads were busy for more than ${THREADS_LIMIT} ms`)
    }
  }
}

/** Milliseconds. A long compilation of WebAssembly is one of seconds. */
const THREADS_LIMIT = 10_000
