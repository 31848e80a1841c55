/** Bytes in decimal units: `48 MB`, `1.2 GB`. */
export function bytes(value: number): string {
  if (value < 999_500) return `${Math.round(value / 1_000)} kB`
  return value < 999_500_000 ? `${short(value / 1_000_000, 10)} MB` : `${short(value / 1_000_000_000)} GB`
}

/** A count or rate in at most five characters: `7`, `0.4`, `12.8k`. */
export function count(value: number): string {
  if (value < 999.5) return short(value)
  return value < 999_950 ? `${short(value / 1_000)}k` : `${short(value / 1_000_000)}M`
}

/** A short time, ms: `12 ms`, `1.3 s`. */
export function milliseconds(value: number): string {
  if (value < 1) return '< 1 ms'
  return value < 999.5 ? `${Math.round(value)} ms` : `${short(value / 1_000)} s`
}

/** A long time, ms, in its two largest units: `3 min 20 s`. */
export function age(value: number): string {
  const seconds = Math.max(0, Math.floor(value / 1_000))
  const minutes = Math.floor(seconds / 60)
  const hours = Math.floor(minutes / 60)
  const days = Math.floor(hours / 24)
  if (minutes === 0) return `${seconds} s`
  if (hours === 0) return `${minutes} min ${seconds % 60} s`
  if (days === 0) return `${hours} h ${minutes % 60} min`
  return `${days} d ${hours % 24} h`
}

/** 0 to 1 as `42 %`. */
export function percent(value: number): string {
  return `${Math.round(Math.min(1, Math.max(0, value)) * 100)} %`
}

/** The time of day, in the reader's zone: `09:03:11`. */
export function clock(time: number): string {
  return new Date(time).toTimeString().slice(0, 8)
}

/** `1 worker`, `2 workers`. */
export function plural(number: number, word: string): string {
  return `${number} ${word}${number === 1 ? '' : 's'}`
}

/** With one digit behind the point where there is one, and the value is below the bound. */
function short(value: number, bound = 100): string {
  return value < bound - 0.05 ? String(Math.round(value * 10) / 10) : String(Math.round(value))
}
