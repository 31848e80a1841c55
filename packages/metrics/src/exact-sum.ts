// Sums of fractions depend on their order by a last digit, and a worker that leaves changes the order: a counter would fall
// by that digit, which Prometheus takes for a restart from zero. So sums are exact, and rounded once, at the end
// (J. R. Shewchuk, "Adaptive Precision Floating-Point Arithmetic", 1997; the rounding as in Python's math.fsum).

/** Adds a finite number to parts that do not overlap, the smallest first, whose sum stays exact. */
export function addExactly(parts: number[], value: number): void {
  let x = value
  let kept = 0
  for (const part of parts) {
    const [large, small] = Math.abs(x) < Math.abs(part) ? [part, x] : [x, part]
    const high = large + small
    const low = small - (high - large)
    if (low !== 0) {
      parts[kept] = low
      kept += 1
    }
    x = high
  }
  parts.length = kept
  parts.push(x)
}

/** The sum of the values, rounded once. What is not finite is added as ever. */
export function exactSum(values: readonly number[]): number {
  if (!values.every(Number.isFinite)) return values.reduce((sum, value) => sum + value, 0)
  const parts: number[] = []
  for (const value of values) addExactly(parts, value)
  let high = parts.pop() ?? 0
  let low = 0
  while (parts.length > 0 && low === 0) {
    const x = high
    const y = parts.pop() as number
    high = x + y
    low = y - (high - x)
  }
  // Halfway between two numbers, what is left of the parts decides.
  const rest = parts.at(-1)
  if (rest !== undefined && low !== 0 && low < 0 === rest < 0) {
    const twice = low * 2
    const other = high + twice
    if (other - high === twice) high = other
  }
  return high
}
