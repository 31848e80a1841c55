import net from 'node:net'
import { median } from '../stats.mjs'

const REQUEST = 'GET /version HTTP/1.1\r\nhost: bench\r\n\r\n'

/** The median time of so many requests, one after the other on one kept connection, in ms. */
export function latency(port, requests) {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ port, host: '127.0.0.1', noDelay: true })
    const times = []
    let text = ''
    let length
    let sent
    const send = () => {
      text = ''
      sent = performance.now()
      socket.write(REQUEST)
    }
    socket.setEncoding('latin1').setTimeout(30_000, () => socket.destroy(new Error('a request was not answered')))
    socket.on('connect', send)
    socket.on('error', reject)
    socket.on('close', () => reject(new Error('the kept connection was closed')))
    socket.on('data', (piece) => {
      text += piece
      // Each answer is as long as the first.
      length ??= lengthOf(text)
      if (length === undefined || text.length < length) return
      times.push(performance.now() - sent)
      if (times.length < requests) return send()
      resolve(median(times))
      socket.destroy()
    })
  })
}

function lengthOf(text) {
  const end = text.indexOf('\r\n\r\n')
  const body = /\r\ncontent-length: (\d+)\r\n/i.exec(text)
  return end < 0 || body === null ? undefined : end + 4 + Number(body[1])
}
