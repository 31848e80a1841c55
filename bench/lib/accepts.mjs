import net from 'node:net'

/**
 * Opens `count` connections at once, each asking `/who`, and resolves to how many each worker got, most first. None closes
 * before all are answered.
 */
export async function accepts(port, count = 64) {
  const sockets = Array.from({ length: count }, () => net.connect(port, '127.0.0.1'))
  try {
    const pids = await Promise.all(sockets.map(ask))
    const counts = new Map()
    for (const pid of pids) counts.set(pid, (counts.get(pid) ?? 0) + 1)
    return [...counts.values()].sort((a, b) => b - a)
  } finally {
    for (const socket of sockets) socket.destroy()
  }
}

function ask(socket) {
  return new Promise((resolve, reject) => {
    let text = ''
    socket.setTimeout(10_000, () => reject(new Error('nobody answered /who')))
    socket.on('error', reject)
    socket.on('data', (piece) => {
      text += piece
      const body = /\r\n\r\n(\d+)$/.exec(text)
      if (body !== null) resolve(body[1])
    })
    socket.write('GET /who HTTP/1.1\r\nhost: bench\r\n\r\n')
  })
}
