import { inspect } from 'node:util'
import { CATALOGUE } from './catalogue.js'
import type { CanaryFigures } from './channel/canary.js'
import type { OpenData } from './channel/messages.js'
import { attachPlace } from './syntax-place.js'

export { CATALOGUE }

export type MapacheErrorCode = keyof typeof CATALOGUE

/** An error as it travels over the channel: plain data. */
export interface ErrorData {
  name: string
  message: string
  stack: string
  code?: string | undefined
  /** Of a `MapacheError`. */
  phase?: string | undefined
  /** Of a canary. */
  figures?: CanaryFigures | undefined
  cause?: ErrorData | undefined
}

/** Every error that Mapache itself raises. `message` starts with the code and says what was got and what to change. */
export class MapacheError extends Error {
  override readonly name = 'MapacheError'
  readonly code: MapacheErrorCode
  /** What to do about it. */
  readonly fix: string
  /** In a failed reload or boot: the step that failed. */
  declare phase?: string
  /** Of a canary that was worse than the old generation: both in figures. */
  declare figures?: CanaryFigures
  /** Of a base that must not be forked: what it holds, and by whom. */
  declare open?: readonly OpenData[]

  constructor(code: MapacheErrorCode, text: string, options: { cause?: unknown; phase?: string } = {}) {
    super(`${code}: ${text}`, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.fix = CATALOGUE[code].fix
    if (options.phase !== undefined) this.phase = options.phase
  }
}

/**
 * Makes plain data of anything that was thrown, within bounds that a channel message can carry.
 * @param depth how many nested causes to keep
 */
export function errorToData(thrown: unknown, depth = 4): ErrorData {
  if (!(thrown instanceof Error)) {
    const message = typeof thrown === 'string' ? thrown : inspect(thrown, { depth: 2 })
    return { name: 'Thrown', message: clip(message), stack: clip(`thrown, not an Error: ${message}`) }
  }
  if (thrown instanceof SyntaxError) attachPlace(thrown)
  const code = (thrown as { code?: unknown }).code
  return {
    name: clip(textOf(() => thrown.name)),
    message: clip(textOf(() => thrown.message)),
    stack: clip(textOf(() => thrown.stack ?? thrown)),
    ...(typeof code === 'string' ? { code: clip(code) } : {}),
    ...(thrown instanceof MapacheError && thrown.phase !== undefined ? { phase: thrown.phase } : {}),
    ...(thrown instanceof MapacheError && thrown.figures ? { figures: thrown.figures } : {}),
    ...(thrown.cause !== undefined && depth > 0 ? { cause: errorToData(thrown.cause, depth - 1) } : {})
  }
}

/** Makes an Error of the data again, with the name, code and stack that it had where it was thrown. */
export function errorFromData(data: ErrorData): Error {
  const cause = data.cause === undefined ? undefined : { cause: errorFromData(data.cause) }
  const phase = data.phase === undefined ? {} : { phase: data.phase }
  const own = isMapacheCode(data.code)
    ? new MapacheError(data.code, data.message.replace(`${data.code}: `, ''), { ...cause, ...phase })
    : Object.assign(new Error(data.message, cause), data.code === undefined ? {} : { code: data.code })
  if (own instanceof MapacheError && data.figures) own.figures = data.figures
  if (!isMapacheCode(data.code)) Object.defineProperty(own, 'name', { value: data.name, configurable: true })
  own.stack = data.stack
  return own
}

function isMapacheCode(code: string | undefined): code is MapacheErrorCode {
  return code !== undefined && Object.hasOwn(CATALOGUE, code)
}

/** What should be a text and may be anything: an object in its place need not even have a toString that works. */
function textOf(read: () => unknown): string {
  try {
    return String(read())
  } catch (error) {
    return `unreadable: ${inspect(error)}`
  }
}

function clip(text: string): string {
  return text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)} … (cut)` : text
}

/** Five errors of four texts each fit into one message, even if every letter is escaped to six bytes. */
const LONGEST_TEXT = 8_192
