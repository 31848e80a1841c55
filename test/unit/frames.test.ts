import t from 'tap'
import { encode, FrameReader } from '#core/channel/frames.js'

const messages = [{ type: 'ready' }, { text: 'line\nbreak, ü, 漢字, 🦝 and \u2028' }, [], null, 'text', 7]
const stream = Buffer.from(messages.map(encode).join(''))

t.test('a message is one line, whatever is in it', async (t) => {
  for (const message of messages) {
    const line = encode(message)
    t.equal(line.indexOf('\n'), line.length - 1)
    t.strictSame(JSON.parse(line), message)
  }
})

t.test('several messages in one chunk are read in their order', async (t) => {
  t.strictSame(new FrameReader(1_000).push(stream), messages)
})

t.test('a stream that is split in two at any byte gives the same messages', async (t) => {
  for (let at = 0; at <= stream.length; at += 1) {
    const reader = new FrameReader(1_000)
    const read = [...reader.push(stream.subarray(0, at)), ...reader.push(stream.subarray(at))]
    t.strictSame(read, messages, `at ${at}`)
  }
})

t.test('a stream that arrives byte by byte gives the same messages, characters of several bytes too', async (t) => {
  const reader = new FrameReader(1_000)
  const read = [...stream].flatMap((byte) => reader.push(Buffer.from([byte])))
  t.strictSame(read, messages)
})

t.test('an unfinished message is kept until it is finished', async (t) => {
  const reader = new FrameReader(100)
  t.strictSame(reader.push(Buffer.from('{"a":')), [])
  t.strictSame(reader.push(Buffer.alloc(0)), [])
  t.strictSame(reader.push(Buffer.from('1}\n{"b":2}\n{"c"')), [{ a: 1 }, { b: 2 }])
  t.strictSame(reader.push(Buffer.from(':3}\n')), [{ c: 3 }])
})

t.test('a message of exactly the limit passes, and one byte more does not', async (t) => {
  const text = (length: number) => Buffer.from(`"${'x'.repeat(length - 2)}"\n`)
  t.strictSame(new FrameReader(50).push(text(50)), ['x'.repeat(48)])
  t.throws(() => new FrameReader(50).push(text(51)), RangeError)
})

t.test('a message over the limit is refused before its end has come', async (t) => {
  const reader = new FrameReader(50)
  reader.push(Buffer.alloc(50, 'x'))
  t.throws(() => reader.push(Buffer.from('x')), { name: 'RangeError', message: 'a message is longer than 50 bytes' })
})

t.test('the limit is of each message, not of the stream', async (t) => {
  const reader = new FrameReader(20)
  for (let round = 0; round < 20; round += 1) t.strictSame(reader.push(Buffer.from('"0123456789"\n')), ['0123456789'])
})

t.test('what is no JSON is refused', async (t) => {
  for (const text of ['ready\n', '\n', '{\n', '{} {}\n', "{'a':1}\n", '\u0000\n', 'undefined\n']) {
    t.throws(() => new FrameReader(100).push(Buffer.from(text)), SyntaxError, JSON.stringify(text))
  }
})

t.test('what is no UTF-8 is read as JSON with replaced characters, and harms nothing', async (t) => {
  t.strictSame(new FrameReader(100).push(Buffer.from([0x22, 0xff, 0xc3, 0x22, 0x0a])), ['\ufffd\ufffd'])
})
