import { CATALOGUE, MapacheError, type MapacheErrorCode } from '@mapache/core'

/** What the thread of a command is started with. */
export interface ThreadData {
  /** URL of the module with the commands. */
  module: string
  /** The command; without it the thread tells their names. */
  run?: {
    name: string
    argv: string[]
    /** Bytes of what was said and is not dealt with, for both sides to count. */
    unsettled: Int32Array
    cluster: { role: string; generation: number; workers: unknown; addresses: unknown }
  }
}

/** Counted as unsettled until it is dealt with: a thread that says too much waits. */
export interface Counted {
  size: number
}

/** What the thread says. */
export type Upward =
  | { type: 'names'; names: string[] }
  | ({ type: 'send'; text: string } & Counted)
  | { type: 'recv'; request: number }
  | { type: 'call'; request: number; method: Method; args: unknown[] }
  | ({ type: 'listen' | 'unlisten'; event: string } & Counted)
  | { type: 'done' }
  | { type: 'failed'; error: Packed }

/** What it hears. */
export type Downward =
  | { type: 'reply'; request: number; value?: unknown; error?: Packed }
  | { type: 'event'; event: string; args: unknown[] }

/** What of the cluster a command may call. */
export const METHODS = ['reload', 'refork', 'rollback', 'scale', 'stop', 'status', 'recycle', 'revive', 'tail'] as const
export type Method = (typeof METHODS)[number]

/** An error on its way: threads hand over neither its code nor its class. */
export interface Packed {
  $error: { name: string; message: string; stack: string; code?: string; phase?: string; cause?: Packed }
}

/** Makes an error fit for the way. */
export function packError(thrown: unknown, depth = 4): Packed {
  if (!(thrown instanceof Error)) return packError(new Error(String(thrown)), depth)
  const { name, message, stack = '', cause } = thrown
  const { code, phase } = thrown as { code?: unknown; phase?: unknown }
  return {
    $error: {
      name,
      message,
      stack,
      ...(typeof code === 'string' ? { code } : {}),
      ...(typeof phase === 'string' ? { phase } : {}),
      ...(cause !== undefined && depth > 0 ? { cause: packError(cause, depth - 1) } : {})
    }
  }
}

/** Makes an error of it again. */
export function unpackError({ $error: { name, message, stack, code, phase, cause } }: Packed): Error {
  const options = cause === undefined ? {} : { cause: unpackError(cause) }
  const known = code !== undefined && Object.hasOwn(CATALOGUE, code)
  const error = known
    ? new MapacheError(code as MapacheErrorCode, message.replace(`${code}: `, ''), {
        ...options,
        ...(phase === undefined ? {} : { phase })
      })
    : Object.assign(new Error(message, options), code === undefined ? {} : { code })
  if (!known) Object.defineProperty(error, 'name', { value: name, configurable: true })
  error.stack = stack
  return error
}

/** Packs the errors that an event carries in its fields. */
export function packFields(value: unknown): unknown {
  return mapFields(value, (field) => (field instanceof Error ? packError(field) : field))
}

export function unpackFields(value: unknown): unknown {
  return mapFields(value, (field) => (isPacked(field) ? unpackError(field) : field))
}

function mapFields(value: unknown, map: (field: unknown) => unknown): unknown {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return map(value)
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, map(field)]))
}

function isPacked(value: unknown): value is Packed {
  return typeof (value as Packed | null)?.$error === 'object'
}

/** Bytes that may be unsettled: then the thread waits. */
export const MOST_UNSETTLED = 1 << 18
/** What a message counts beside its text. */
export const MESSAGE = 128
/** Requests of a thread that may wait for their answers. */
export const MOST_REQUESTS = 64
