import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import {
  closeDescriptor,
  exec,
  exit,
  reap,
  receiveDescriptors,
  sendDescriptors,
  setCloseOnExec,
  socketPair
} from '#native'
import { unsupported } from '../support/native.js'

t.test('descriptors pass from one end to the other', unsupported, async (t) => {
  const file = path.join(t.testdir({ file: 'the file' }), 'file')
  const [here, there] = socketPair()
  t.throws(() => receiveDescriptors(there), { code: 'EAGAIN', syscall: 'recvmsg' }, 'there is none yet')
  const sent = [openSync(file, 'r'), openSync(file, 'r')]
  sendDescriptors(here, sent)
  sendDescriptors(here, [])
  sent.forEach(closeSync)

  const received = receiveDescriptors(there)
  t.equal(received.length, 2)
  for (const descriptor of received) {
    const buffer = Buffer.alloc(8)
    readSync(descriptor, buffer, 0, 8, 0)
    t.equal(buffer.toString(), 'the file')
    t.ok(closesOnExec(descriptor), 'a program does not inherit it')
    closeDescriptor(descriptor)
    t.throws(() => fstatSync(descriptor), { code: 'EBADF' })
  }
  t.strictSame(receiveDescriptors(there), [], 'messages keep their bounds')
  t.throws(() => receiveDescriptors(there), { code: 'EAGAIN' })

  closeDescriptor(here)
  t.throws(() => receiveDescriptors(there), { code: 'EPIPE' }, 'the end')
  t.throws(() => sendDescriptors(there, []), { code: 'EPIPE' }, 'the end, for who sends')
  closeDescriptor(there)
  t.throws(() => closeDescriptor(there), { code: 'EBADF' })
})

t.test('as many as a message carries, and as many messages as the socket takes', unsupported, async (t) => {
  const [here, there] = socketPair()
  sendDescriptors(here, Array(253).fill(0))
  const received = receiveDescriptors(there)
  t.equal(new Set(received).size, 253)
  received.forEach(closeDescriptor)
  t.throws(() => sendDescriptors(here, Array(254).fill(0)), { code: 'EINVAL' })
  t.throws(() => sendDescriptors(here, [here, 999_999]), { code: 'EBADF' })

  let sent = 0
  t.throws(
    () => {
      for (;;) {
        sendDescriptors(here, [])
        sent += 1
      }
    },
    { code: 'EAGAIN' },
    'it never waits'
  )
  for (let at = 0; at < sent; at += 1) receiveDescriptors(there)
  t.throws(() => receiveDescriptors(there), { code: 'EAGAIN' }, 'what was not sent did not come')
  closeDescriptor(here)
  closeDescriptor(there)
})

t.test('whether a program inherits a descriptor', unsupported, async (t) => {
  const [here, there] = socketPair()
  t.ok(closesOnExec(here))
  setCloseOnExec(here, false)
  t.notOk(closesOnExec(here))
  setCloseOnExec(here, true)
  t.ok(closesOnExec(here))
  t.throws(() => setCloseOnExec(999_999, true), { code: 'EBADF' })

  setCloseOnExec(here, false)
  t.throws(() => exec('/nowhere/at/all', [], {}, [there]), { code: 'ENOENT', syscall: 'execve' })
  t.notOk(closesOnExec(here), 'a failed exec leaves it as it was')
  t.ok(closesOnExec(there))
  closeDescriptor(here)
  closeDescriptor(there)
})

t.test('arguments that would mean another thing to the system are refused', unsupported, async (t) => {
  t.throws(() => reap(0), { name: 'RangeError', message: 'a pid must be an integer of at least 1, got 0' })
  t.throws(() => reap(-1), RangeError)
  t.throws(() => reap(1.5), RangeError)
  t.throws(() => reap(1), { code: 'ECHILD' })
  t.throws(() => exit(256), RangeError)
  t.throws(() => closeDescriptor(-1), RangeError)
  t.throws(() => sendDescriptors(0, [Number.NaN]), RangeError)
  t.throws(() => exec('/bin/\0true', [], {}, []), TypeError)
  t.throws(() => exec('/bin/true', ['\0'], {}, []), TypeError)
  t.throws(() => exec('/bin/true', [], { A: 'b\0' }, []), TypeError)
})

function closesOnExec(descriptor: number): boolean {
  const [, flags] = /^flags:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, 'utf8')) ?? []
  return (Number.parseInt(flags as string, 8) & 0o2000000) !== 0
}
