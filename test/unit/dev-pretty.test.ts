import t from 'tap'
import { prettify } from '#dev/terminal/pretty.js'

function setup(colored = false) {
  const written: string[] = []
  const pretty = prettify((text) => written.push(text), { colored })
  return { written, pretty, all: () => written.join('') }
}

const LOG = { level: 30, time: 1_700_000_000_000, pid: 1, hostname: 'h', msg: 'incoming request', reqId: 'req-1' }

t.test('log lines of pino become readable, all else stays as it is', async (t) => {
  const { pretty, all } = setup()
  pretty.write(`before\n${JSON.stringify(LOG)}\nafter\n`)
  t.match(all(), /^before\n\[\d\d:\d\d:\d\d\.\d{3}\] INFO: incoming request \{"reqId":"req-1"\}\nafter\n$/)
})

t.test('a log line is put together from its chunks', async (t) => {
  const { pretty, all } = setup()
  for (const byte of Buffer.from(`${JSON.stringify({ ...LOG, msg: 'grüße 🦝' })}\r\n`))
    pretty.write(Buffer.from([byte]))
  t.match(all(), /INFO: grüße 🦝 \{"reqId":"req-1"\}\n$/)
})

t.test('an error in a log has its stack on lines of its own', async (t) => {
  const { pretty, all } = setup()
  const err = { type: 'Error', message: 'broken', stack: 'Error: broken\n    at a (b.js:1:1)' }
  pretty.write(`${JSON.stringify({ ...LOG, level: 50, err })}\n`)
  t.match(all(), /ERROR: incoming request.*\n[\s\S]*at a \(b\.js:1:1\)/)
  t.ok(all().endsWith('\n'))
})

t.test('other text is never held back', async (t) => {
  const { pretty, written } = setup()
  pretty.write('password: ')
  t.same(written, ['password: '])
  pretty.write('{"level":30,"msg":"x"}\n')
  t.same(written.at(-1), '{"level":30,"msg":"x"}\n', 'what follows a prompt is on its line')
})

t.test('JSON that is no log line stays as it is', async (t) => {
  const { pretty, all } = setup()
  const text = '{"a":1}\n{ broken\n{"level":"info","message":"of another logger"}\n[1]\n{\n  "level": 30\n}\n'
  pretty.write(text)
  t.equal(all(), text)
})

t.test('the end prints what was held back', async (t) => {
  const { pretty, written, all } = setup()
  pretty.write('{"level":30,"time":1,"msg":"last wo')
  t.same(written, [])
  pretty.write(Buffer.from([0xc3]))
  pretty.end()
  t.equal(all(), '{"level":30,"time":1,"msg":"last wo\ufffd')
  pretty.write(`${JSON.stringify(LOG)}`)
  pretty.end()
  t.match(all(), /INFO: incoming request/)
})

t.test('a line without an end is not kept for ever', async (t) => {
  const { pretty, all } = setup()
  const text = `{${'x'.repeat(1_000_000)}`
  pretty.write(text)
  t.equal(all(), text)
  pretty.write('y\nz\n')
  t.equal(all(), `${text}y\nz\n`)
})

t.test('with colours where they are wanted', async (t) => {
  const { pretty, all } = setup(true)
  pretty.write(`${JSON.stringify(LOG)}\n`)
  t.match(all(), '\x1b[32mINFO\x1b[39m')
})
