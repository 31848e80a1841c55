import { closeSync, readdirSync } from 'node:fs'
import t from 'tap'
import { readList, writeList } from '#core/supervisor/launch/base-list.js'
import { Primes } from '#core/supervisor/primes.js'

t.test('a list of any length is read as it was written, and leaves no file', async (t) => {
  const folder = t.testdir()
  const modules = Array.from({ length: 20_000 }, (_, index) => `/app/node_modules/ä-long-name-${index}/index.js`)
  const descriptor = writeList(folder, modules)
  t.strictSame(readdirSync(folder), [])
  t.strictSame(readList(descriptor), modules)
  t.throws(() => closeSync(descriptor), { code: 'EBADF' })
})

t.test('bases that are waited for are known, until they are ready or failed', async (t) => {
  const primes = new Primes()
  const first = primes.open()
  const second = primes.open()
  t.strictSame(primes.pending, [first.generation, first.held, second.generation, second.held])
  primes.primed(first.generation)
  await first.ready
  const failed = t.rejects(second.ready, { code: 'MAPACHE_BOOT_FAILED' })
  primes.failed(second.generation, { name: 'Error', message: 'no', stack: 'Error: no' })
  await failed
  t.strictSame(primes.pending, [])
})
