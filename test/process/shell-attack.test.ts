// Who means no good, or sends nonsense: it costs them, and nobody else.

import { once } from 'node:events'
import net from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { hashPassword, parseCredential, Throttle } from '#shell/credential.js'
import { type Test, until } from '../support/fixture.js'
import { Line, loggedIn, PASSWORD, serve } from '../support/shell.js'

t.test('guessing is slowed down and locked out, over all connections of an address', async (t) => {
  const throttle = new Throttle({ delay: 20, longest: 160, failures: 8, lockout: 3_600_000 })
  const credential = parseCredential(await hashPassword(PASSWORD))
  const { port, log } = await serve(t, { throttle, credential })
  const good = await loggedIn(t, port)
  const started = performance.now()
  const guessers = [new Line(t, port), new Line(t, port), new Line(t, port)]
  for (const guesser of guessers) {
    for (const guess of ['a', 'b', 'c', 'd', 'e']) guesser.type(guess)
  }
  for (const guesser of guessers) await guesser.end()
  // 20 + 40 + 80 + 4 × 160 ms, and no check of theirs beyond the eighth.
  t.ok(performance.now() - started >= 780)
  const failures = log.filter((line) => line.includes('wrong password'))
  t.equal(failures.length, 8)
  t.match(failures.at(-1), 'this address is locked out now')
  const answers = guessers.map(({ output }) => output).join('')
  t.equal(answers.match(/Wrong password\./g)?.length, 8)
  t.match(answers, /Too many (logins failed from this address|wrong passwords)/)

  const late = new Line(t, port)
  late.type(PASSWORD)
  await late.end()
  t.match(late.output, /^Too many logins failed from this address\. Try again in some minutes\.\n$/)
  t.match(await good.command('worker info'), 'Current workers', 'who is in stays in')
})

t.test('a session may try three times, and not take for ever', async (t) => {
  const throttle = new Throttle({ delay: 1 })
  const { port } = await serve(t, { throttle, limits: { loginTimeout: 300 } })
  const guesser = new Line(t, port)
  for (const guess of ['a', 'b', 'c', PASSWORD]) guesser.type(guess)
  await guesser.end()
  t.match(guesser.output, /^(password: Wrong password\.\n){3}Too many wrong passwords\.\n$/)
  const silent = new Line(t, port)
  await silent.end()
  t.equal(silent.output, 'password: The login took too long.\n')
  const idle = await serve(t, { limits: { idleTimeout: 100 } })
  const sleeper = await loggedIn(t, idle.port)
  await sleeper.shows(/^Closed after 0 seconds without a command\.\n/)
  await sleeper.end()
})

t.test('connections are limited, and of those that do not log in the oldest goes', async (t) => {
  const { port } = await serve(t, { limits: { connections: 6, pending: 3 } })
  const good = await loggedIn(t, port)
  const pending: Line[] = []
  for (let nth = 0; nth < 5; nth++) {
    pending.push(new Line(t, port))
    await pending.at(-1)?.shows(/password: $/)
  }
  await pending[0]?.end()
  await pending[1]?.end()
  t.strictSame(
    pending.map(({ closed }) => closed),
    [true, true, false, false, false]
  )
  await pending[4]?.shows(/$/)
  pending[4]?.type(PASSWORD)
  await pending[4]?.shows(/> $/)
  const silent = await Promise.all(Array.from({ length: 10 }, () => rawConnection(t, port)))
  await until(() => silent.filter(({ destroyed }) => !destroyed).length <= 4, 'the surplus is closed')
  t.match(await good.command('worker info'), 'Current workers')
})

