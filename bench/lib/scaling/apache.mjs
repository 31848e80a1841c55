/**
 * Apache's spare servers as they are, to compare with: once a second whole workers are counted, one that starts as idle;
 * too few idle ones: `rate` more, doubling up to 32; too many: one less, at once.
 */
export function apache({ minSpare, maxSpare }) {
  let rate = 1
  return ({ workers, died }, desired) => {
    if (died > 0) return desired
    // Its workers are busy or not: taken as such from half of the time on.
    const idle = workers.filter(({ state, utilisation }) => state !== 'serving' || utilisation < 0.5).length
    if (idle > maxSpare) {
      rate = 1
      return desired - 1
    }
    if (idle >= minSpare) {
      rate = 1
      return desired
    }
    const next = desired + rate
    rate = Math.min(2 * rate, 32)
    return next
  }
}
