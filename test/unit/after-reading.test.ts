import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import t from 'tap'
import { afterReading } from '#core/supervisor/launch/after-reading.js'

/** Connects, waits until it may, says its last word and ends. */
const CHILD = `const { existsSync } = require('node:fs')
const [, socket, gate] = process.argv
const channel = require('node:net').connect(socket, () => {
  channel.write('hello')
  const timer = setInterval(() => {
    if (!existsSync(gate)) return
    clearInterval(timer)
    channel.write('last word')
    process.exit(1)
  }, 2)
})`

t.test('what a process said is read before its end is heard of', { skip: process.platform !== 'linux' }, async (t) => {
  // Short: a socket's path has 103 bytes.
  const folder = mkdtempSync(path.join(tmpdir(), 'mp-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const [socket, first, second] = ['socket', 'first', 'second'].map((name) => path.join(folder, name)) as [
    string,
    string,
    string
  ]
  const heard: string[] = []
  let greeted = 0
  const server = net.createServer((connection) => {
    connection.on('error', () => {})
    connection.on('data', (data) => {
      const text = String(data)
      heard.push(text)
      if (text === 'hello') greeted += 1
      // In the same turn of the loop in which the first one's end is heard of, the second ends as well.
      if (text === 'last word' && !existsSync(second)) {
        writeFileSync(second, '')
        while (!isZombie(other.pid as number));
      }
    })
  })
  server.listen(socket)
  await once(server, 'listening')
  t.teardown(() => server.close())
  const start = (gate: string): ChildProcess => {
    const child = spawn(process.execPath, ['-e', CHILD, socket, gate])
    child.on('exit', () => afterReading(() => heard.push('end')))
    return child
  }
  const one = start(first)
  const other = start(second)
  while (greeted < 2) await new Promise(setImmediate)
  heard.length = 0
  writeFileSync(first, '')
  while (!isZombie(one.pid as number));
  while (heard.length < 4) await new Promise(setImmediate)
  t.equal(heard.indexOf('end'), 2, heard.join(', '))
})

function isZombie(pid: number): boolean {
  return /\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'latin1'))
}
