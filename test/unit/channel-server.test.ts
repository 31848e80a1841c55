import net from 'node:net'
import path from 'node:path'
import t from 'tap'
import { ChannelClient } from '#core/channel/client.js'
import { ChannelServer, type Connection } from '#core/channel/server.js'

t.test('what is too long for the other side is told to who waits, and harms nobody', async (t) => {
  const file = path.join('/tmp', `mp-channel-${process.pid}.sock`)
  const connections: Connection<string>[] = []
  const server = new ChannelServer<string>({
    admit: () => undefined,
    hello: (connection) => {
      connections.push(connection)
      connection.send({ type: 'admitted' })
    },
    message: (connection, message) => {
      if (message.type !== 'call') return
      const value = message.method === 'log' ? 'x'.repeat(2_000_000) : 'short'
      connection.send({ type: 'reply', request: message.request, value })
    },
    refused: () => {},
    closed: () => {}
  })
  await server.listen(file)
  t.teardown(() => server.close())
  const channel = await ChannelClient.operate(file)
  t.teardown(() => channel.close())
  await t.rejects(channel.request({ type: 'call', method: 'log' }), { message: /the message is longer than/ })
  t.equal(await channel.request({ type: 'call', method: 'status' }), 'short')
  t.throws(() => connections[0]?.send({ type: 'event', event: 'log', data: { x: 'é'.repeat(600_000) } }), RangeError)
  await t.rejects(channel.request({ type: 'call', method: 'status', workers: -1 }), { code: 'MAPACHE_CHANNEL_REFUSED' })
  t.equal(await channel.request({ type: 'call', method: 'status' }), 'short')
})

t.test('a server that says what cannot be understood is left', async (t) => {
  const file = path.join('/tmp', `mp-channel-odd-${process.pid}.sock`)
  const odd = net.createServer((socket) => {
    socket.on('error', () => {})
    socket.write('{"type":"admitted"}\n')
    socket.once('data', () => setImmediate(() => socket.write('{{{\n')))
  })
  await new Promise<void>((resolve) => odd.listen(file, resolve))
  t.teardown(() => odd.close())
  const channel = await ChannelClient.operate(file)
  await t.rejects(channel.request({ type: 'call', method: 'status' }), { code: 'MAPACHE_CHANNEL_CLOSED' })
})
