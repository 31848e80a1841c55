import { createInterface } from 'node:readline'

/**
 * What every server process of the benchmarks is told as its one argument:
 * `kind` http, fastify or express; `app` the URL of the factory's module; all times in ms.
 * @typedef {{ kind: string, app: string, port: number, workers: number, policy?: string, options?: object }} Task
 */

/** @returns {Task} */
export function task() {
  return JSON.parse(process.argv[2])
}

/**
 * Says on stdout that the server is ready, then obeys the lines on stdin: `{ id, do }` runs a command and answers with a line
 * `{ bench: id, result }` or `{ bench: id, error }`. The end of stdin means that the benchmark is gone: stop.
 * @param {Record<string, () => unknown>} commands `stop` among them
 * @param {object} [facts] told with the ready line
 */
export function control(commands, facts = {}) {
  process.stdout.write(`${JSON.stringify({ ready: true, pid: process.pid, ...facts })}\n`)
  let leaving = false
  const lines = createInterface({ input: process.stdin })
  lines.on('line', async (line) => {
    const { id, do: name } = JSON.parse(line)
    if (name === 'stop') leaving = true
    let answer
    try {
      answer = { bench: id, result: (await commands[name]()) ?? null }
    } catch (error) {
      answer = { bench: id, error: String(error?.stack ?? error) }
    }
    process.stdout.write(`${JSON.stringify(answer)}\n`, () => {
      if (name === 'stop') process.exit()
    })
  })
  lines.on('close', async () => {
    if (leaving) return
    leaving = true
    await commands.stop()
    process.exit()
  })
}
