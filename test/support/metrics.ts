import { randomBytes, scryptSync } from 'node:crypto'
import { existsSync } from 'node:fs'

const path = process.env.PROMTOOL ?? '/usr/bin/promtool'
const missing = !existsSync(path)
if (missing)
  console.error(
    `SKIPPED: no promtool at ${path} (Debian: package prometheus; or PROMTOOL=path): what it checks is not checked`
  )

/** Prometheus' own checker, for the tests that need it: they are skipped without it, and say so. */
export const promtool = { path, skip: missing && `no promtool at ${path}` }

/** The hash of a password, as the option takes it; a quick one. */
export function hashOf(password: string): string {
  const salt = randomBytes(16)
  const hash = scryptSync(password, salt, 32, { N: 1024, r: 8, p: 1 })
  return `scrypt:1024:8:1:${salt.toString('base64url')}:${hash.toString('base64url')}`
}

/** A page of metrics, read back: the value by the sample as it is printed. */
export function parsePage(page: string): Map<string, number> {
  const samples = new Map<string, number>()
  for (const line of page.split('\n')) {
    if (line === '' || line.startsWith('#')) continue
    const at = line.lastIndexOf(' ')
    const name = line.slice(0, at)
    if (samples.has(name)) throw new Error(`${name} stands twice on the page`)
    samples.set(name, Number(line.slice(at + 1).replace('Inf', 'Infinity')))
  }
  return samples
}

/** The names of the metrics on a page, as their TYPE lines have them, with their types. */
export function typesOn(page: string): Map<string, string> {
  return new Map([...page.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '', type = '']) => [name, type]))
}

/** The sum of all samples of a name, whatever their labels. */
export function sumOf(samples: ReadonlyMap<string, number>, name: string, labels = /./): number {
  let sum = 0
  for (const [sample, value] of samples) {
    if (sample.replace(/\{.*/, '') === name && labels.test(sample)) sum += value
  }
  return sum
}
