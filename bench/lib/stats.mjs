/** The middle value; NaN of nothing. */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** Median, least and most of some measurements. */
export function spread(values) {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values), values }
}

/** The quotients of two rows that were measured in turns: each turn is compared with its neighbour in time. */
export function ratios(values, base) {
  return spread(values.map((value, turn) => value / base[turn]))
}

/** `1.02 (0.98–1.07)` */
export function showSpread({ median, min, max }, digits = 2) {
  return `${fixed(median, digits)} (${fixed(min, digits)}–${fixed(max, digits)})`
}

/** A number with so many digits behind the point, thousands set apart. */
export function fixed(value, digits = 0) {
  if (!Number.isFinite(value)) return '–'
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}
