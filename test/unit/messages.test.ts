import t from 'tap'
import { checkDownward, checkUpward, PROTOCOL_VERSION, UPWARD } from '#core/channel/messages.js'

const ROLES = ['worker', 'service', 'mold', 'task', 'operator'] as const
const error = { name: 'TypeError', message: 'no', stack: 'TypeError: no' }
const answers = {
  count: 7,
  errors: 1,
  aborted: 0,
  latency: [
    [3, 5],
    [90, 2]
  ]
}
const vitals = {
  requests: 1,
  inFlight: 0,
  connections: 2,
  listening: true,
  utilisation: 0.5,
  delayP99: 1.25,
  rss: 5e7,
  heapUsed: 2e7
}
const memory = { pss: 3e7, own: 2e7 }
const drained = { cutRequests: 0, cutSockets: 0, cutStreams: 0, closedIdle: 3 }
const tcp = { address: '::', family: 'IPv6', port: 3000 }

/** For each type: who may say it, and examples. */
const UP: Record<string, { from: readonly string[]; valid: object[]; invalid: object[] }> = {
  hello: {
    from: [],
    valid: [
      { version: PROTOCOL_VERSION, token: 'ab12' },
      { version: 99, token: 'x' }
    ],
    invalid: [{}, { version: '1', token: 'x' }, { version: 1, token: '' }, { version: 1, token: 'x'.repeat(201) }]
  },
  ready: {
    from: ['worker', 'service', 'task'],
    valid: [
      {},
      { options: {} },
      { warmup: true },
      { teardown: true },
      { options: { workers: 'auto', backoff: { min: 1 }, name: 'shop' } }
    ],
    invalid: [
      { options: null },
      { options: { workers: 0 } },
      { options: { modules: [] } },
      { options: { log: false } },
      { options: { wokers: 1 } },
      { more: 1 }
    ]
  },
  serving: {
    from: ['worker', 'service', 'task'],
    valid: [{ addresses: [] }, { addresses: [tcp, { path: '/x.sock' }] }],
    invalid: [
      {},
      { addresses: [{}] },
      { addresses: tcp },
      { addresses: [{ ...tcp, port: -1 }] },
      { addresses: [{ ...tcp, family: 6 }] },
      { addresses: [{ ...tcp, path: '/x' }] }
    ]
  },
  failed: {
    from: ['worker', 'service', 'mold', 'task'],
    valid: [{ error }, { error: { ...error, code: 'E' } }, { error: { ...error, cause: { ...error, cause: error } } }],
    invalid: [
      {},
      { error: 'no' },
      { error: { name: 'E', message: 'no' } },
      { error: { ...error, message: 'x'.repeat(20_001) } },
      { error: { ...error, stack: 'x'.repeat(20_001) } },
      { error: { ...error, cause: { ...error, code: 5 } } },
      { error: { ...error, more: 1 } }
    ]
  },
  listen: {
    from: ['worker', 'service'],
    valid: [
      { request: 1, address: { port: 0, ordinal: 1 } },
      { request: 1, address: { port: 80, host: '::', ipv6Only: true } },
      { request: 1, address: { path: '/x.sock', readableAll: true } }
    ],
    invalid: [
      { request: 1 },
      { address: { port: 0 } },
      { request: -1, address: { port: 0 } },
      { request: 1.5, address: { port: 0 } },
      { request: 1, address: { port: 0, fd: 3 } },
      { request: 1, address: { path: '' } }
    ]
  },
  vitals: {
    from: ['worker'],
    valid: [
      { vitals },
      { vitals: { ...vitals, healthy: false } },
      { vitals, memory },
      { vitals, answers },
      { vitals, answers: { ...answers, latency: [] } }
    ],
    invalid: [
      {},
      { vitals, memory: { pss: 1 } },
      { vitals: { ...vitals, rss: -1 } },
      { vitals: { ...vitals, rss: null } },
      { vitals: { ...vitals, listening: 1 } },
      { vitals: { ...vitals, more: 1 } },
      { vitals, answers: { ...answers, count: -1 } },
      { vitals, answers: { ...answers, errors: 0.5 } },
      { vitals, answers: { ...answers, latency: [[1_000, 1]] } },
      { vitals, answers: { ...answers, latency: [[1, 2, 3]] } },
      { vitals, answers: { ...answers, latency: Array(1_000).fill([1, 1]) } },
      { vitals, answers: { ...answers, more: 1 } }
    ]
  },
  molded: {
    from: ['mold', 'worker'],
    valid: [
      { open: [], timers: [] },
      { open: [{ what: 'a socket' }], timers: [{ what: 'a timer', by: '/app/db.js' }] }
    ],
    invalid: [{}, { open: [] }, { open: ['a socket'], timers: [] }, { open: [{ by: '/app/db.js' }], timers: [] }]
  },
  forked: {
    from: ['mold'],
    valid: [{ request: 3, pid: 4711 }],
    invalid: [{}, { request: 3 }, { request: 3, pid: -1 }, { request: 3, pid: '4711' }]
  },
  'fork-failed': {
    from: ['mold'],
    valid: [{ request: 3, error }],
    invalid: [{ request: 3 }, { error }]
  },
  alive: { from: ['service', 'mold', 'task'], valid: [{}, { memory }], invalid: [{ more: 1 }, { memory: 1 }] },
  'setup-wanted': { from: ['worker', 'mold'], valid: [{}], invalid: [{ generation: 2 }] },
  done: { from: ['task'], valid: [{}, { none: true }], invalid: [{ none: 1 }, { more: 1 }] },
  health: {
    from: ['worker'],
    valid: [{ healthy: true }, { healthy: false, error: { name: 'Error', message: 'down', stack: '' } }],
    invalid: [{}, { healthy: 1 }, { healthy: false, error: 'down' }]
  },
  leave: { from: ['worker', 'service', 'mold', 'task'], valid: [{}], invalid: [{ reason: 'signal' }] },
  forwarding: { from: ['worker'], valid: [{}], invalid: [{ since: 1 }] },
  drained: {
    from: ['worker'],
    valid: [{ drained }],
    invalid: [{}, { drained: { ...drained, cutRequests: 0.5 } }, { drained: { ...drained, closedIdle: undefined } }]
  },
  log: {
    from: ['service', 'task'],
    valid: [{ level: 'info', text: 'admin of 127.0.0.1: reload' }],
    invalid: [{}, { level: 'fatal', text: 'x' }, { level: 'info', text: 'x'.repeat(20_001) }]
  },
  call: {
    from: ['worker', 'service', 'operator'],
    valid: [
      { request: 1, method: 'status' },
      { request: 2, method: 'scale', workers: 4 },
      { request: 3, method: 'reload', oldFirst: true },
      { request: 4, method: 'recycle', id: 7 },
      { request: 5, method: 'revive' },
      { request: 6, method: 'events' },
      { request: 7, method: 'log', lines: 20 }
    ],
    invalid: [
      { request: 1 },
      { request: 1, method: 'exec' },
      { request: 1, method: 'scale', workers: '4' },
      { request: 1, method: 'reload', oldFirst: 'yes' },
      { request: 1, method: 'recycle', id: -1 },
      { request: 1, method: 'log', lines: 0.5 }
    ]
  },
  module: {
    from: ['worker', 'service'],
    valid: [{ module: 'shell', message: 'run', data: { any: [1, 'thing', null] } }],
    invalid: [
      { module: 'shell', data: 1 },
      { module: '', message: 'run', data: 1 }
    ]
  }
}

