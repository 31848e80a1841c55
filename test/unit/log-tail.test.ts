import t from 'tap'
import { MESSAGE_LIMIT } from '#core/channel/frames.js'
import type { Logger } from '#core/log.js'
import { LogTail } from '#core/supervisor/log-tail.js'

function kept(follow: (message: string) => void = () => {}) {
  const written: unknown[][] = []
  const write = (...args: unknown[]) => written.push(args)
  const tail = new LogTail(({ message }) => follow(message))
  const log = tail.of({ debug: write, info: write, warn: write, error: write, fatal: write } as unknown as Logger)
  return { tail, log, written }
}

t.test('the last lines are kept, and the log does what it did', async (t) => {
  const { tail, log, written } = kept()
  log.debug('not this')
  log.info('one')
  log.error({ err: new Error('no') }, 'two')
  t.match(tail.last(10), [
    { level: 'info', message: 'one', time: Number },
    { level: 'error', message: 'two', error: /^Error: no\n/ }
  ])
  t.match(tail.last(1), [{ message: 'two' }])
  t.same(tail.last(0), [])
  t.equal(written.length, 3)
  for (let line = 0; line < 1_500; line += 1) log.info(`${line}`)
  t.equal(tail.last(5_000).length, 1_000)
  t.match(tail.last(5_000)[0], { message: '500' })
})

t.test('no more lines are told than a message carries, the newest', async (t) => {
  const { tail, log } = kept()
  for (let line = 0; line < 1_000; line += 1) log.info(`${line} ${'é'.repeat(5_000)}`)
  const told = tail.last(1_000)
  t.ok(Buffer.byteLength(JSON.stringify(told)) < MESSAGE_LIMIT)
  t.ok(told.length > 50, `${told.length} lines`)
  t.match(told.at(-1), { message: /^999 / })
})

t.test('a follower that logs does not hear of that', async (t) => {
  const heard: string[] = []
  const { log } = kept((message) => {
    heard.push(message)
    log.info(`about ${message}`)
  })
  log.info('one')
  t.same(heard, ['one'])
})
