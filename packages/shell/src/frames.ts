/** Our client names it in the TLS handshake (ALPN). Who does not, is spoken to in plain words. */
export const PROTOCOL = 'mapache-shell/1'

/**
 * What the server says to our client: one JSON object a line. The other way go the user's lines as they are, and the byte
 * of Ctrl-C.
 */
export type Frame =
  | { type: 'login' }
  | { type: 'denied'; text: string }
  | { type: 'ready'; text: string; commands: string[] }
  | { type: 'text'; text: string }
  /** A command waits for a line. */
  | { type: 'ask' }
  | { type: 'done'; ok: boolean }
  /** The last word. A command that was sent and not `done` by then has not been begun. */
  | { type: 'bye'; reason: 'exit' | 'replaced' | 'idle' | 'refused'; text: string }

/** Reads a line of the server. @returns undefined when it is none */
export function parseFrame(line: string): Frame | undefined {
  try {
    const frame = JSON.parse(line) as Frame
    const fields = Object.hasOwn(FIELDS, frame?.type) ? FIELDS[frame.type] : undefined
    const fits = fields && Object.entries(fields).every(([name, type]) => hasType(frame[name as 'type'], type))
    return fits ? frame : undefined
  } catch {
    return undefined
  }
}

function hasType(value: unknown, type: string): boolean {
  return type === 'strings'
    ? Array.isArray(value) && value.every((it) => typeof it === 'string')
    : typeof value === type
}

const FIELDS: Record<Frame['type'], Record<string, string>> = {
  login: {},
  denied: { text: 'string' },
  ready: { text: 'string', commands: 'strings' },
  text: { text: 'string' },
  ask: {},
  done: { ok: 'boolean' },
  bye: { reason: 'string', text: 'string' }
}