t.test('ten thousand lines of nonsense', async (t) => {
  const { port, log } = await serve(t)
  const good = await loggedIn(t, port)
  const random = generator(20_261_121)
  const grown = await growth(async (half) => {
    let sent = 0
    while (sent < 5_000) {
      const line = await loggedIn(half, port)
      // As fast as they are answered, over the edge of what may wait, and so on with the next.
      while (sent < 5_000 && !line.closed) {
        const lines = Array.from({ length: 200 }, () => nonsense(random))
        sent += lines.length
        line.socket.write(Buffer.concat(lines))
        await until(() => line.closed || line.socket.writableLength === 0, 'the lines are taken')
        await new Promise((resolve) => setImmediate(resolve))
      }
      line.socket.destroy()
    }
    t.match(await good.command('worker info'), 'Current workers')
  })
  t.ok(grown < 1_000, `grown by ${grown} KB`)
  t.notMatch(log.join('\n'), /(?!\n)\p{Cc}/u, 'the log has no control characters')

  const long = await loggedIn(t, port)
  long.socket.write('x'.repeat(1_000_000))
  long.type('\nworker recycle x')
  await long.shows(/^The line is too long: it may have 4096 bytes\.\n> .*got x\nUsage: worker recycle ID\n> $/)
  const pipelined = await loggedIn(t, port)
  pipelined.type('log tail')
  await pipelined.shows(/an old line/)
  pipelined.socket.write('worker info\n'.repeat(20_000))
  await pipelined.end()
  t.match(pipelined.output, /Too many lines wait for their turn\.\n$/)
})

t.test('connections that are no TLS, or end in the middle of it', async (t) => {
  const { port } = await serve(t, { limits: { pending: 8 } })
  const good = await loggedIn(t, port)
  const random = generator(7)
  const grown = await growth(async (half) => {
    const open: net.Socket[] = []
    for (let nth = 0; nth < 250; nth++) {
      const socket = await rawConnection(half, port)
      const kind = nth % 4
      if (kind === 0) socket.write(bytes(random, 400))
      // The head of a TLS record, and no more of it.
      else if (kind === 1)
        socket.write(Buffer.concat([Buffer.from([22, 3, 1, 2, 0, 1, 0, 1, 252]), bytes(random, 100)]))
      else if (kind === 2) socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
      open.push(socket)
    }
    await until(() => open.filter(({ destroyed }) => !destroyed).length <= 8, 'the others are closed')
    t.match(await good.command('worker info'), 'Current workers')
    for (const socket of open) socket.destroy()
    await loggedIn(half, port)
  })
  t.ok(grown < 1_000, `grown by ${grown} KB`)
})

/**
 * Attacks twice. How large the process is depends on when it collects; what it still holds after a collection does not.
 * @param attack opens its connections for the test that it is given: they are forgotten when it has ended
 * @returns KB that are held after the second attack and were not after the first one, which warms up
 */
async function growth(attack: (half: Test) => Promise<void>): Promise<number> {
  const held: number[] = []
  for (let nth = 0; nth < 2; nth++) {
    const ends: (() => unknown)[] = []
    try {
      await attack({ teardown: (end) => ends.push(end), comment() {}, fail() {}, passing: () => true })
    } finally {
      for (const end of ends) end()
    }
    held.push(await heldMemory())
  }
  const [first = 0, second = 0] = held
  return Math.round((second - first) / 1024)
}

/** Bytes that are in use, in the heap and beside it. */
async function heldMemory(): Promise<number> {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  // What a finaliser lets go of is collected the next time.
  for (let nth = 0; nth < 3; nth++) {
    await new Promise((resolve) => setImmediate(resolve))
    collect()
  }
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

async function rawConnection(t: Test, port: number): Promise<net.Socket> {
  const socket = net.connect(port, '127.0.0.1')
  socket.on('error', () => {}).resume()
  t.teardown(() => socket.destroy())
  await once(socket, 'connect')
  return socket
}

/** A line that is no command: random bytes, half a command, quotes that do not close, far too much. */
function nonsense(random: () => number): Buffer {
  const kind = Math.floor(random() * 5)
  const some = bytes(random, Math.floor(random() * 200))
  const words = [
    'worker',
    'recycle',
    'scale',
    'help',
    'log',
    'tail',
    '"',
    "'",
    '\\',
    '-1',
    '1e9',
    '\0',
    '\u202e',
    '__proto__'
  ]
  const pick = () => words[Math.floor(random() * words.length)] ?? ''
  const text = Array.from({ length: Math.floor(random() * 6) }, pick).join(' ')
  const line =
    [some, Buffer.from(text), Buffer.from(`${text}${' '.repeat(5_000)}`), Buffer.from([3, 0, 255]), some][kind] ?? some
  return Buffer.concat([line.filter((byte) => byte !== 10), Buffer.from('\n')])
}

function bytes(random: () => number, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => Math.floor(random() * 256)))
}

/** Random numbers that are the same each time. */
function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
