import { once } from 'node:events'
import { readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { userInfo } from 'node:os'
import path from 'node:path'
import t from 'tap'
import { WebSocketServer } from 'ws'
import { reportFolders, surplus, writeReport } from '#core/supervisor/diagnose-folder.js'
import { type DevToolsMessage, InspectorSocket, readFrame, textFrame } from '#core/supervisor/diagnose-socket.js'
import { framesIn, framesOf, stackText } from '#core/supervisor/diagnose-stack.js'
import { fieldsOf, portsIn } from '#core/supervisor/diagnose-system.js'

t.test('frames of the DevTools protocol become those of a stack', async (t) => {
  const scripts = new Map([
    ['1', 'file:///app/a%20b.js'],
    ['2', 'node:events']
  ])
  const at = (scriptId: string, lineNumber: number, columnNumber?: number) => {
    return { scriptId, lineNumber, ...(columnNumber === undefined ? {} : { columnNumber }) }
  }
  const frames = framesOf(
    [
      { functionName: 'spin', location: at('1', 9, 2) },
      { functionName: '', location: at('2', 0) },
      { functionName: 'lost', location: at('3', 4, 4) }
    ],
    scripts
  )
  t.strictSame(frames[0], { function: 'spin', file: '/app/a b.js', line: 10, column: 3 })
  t.equal(
    stackText(frames),
    '    at spin (/app/a b.js:10:3)\n    at (anonymous) (node:events:1:1)\n    at lost ((unknown):5:5)'
  )
  const many = Array.from({ length: 500 }, () => ({ functionName: 'f', location: at('1', 0) }))
  t.equal(framesOf(many, scripts).length, 100, 'a runaway recursion is cut')
})

t.test('code may name itself by a URL that no file has', async (t) => {
  for (const url of ['file://nowhere/named.js', 'file:///a%2Fb.js', 'file:']) {
    const frames = framesOf([{ functionName: 'f', location: { scriptId: '1', lineNumber: 0 } }], new Map([['1', url]]))
    t.match(frames, [{ function: 'f', file: String, line: 1 }], url)
  }
})

t.test('what is no message of the inspector ends the connection, and nothing else', async (t) => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  t.teardown(() => server.close())
  server.on('connection', (client) => client.on('message', () => client.send('no JSON')))
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const heard: DevToolsMessage[] = []
  const closed = once(server, 'connection').then(([client]) => once(client, 'close'))
  const socket = await InspectorSocket.connect(
    `ws://127.0.0.1:${port}/a`,
    (message) => heard.push(message),
    AbortSignal.timeout(5_000)
  )
  socket.send('Debugger.enable')
  await closed
  t.strictSame(heard, [])
})

