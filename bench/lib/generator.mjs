import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { promisify } from 'node:util'
import { onPath } from './machine.mjs'

const run = promisify(execFile)
const wrk = onPath('wrk')
const require = createRequire(import.meta.url)

/**
 * Requests per second that a server answers to as many connections as given, for so many seconds; and how many failed.
 * @param {string} url
 * @param {{ seconds: number, connections?: number, reconnect?: boolean, cpus?: string }} options `reconnect`: a new
 *   connection for each request
 */
export async function generate(url, { seconds, connections = 64, reconnect = false, cpus }) {
  const command = wrk
    ? ['wrk', '-t1', `-c${connections}`, `-d${seconds}s`, ...(reconnect ? ['-H', 'Connection: close'] : []), url]
    : autocannon(url, seconds, connections, reconnect)
  const [file, ...args] = cpus === undefined ? command : ['taskset', '-c', cpus, ...command]
  const { stdout } = await run(file, args, {
    timeout: seconds * 1000 + 20_000,
    killSignal: 'SIGKILL',
    maxBuffer: 2 ** 24
  })
  return wrk ? readWrk(stdout) : readAutocannon(stdout)
}

function autocannon(url, seconds, connections, reconnect) {
  const script = require.resolve('autocannon')
  // Not its --reconnectRate, with which autocannon 9 gets no answer at all.
  const once = reconnect ? ['-H', 'Connection=close'] : []
  return [process.execPath, script, '-j', '-n', '-c', `${connections}`, '-d', `${seconds}`, ...once, url]
}

function readWrk(text) {
  const socket = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(text)?.slice(1) ?? []
  const bad = Number(/Non-2xx or 3xx responses: (\d+)/.exec(text)?.[1] ?? 0)
  return {
    perSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(text)?.[1] ?? Number.NaN),
    failed: socket.map(Number).reduce((sum, count) => sum + count, bad)
  }
}

function readAutocannon(text) {
  const { requests, duration, errors, timeouts, non2xx } = JSON.parse(text)
  return { perSecond: requests.total / duration, failed: errors + timeouts + non2xx }
}
