import { escapeQuoted } from '../labels.js'

/** One metric as it is printed, with all its samples. */
export interface Family {
  /** As in Prometheus' own format: a counter's ends in `_total`. */
  name: string
  type: 'counter' | 'gauge' | 'histogram' | 'summary'
  help: string
  samples: Sample[]
}

export interface Sample {
  /** What follows the family's name: `_bucket`, `_sum`, `_count`, or nothing. */
  suffix?: string
  /** As they are printed, without braces. */
  labels: string
  value: number
}

export type Format = 'prometheus' | 'openmetrics'

export const CONTENT_TYPES: Readonly<Record<Format, string>> = {
  prometheus: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8'
}

/** The page. A family whose name, or whose samples' names, another has already is left out: a scraper would refuse all. */
export function expose(families: readonly Family[], format: Format): string {
  const open = format === 'openmetrics'
  const taken = new Set<string>()
  const lines: string[] = []
  for (const { name, type, help, samples } of families) {
    const base = type === 'counter' ? name.replace(/_total$/, '') : name
    const names = SUFFIXES[type].map((suffix) => base + suffix)
    if ([base, ...names].some((one) => taken.has(one))) continue
    for (const one of [base, ...names]) taken.add(one)
    const family = open ? base : name
    lines.push(`# HELP ${family} ${open ? escapeQuoted(help) : escapeHelp(help)}`, `# TYPE ${family} ${type}`)
    const unit = /_(seconds|bytes|ratio)$/.exec(family)?.[1]
    if (open && unit) lines.push(`# UNIT ${family} ${unit}`)
    const printed = open && type === 'counter' ? `${base}_total` : name
    for (const { suffix = '', labels, value } of samples) {
      lines.push(`${printed}${suffix}${labels === '' ? '' : `{${labels}}`} ${show(value)}`)
    }
  }
  if (open) lines.push('# EOF')
  return `${lines.join('\n')}\n`
}

/**
 * Chooses the format by what the client accepts: OpenMetrics for who asks for its version 1 and likes it no less.
 * @param accept the header of the request
 */
export function negotiate(accept: string | undefined): Format {
  let open = 0
  let plain = 0
  for (const range of (accept ?? '').slice(0, 4_096).split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase())
    const of = (name: string) => parameters.find((one) => one.startsWith(`${name}=`))?.slice(name.length + 1)
    const quality = Math.min(1, Number(of('q') ?? 1)) || 0
    if (type === 'application/openmetrics-text' && /^"?1\.|^$/.test(of('version') ?? '')) open = Math.max(open, quality)
    if (type === 'text/plain') plain = Math.max(plain, quality)
  }
  return open > 0 && open >= plain ? 'openmetrics' : 'prometheus'
}

function show(value: number): string {
  if (Number.isFinite(value)) return String(value)
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'
}

function escapeHelp(help: string): string {
  return help.replace(/\\/g, '\\\\').replace(/\n/g, '\\n')
}

const SUFFIXES = {
  counter: ['', '_total', '_created'],
  gauge: [''],
  histogram: ['_bucket', '_sum', '_count', '_created'],
  summary: ['_sum', '_count', '_created']
} as const