t.test('every type of the protocol has its examples here', async (t) => {
  t.strictSame(Object.keys(UPWARD).sort(), Object.keys(UP).sort())
})

for (const [type, { from, valid, invalid }] of Object.entries(UP)) {
  t.test(
    `${type} is taken as it is from ${from.join(', ') || 'who has not said hello'}, and from nobody else`,
    async (t) => {
      for (const body of valid) {
        const message = { type, ...body }
        for (const role of ROLES) {
          const refused = type === 'hello' ? 'hello out of turn' : `a ${role} may not send ${type}`
          t.strictSame(checkUpward(message, role), from.includes(role) ? { message } : { refused })
        }
        t.strictSame(
          checkUpward(message, undefined),
          type === 'hello' ? { message } : { refused: `${type} out of turn` }
        )
      }
    }
  )

  t.test(`${type} of a wrong shape is refused with its path`, async (t) => {
    const sender = ROLES.find((role) => from.includes(role))
    for (const body of invalid) {
      const answer = checkUpward({ type, ...body }, sender)
      t.match(answer, { refused: new RegExp(`^${type}: [a-zA-Z0-9.]+: `) }, JSON.stringify(body).slice(0, 80))
    }
  })
}

t.test('what is no message is refused', async (t) => {
  for (const input of [null, undefined, 1, 'ready', true, [], ['ready'], {}, { type: null }, { type: ['ready'] }]) {
    for (const role of [undefined, ...ROLES]) {
      t.match(checkUpward(input, role), { refused: /^unknown message type / }, JSON.stringify(input))
    }
  }
})

