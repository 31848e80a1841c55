/**
 * A number of bytes, given as such or as a text: `512mb`, `1.5gb`. A kilobyte has 1,024 bytes.
 * @returns undefined when it is neither
 */
export function bytesOf(given: number | string): number | undefined {
  if (typeof given === 'number') return Number.isSafeInteger(given) && given >= 0 ? given : undefined
  const [, digits, unit = ''] = /^(\d+(?:\.\d+)?) ?([kmg]i?b)$/i.exec(given) ?? []
  if (digits === undefined) return undefined
  const bytes = Math.round(Number(digits) * 1_024 ** (UNITS.indexOf(unit.charAt(0).toLowerCase()) + 1))
  return Number.isSafeInteger(bytes) ? bytes : undefined
}

const UNITS = 'kmg'
