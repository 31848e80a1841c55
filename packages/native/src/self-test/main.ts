// The process that the self-test forks from. On stdout it and what it forks tell how far they are, a line each:
//   forked <pid>        there is one more
//   step <pid> <name>   a forked process begins to do something
//   reaped <pid>        it has ended, as it should
//   fault <text>        what failed
//   done                all went well

import { readdirSync, readFileSync, writeSync } from 'node:fs'
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'
import { binding } from '../binding.js'
import { fork, prepare } from '../fork.js'
import { becomeSubreaper, reap } from '../processes.js'
import { startLoad, stopLoad } from './load.js'
import { steps } from './steps.js'

const CHILDREN = 4
const codes = new Map<number, number>()
const timeout = Number(process.argv[2])
limitLife()
prepare()
becomeSubreaper()
await startLoad()
if (await forkAll()) {
  await stopLoad()
  await reapAll()
  lookForZombies()
  say('done')
}

/** @returns false in a forked process, which has lived its life then */
async function forkAll(): Promise<boolean> {
  for (let count = 1; count <= CHILDREN; count += 1) {
    // The last one ends by having nothing left to do, for which no work may be lost to it.
    const last = count === CHILDREN
    if (last) await stopLoad()
    await turn()
    const code = 40 + count
    const pid = forkOne()
    if (pid === 0) {
      await live(code, last)
      return false
    }
    codes.set(pid, code)
  }
  return true
}

function forkOne(): number {
  try {
    const pid = fork()
    if (pid > 0) say(`forked ${pid}`)
    return pid
  } catch (error) {
    return fail(`fork: ${(error as Error).message}`)
  }
}

async function live(code: number, naturally: boolean): Promise<void> {
  limitLife()
  void stopLoad()
  for (const [name, step] of Object.entries(steps)) {
    say(`step ${process.pid} ${name}`)
    try {
      await step()
    } catch (error) {
      fail(`${name}: ${(error as Error).stack}`)
    }
  }
  say(`step ${process.pid} ending`)
  if (!naturally) process.exit(code)
  process.exitCode = code
}

async function reapAll(): Promise<void> {
  for (const [pid, expected] of codes) {
    let end = reap(pid)
    while (end === undefined) {
      await sleep(5)
      end = reap(pid)
    }
    if (end.code !== expected) fail(`${pid} ended with ${end.signal ?? `code ${end.code}`}, not code ${expected}`)
    say(`reaped ${pid}`)
  }
}

function lookForZombies(): void {
  const left = readdirSync('/proc/self/task').flatMap((thread) =>
    readFileSync(`/proc/self/task/${thread}/children`, 'latin1').split(' ').filter(Boolean)
  )
  if (left.length > 0) fail(`left behind: ${left.join(', ')}`)
}

/** The system ends us if we hang, and nobody is left to see it. */
function limitLife(): void {
  binding().alarm(Math.ceil(timeout / 1000) + 2)
}

function fail(text: string): never {
  say(`fault ${text.replaceAll('\n', ' ')}`)
  process.exit(1)
}

function say(line: string): void {
  writeSync(1, `${line}\n`)
}