t.test('names that every object has are no types, nor are types of the other direction', async (t) => {
  const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf', 'welcome', 'activate', 'retire']
  for (const type of names) t.strictSame(checkUpward({ type }, 'worker'), { refused: `unknown message type ${type}` })
  for (const type of ['__proto__', 'constructor', 'toString', 'hello', 'ready']) {
    t.match(checkDownward({ type }), { refused: new RegExp(`^${type}: `) })
  }
})

t.test('a type that cannot even be printed is refused', async (t) => {
  const input = JSON.parse('{ "type": { "toString": 1, "valueOf": 1 } }')
  t.match(checkUpward(input, 'worker'), { refused: /^unknown message type / })
  t.ok('refused' in checkDownward(input))
})

t.test('a refusal quotes no more than a little of what was sent', async (t) => {
  const answers = [
    checkUpward({ type: 'x'.repeat(10_000) }, 'worker'),
    checkUpward({ type: 'call', request: 1, method: 'x'.repeat(10_000) }, 'worker'),
    checkUpward({ type: 'alive', ['x'.repeat(10_000)]: 1 }, 'service'),
    checkDownward({ type: 'x'.repeat(10_000) })
  ]
  for (const answer of answers) t.ok('refused' in answer && answer.refused.length <= 300)
})

t.test('a __proto__ in a message pollutes nothing', async (t) => {
  const input = JSON.parse('{ "type": "ready", "__proto__": { "polluted": true } }')
  checkUpward(input, 'worker')
  t.equal(({} as { polluted?: unknown }).polluted, undefined)
})

const DOWN: Record<string, { valid: object[]; invalid: object[] }> = {
  welcome: {
    valid: [{ ticketKeys: 'ab', backlog: 4_096, stopIdleGrace: 0, drainTimeout: 90_000, hangTimeout: 0, pulse: 250 }],
    invalid: [{}, { ticketKeys: '', backlog: 1, stopIdleGrace: 0, drainTimeout: 0 }]
  },
  admitted: { valid: [{}], invalid: [{ ticketKeys: 'ab' }] },
  activate: { valid: [{}], invalid: [{ id: 1 }] },
  retire: {
    valid: [
      { mode: 'retire', drainTimeout: 0, stopIdleGrace: 0 },
      { mode: 'stop', drainTimeout: 1, stopIdleGrace: 1 },
      { mode: 'forward', drainTimeout: 1, stopIdleGrace: 1 }
    ],
    invalid: [{}, { mode: 'now', drainTimeout: 0, stopIdleGrace: 0 }]
  },
  promote: { valid: [{ generation: 3, drainTimeout: 90_000 }], invalid: [{}, { generation: 3 }] },
  fork: { valid: [{ request: 7, launch: { id: 7 } }], invalid: [{}, { request: -1, launch: {} }] },
  hurry: { valid: [{}], invalid: [{ now: true }] },
  pulse: { valid: [{ pulse: 1_000 }], invalid: [{}, { pulse: -1 }] },
  'ticket-keys': { valid: [{ ticketKeys: 'ab' }], invalid: [{}] },
  reply: {
    valid: [{ request: 1 }, { request: 1, value: { any: 'thing' } }, { request: 1, error }],
    invalid: [{}, { request: 'one' }, { request: 1, error: 'no' }]
  },
  event: {
    valid: [{ event: 'stopped' }, { event: 'scale', data: { workers: 2 } }],
    invalid: [{}, { event: '' }, { event: 'x'.repeat(201) }]
  },
  refused: { valid: [{ reason: '' }, { reason: 'no' }], invalid: [{}, { reason: 'x'.repeat(20_001) }] },
  module: { valid: [{ module: 'shell', message: 'run', data: null }], invalid: [{ module: 'shell' }] }
}

for (const [type, { valid, invalid }] of Object.entries(DOWN)) {
  t.test(`${type}, downwards, is taken as it is and refused in another shape`, async (t) => {
    for (const body of valid) t.strictSame(checkDownward({ type, ...body }), { message: { type, ...body } })
    for (const body of invalid) t.match(checkDownward({ type, ...body }), { refused: new RegExp(`^${type}: `) })
  })
}
