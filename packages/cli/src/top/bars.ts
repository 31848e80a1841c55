/**
 * A share as a bar.
 * @param share from 0 to 1
 * @param width in columns
 */
export function bar(share: number, width: number): string {
  const eighths = Math.round(Math.min(1, Math.max(0, share)) * width * 8)
  const full = Math.floor(eighths / 8)
  const rest = eighths % 8
  const drawn = FULL.repeat(full) + (rest === 0 ? '' : (PARTS[rest - 1] as string))
  return drawn + EMPTY.repeat(width - full - (rest === 0 ? 0 : 1))
}

/** Numbers as a line of columns, as high as they are against the highest; nothing is the lowest. */
export function sparkline(values: readonly number[]): string {
  const most = Math.max(0, ...values)
  return values
    .map((value) => {
      if (most === 0 || value <= 0) return STEPS[0]
      // What is more than nothing is seen to be.
      return STEPS[Math.max(1, Math.round((value / most) * (STEPS.length - 1)))]
    })
    .join('')
}

const FULL = '█'
const EMPTY = '·'
const PARTS = ['▏', '▎', '▍', '▌', '▋', '▊', '▉']
const STEPS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█']