t.test('the listening ports of a process, out of the table of its network', async (t) => {
  const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:07E8 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1162 1 00000000f93adca5 100 0 0 10 0
   1: 0100007F:8BAD 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 39933758 1 000000002820fb3b 100 0 0 10 0
   2: 0100007F:8BAE 0100007F:07E8 01 00000000:00000000 00:00000000 00000000     0        0 39933759 1 000000002820fb3b 100 0 0 10 0`
  t.strictSame(
    portsIn(table, new Set(['39933758', '39933759', '5'])),
    [0x8bad],
    'no stranger, and none that is connected'
  )
  t.strictSame(portsIn('', new Set(['1'])), [])
})

t.test('fields of /proc/PID/status', async (t) => {
  t.strictSame(fieldsOf('Name:\tnode app\nState:\tR (running)\nSigCgt:\t0000000000000200\n'), {
    Name: 'node app',
    State: 'R (running)',
    SigCgt: '0000000000000200'
  })
})

t.test('so many reports are kept, and no more bytes: the oldest go', async (t) => {
  const files = (count: number, size: number) =>
    Array.from({ length: count }, (_, index) => ({ name: `20270101T0000000${String(index).padStart(2, '0')}Z`, size }))
  t.strictSame(surplus(files(20, 1_000)), [])
  t.strictSame(
    surplus(files(23, 1_000)).map((name) => name.slice(-3)),
    ['02Z', '01Z', '00Z']
  )
  t.strictSame(
    surplus(files(5, 6 * 1_024 ** 2)).map((name) => name.slice(-3)),
    ['01Z', '00Z']
  )
  t.strictSame(surplus(files(1, 2 ** 40)), [], 'the last one stays in any case')
})

t.test('where reports are kept', async (t) => {
  const first = (env: NodeJS.ProcessEnv, name = 'shop') => reportFolders(name, env)[0]
  t.equal(first({ STATE_DIRECTORY: '/var/lib/shop:/var/lib/other', XDG_STATE_HOME: '/x' }), '/var/lib/shop/diagnostics')
  t.equal(first({ XDG_STATE_HOME: '/x' }), '/x/mapache/shop/diagnostics')
  t.match(first({ XDG_STATE_HOME: 'relative' }), /\.local\/state\/mapache\/shop\/diagnostics$/)
  t.equal(first({ XDG_STATE_HOME: '/x' }, '../../etc'), '/x/mapache/.._.._etc/diagnostics')
  t.equal(first({ XDG_STATE_HOME: '/x' }, '..'), '/x/mapache/_/diagnostics')
  for (const folder of reportFolders('shop', {})) t.ok(path.isAbsolute(folder))
})

t.test(
  'an old report that is gone when it is looked at, because another removes it, too, harms no new one',
  async (t) => {
    const folder = t.testdir({ '20270101T000000001Z-hung-worker-1-1.json': t.fixture('symlink', 'gone') })
    const file = await writeReport(folder, 'shop', '20270101T000000002Z-hung-worker-2-2.json', '{}')
    t.equal(readFileSync(file, 'utf8'), '{}')
  }
)

t.test('no report goes below a folder in the temp folder that is not this user’s alone', async (t) => {
  const own = t.testdir({ elsewhere: {} })
  const { TMPDIR } = process.env
  t.teardown(() => {
    if (TMPDIR === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = TMPDIR
  })
  process.env.TMPDIR = own
  const unusable = { STATE_DIRECTORY: '/dev/null' }
  const file = await writeReport(undefined, 'shop', 'a.json', '{}', unusable)
  t.equal(file, path.join(own, `mapache-${userInfo().uid}`, 'shop/diagnostics/a.json'))
  rmSync(path.join(own, `mapache-${userInfo().uid}`), { recursive: true })
  symlinkSync(path.join(own, 'elsewhere'), path.join(own, `mapache-${userInfo().uid}`))
  await t.rejects(writeReport(undefined, 'shop', 'b.json', '{}', unusable), { message: /somebody else/ })
  t.strictSame(readdirSync(path.join(own, 'elsewhere')), [])
})

t.test('what is sent is read again, whole frames only', async (t) => {
  for (const text of ['', 'x', 'y'.repeat(125), 'z'.repeat(126), 'ü'.repeat(5_000)]) {
    const sent = textFrame(text, Buffer.from([1, 2, 3, 4]))
    const masked = (sent[1] as number) & 0x80
    t.equal(masked, 0x80)
    t.ok(sent.length > Buffer.byteLength(text) + 5)
  }
  const frame = Buffer.from([0x81, 2, 0x68, 0x69, 0x81])
  t.match(readFrame(frame), { final: true, opcode: 1, length: 4 })
  t.equal(readFrame(frame)?.payload.toString(), 'hi')
  for (const cut of [0, 1, 2, 3]) t.equal(readFrame(frame.subarray(0, cut)), undefined)
})

t.test('a server of another make is understood: short, long and huge messages, fragments, pings', async (t) => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  t.teardown(() => server.close())
  await once(server, 'listening')
  const heard: unknown[] = []
  server.on('connection', (socket) => {
    socket.on('message', (data) => {
      heard.push(JSON.parse(String(data)))
      const text = JSON.stringify({ id: 1, method: 'm'.repeat(100_000) })
      socket.ping()
      socket.send(text.slice(0, 300), { fin: false })
      socket.ping()
      socket.send(text.slice(300), { fin: true })
      socket.send(JSON.stringify({ id: 2 }))
    })
  })
  const { port } = server.address() as AddressInfo
  const messages: DevToolsMessage[] = []
  const done = new Promise<void>((resolve) => {
    const take = (message: DevToolsMessage) => {
      messages.push(message)
      if (message.id === 2) resolve()
    }
    InspectorSocket.connect(`ws://127.0.0.1:${port}/a`, take, AbortSignal.timeout(5_000)).then((socket) => {
      socket.send(`Debugger.${'x'.repeat(200)}`)
      t.teardown(() => socket.close())
    }, t.error)
  })
  await done
  t.strictSame(heard, [{ id: 1, method: `Debugger.${'x'.repeat(200)}` }])
  t.strictSame(
    messages.map(({ id, method }) => [id, method?.length]),
    [
      [1, 100_000],
      [2, undefined]
    ]
  )
})

t.test('what the addon writes of a stack', async (t) => {
  const line = (...parts: unknown[]) => `${parts.join('\u001f')}\n`
  const text = line('spin', 'file:///app/a%20b.mjs', 3, 7) + line('', 'node:internal/x', 1, 2) + line('f', '', 4, 5)
  t.strictSame(framesIn(text), [
    { function: 'spin', file: '/app/a b.mjs', line: 3, column: 7 },
    { function: '(anonymous)', file: 'node:internal/x', line: 1, column: 2 },
    { function: 'f', file: '(unknown)', line: 4, column: 5 }
  ])
  t.strictSame(framesIn(''), [])
})
