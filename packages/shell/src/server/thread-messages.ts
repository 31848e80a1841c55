import { CATALOGUE, MapacheError, type MapacheErrorCode } from '@mapache/core'

/** What the thread of a command is started with. */
export interface ThreadData {
  /** URL of the module with the commands. */
  module: string
  /** The command; without it the thread tells their names. */
  run?: {
    name: string
    argv: string[]
    /** Bytes that were sent and that the user's side has not taken, for both sides to count. */
    unsent: Int32Array
    cluster: { role: string; generation: number; workers: unknown; addresses: unknown }
  }
}

/** What the thread says. */
export type Upward =
  | { type: 'names'; names: string[] }
  | { type: 'send'; text: string; size: number }
  | { type: 'recv'; request: number }
  | { type: 'call'; request: number; method: Method; args: unknown[] }
  | { type: 'listen' | 'unlisten'; event: string }
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
  $error: { name: string; message: string; stack: string; code?: string; cause?: Packed }
}

/** Makes an error fit for the way. */
export function packError(thrown: unknown, depth = 4): Packed {
  if (!(thrown instanceof Error)) return packError(new Error(String(thrown)), depth)
  const { name, message, stack = '', cause } = thrown
  const code = (thrown as { code?: unknown }).code
  return {
    $error: {
      name,
      message,
      stack,
      ...(typeof code === 'string' ? { code } : {}),
      ...(cause !== undefined && depth > 0 ? { cause: packError(cause, depth - 1) } : {})
    }
  }
}

/** Makes an error of it again. */
export function unpackError({ $error: { name, message, stack, code, cause } }: Packed): Error {
  const options = cause === undefined ? {} : { cause: unpackError(cause) }
  const known = code !== undefined && Object.hasOwn(CATALOGUE, code)
  const error = known
    ? new MapacheError(code as MapacheErrorCode, message.replace(`${code}: `, ''), options)
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

/** Bytes that a thread may send ahead of the user's side: then it waits. */
export const MOST_UNSENT = 1 << 18

/** Bytes that a message takes, however short its text is. */
export const MESSAGE = 128
