import * as v from 'valibot'
import type { ErrorData } from '../errors.js'
import { ReportedOptionsSchema } from '../options-schema.js'
import { Answers, CanaryOverride, Figures } from './canary.js'

/** Raised whenever a message changes in a way that the other side would misread. */
export const PROTOCOL_VERSION = 5

/** The version that operators speak, who may come with another copy of Mapache: raised when `call` or `event` change. */
export const OPERATOR_VERSION = 2

/** What an operator says in place of a token: the folder's permissions have let it in. */
export const OPERATOR_TOKEN = 'operator'

/** The roles on the channel. What each may say stands with each message. */
export type ChannelRole = 'worker' | 'service' | 'mold' | 'task' | 'operator'

export type CallMethod = (typeof METHODS)[number]

const id = v.pipe(v.number(), v.integer(), v.minValue(0))
const amount = v.pipe(v.number(), v.finite(), v.minValue(0))
const text = v.pipe(v.string(), v.maxLength(20_000))
const name = v.pipe(v.string(), v.minLength(1), v.maxLength(200))
const ErrorSchema: v.GenericSchema<ErrorData> = v.strictObject({
  name: text,
  message: text,
  stack: text,
  code: v.optional(text),
  phase: v.optional(name),
  figures: v.optional(Figures),
  cause: v.optional(v.lazy(() => ErrorSchema))
})
const Tcp = v.strictObject({ address: name, family: v.picklist(['IPv4', 'IPv6']), port: id })
const Bound = v.union([Tcp, v.strictObject({ path: name })])
const Wanted = v.union([
  v.strictObject({ host: v.optional(name), port: id, ipv6Only: v.optional(v.boolean()), ordinal: v.optional(id) }),
  v.strictObject({ path: name, readableAll: v.optional(v.boolean()), writableAll: v.optional(v.boolean()) })
])
const Vitals = v.strictObject({
  requests: amount,
  inFlight: amount,
  connections: amount,
  listening: v.boolean(),
  /** Event-loop utilisation since the last report, 0 to 1. */
  utilisation: amount,
  /** 99th percentile of the event loop's delay since the last report, ms. */
  delayP99: amount,
  /** Bytes. */
  rss: amount,
  heapUsed: amount,
  /** What its health check said last, where it has one. */
  healthy: v.optional(v.boolean())
})
/** Bytes, where the system tells. */
const Memory = v.strictObject({
  /** Shared pages counted in parts. */
  pss: amount,
  /** Pages that no other process has. */
  own: amount
})
const Drained = v.strictObject({
  /** Requests without a whole response, upgraded sockets and HTTP/2 streams that were cut at the deadline. */
  cutRequests: id,
  cutSockets: id,
  cutStreams: id,
  /** Connections without a request that were closed. */
  closedIdle: id
})

/** What a process holds that must not be shared with a fork of it. */
const Open = v.strictObject({
  what: text,
  /** The module that opened it, as far as it could be told. */
  by: v.optional(text)
})

const ALL = ['worker', 'service', 'mold', 'task', 'operator'] as const
const PROCESSES = ['worker', 'service'] as const
const STARTED = ['worker', 'service', 'task'] as const
const LAUNCHED = ['worker', 'service', 'mold', 'task'] as const
const CALLERS = ['worker', 'service', 'operator'] as const
const METHODS = [
  'status',
  'events',
  'log',
  'reload',
  'refork',
  'rollback',
  'scale',
  'recycle',
  'revive',
  'stop',
  'stop-now'
] as const
const moduleMessage = { module: name, message: name, data: v.unknown() }
const reply = { request: id, value: v.optional(v.unknown()), error: v.optional(ErrorSchema) }

/** The protocol, upwards: what a process says to the supervisor, and which roles may say it. */
export const UPWARD = {
  /** The first message of every process. */
  hello: up('hello', ALL, { version: id, token: name }),
  /** Booted, would listen now: serves when it is told to. */
  ready: up('ready', STARTED, {
    options: v.optional(ReportedOptionsSchema),
    warmup: v.optional(v.boolean()),
    teardown: v.optional(v.boolean())
  }),
  /** Listens and answers; `checked` if it has a health check, whose first result follows. A task has begun what it is there for. */
  serving: up('serving', STARTED, { addresses: v.array(Bound), checked: v.optional(v.boolean()) }),
  /** The error that is about to end the process. */
  failed: up('failed', LAUNCHED, { error: ErrorSchema }),
  /** Asks for an address that it was not started with; the handle comes by Node's IPC. */
  listen: up('listen', PROCESSES, { request: id, address: Wanted }),
  vitals: up('vitals', ['worker'], { vitals: Vitals, memory: v.optional(Memory), answers: v.optional(Answers) }),
  /** Its health check has passed for the first time or again, or failed too often in a row. */
  health: up('health', ['worker'], { healthy: v.boolean(), error: v.optional(ErrorSchema) }),
  /** The other processes say it once a second, in place of vitals. */
  alive: up('alive', ['service', 'mold', 'task'], { memory: v.optional(Memory) }),
  /** Has the code loaded and can be forked, unless it holds something; a worker says it that was promoted. */
  molded: up('molded', ['mold', 'worker'], { open: v.array(Open), timers: v.array(Open) }),
  /** A worker was forked; its pid. */
  forked: up('forked', ['mold'], { request: id, pid: id }),
  'fork-failed': up('fork-failed', ['mold'], { request: id, error: ErrorSchema }),
  /** Came to listen, and its code brings a set-up that its generation has not had; leaves next. */
  'setup-wanted': up('setup-wanted', ['worker', 'mold'], {}),
  /** A task has done what it is there for, or its code brings no such thing; leaves next. */
  done: up('done', ['task'], { none: v.optional(v.boolean()) }),
  /** Was asked by a signal to leave. */
  leave: up('leave', LAUNCHED, {}),
  /** From here on it answers no request that arrives, but hands it on. */
  forwarding: up('forwarding', ['worker'], {}),
  /** Finished its drain; leaves next. */
  drained: up('drained', ['worker'], { drained: Drained }),
  /** Asks for something that `Cluster` does; who may do more than look is told by `calls.ts`. */
  call: up('call', CALLERS, {
    request: id,
    method: v.picklist(METHODS),
    /** Of `scale`. */
    workers: v.optional(v.union([id, v.literal('auto')])),
    /** Of `recycle`. */
    id: v.optional(id),
    /** Of `log`. */
    lines: v.optional(id),
    /** Of `reload`. */
    oldFirst: v.optional(v.boolean()),
    canary: v.optional(CanaryOverride)
  }),
  /** A line for Mapache's own log. */
  log: up('log', ['service', 'task'], { level: v.picklist(['info', 'warn', 'error']), text }),
  /** A module's own message; the module checks `data`. */
  module: up('module', PROCESSES, moduleMessage)
}

