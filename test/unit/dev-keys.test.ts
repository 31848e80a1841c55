import { EventEmitter } from 'node:events'
import { PassThrough } from 'node:stream'
import t from 'tap'
import { type Host, type Key, readKeys } from '#dev/terminal/keys.js'
import { until } from '../support/fixture.js'

/** A terminal without a system: what was set, what was sent. */
function setup(foreground = true) {
  const raw: boolean[] = []
  const input = Object.assign(new PassThrough(), { isTTY: true, setRawMode: (on: boolean) => raw.push(on), unref() {} })
  const events = new EventEmitter()
  const kills: [number, string][] = []
  const state = { foreground }
  const host: Host = {
    pid: 4711,
    on: (event, listener) => events.on(event, listener),
    off: (event, listener) => events.off(event, listener),
    listenerCount: (event) => events.listenerCount(event),
    kill: (pid, signal) => kills.push([pid, signal]),
    inForeground: () => state.foreground
  }
  const keys: Key[] = []
  const close = readKeys(input, (key) => keys.push(key), host)
  const type = async (text: string) => {
    input.write(text)
    await until(() => input.readableLength === 0, 'the keys to be read')
  }
  return { input, raw, events, kills, keys, close, type, state }
}

t.test('the keys, and the control keys that raw mode takes from the terminal', async (t) => {
  const { keys, close, type, raw } = setup()
  await type('rmoq')
  await type('\x03\x04\x0c')
  t.same(keys, ['reload', 'memory', 'open', 'quit', 'quit', 'quit', 'clear'])
  await type('xyz 1\r\n\x1b[A\x1bOm\x1b[3~\x1br')
  t.equal(keys.length, 7, 'anything else is ignored, arrows and Alt included')
  await type('R')
  t.equal(keys.at(-1), 'reload')
  t.equal(raw.at(-1), true)
  close()
  t.equal(raw.at(-1), false, 'the terminal is given back')
  const { length } = raw
  close()
  t.equal(raw.length, length, 'once')
})

t.test('without a terminal nothing is read', async (t) => {
  const input = new PassThrough()
  readKeys(input, () => t.fail('no key'))()
  t.equal(input.listenerCount('data') + input.listenerCount('keypress'), 0)
})

t.test('Ctrl-Z suspends the group, with the terminal as it was, and SIGCONT takes it again', async (t) => {
  const { raw, kills, type, events, close, input } = setup()
  t.teardown(close)
  await type('\x1a')
  t.same(kills, [[0, 'SIGTSTP']])
  t.equal(raw.at(-1), false)
  t.equal(input.isPaused(), true)
  events.emit('SIGCONT')
  t.equal(raw.at(-1), true)
  t.equal(input.isPaused(), false)
})

t.test('where nobody could continue it, Ctrl-Z changes nothing', async (t) => {
  const { raw, type, close } = setup()
  t.teardown(close)
  await type('\x1a')
  await until(() => raw.at(-1) === true, 'raw mode again')
})

t.test('in the background the terminal is left alone until it is in the foreground', async (t) => {
  const { raw, state, events, input, keys, close, type } = setup(false)
  t.same(raw, [])
  t.equal(input.isPaused(), true)
  state.foreground = true
  events.emit('SIGCONT')
  await type('r')
  t.same(keys, ['reload'])
  close()
})

t.test('SIGTERM and exit give the terminal back', async (t) => {
  const one = setup()
  one.events.emit('SIGTERM')
  t.equal(one.raw.at(-1), false)
  t.same(one.kills, [[4711, 'SIGTERM']], 'nobody else listens: it ends the process')
  const two = setup()
  two.events.on('SIGTERM', () => {})
  two.events.emit('SIGTERM')
  t.same(two.kills, [], 'who listens decides')
  const three = setup()
  three.events.emit('exit')
  t.equal(three.raw.at(-1), false)
  three.close()
})

t.test('a terminal that hung up is no error', async (t) => {
  const { input, close } = setup()
  input.setRawMode = () => {
    throw new Error('setRawMode EIO')
  }
  input.emit('error', new Error('read EIO'))
  close()
  t.pass()
})
