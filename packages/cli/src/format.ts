/**
 * A duration for people, in at most two units.
 * @param ms milliseconds
 */
export function formatDuration(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))}ms`
  // Rounded first, so that no unit ever reads 60.
  if (ms < 9_950) return `${(ms / 1_000).toFixed(1)}s`
  const seconds = Math.round(ms / 1_000)
  if (seconds < 60) return `${seconds}s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return both(minutes, 'm', seconds % 60, 's')
  const hours = Math.floor(minutes / 60)
  if (hours < 24) return both(hours, 'h', minutes % 60, 'm')
  return both(Math.floor(hours / 24), 'd', hours % 24, 'h')
}

/**
 * An amount of memory for people: three digits and a unit of 1024.
 * @param bytes undefined is unknown
 */
export function formatBytes(bytes: number | undefined): string {
  if (bytes === undefined) return UNKNOWN
  return scaled(bytes, 1_024, ['B', 'K', 'M', 'G', 'T'])
}

/** A count for people: exact up to 9999, then with three digits and a unit. */
export function formatCount(count: number | undefined): string {
  if (count === undefined) return UNKNOWN
  return count < 10_000 ? String(Math.round(count)) : scaled(count, 1_000, ['', 'k', 'M', 'G', 'T'])
}

/**
 * A rate for people.
 * @param perSecond undefined is unknown
 */
export function formatRate(perSecond: number | undefined): string {
  if (perSecond === undefined) return UNKNOWN
  return perSecond > 0 && perSecond < 9.95 ? perSecond.toFixed(1) : formatCount(perSecond)
}

/** A share for people. @param share from 0 to 1; undefined is unknown */
export function formatShare(share: number | undefined): string {
  return share === undefined ? UNKNOWN : `${Math.round(Math.min(1, Math.max(0, share)) * 100)}%`
}

/** A number of things, with the thing's name. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`
}

/** Stands where a value is not known. */
export const UNKNOWN = '-'

function both(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large}${largeUnit}` : `${large}${largeUnit} ${small}${smallUnit}`
}

function scaled(amount: number, base: number, units: readonly string[]): string {
  let value = Math.max(0, amount)
  let unit = 0
  // What would round up to the next unit is shown in it.
  while (unit < units.length - 1 && value >= (unit === 0 ? base : 999.5)) {
    value /= base
    unit += 1
  }
  return `${unit === 0 || value >= 9.95 ? Math.round(value) : value.toFixed(1)}${units[unit]}`
}