/** The protocol, downwards: what the supervisor says. */
const DOWNWARD = v.variant('type', [
  down('welcome', {
    ticketKeys: name,
    backlog: amount,
    stopIdleGrace: amount,
    drainTimeout: amount,
    hangTimeout: amount,
    /** Milliseconds between two reports of vitals. */
    pulse: amount
  }),
  /** From now on vitals are wanted so often, ms. */
  down('pulse', { pulse: amount }),
  /** An operator's welcome. */
  down('admitted', {}),
  down('activate', {}),
  /** `forward`: what still arrives is no longer its own to answer. */
  down('retire', { mode: v.picklist(['retire', 'stop', 'forward']), drainTimeout: amount, stopIdleGrace: amount }),
  /** Drain, close the app, and become a mold: `molded` is the answer. */
  down('promote', { generation: id, drainTimeout: amount }),
  /** Fork a worker; its descriptors come first, by the socket that is for them. */
  down('fork', { request: id, launch: v.unknown() }),
  /** A task's last word, `done` or `failed`, was heard: it may go. */
  down('noted', {}),
  /** Count what is answered and how long that takes, and tell it with the vitals. */
  down('measure', { on: v.boolean() }),
  /** Close idle connections now: others of this place are waiting to leave, too. */
  down('hurry', {}),
  down('ticket-keys', { ticketKeys: name }),
  down('reply', reply),
  /** An event of the cluster, for who has called `events`. */
  down('event', { event: name, data: v.optional(v.unknown()) }),
  down('refused', { reason: text }),
  down('module', moduleMessage)
])

export type Upward = {
  [Type in keyof typeof UPWARD]: v.InferOutput<(typeof UPWARD)[Type]['schema']>
}[keyof typeof UPWARD]
export type Downward = v.InferOutput<typeof DOWNWARD>
export type BoundAddress = v.InferOutput<typeof Bound>
export type WantedAddress = v.InferOutput<typeof Wanted>
export type VitalsData = v.InferOutput<typeof Vitals>
export type MemoryData = v.InferOutput<typeof Memory>
export type OpenData = v.InferOutput<typeof Open>
export type DrainedData = v.InferOutput<typeof Drained>

/**
 * Checks a message that came up the channel: its shape, and whether its sender may send it.
 * @param role the sender's, or undefined before its hello
 * @returns the message, or the reason why it is refused
 */
export function checkUpward(input: unknown, role: ChannelRole | undefined): { message: Upward } | { refused: string } {
  const type = (input as { type?: unknown } | null)?.type
  if (typeof type !== 'string' || !Object.hasOwn(UPWARD, type))
    return { refused: `unknown message type ${typeName(type)}` }
  const { from, schema } = UPWARD[type as keyof typeof UPWARD]
  if (role === undefined ? type !== 'hello' : type === 'hello') return { refused: `${type} out of turn` }
  if (role !== undefined && !from.includes(role)) return { refused: `a ${role} may not send ${type}` }
  const parsed = v.safeParse(schema, input, { abortEarly: true })
  return parsed.success ? { message: parsed.output } : { refused: describe(type, parsed.issues[0]) }
}

/** Checks a message that came down the channel. */
export function checkDownward(input: unknown): { message: Downward } | { refused: string } {
  const parsed = v.safeParse(DOWNWARD, input, { abortEarly: true })
  if (parsed.success) return { message: parsed.output }
  return { refused: describe(typeName((input as { type?: unknown } | null)?.type), parsed.issues[0]) }
}

/** What came as a type, for a refusal: an object in its place may not even have a toString that works. */
function typeName(type: unknown): string {
  return (typeof type === 'object' ? JSON.stringify(type) : String(type)).slice(0, 40)
}

function up<const Type extends string, Fields extends v.ObjectEntries>(
  type: Type,
  from: readonly ChannelRole[],
  fields: Fields
) {
  return { from, schema: down(type, fields) }
}

function down<const Type extends string, Fields extends v.ObjectEntries>(type: Type, fields: Fields) {
  return v.strictObject({ type: v.literal(type), ...fields })
}

function describe(type: string, issue: v.BaseIssue<unknown>): string {
  return `${type}: ${v.getDotPath(issue) ?? 'message'}: ${issue.message}`.slice(0, 300)
}
