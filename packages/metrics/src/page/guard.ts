import type { IncomingHttpHeaders } from 'node:http'
import { isIP } from 'node:net'
import { hostname } from 'node:os'

/** Why a request is refused. */
export interface Refusal {
  status: number
  error: string
}

/** A header that no form can send, and no script of another page without being asked for leave, which nobody gives. */
export const HEADER = 'x-mapache'

/**
 * Refuses names that this service is not known by: with a name of its own that it lets point here, a foreign page would
 * be of the same origin as this one (DNS rebinding). An address cannot be made to point elsewhere.
 * @param hosts names that it is known by besides; a name alone stands for each port
 */
export function checkHost({ host }: IncomingHttpHeaders, hosts: readonly string[]): Refusal | undefined {
  const name = nameOf(host)
  if (name === undefined) return { status: 400, error: 'The request names no host.' }
  if (isIP(name.replace(/^\[|\]$/g, '')) !== 0) return
  const known = ['localhost', hostname().toLowerCase(), ...hosts.map((one) => one.toLowerCase())]
  if (name.endsWith('.localhost') || known.includes(name) || known.includes(String(host).toLowerCase())) return
  return { status: 421, error: `This service is not known as ${JSON.stringify(name)}: add it to the option hosts.` }
}

/** Refuses to serve what another page asks for; a page that is opened by a link is nothing to refuse. */
export function checkReader(headers: IncomingHttpHeaders): Refusal | undefined {
  const site = headers['sec-fetch-site']
  if (site === undefined || site === 'same-origin' || site === 'none') return
  return { status: 403, error: 'Another page asked for this.' }
}

/** Refuses an action that comes from anywhere but the dashboard itself, or a program that says what it does. */
export function checkCaller(headers: IncomingHttpHeaders): Refusal | undefined {
  const { origin, host } = headers
  const site = headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin') return { status: 403, error: 'Another page asked for this.' }
  if (origin !== undefined && hostOf(origin) !== String(host).toLowerCase()) {
    return { status: 403, error: 'A page of another origin asked for this.' }
  }
  if (headers[HEADER] !== '1') return { status: 403, error: `The header ${HEADER}: 1 is missing.` }
  const type = String(headers['content-type'] ?? '').toLowerCase()
  if (!/^application\/json\s*(;\s*charset=utf-8\s*)?$/.test(type)) {
    return { status: 415, error: 'The body must be application/json.' }
  }
  return
}

/** The password in `Authorization: Bearer`, UTF-8 in base64; undefined when there is none. */
export function passwordOf({ authorization }: IncomingHttpHeaders): string | undefined {
  const [, encoded] = /^Bearer ([A-Za-z0-9+/]{1,2000}={0,2})$/i.exec(authorization ?? '') ?? []
  return encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString('utf8')
}

/** The name in a Host header, without its port. */
function nameOf(host: string | undefined): string | undefined {
  const [, name] = /^(\[[0-9a-f:.]+\]|[^\s:/?#@[\]]+)(?::\d{1,5})?$/i.exec(host ?? '') ?? []
  return name?.toLowerCase()
}

/** Host and port of an origin, as a Host header has them. The scheme is not compared: TLS may end before this service. */
function hostOf(origin: string): string | undefined {
  const [, host] = /^https?:\/\/([^/]+)$/i.exec(origin) ?? []
  return host?.toLowerCase()
}
