import { EventEmitter } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import type { Cluster } from '@mapache/core'
import t from 'tap'
import { Actions } from '#metrics/page/actions.js'

const request = (remoteAddress: string) => {
  const headers = {
    authorization: `Bearer ${Buffer.from('x').toString('base64')}`,
    'content-type': 'application/json',
    'x-mapache': '1'
  }
  const socket = Object.assign(new EventEmitter(), { remoteAddress })
  return Object.assign(Readable.from(['{}']), { method: 'POST', headers, socket }) as unknown as IncomingMessage
}

t.test('the open tries of all addresses of one network count together, as their guesses do', async (t) => {
  const answers: (() => void)[] = []
  const actions = new Actions({
    cluster: {} as Cluster,
    credential: { verify: () => new Promise((resolve) => answers.push(() => resolve({ ok: false }))) },
    audit: () => {},
    outcome: () => {}
  })
  const call = (address: string) => actions.call('reload', request(address))
  const open = [1, 2, 3].map((last) => call(`2001:db8::${last}`))
  t.match(await call('2001:db8::4'), { status: 429 })
  const elsewhere = call('2001:db8:0:1::4')
  while (answers.length < 4) await new Promise((resolve) => setImmediate(resolve))
  for (const answer of answers.splice(0)) answer()
  for (const one of [...open, elsewhere]) t.match(await one, { status: 401 })
  const later = call('2001:db8::5')
  while (answers.length < 1) await new Promise((resolve) => setImmediate(resolve))
  answers[0]?.()
  t.match(await later, { status: 401 }, 'and no longer than they are open')
})
